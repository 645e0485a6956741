package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/pgtest"
	"mianti/ledger"
)

func act(kind ledger.Kind) ledger.Entry {
	return ledger.Entry{Kind: kind, At: testTime, Person: ledger.Operator, Object: "system:spj-1", Why: "换证"}
}

// registered makes a store with a system that has these credentials.
func registered(t *testing.T, s *Store, credentials ...exchange.Credential) {
	t.Helper()
	system := exchange.System{ID: "spj-1", Department: "SPJ", Credentials: credentials}
	if err := s.RegisterSystem(t.Context(), system, act(ledger.SystemRegistered)); err != nil {
		t.Fatal(err)
	}
}

// kindsOf gives the kinds of all entries, in order.
func kindsOf(t *testing.T, s *Store) []string {
	t.Helper()
	rows, err := table[entryRow](s.db).Order("id").Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, row := range rows {
		out = append(out, row.Kind)
	}
	return out
}

func TestRotate_LetsTheOthersEndAndNoneLaterThanBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		soon, gone := secretOf("c1-soon"), secretOf("c2-gone")
		soon.NotAfter, gone.RevokedAt = testTime.Add(time.Hour), testTime.Add(-time.Minute)
		open := secretOf("c3-open")
		registered(t, s, soon, gone, open)
		added := exchange.Credential{ID: "c4", Kind: exchange.CredentialJWK, KeyID: "k", Content: "{}", NotBefore: testTime, CreatedAt: testTime, CreatedBy: ledger.Operator}
		end := testTime.Add(72 * time.Hour)
		err := s.Rotate(t.Context(), exchange.Rotation{System: "spj-1", Add: []exchange.Credential{added}, EndOthers: end, Entries: []ledger.Entry{act(ledger.CredentialAdded)}})
		if err != nil {
			t.Fatal(err)
		}
		open.NotAfter = end
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]exchange.Credential{soon, gone, open, added}, got.Credentials); diff != "" {
			t.Errorf("credentials (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"system_registered", "credential_added"}, kindsOf(t, s)); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	})
}

func TestRotate_ChangesNothingWhenItIsRefused(t *testing.T) {
	t.Parallel()
	key := func(id, kid string) exchange.Credential {
		return exchange.Credential{ID: id, Kind: exchange.CredentialJWK, KeyID: kid, Content: "{}"}
	}
	eachStore(t, func(t *testing.T, s *Store) {
		registered(t, s, key("c1", "k1"))
		before, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		many := make([]exchange.Credential, exchange.MaxCredentials)
		for i := range many {
			many[i] = key(fmt.Sprintf("m%d", i), fmt.Sprintf("m%d", i))
		}
		for _, tc := range []struct {
			name, system, code string
			add                []exchange.Credential
		}{
			{"unknown system", "nobody", "unknown-system", []exchange.Credential{key("c2", "k2")}},
			{"key id in use", "spj-1", "key-exists", []exchange.Credential{key("c2", "k2"), key("c3", "k1")}},
			{"too many", "spj-1", "too-many-credentials", many},
			{"id in use", "spj-1", "duplicate-credential", []exchange.Credential{key("c1", "k2")}},
		} {
			err := s.Rotate(t.Context(), exchange.Rotation{System: tc.system, Add: tc.add, EndOthers: testTime, Entries: []ledger.Entry{act(ledger.CredentialAdded)}})
			if got := fault.As(err); got == nil || got.Code != tc.code {
				t.Errorf("%s: %v, want %s", tc.name, err, tc.code)
			}
		}
		after, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" || len(kindsOf(t, s)) != 1 {
			t.Errorf("it changed (-before +after), entries %v:\n%s", kindsOf(t, s), diff)
		}
	})
}

func TestRotate_KeepsTheBoundWhenManyComeAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		registered(t, s)
		var group sync.WaitGroup
		var added atomic.Int32
		for i := range exchange.MaxCredentials + 6 {
			group.Go(func() {
				err := s.Rotate(t.Context(), exchange.Rotation{System: "spj-1", Add: []exchange.Credential{secretOf(fmt.Sprintf("c%d", i))}})
				if err == nil {
					added.Add(1)
				} else if !errors.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := added.Load(); got != exchange.MaxCredentials {
			t.Errorf("%d were added, want %d", got, exchange.MaxCredentials)
		}
	})
}

func TestRevoke_EndsOneCredentialOrTheSystemWithAnEntry(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		registered(t, s, secretOf("c1"), secretOf("c2"))
		if err := s.RevokeCredential(t.Context(), "spj-1", "c1", act(ledger.CredentialRevoked)); err != nil {
			t.Fatal(err)
		}
		got, err := s.System(t.Context(), "spj-1")
		if err != nil {
			t.Fatal(err)
		}
		if got.Credential("c1", testTime) != nil || got.Credential("c2", testTime) == nil || got.Disabled {
			t.Errorf("after c1 was revoked: %+v", got)
		}
		if err := s.RevokeSystem(t.Context(), "spj-1", act(ledger.SystemRevoked)); err != nil {
			t.Fatal(err)
		}
		if got, err = s.System(t.Context(), "spj-1"); err != nil || !got.Disabled || got.Credential("c2", testTime) != nil {
			t.Errorf("after the system was revoked: %+v, %v", got, err)
		}
		if diff := cmp.Diff([]string{"system_registered", "credential_revoked", "system_revoked"}, kindsOf(t, s)); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	})
}

