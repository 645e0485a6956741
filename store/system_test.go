package store

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// secretOf is a credential of tests.
func secretOf(id string) exchange.Credential {
	return exchange.Credential{
		ID: id, Kind: exchange.CredentialSecret, Content: "sha256:00", NotBefore: testTime.Add(-time.Hour),
		CreatedAt: testTime.Add(-time.Hour), CreatedBy: ledger.Operator,
	}
}

func TestSystem_GivesBackWhatWasSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		key := exchange.Credential{
			ID: "c2", Kind: exchange.CredentialJWK, KeyID: "k1", Content: `{"kty":"OKP"}`, NotBefore: testTime, NotAfter: testTime.Add(time.Hour),
			RevokedAt: testTime.Add(time.Minute), CreatedAt: testTime, CreatedBy: "system:spj-1",
		}
		want := exchange.System{
			ID: "spj-1", Department: "SPJ", Name: "行政审批系统", Credentials: []exchange.Credential{secretOf("c1"), key},
			Requires: exchange.BindingDPoP, Disabled: true, CreatedAt: testTime.Add(-time.Hour),
		}
		if err := s.SaveSystem(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("system (-want +got):\n%s", diff)
		}
		list, err := s.Systems(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exchange.System{want}, list); diff != "" {
			t.Errorf("systems (-want +got):\n%s", diff)
		}
	})
}

func TestSaveSystem_ReplacesAllButTheMomentOfRegistration(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first := exchange.System{ID: "spj-1", Department: "SPJ", Name: "旧", Requires: exchange.BindingMTLS, Disabled: true,
			Credentials: []exchange.Credential{secretOf("c1")}}
		second := exchange.System{ID: "spj-1", Department: "GA", Name: "", CreatedAt: testTime.Add(time.Hour),
			Credentials: []exchange.Credential{secretOf("c2")}}
		for _, system := range []exchange.System{first, second} {
			if err := s.SaveSystem(t.Context(), system); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		ended := secretOf("c1")
		ended.RevokedAt = testTime
		want := exchange.System{ID: "spj-1", Department: "GA", CreatedAt: testTime, Credentials: []exchange.Credential{ended, secretOf("c2")}}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("system (-want +got):\n%s", diff)
		}
	})
}

func TestSystem_IsUnknownUntilSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		_, err := s.System(t.Context(), "' OR '1'='1")
		if got := fault.As(err); got == nil || got.Kind != fault.NotFound || got.Code != "unknown-system" {
			t.Errorf("System: %v, want unknown-system", err)
		}
	})
}

func TestSaveSystem_RefusesAnEmptyID(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if err := s.SaveSystem(t.Context(), exchange.System{Department: "SPJ"}); err == nil {
			t.Error("a system without an ID was saved")
		}
	})
}

func TestSystem_KeepsItsSecretsOutOfLogs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("saved", "system", exchange.System{ID: "spj-1", Credentials: []exchange.Credential{{Content: "secret"}}}, "its", exchange.Credential{ID: "c1", Content: "secret"})
	if got := log.String(); strings.Contains(got, "secret") || !strings.Contains(got, "spj-1") {
		t.Errorf("log = %q, want the ID alone", got)
	}
}

func TestSaveSystem_RefusesTextThatPostgresCannotKeep(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if s.dialect == dialectSQLite {
			t.Skip("SQLite keeps any bytes")
		}
		for _, name := range []string{"a\x00b", "\xff"} {
			err := s.SaveSystem(t.Context(), exchange.System{ID: "spj-1", Department: "SPJ", Name: name})
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("name %q: %v, want invalid", name, err)
			}
		}
	})
}
