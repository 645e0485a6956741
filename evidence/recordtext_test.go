package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"mianti/evidence"
)

// A record's digest is that of its canonical JSON, whatever is in it.
func TestDigest_IsThatOfTheCanonicalJSON(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		r := randomRecord(random)
		text, err := evidence.Canonical(r)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if got, err := r.Digest(); err != nil || got != "sha256:"+hex.EncodeToString(sum[:]) {
			t.Fatalf("record %d: %s %v\nis not the digest of %s", i, got, err, text)
		}
	}
}

func TestDigest_RefusesWhatJSONDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, value := range []any{math.NaN(), math.Inf(-1), func() {}} {
		r := &evidence.Record{Fields: map[string]evidence.Field{"a": {Value: value}}}
		if got, err := r.Digest(); err == nil {
			t.Errorf("%v has the digest %s", value, got)
		}
	}
}

func randomRecord(random *rand.Rand) *evidence.Record {
	text := func() string {
		pieces := []string{"", "a", "D-MZ01", "济南市", "😀", "\ufb33", "\"\\/", "\b\t\n\v\f\r\x00\x1f\x7f", "<>&\u2028", "\xff\xfe", "370199198805163315"}
		var out strings.Builder
		for range random.IntN(4) {
			out.WriteString(pieces[random.IntN(len(pieces))])
		}
		return out.String()
	}
	r := &evidence.Record{
		Dataset: text(), Department: text(), Source: text(), Class: evidence.Class(text()), Reference: text(), SourceProof: text(), AsOf: text(), FetchedAt: text(),
		ValidUntil: text(), YesNo: random.IntN(2) == 0, Grant: text(), Consent: text(), Nonce: text(),
	}
	for range random.IntN(3) {
		r.Basis = append(r.Basis, text())
	}
	values := []any{
		nil, "", text(), true, false, 0.0, math.Copysign(0, -1), 2.5, 1e21, 1e-7, random.NormFloat64(), 17, int64(9007199254740993),
		[]string(nil), []string{}, []string{text(), text()}, []any{text(), 1.5, nil}, map[string]any{"b": text(), "a": []any{}}, map[string]string{"z": "1", "y": "2"},
	}
	names := []string{"name", "number", "registered_on", "Name", "a b", "姓名", "😀", "\ufb33", "\"", ""}
	for range random.IntN(8) {
		if r.Fields == nil {
			r.Fields = map[string]evidence.Field{}
		}
		r.Fields[names[random.IntN(len(names))]] = evidence.Field{Value: values[random.IntN(len(values))], Class: evidence.Class(text()), AsOf: text(), Unavailable: text()}
	}
	return r
}

// BenchmarkRecord_Digest compares the digest of a record as it is made with that
// over a tree, in one run.
func BenchmarkRecord_Digest(b *testing.B) {
	r := &evidence.Record{
		Dataset: "D-ZJ07", Department: "ZJ", Source: "ZJ.D-ZJ07.query", Class: evidence.Government, Reference: "ZJ-2026-000017", AsOf: "2026-11-23T01:00:00Z",
		FetchedAt: "2026-11-23T01:00:00.123456Z", Grant: "S06.M1:D-ZJ07", Basis: []string{"grant", "basis"}, Nonce: "AAAAAAAAAAAAAAAAAAAAAA",
		Fields: map[string]evidence.Field{},
	}
	for i := range 6 {
		r.Fields[fmt.Sprintf("field_%d", i)] = evidence.Field{Value: "泉城示例住宅小区项目", Class: evidence.Government, AsOf: r.AsOf}
	}
	b.Run("written", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Digest(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := evidence.Canonical(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
