package admission_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mianti/admission"
)

// classOf gives the class in which a request is let in.
func classOf(t *testing.T, f *admission.Front, r *http.Request) admission.Class {
	t.Helper()
	before := f.Gate.Stats()
	f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), r)
	for class, s := range f.Gate.Stats().Classes {
		if s.Admitted > before.Classes[class].Admitted {
			return class
		}
	}
	t.Fatal("it was not let in")
	return 0
}

func newFront(class admission.Class) *admission.Front {
	return &admission.Front{
		Gate: newGate(2), Callers: admission.NewCallers(),
		Classify: func(*http.Request) (admission.Class, string) { return class, "kind" },
		Refuse: func(w http.ResponseWriter, _ *http.Request, wait time.Duration) {
			w.Header().Set("Retry-After", wait.String())
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	}
}

func withHeader(name string, values ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header[name] = values
	return r
}

// Whoever only says who he is comes in at the door, until he was found to be it.
func TestFront_OnlyWhoWasFoundGoodIsKnown(t *testing.T) {
	t.Parallel()
	f := newFront(admission.Work)
	good := withHeader("Authorization", "Bearer a")
	f.Callers.Learn(good, "system")
	f.Callers.LearnCredential("cookie of somebody", "person")
	for name, c := range map[string]struct {
		r    *http.Request
		want admission.Class
	}{
		"known":        {good, admission.Work},
		"made up":      {withHeader("Authorization", "Bearer b"), admission.Door},
		"twice":        {withHeader("Authorization", "Bearer a", "Bearer a"), admission.Door},
		"nothing":      {withHeader("Accept", "*/*"), admission.Door},
		"session":      {withHeader("Cookie", "x=1; mianti=cookie of somebody"), admission.Work},
		"other cookie": {withHeader("Cookie", "other=cookie of somebody"), admission.Door},
	} {
		if got := classOf(t, f, c.r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	f.Callers.Forget(good)
	if got := classOf(t, f, good); got != admission.Door {
		t.Errorf("forgotten: %s", got)
	}
	if got := classOf(t, newFront(admission.Steering), good); got != admission.Door {
		t.Errorf("a stranger steers: %s", got)
	}
	if got := classOf(t, newFront(admission.Vital), good); got != admission.Vital {
		t.Errorf("a stranger asks for health: %s", got)
	}
}

func TestCallers_ForgetWhoWasNotSeenForLongest(t *testing.T) {
	t.Parallel()
	c := admission.NewCallers()
	old := withHeader("Authorization", "old")
	c.Learn(old, "old")
	for i := range 2 * 16 << 10 {
		c.LearnCredential(strings.Repeat("x", i%7)+string(rune(i+1)), "many")
	}
	if got := c.Known(old); got != "" {
		t.Errorf("remembered %q after many others", got)
	}
	var none *admission.Callers
	none.Learn(old, "x")
	none.Forget(old)
	if none.Known(old) != "" {
		t.Error("a nil one knows somebody")
	}
}

func TestFront_CountsStrangersByWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	trusted, err := admission.ParseTrusted([]string{"10.0.0.1", "10.1.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	from := func(remote string, forwarded ...string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		if len(forwarded) > 0 {
			r.Header["X-Forwarded-For"] = forwarded
		}
		return r
	}
	for name, c := range map[string]struct {
		a, b *http.Request
		same bool
	}{
		"two addresses":                    {from("192.0.2.1:1"), from("192.0.2.2:1"), false},
		"two ports":                        {from("192.0.2.1:1"), from("192.0.2.1:2"), true},
		"one IPv6 network":                 {from("[2001:db8::1]:1"), from("[2001:db8::2]:1"), true},
		"two IPv6 networks":                {from("[2001:db8::1]:1"), from("[2001:db8:0:1::1]:1"), false},
		"said by a stranger":               {from("192.0.2.1:1", "198.51.100.1"), from("192.0.2.1:1", "198.51.100.2"), true},
		"said by a proxy":                  {from("10.0.0.1:1", "198.51.100.1"), from("10.0.0.1:1", "198.51.100.2"), false},
		"said to a proxy":                  {from("10.0.0.1:1", "198.51.100.7, 192.0.2.1"), from("10.0.0.1:1", "198.51.100.8, 192.0.2.1"), true},
		"by way of two proxies":            {from("10.0.0.1:1", "198.51.100.1", "10.1.2.3"), from("192.0.2.9:1"), false},
		"an address that cannot be read":   {from("10.0.0.1:1", "nonsense"), from("10.0.0.1:1"), true},
		"a remote that is no address":      {from("pipe"), from("@"), true},
		"mapped into IPv6, and as it is":   {from("[::ffff:192.0.2.1]:1"), from("192.0.2.1:1"), true},
		"through a proxy, and without one": {from("10.0.0.1:1", "192.0.2.1"), from("192.0.2.1:1"), true},
	} {
		f := newFront(admission.Door)
		f.Trusted = trusted
		flows := 0
		inner := f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { flows = f.Gate.Stats().Classes[admission.Door].Flows }))
		outer := f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner.ServeHTTP(httptest.NewRecorder(), c.b) }))
		outer.ServeHTTP(httptest.NewRecorder(), c.a)
		if got := flows == 1; got != c.same {
			t.Errorf("%s: counted as one is %v", name, got)
		}
	}
	if _, err := admission.ParseTrusted([]string{"proxy.example"}); err == nil {
		t.Error("a name was taken for an address")
	}
}

