package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/ledger"
)

const testOrigin = "mianti.example/v1/ledger"

func testSigner(t testing.TB) *ledger.Signer {
	t.Helper()
	signer, err := ledger.NewSigner(testOrigin, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// appendN records n entries.
func appendN(t testing.TB, s *Store, n int) {
	t.Helper()
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{Kind: ledger.Intent, At: testTime, System: "spj-1", Department: "SPJ", Case: fmt.Sprintf("c%d", i)}
	}
	if err := s.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

// sealAll seals until nothing waits.
func sealAll(t testing.TB, s *Store, limit int) ledger.Checkpoint {
	t.Helper()
	for {
		done, err := NewLog(s).Seal(t.Context(), testSigner(t), limit)
		if err != nil {
			t.Fatal(err)
		}
		if done.Entries < limit && !done.Elsewhere {
			return done.Checkpoint
		}
	}
}

// verify verifies the whole log of a store.
func verify(t testing.TB, s *Store, kept ...ledger.Checkpoint) ledger.Report {
	t.Helper()
	keys, err := ledger.ParseKeys([]string{testSigner(t).VKey()})
	if err != nil {
		t.Fatal(err)
	}
	report, err := ledger.Verification{Keys: keys, Kept: kept}.Verify(t.Context(), NewLog(s))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func wantGreen(t testing.TB, s *Store, size int64) {
	t.Helper()
	report := verify(t, s)
	if len(report.Faults) > 0 || report.Size != size {
		t.Errorf("%d entries, faults %v; want %d and none", report.Size, report.Faults, size)
	}
}

func TestSeal_WorksForEverySize(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if _, err := NewLog(s).Checkpoint(t.Context()); !errors.Is(err, fault.Unavailable) {
			t.Errorf("before the first: %v, want unavailable", err)
		}
		total := int64(0)
		for _, more := range []int{0, 1, 1, 1, 0, 252, 1, 1, 300, 2000} {
			if more > 0 {
				appendN(t, s, more)
			}
			total += int64(more)
			if c := sealAll(t, s, 1000); c.Size != total {
				t.Fatalf("sealed %d of %d", c.Size, total)
			}
			wantGreen(t, s, total)
		}
	})
}

// A number is taken before its transaction commits: a later number can be seen
// first, and sealed first, and the earlier one must not be passed over.
func TestSeal_TakesNumbersThatCommitLate(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if s.dialect != dialectPostgres {
			t.Skip("one writer at a time: numbers commit in their order")
		}
		late := s.db.WithContext(t.Context()).Begin()
		if err := s.appendEntries(t.Context(), late, []ledger.Entry{{Kind: ledger.Intent, At: testTime, Case: "late"}}); err != nil {
			t.Fatal(err)
		}
		appendN(t, s, 3)
		if c := sealAll(t, s, 10); c.Size != 3 {
			t.Fatalf("sealed %d while one is under way, want 3", c.Size)
		}
		if err := late.Commit().Error; err != nil {
			t.Fatal(err)
		}
		if c := sealAll(t, s, 10); c.Size != 4 {
			t.Errorf("sealed %d, want the late one too", c.Size)
		}
		wantGreen(t, s, 4)
	})
}

