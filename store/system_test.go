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
)

func TestSystem_GivesBackWhatWasSaved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		want := exchange.System{
			ID: "spj-1", Department: "SPJ", Name: "行政审批系统", SecretHash: "hash", JWKS: `{"keys":[]}`,
			Disabled: true, CreatedAt: testTime.Add(-time.Hour),
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
	})
}

func TestSaveSystem_ReplacesAllButTheMomentOfRegistration(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first := exchange.System{ID: "spj-1", Department: "SPJ", Name: "旧", SecretHash: "h", JWKS: "j", Disabled: true}
		second := exchange.System{ID: "spj-1", Department: "GA", Name: "", CreatedAt: testTime.Add(time.Hour)}
		for _, system := range []exchange.System{first, second} {
			if err := s.SaveSystem(t.Context(), system); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		want := exchange.System{ID: "spj-1", Department: "GA", CreatedAt: testTime}
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
	slog.New(slog.NewTextHandler(&log, nil)).Info("saved", "system", exchange.System{ID: "spj-1", SecretHash: "secret"})
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
