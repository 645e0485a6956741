package store

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/internal/pgtest"
)

func TestAlone_LetsOneNodeWorkAndTheOthersGo(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(*testing.T, string) string{
		"postgres": func(_ *testing.T, url string) string { return url }, "pgbouncer": pooledURL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := through(t, pgtest.Database(t))
			first, second := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
			begun, end := make(chan struct{}), make(chan struct{})
			var group sync.WaitGroup
			group.Go(func() {
				mine, err := first.Alone(t.Context(), "clean", func(context.Context) { close(begun); <-end })
				if err != nil || !mine {
					t.Errorf("the first: %v, %v", mine, err)
				}
			})
			<-begun
			var ran atomic.Int32
			count := func(context.Context) { ran.Add(1) }
			if mine, err := second.Alone(t.Context(), "clean", count); err != nil || mine || ran.Load() != 0 {
				t.Errorf("the second at the same work: %v, %v, ran %d times", mine, err, ran.Load())
			}
			if mine, err := second.Alone(t.Context(), "other work", count); err != nil || !mine || ran.Load() != 1 {
				t.Errorf("the second at other work: %v, %v, ran %d times", mine, err, ran.Load())
			}
			close(end)
			group.Wait()
			if mine, err := second.Alone(t.Context(), "clean", count); err != nil || !mine || ran.Load() != 2 {
				t.Errorf("the second afterwards: %v, %v, ran %d times", mine, err, ran.Load())
			}
		})
	}
}

// TestAlone_IsFollowedWhenItsNodeIsGone cuts the connection of a node that works, as its
// end or that of its machine does.
func TestAlone_IsFollowedWhenItsNodeIsGone(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	first, second := openStore(t, Config{URL: url, Now: testClock}), openStore(t, Config{URL: url, Now: testClock})
	begun := make(chan struct{})
	var ended time.Duration
	var group sync.WaitGroup
	group.Go(func() {
		_, err := first.Alone(t.Context(), "clean", func(ctx context.Context) {
			close(begun)
			at := time.Now()
			<-ctx.Done()
			ended = time.Since(at)
		})
		if err == nil || !strings.Contains(err.Error(), "lost") {
			t.Errorf("who lost the lock hears: %v", err)
		}
	})
	<-begun
	cut := time.Now()
	execute(t, second, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	for {
		mine, err := second.Alone(t.Context(), "clean", func(context.Context) {})
		if err != nil {
			t.Fatal(err)
		}
		if mine {
			break
		}
		if time.Since(cut) > 30*time.Second {
			t.Fatal("nobody follows within 30 s")
		}
		time.Sleep(20 * time.Millisecond) // the database ends the session
	}
	followed := time.Since(cut)
	group.Wait()
	if ended > 15*time.Second {
		t.Errorf("the work went on for %s", ended)
	}
	t.Logf("followed after %s; the other ended its work after %s", followed.Round(time.Millisecond), ended.Round(time.Millisecond))
}
