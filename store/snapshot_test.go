package store

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/snapshot"
	"mianti/internal/fault"
)

const fileSource = "CC.D-CC01.file"

func snapshotHeader(seq int64, rows int) snapshot.Header {
	return snapshot.Header{
		Source: fileSource, AsOf: testTime.AddDate(0, 0, int(seq)), LoadedAt: testTime, Rows: rows, Digest: "d" + strconv.FormatInt(seq, 10), KeyID: "k", Seq: seq,
	}
}

// sealedRows are rows under the keys "0" to "9" in turn. Each body says which
// snapshot and which row it is.
func sealedRows(name string, n int) iter.Seq2[snapshot.Sealed, error] {
	return func(yield func(snapshot.Sealed, error) bool) {
		for i := range n {
			if !yield(snapshot.Sealed{Key: []byte(strconv.Itoa(i % 10)), Body: []byte(name + strconv.Itoa(i))}, nil) {
				return
			}
		}
	}
}

// brokenOff ends the rows with err.
func brokenOff(rows iter.Seq2[snapshot.Sealed, error], err error) iter.Seq2[snapshot.Sealed, error] {
	return func(yield func(snapshot.Sealed, error) bool) {
		for row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		yield(snapshot.Sealed{}, err)
	}
}

func replaceSnapshot(t *testing.T, s *Store, h snapshot.Header, name string) {
	t.Helper()
	if err := s.ReplaceSnapshot(t.Context(), h, sealedRows(name, h.Rows)); err != nil {
		t.Fatal(err)
	}
}

// wantSnapshot wants this snapshot, and these bodies under the key "7".
func wantSnapshot(t *testing.T, s *Store, want snapshot.Header, bodies ...string) {
	t.Helper()
	header, err := s.Snapshot(t.Context(), fileSource)
	if err != nil {
		t.Fatal(err)
	}
	same, found, err := s.SnapshotRows(t.Context(), fileSource, []byte("7"), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, body := range found {
		got = append(got, string(body))
	}
	if diff := cmp.Diff([]*snapshot.Header{&want, &want}, []*snapshot.Header{header, same}); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(bodies, got); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

func TestReplaceSnapshot_PutsOneInThePlaceOfAnother(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		if h, bodies, err := s.SnapshotRows(t.Context(), fileSource, []byte("7"), 3); h != nil || bodies != nil || err != nil {
			t.Errorf("before any: %v, %v, %v", h, bodies, err)
		}
		if h, err := s.Snapshot(t.Context(), fileSource); h != nil || err != nil {
			t.Errorf("before any: %v, %v", h, err)
		}
		// More than one batch of inserts, and of deletes.
		first, second := snapshotHeader(1, 21*snapshotBatch+8), snapshotHeader(2, 18)
		replaceSnapshot(t, s, first, "a")
		wantSnapshot(t, s, first, "a7", "a17", "a27")
		replaceSnapshot(t, s, second, "b")
		wantSnapshot(t, s, second, "b7", "b17")
		empty := snapshotHeader(3, 0)
		replaceSnapshot(t, s, empty, "c")
		wantSnapshot(t, s, empty)
		var left int64
		if err := s.db.Model(&snapshotBody{}).Count(&left).Error; err != nil || left != 0 {
			t.Errorf("%d rows of older ones are left, %v", left, err)
		}
	})
}

func TestReplaceSnapshot_KeepsTheOneBeforeUnlessAllIsStored(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first := snapshotHeader(1, 18)
		replaceSnapshot(t, s, first, "a")
		broken := errors.New("the file broke off")
		gone, cancel := context.WithCancel(t.Context())
		cancelling := func(yield func(snapshot.Sealed, error) bool) {
			cancel()
			sealedRows("b", snapshotBatch)(yield)
		}
		for name, c := range map[string]struct {
			ctx  context.Context
			h    snapshot.Header
			rows iter.Seq2[snapshot.Sealed, error]
			want error // nil: any
		}{
			"an error among the rows": {t.Context(), snapshotHeader(2, 2*snapshotBatch), brokenOff(sealedRows("b", snapshotBatch+1), broken), broken},
			"fewer rows":              {t.Context(), snapshotHeader(2, 3), sealedRows("b", 2), nil},
			"more rows":               {t.Context(), snapshotHeader(2, 1), sealedRows("b", 2), nil},
			"the same number again":   {t.Context(), snapshotHeader(1, 2), sealedRows("b", 2), fault.Conflict},
			"a number left out":       {t.Context(), snapshotHeader(3, 2), sealedRows("b", 2), fault.Conflict},
			"called off":              {gone, snapshotHeader(2, snapshotBatch), cancelling, context.Canceled},
		} {
			err := s.ReplaceSnapshot(c.ctx, c.h, c.rows)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			wantSnapshot(t, s, first, "a7", "a17")
		}
	})
}

func TestReplaceSnapshot_LetsOneOfTwoWin(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		replaceSnapshot(t, s, snapshotHeader(1, 18), "a")
		var group sync.WaitGroup
		ended := make(chan error, 2)
		for _, name := range []string{"b", "c"} {
			group.Go(func() { ended <- s.ReplaceSnapshot(t.Context(), snapshotHeader(2, 18), sealedRows(name, 18)) })
		}
		group.Wait()
		one, other := <-ended, <-ended
		if (one == nil) == (other == nil) || !errors.Is(errors.Join(one, other), fault.Conflict) {
			t.Errorf("got %v and %v, want one conflict", one, other)
		}
		_, bodies, err := s.SnapshotRows(t.Context(), fileSource, []byte("7"), 9)
		if err != nil || len(bodies) != 2 || bodies[0][0] != bodies[1][0] {
			t.Errorf("rows %q, %v; want those of one", bodies, err)
		}
	})
}

func TestSnapshotRows_AreOfOneMoment(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		replaceSnapshot(t, s, snapshotHeader(1, 18), "1-")
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		ended := make(chan error, 1)
		go func() {
			defer stop()
			for seq := int64(2); seq < 20; seq++ {
				if err := s.ReplaceSnapshot(t.Context(), snapshotHeader(seq, 18), sealedRows(strconv.FormatInt(seq, 10)+"-", 18)); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
		for ctx.Err() == nil {
			h, bodies, err := s.SnapshotRows(t.Context(), fileSource, []byte("7"), 9)
			if err != nil {
				t.Fatal(err)
			}
			if name := strconv.FormatInt(h.Seq, 10) + "-7"; len(bodies) != 2 || string(bodies[0]) != name {
				t.Fatalf("header %d with rows %q", h.Seq, bodies)
			}
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestSnapshots_ListsAllSources(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		first, second := snapshotHeader(1, 2), snapshotHeader(1, 3)
		second.Source = "AA.D-1.file"
		replaceSnapshot(t, s, first, "a")
		replaceSnapshot(t, s, second, "b")
		got, err := s.Snapshots(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]snapshot.Header{second, first}, got); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	})
}
