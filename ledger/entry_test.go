package ledger_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/ledger"
)

func TestDigest_IsTheKeyedHashThatItNames(t *testing.T) {
	t.Parallel()
	// RFC 4231, test cases 1 and 2.
	for _, tt := range []struct {
		key         []byte
		value, want string
	}{
		{[]byte(strings.Repeat("\x0b", 20)), "Hi There", "hmac-sha256:b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{[]byte("Jefe"), "what do ya want for nothing?", "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	} {
		if got := ledger.Digest(tt.key, tt.value); got != tt.want {
			t.Errorf("Digest(%q) = %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestDigest_DependsOnSaltAndValue(t *testing.T) {
	t.Parallel()
	const value = "person|370199198805163315"
	salts := [][]byte{[]byte("salt of one case"), []byte("salt of another"), {}, nil}
	digest := ledger.Digest(salts[0], value)
	if ledger.Digest([]byte("salt of one case"), value) != digest {
		t.Error("the same salt and value give two digests")
	}
	for _, salt := range salts[1:] {
		if ledger.Digest(salt, value) == digest {
			t.Errorf("salt %q gives the same digest", salt)
		}
	}
	for _, other := range []string{"", "person|370199196809113156", value + " ", "organization|370199198805163315"} {
		if ledger.Digest(salts[0], other) == digest {
			t.Errorf("%q gives the same digest", other)
		}
	}
	if !regexp.MustCompile(`^hmac-sha256:[0-9a-f]{64}$`).MatchString(digest) {
		t.Errorf("digest = %s, want the algorithm and 64 hex digits", digest)
	}
}

// An entry is kept for years: its names in JSON are a promise, and one that is
// empty is left out.
func TestEntry_KeepsItsNamesInJSON(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	whole := ledger.Entry{
		Kind: ledger.Outcome, At: moment, System: "s", Department: "d", Case: "c", Resolution: "r", Revision: 1, Ruleset: "u",
		Matter: "m", Material: "a", Mode: "data", Dataset: "D", Source: "q", Subject: "x", Fields: []string{"f"}, Grant: "g",
		Basis: []string{"b"}, Result: "ok", Millis: 2, Digest: "y",
	}
	for _, tt := range []struct {
		name  string
		entry ledger.Entry
		want  string
	}{
		{"whole", whole, `{"kind":"outcome","at":"2026-11-23T09:00:00Z","system":"s","department":"d","case":"c","resolution":"r",` +
			`"revision":1,"ruleset":"u","matter":"m","material":"a","mode":"data","dataset":"D","source":"q","subject":"x",` +
			`"fields":["f"],"grant":"g","basis":["b"],"result":"ok","millis":2,"digest":"y"}`},
		{"bare", ledger.Entry{Kind: ledger.CaseOpened, At: moment, System: "s", Department: "d", Case: "c", Revision: 1},
			`{"kind":"case_opened","at":"2026-11-23T09:00:00Z","system":"s","department":"d","case":"c","revision":1}`},
	} {
		text, err := json.Marshal(tt.entry)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		var read ledger.Entry
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.entry, read); diff != "" {
			t.Errorf("%s read back (-want +got):\n%s", tt.name, diff)
		}
	}
}
