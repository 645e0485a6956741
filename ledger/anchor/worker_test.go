package anchor_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/ledger/anchor"
)

func TestWorker_LeavesTheLogAloneWhileAnAnchorIsAway(t *testing.T) {
	t.Parallel()
	up := false
	var s *setting
	s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.witness.ServeHTTP(w, r)
	}))
	s.log.grow(t, 4)
	if err := s.once(t); err == nil {
		t.Fatal("nothing failed")
	}
	first := s.clock.now()
	s.log.grow(t, 9)
	if err := s.once(t); err == nil {
		t.Fatal("nothing failed")
	}
	if got := s.state(t); got.Trouble != anchor.Away || !got.Since.Equal(first) || !got.Tried.Equal(s.clock.now()) || got.Size != 0 {
		t.Errorf("away: %+v", got)
	}
	up = true
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	if got := s.state(t); got.Trouble != "" || !got.Since.IsZero() || got.Size != 9 {
		t.Errorf("back: %+v", got)
	}
}

// Whoever has rewritten the log cannot hide it by keeping the witness away.
func TestWorker_KeepsThatTheLogDivergedWhileTheAnchorIsAway(t *testing.T) {
	t.Parallel()
	up := true
	var s *setting
	s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.witness.ServeHTTP(w, r)
	}))
	s.log.grow(t, 9)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	s.config.Log = s.log.fork(t, 5)
	for _, up = range []bool{true, false, false} {
		if err := s.once(t); err == nil || s.state(t).Trouble != anchor.Diverged {
			t.Errorf("up %t: %v, %+v", up, err, s.state(t))
		}
	}
	s.config.Log, up = s.log, true
	s.log.grow(t, 10)
	if err := s.once(t); err != nil || s.state(t).Trouble != "" {
		t.Errorf("the right log: %v, %+v", err, s.state(t))
	}
}

func TestWorker_KeepsThatOurOwnLogIsAway(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.away = true
	if err := s.once(t); err == nil || s.state(t).Trouble != anchor.LogAway {
		t.Errorf("%v, %+v", err, s.state(t))
	}
}

func TestWorker_GoesOnlyWhenThereIsSomethingNew(t *testing.T) {
	t.Parallel()
	asked := 0
	var s *setting
	s = newSetting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; s.witness.ServeHTTP(w, r) }))
	steps := []struct {
		grow int
		step time.Duration
		want int
	}{
		{0, time.Hour, 0}, // an empty log
		{3, time.Hour, 1},
		{3, time.Hour, 1},        // nothing new
		{5, 10 * time.Second, 2}, // long since the last
		{7, 10 * time.Second, 2}, // this or another replica has just been
		{7, time.Minute, 3},
	}
	for i, c := range steps {
		s.log.grow(t, c.grow)
		s.step = c.step
		if err := s.once(t); err != nil {
			t.Fatal(err)
		}
		if asked != c.want {
			t.Errorf("step %d: asked %d times, want %d", i, asked, c.want)
		}
	}
}

func TestWorker_OneAnchorDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	release := make(chan struct{})
	silent := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release) }) // before the server is closed
	key := anchor.NewWitnessKey("silent.example", make([]byte, 32))
	s.config.Witnesses = append([]anchor.WitnessAddress{{Key: key, URL: silent}}, s.config.Witnesses...)
	s.config.Timeout = time.Minute
	s.log.grow(t, 3)
	w, err := anchor.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	for s.witness.Size(origin) != 3 {
		select {
		case <-t.Context().Done():
			t.Fatal("the other witness was not asked")
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	<-ended
}

func TestWorker_WarnsNowAndThen(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.grow(t, 3)
	s.log.away = true // no connection is tried, so that the time of the bubble moves
	synctest.Test(t, func(t *testing.T) {
		s.config.Now = time.Now
		w, err := anchor.New(s.config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 150*time.Minute)
		defer stop()
		w.Run(ctx)
	})
	// At once, after an hour, after two.
	if got := strings.Count(s.warned.String(), "level=WARN"); got != 3 {
		t.Errorf("warned %d times:\n%s", got, s.warned)
	}
	if strings.Contains(s.warned.String(), "127.0.0.1") {
		t.Errorf("an address is logged:\n%s", s.warned)
	}
}

func TestNewReport_SaysHowFarEachAnchorIsBehind(t *testing.T) {
	t.Parallel()
	s := newSetting(t, nil)
	s.log.grow(t, 4)
	if err := s.once(t); err != nil {
		t.Fatal(err)
	}
	at := s.clock.now()
	s.log.grow(t, 10)
	if err := s.store.NoteTrouble(t.Context(), anchor.Timestamp, "tsa.example", anchor.Rejected, at); err != nil {
		t.Fatal(err)
	}
	places := []anchor.Place{{Kind: anchor.Witness, Name: "witness.example/w1"}, {Kind: anchor.Witness, Name: "witness.example/w2"}}
	got, err := anchor.NewReport(t.Context(), s.log, s.store, places)
	if err != nil {
		t.Fatal(err)
	}
	want := &anchor.Report{Size: 10, Gaps: []anchor.Gap{
		{Kind: anchor.Witness, Name: "witness.example/w1", Configured: true, Size: 4, At: &at, Behind: 6},
		{Kind: anchor.Witness, Name: "witness.example/w2", Configured: true, Behind: 10},
		{Kind: anchor.Timestamp, Name: "tsa.example", Behind: 10, Trouble: anchor.Rejected, Text: anchor.Rejected.Text(), Since: &at},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNew_RefusesAConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(c *anchor.Config){
		"no log":     func(c *anchor.Config) { c.Log = nil },
		"no store":   func(c *anchor.Config) { c.Store = nil },
		"no clock":   func(c *anchor.Config) { c.Now = nil },
		"no logger":  func(c *anchor.Config) { c.Logger = nil },
		"too often":  func(c *anchor.Config) { c.WitnessEvery = time.Millisecond },
		"negative":   func(c *anchor.Config) { c.Timeout = -time.Second },
		"same twice": func(c *anchor.Config) { c.Witnesses = append(c.Witnesses, c.Witnesses[0]) },
		"two authorities of one host": func(c *anchor.Config) {
			at := &url.URL{Scheme: "https", Host: "tsa.example"}
			c.Authorities = []anchor.Authority{{URL: at}, {URL: at}}
		},
	} {
		s := newSetting(t, nil)
		if _, err := anchor.New(s.config); err != nil {
			t.Fatal(err)
		}
		spoil(&s.config)
		if _, err := anchor.New(s.config); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
