package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"mianti/evidence"
)

func issued() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// statement is a whole one: nothing of it is empty.
func statement() evidence.Statement {
	return evidence.Statement{
		Issuer: "https://mianti.example", IssuedAt: issued().Unix(), Department: "SPJ", Case: "c1", CaseNumber: "JN-2026-1",
		Matters: []string{"S01.M1"}, Materials: []string{"S01.M1.b"}, Name: "居民身份证", Party: "p2", Role: "shareholder", Mode: "data",
		Resolution: "r1", Version: 2, ResolvedAt: "2026-11-23T08:59:00Z", Revision: 3, Ruleset: "2026-11-26+000000000000",
		Evidence: evidence.Record{
			Dataset: "D-GA01", Department: "GA", Source: "GA.population", Class: evidence.Government, Reference: "REC-1", SourceProof: "sha256:ab",
			AsOf: "2026-11-20T00:00:00Z", FetchedAt: "2026-11-23T08:58:00Z", ValidUntil: "2030-01-01", YesNo: true,
			Fields: map[string]evidence.Field{
				"name":  {Value: "王建国", Class: evidence.Government, AsOf: "2026-11-20T00:00:00Z"},
				"photo": {Unavailable: "not_released"},
			},
			Grant: "g1", Consent: "k1", Basis: []string{"grant_covers"}, Nonce: "bm9uY2U",
		},
	}
}

func newKey(t testing.TB, a evidence.Algorithm, created, retired time.Time) *evidence.SigningKey {
	t.Helper()
	pkcs8, err := evidence.NewKey(a)
	if err != nil {
		t.Fatal(err)
	}
	key, err := evidence.ReadKey(pkcs8, created, retired)
	if err != nil {
		t.Fatal(err)
	}
	if key.Public().Algorithm() != a {
		t.Fatalf("a key for %s is for %s", a, key.Public().Algorithm())
	}
	return key
}

func algorithms() []evidence.Algorithm {
	return []evidence.Algorithm{evidence.ES256, evidence.EdDSA, evidence.SM2}
}

func sign(t testing.TB, key *evidence.SigningKey, s evidence.Statement) string {
	t.Helper()
	token, err := key.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVerify_GivesWhatWasSignedAndByWhichKey(t *testing.T) {
	t.Parallel()
	for _, a := range algorithms() {
		key := newKey(t, a, issued().Add(-time.Hour), time.Time{})
		other := newKey(t, a, issued(), time.Time{})
		got, err := evidence.Verify(sign(t, key, statement()), []evidence.JWK{other.Public().JWK(), key.Public().JWK()})
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		want := statement()
		if want.Digest, err = want.Evidence.Digest(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Statement); diff != "" || got.Key.ID() != key.Public().ID() {
			t.Errorf("%s: key %s (-want +got):\n%s", a, got.Key.ID(), diff)
		}
	}
}

func TestSign_NamesAlgorithmKeyAndTypeAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, a := range algorithms() {
		key := newKey(t, a, issued(), time.Time{})
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(sign(t, key, statement()), ".")[0])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"alg": string(a), "kid": key.Public().ID(), "typ": "mianti-evidence+jws"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", a, diff)
		}
	}
}

// changes gives the JSON value with each leaf changed in turn, by its path.
func changes(t testing.TB, text []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, value any, set func(any))
	walk = func(path string, value any, set func(any)) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				walk(path+"."+name, inner, func(changed any) { v[name] = changed })
			}
			return
		case []any:
			for i, inner := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), inner, func(changed any) { v[i] = changed })
			}
			return
		case string:
			set(v + "x")
		case float64:
			set(v + 1)
		case bool:
			set(!v)
		default:
			t.Fatalf("%s: a %T", path, value)
		}
		changed, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = changed
		set(value)
	}
	walk("", whole, nil)
	return out
}

func TestVerify_RefusesEveryFieldThatWasChanged(t *testing.T) {
	t.Parallel()
	for _, a := range algorithms() {
		key := newKey(t, a, issued(), time.Time{})
		keys := []evidence.JWK{key.Public().JWK()}
		parts := strings.Split(sign(t, key, statement()), ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		all := changes(t, payload)
		if len(all) < 35 { // all leaves of statement()
			t.Fatalf("only %d leaves: the search is broken", len(all))
		}
		for path, changed := range all {
			token := parts[0] + "." + base64.RawURLEncoding.EncodeToString(changed) + "." + parts[2]
			if _, err := evidence.Verify(token, keys); !errors.Is(err, evidence.ErrSignature) {
				t.Errorf("%s: %s changed: %v", a, path, err)
			}
		}
	}
}

// A statement that its own issuer signs with another evidence than its digest is
// refused too: the digest is what the ledger holds.
func TestVerify_RefusesADigestThatIsNotTheEvidences(t *testing.T) {
	t.Parallel()
	private, keys := plainKey(t)
	s := statement()
	s.Digest, _ = s.Evidence.Digest()
	payload, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	good := plainSign(t, private, jose.ES256, keys[0].Kid, evidence.Type, payload)
	if _, err := evidence.Verify(good, keys); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	refused := 0
	for path, changed := range changes(t, payload) {
		if !strings.HasPrefix(path, ".evidence") && path != ".digest" {
			continue
		}
		refused++
		if _, err := evidence.Verify(plainSign(t, private, jose.ES256, keys[0].Kid, evidence.Type, changed), keys); !errors.Is(err, evidence.ErrDigest) {
			t.Errorf("%s changed: %v", path, err)
		}
	}
	if refused < 18 {
		t.Errorf("only %d leaves of the evidence: the search is broken", refused)
	}
}

// What a later version adds to an evidence is covered by the digest as well.
func TestVerify_CoversWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	private, keys := plainKey(t)
	s := statement()
	s.Digest, _ = s.Evidence.Digest()
	text, _ := json.Marshal(s)
	added := strings.Replace(string(text), `"nonce":`, `"later":1,"nonce":`, 1)
	if added == string(text) {
		t.Fatal("nothing was added")
	}
	if _, err := evidence.Verify(plainSign(t, private, jose.ES256, keys[0].Kid, evidence.Type, []byte(added)), keys); !errors.Is(err, evidence.ErrDigest) {
		t.Errorf("an added member: %v", err)
	}
}

// The digest of a record is for good. This one was computed by another program:
// SHA-256 over the record in sorted, compact JSON.
func TestDigest_IsThatOfTheCanonicalRecord(t *testing.T) {
	t.Parallel()
	s := statement()
	const want = "sha256:f0ce571a2fabc1f034ef55e4f7d4c5d10a085345e98ecba893c2149b0a13d75a"
	if got, err := s.Evidence.Digest(); err != nil || got != want {
		t.Errorf("digest %s, %v; want %s", got, err, want)
	}
}

func TestDigest_DependsOnTheNonce(t *testing.T) {
	t.Parallel()
	a, b := statement().Evidence, statement().Evidence
	b.Nonce = "YW5vdGhlcg"
	first, err := a.Digest()
	second, err2 := b.Digest()
	if err != nil || err2 != nil || first == second || !strings.HasPrefix(first, "sha256:") || len(first) != len("sha256:")+64 {
		t.Errorf("digests %s and %s: %v %v", first, second, err, err2)
	}
}