func TestSeal_NeverForksWithTwoSealers(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		const writers, each, batches = 3, 40, 5
		stores := []*Store{openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})}
		ctx, stop := context.WithCancel(t.Context())
		var writing, sealing sync.WaitGroup
		for i := range writers {
			writing.Go(func() {
				for range batches {
					appendN(t, stores[i%2], each/batches)
				}
			})
		}
		for _, s := range stores {
			sealing.Go(func() {
				for ctx.Err() == nil {
					if _, err := NewLog(s).Seal(t.Context(), testSigner(t), 7); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		writing.Wait()
		stop()
		sealing.Wait()
		sealAll(t, stores[0], 100)
		wantGreen(t, stores[1], writers*each)
	})
}

func TestSeal_LeavesNothingWhenItFails(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		appendN(t, s, 5)
		before := sealAll(t, s, 100)
		appendN(t, s, 5)
		failing := errors.New("stop")
		err := s.transact(t.Context(), func(tx *gorm.DB) error {
			if _, err := s.seal(t.Context(), tx, testSigner(t), 100); err != nil {
				return err
			}
			return failing
		})
		if !errors.Is(err, failing) {
			t.Fatal(err)
		}
		if c, err := NewLog(s).Checkpoint(t.Context()); err != nil || c.Note != before.Note {
			t.Errorf("%v, %v; want the checkpoint of before", c, err)
		}
		wantGreen(t, s, 5)
		if c := sealAll(t, s, 100); c.Size != 10 {
			t.Errorf("%d sealed afterwards, want 10", c.Size)
		}
	})
}

// Somebody's links count his entries, whoever else they are about, and are those
// that he computes with his key.
func TestSeal_LinksTheEntriesOfEachPerson(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		about := [][]string{{"a"}, {"a", "b"}, {}, {"b"}, {"a", "a"}, {"a", "b", "c"}}
		for i, concerns := range about {
			e := ledger.Entry{Kind: ledger.Intent, At: testTime, Case: fmt.Sprint(i), Concerns: concerns}
			if err := s.Append(t.Context(), []ledger.Entry{e}); err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 {
				sealAll(t, s, 10)
			}
		}
		wantGreen(t, s, int64(len(about)))
		rows, err := NewLog(s).Rows(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for subject, places := range map[string][]int{"a": {0, 1, 4, 5}, "b": {1, 3, 5}, "c": {5}} {
			head, err := table[accessHeadRow](s.db).Where("subject = ?", subject).Take(t.Context())
			if err != nil || head.Count != int64(len(places)) {
				t.Fatalf("%s: %+v, %v; want a count of %d", subject, head, err, len(places))
			}
			for nth := 1; nth <= len(places)+1; nth++ {
				mac := hmac.New(sha256.New, head.Key)
				fmt.Fprintf(mac, "%d", nth)
				link := hex.EncodeToString(mac.Sum(nil))
				found := []int{}
				for i, row := range rows {
					if slices.Contains(row.Links, link) {
						found = append(found, i)
					}
				}
				want := []int{}
				if nth <= len(places) {
					want = []int{places[nth-1]}
				}
				if !slices.Equal(found, want) {
					t.Errorf("link %d of %s is in %v, want %v", nth, subject, found, want)
				}
			}
		}
		accesses, err := table[accessRow](s.db).Where("subject = 'a'").Order("entry_id").Find(t.Context())
		if err != nil || s.findLinks(t.Context(), "a", accesses) != nil || len(accesses) != 4 {
			t.Fatalf("%d accesses, %v", len(accesses), err)
		}
		for i, row := range accesses {
			if row.Nth == nil || *row.Nth != int64(i+1) || row.Link == "" {
				t.Errorf("access %d is %+v", i+1, row)
			}
		}
	})
}

func TestAppend_RefusesWhatNoBundleCouldHold(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		long := ledger.Entry{Kind: ledger.Intent, At: testTime, Why: strings.Repeat("x", ledger.MaxLeaf)}
		if err := s.Append(t.Context(), []ledger.Entry{long}); !errors.Is(err, fault.TooLarge) {
			t.Errorf("%v, want too large", err)
		}
		long.Why = strings.Repeat("x", ledger.MaxLeaf-500)
		if err := s.Append(t.Context(), []ledger.Entry{long}); err != nil {
			t.Errorf("one that just fits: %v", err)
		}
		sealAll(t, s, 10)
		if _, err := NewLog(s).Tile(t.Context(), ledger.Tile{Width: 1, Entries: true}); err != nil {
			t.Errorf("its bundle: %v", err)
		}
	})
}
