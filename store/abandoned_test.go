package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
)

func TestReleaseKey_LetsTheCallerTryAgainWhenTheDatabaseWasAway(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		open(t, s, newCase("c1", "JN-1"))
		away, stop := context.WithCancel(t.Context())
		stop()
		first := &exchange.Key{System: "spj", Value: "k1", Request: "sha256:1", At: testTime}
		if _, err := s.ReserveKey(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if err := s.ReleaseKey(away, first); err == nil {
			t.Fatal("the key was released; the test proves nothing")
		}
		second := *first
		second.At = testTime.Add(time.Second)
		if got, err := s.ReserveKey(t.Context(), &second); got != "" || err != nil {
			t.Fatalf("the key after its request ended: %q, %v; want it to be free", got, err)
		}
		third := *first
		third.At = testTime.Add(2 * time.Second)
		if _, err := s.ReserveKey(t.Context(), &third); fault.As(err) == nil || fault.As(err).Code != "request-in-progress" {
			t.Errorf("the key while its second request is under way: %v", err)
		}
		// What the first request still had to store is not stored beside the second's.
		late := exchange.Commit{Resolution: newResolution("r1", "c1"), Key: first}
		if err := s.CommitResolution(t.Context(), late); err == nil {
			t.Error("the first request stored a resolution with a key that was the second's")
		}
		if err := s.CommitResolution(t.Context(), exchange.Commit{Resolution: newResolution("r2", "c1"), Key: &second}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReserveKey(t.Context(), &third); got != "r2" || err != nil {
			t.Errorf("the key gives %q, %v; want r2", got, err)
		}
	})
}

func TestAbandonedKeys_AreBounded(t *testing.T) {
	t.Parallel()
	var a abandonedKeys
	at := func(n int, when time.Time) reservation { return reservation{"spj", fmt.Sprint(n), At(when)} }
	for n := range mostAbandoned + 5 {
		a.add(at(n, testTime))
	}
	if len(a.held) != mostAbandoned || a.has(at(mostAbandoned+1, testTime)) {
		t.Errorf("%d are held, want %d", len(a.held), mostAbandoned)
	}
	later := at(1, testTime.Add(keyInUse))
	if a.add(later); len(a.held) != 1 || !a.has(later) {
		t.Errorf("%d are held after their time was over, want the new one", len(a.held))
	}
}