// A body that comes slowly takes no place, and one that is not wanted is not read.
func TestFront_ReadsABodyBeforeItTakesAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFront(admission.Work)
		var got string
		var failed error
		handler := f.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			got, failed = string(text), errors.Join(err, r.Body.Close())
		}))
		reader, writer := io.Pipe()
		var all sync.WaitGroup
		all.Go(func() {
			r := httptest.NewRequest(http.MethodPost, "/", reader)
			r.ContentLength = 5
			handler.ServeHTTP(httptest.NewRecorder(), r)
		})
		_, _ = writer.Write([]byte("hel"))
		time.Sleep(5 * time.Second)
		if s := f.Gate.Stats().Classes[admission.Door]; s.Active != 0 || s.Admitted != 0 {
			t.Errorf("half a body has a place: %+v", s)
		}
		_, _ = writer.Write([]byte("lo"))
		_ = writer.Close()
		all.Wait()
		if got != "hello" || failed != nil {
			t.Errorf("read %q, %v", got, failed)
		}
		for name, body := range map[string]string{"of unknown length": "abc", "large": strings.Repeat("x", 70<<10)} {
			r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(body)))
			if r.ContentLength = -1; name == "large" {
				r.ContentLength = int64(len(body))
			}
			if handler.ServeHTTP(httptest.NewRecorder(), r); got != body || failed != nil {
				t.Errorf("%s: read %d bytes, %v", name, len(got), failed)
			}
		}
		broken := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("ab"), brokenReader{}))
		broken.ContentLength = 5
		if handler.ServeHTTP(httptest.NewRecorder(), broken); got != "ab" || !errors.Is(failed, errBroken) {
			t.Errorf("a broken one: %q, %v", got, failed)
		}
	})
}

var errBroken = errors.New("broken")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// slowReader takes nothing for a while.
type slowReader struct{ *httptest.ResponseRecorder }

func (w slowReader) Write(p []byte) (int, error) {
	time.Sleep(5 * time.Second)
	return w.ResponseRecorder.Write(p)
}

func TestFront_WhoeverReadsSlowlyHoldsNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFront(admission.Work)
		large := make([]byte, 10<<10)
		handler := f.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(large)
			w.(http.Flusher).Flush()
		}))
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { handler.ServeHTTP(slowReader{httptest.NewRecorder()}, withHeader("Accept", "*/*")) })
		}
		time.Sleep(time.Second)
		if s := f.Gate.Stats().Classes[admission.Door]; s.Away != 100 || s.Active != 0 || s.Waiting != 0 {
			t.Errorf("%+v, want all away", s)
		}
		all.Wait()
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, withHeader("Accept", "*/*")); w.Body.Len() != len(large) || !w.Flushed {
			t.Errorf("%d bytes, flushed %v", w.Body.Len(), w.Flushed)
		}
	})
}

// Under a flood, whoever is refused is refused without his body.
func TestFront_RefusesAFloodUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, m := newFront(admission.Work), &machine{cores: 2, takes: 10 * time.Millisecond}
		handler := f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { m.work() }))
		var all sync.WaitGroup
		var mu sync.Mutex
		unread, refused := 0, 0
		for range 2000 {
			all.Go(func() {
				body := strings.NewReader("0123456789")
				r, w := httptest.NewRequest(http.MethodPost, "/", body), httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "" {
					refused++
					if body.Len() == 10 {
						unread++
					}
				}
			})
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		if refused < 1000 || unread < refused*9/10 {
			t.Errorf("%d refused, %d of them unread", refused, unread)
		}
	})
}

// BenchmarkFront is what the gate adds to a request, with a credential of usual length.
func BenchmarkFront(b *testing.B) {
	f := newFront(admission.Work)
	r := withHeader("Authorization", "Bearer "+strings.Repeat("x", 700))
	r.RemoteAddr = "192.0.2.1:1234"
	f.Callers.Learn(r, "system")
	handler := f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