func TestRevoke_RefusesWhatIsNotThereOrHasEnded(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		registered(t, s, secretOf("c1"))
		saveSystem(t, s, "ga-1")
		if err := s.RevokeCredential(t.Context(), "spj-1", "c1", act(ledger.CredentialRevoked)); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeSystem(t.Context(), "spj-1", act(ledger.SystemRevoked)); err != nil {
			t.Fatal(err)
		}
		before := len(kindsOf(t, s))
		for name, tc := range map[string]struct {
			err  error
			code string
		}{
			"again":                 {s.RevokeCredential(t.Context(), "spj-1", "c1", act(ledger.CredentialRevoked)), "credential-revoked"},
			"of another system":     {s.RevokeCredential(t.Context(), "ga-1", "c1", act(ledger.CredentialRevoked)), "unknown-credential"},
			"no such credential":    {s.RevokeCredential(t.Context(), "spj-1", "c9", act(ledger.CredentialRevoked)), "unknown-credential"},
			"the system again":      {s.RevokeSystem(t.Context(), "spj-1", act(ledger.SystemRevoked)), "system-revoked"},
			"no such system":        {s.RevokeSystem(t.Context(), "nobody", act(ledger.SystemRevoked)), "unknown-system"},
			"rotate one that ended": {s.Rotate(t.Context(), exchange.Rotation{System: "spj-1", Add: []exchange.Credential{secretOf("c2")}}), "system-revoked"},
		} {
			if got := fault.As(tc.err); got == nil || got.Code != tc.code {
				t.Errorf("%s: %v, want %s", name, tc.err, tc.code)
			}
		}
		if got := len(kindsOf(t, s)); got != before {
			t.Errorf("%d entries, want %d", got, before)
		}
	})
}

func TestTokenRevoked_HoldsUntilTheTokenHasEnded(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		now := testTime
		s := openStore(t, Config{URL: url, Now: func() time.Time { return now }})
		for range 2 { // the second changes nothing
			if err := s.RevokeToken(t.Context(), "t1", testTime.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		wantRevoked(t, s, "t1", true)
		wantRevoked(t, s, "T1", false)
		now = testTime.Add(time.Minute + assertionKeep + time.Microsecond)
		if err := s.RevokeToken(t.Context(), "t2", now); err != nil {
			t.Fatal(err)
		}
		wantRevoked(t, s, "t1", false) // its row is gone
		wantRevoked(t, s, "t2", true)
	})
}

func wantRevoked(t *testing.T, s *Store, jti string, want bool) {
	t.Helper()
	got, err := s.TokenRevoked(t.Context(), jti)
	if err != nil || got != want {
		t.Errorf("TokenRevoked(%s) = %v, %v, want %v", jti, got, err, want)
	}
}

func TestMigrate_MovesSecretsAndKeysToCredentials(t *testing.T) {
	t.Parallel()
	eachEmptyURL(t, func(t *testing.T, url string) {
		migrateTo(t, url, 7)
		at, err := parseAddress(url)
		if err != nil {
			t.Fatal(err)
		}
		pool, err := at.connect(existing)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pool.ExecContext(t.Context(), `INSERT INTO systems VALUES
			('spj-1', 'SPJ', '甲', 'sha256:ab', '', FALSE, 1000000),
			('ga-1', 'GA', '乙', '', '{"keys":[{"kty":"OKP","kid":"k1","x":"a"},{"kty":"OKP","x":"b"}]}', FALSE, 2000000),
			('ga-2', 'GA', '丙', '', '', TRUE, 3000000)`)
		if err := errors.Join(err, pool.Close(), Migrate(t.Context(), url)); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, Config{URL: url, Now: testClock})
		want := map[string][]string{
			"spj-1": {"spj-1.secret secret  sha256:ab"},
			"ga-1":  {`ga-1.key-1 jwk k1 {"kty":"OKP","kid":"k1","x":"a"}`, `ga-1.key-2 jwk  {"kty":"OKP","x":"b"}`},
			"ga-2":  nil,
		}
		list, err := s.Systems(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for _, system := range list {
			got[system.ID] = nil
			for _, c := range system.Credentials {
				got[system.ID] = append(got[system.ID], strings.Join([]string{c.ID, string(c.Kind), c.KeyID, c.Content}, " "))
				if !c.GoodAt(testTime) || c.CreatedBy != ledger.Operator {
					t.Errorf("%s is not good: %+v", c.ID, c)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("credentials (-want +got):\n%s", diff)
		}
	})
}

// eachEmptyURL runs a test on a database of each dialect without any table.
func eachEmptyURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newSQLiteURL(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Database(t)
		at, err := parseAddress(url)
		if err != nil {
			t.Fatal(err)
		}
		pool, err := at.connect(existing)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pool.ExecContext(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
		if err := errors.Join(err, pool.Close()); err != nil {
			t.Fatal(err)
		}
		test(t, url)
	})
}

// migrateTo brings an empty database to an older version.
func migrateTo(t *testing.T, url string, version int64) {
	t.Helper()
	at, err := parseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := at.connect(maybeNew)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrationFiles, "migrations/"+string(at.dialect))
	if err != nil {
		t.Fatal(err)
	}
	kind := goose.DialectSQLite3
	if at.dialect == dialectPostgres {
		kind = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(kind, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = provider.UpTo(context.Background(), version)
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
}
