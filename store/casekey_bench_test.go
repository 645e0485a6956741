package store

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/keyring"
	"mianti/ledger"
)

// BenchmarkSealing measures how much of what a resolution costs in the database is
// encryption: the case is read, and the resolution of 40 materials stored; and, apart
// from that, what of it is done for the key alone. "share" is the second divided by
// the first, in percent.
func BenchmarkSealing(b *testing.B) {
	for _, cipher := range []keyring.Cipher{keyring.AES256GCM, keyring.SM4GCM} {
		b.Run(string(cipher), func(b *testing.B) {
			url := "sqlite:" + filepath.Join(b.TempDir(), "mianti.db")
			if err := Migrate(b.Context(), url); err != nil {
				b.Fatal(err)
			}
			s, err := Open(b.Context(), Config{URL: url, Now: testClock, Keys: keytest.Keys(), Cipher: cipher})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := s.SaveSystem(b.Context(), exchange.System{ID: "spj", Department: "SPJ"}); err != nil {
				b.Fatal(err)
			}
			if _, err := s.SaveRevision(b.Context(), map[string][]byte{"catalog.yaml": []byte("x")}, RevisionMeta{Title: "t", Version: "1"}); err != nil {
				b.Fatal(err)
			}
			c := newCase("c1", "JN-1")
			if _, err := s.OpenCase(b.Context(), c, entry(ledger.CaseOpened, "c1")); err != nil {
				b.Fatal(err)
			}
			r := sealedResolution(c, 1)
			for len(r.Materials) < 40 {
				r.Materials = append(r.Materials, r.Materials[0])
			}
			plain, err := json.Marshal(r)
			if err != nil {
				b.Fatal(err)
			}
			var whole, sealing time.Duration
			n := 0
			for b.Loop() {
				n++
				r.ID = fmt.Sprintf("r%d", n)
				begun := time.Now()
				if _, err := s.Case(b.Context(), "SPJ", "c1"); err != nil {
					b.Fatal(err)
				}
				if err := s.CommitResolution(b.Context(), exchange.Commit{Resolution: r, Entries: []ledger.Entry{entry(ledger.Resolved, "c1")}}); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if err := sealOnce(b, s, plain); err != nil {
					b.Fatal(err)
				}
				whole, sealing = whole+between.Sub(begun), sealing+time.Since(between)
			}
			b.ReportMetric(100*float64(sealing)/float64(whole), "share-%")
			b.ReportMetric(float64(len(plain)), "bytes")
		})
	}
}

// sealOnce does what reading a case and storing a resolution do for the key: it is
// read and unwrapped twice, the case is opened, and the resolution sealed.
func sealOnce(b *testing.B, s *Store, plain []byte) error {
	var row caseRow
	if err := s.db.Where("id = 'c1'").Take(&row).Error; err != nil {
		return err
	}
	key, err := s.keyOf(b.Context(), s.db, "c1")
	if err != nil {
		return err
	}
	if _, err := key.open(row.Body, casePlace("c1", 1, "body")); err != nil {
		return err
	}
	if key, err = s.keyOf(b.Context(), s.db, "c1"); err != nil {
		return err
	}
	_, err = key.seal(plain, resolutionPlace("r1", 1))
	return err
}
