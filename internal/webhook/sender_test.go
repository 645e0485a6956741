package webhook_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"mianti/catalog"
	"mianti/internal/webhook"
)

var now = time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

func newSender(t *testing.T, change func(*webhook.Config)) *webhook.Sender {
	t.Helper()
	cfg := webhook.Config{Master: master(), Now: clock}
	if change != nil {
		change(&cfg)
	}
	s, err := webhook.NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receiver is a system's endpoint.
func receiver(t *testing.T, handle http.HandlerFunc) webhook.Endpoint {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return webhook.Endpoint{System: "spj-1", URL: server.URL + "/hook?token=t0ken", Network: catalog.NetworkLocal, Generation: 1}
}

func message(to webhook.Endpoint) webhook.Message {
	return webhook.Message{
		Endpoint: to, ID: "r1-2", Type: "resolution.updated", At: now.Add(-time.Hour).In(time.FixedZone("", 8*60*60)),
		Data: json.RawMessage(`{"resolution":"r1","version":2}`),
	}
}

// received is what an endpoint got.
type received struct {
	method string
	header http.Header
	body   []byte
}

func send(t *testing.T, change func(*webhook.Message)) received {
	t.Helper()
	got := make(chan received, 1)
	to := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- received{r.Method, r.Header, body}
	})
	m := message(to)
	if change != nil {
		change(&m)
	}
	if err := newSender(t, nil).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return <-got
}

func TestSend_SendsWhatTheStandardSays(t *testing.T) {
	t.Parallel()
	got := send(t, nil)
	if got.method != http.MethodPost {
		t.Error(got.method)
	}
	for name, want := range map[string]string{
		"webhook-id": "r1-2", "webhook-timestamp": "1795483800", "content-type": "application/json",
	} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
	want := `{"type":"resolution.updated","timestamp":"2026-11-24T00:30:00Z","data":{"resolution":"r1","version":2}}`
	if diff := cmp.Diff(want, string(got.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestSend_WithoutDataSendsAnEmptyObject(t *testing.T) {
	t.Parallel()
	got := send(t, func(m *webhook.Message) { m.Data = nil })
	if !strings.HasSuffix(string(got.body), `"data":{}}`) {
		t.Errorf("body %s", got.body)
	}
}

// The verifier is the standard's own.
func TestSend_SignsByThePresentSecretAndForADayByTheOneBefore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		generation int
		rotated    time.Time
		want       []int // generations whose secrets verify
	}{
		{"the first", 1, time.Time{}, []int{1}},
		{"the first, with a time", 1, now, []int{1}},
		{"just rotated", 3, now, []int{3, 2}},
		{"almost a day ago", 3, now.Add(time.Microsecond - 24*time.Hour), []int{3, 2}},
		{"a day ago", 3, now.Add(-24 * time.Hour), []int{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, func(m *webhook.Message) { m.Endpoint.Generation, m.Endpoint.RotatedAt = c.generation, c.rotated })
			var verified []int
			for generation := 4; generation >= 0; generation-- {
				verifier, err := standardwebhooks.NewWebhook(webhook.Secret(master(), "spj-1", generation))
				if err != nil {
					t.Fatal(err)
				}
				// The test's clock is not the verifier's.
				if verifier.VerifyIgnoringTimestamp(got.body, got.header) == nil {
					verified = append(verified, generation)
				}
				if verifier.VerifyIgnoringTimestamp(append(got.body, ' '), got.header) == nil {
					t.Error("a changed body verifies")
				}
			}
			if diff := cmp.Diff(c.want, verified); diff != "" {
				t.Errorf("generations (-want +got):\n%s", diff)
			}
			if n := len(strings.Split(got.header.Get("webhook-signature"), " ")); n != len(c.want) {
				t.Errorf("%d signatures, want %d", n, len(c.want))
			}
		})
	}
}

func TestSend_TakesTheStatusForTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		retryAfter string
		wait       time.Duration // until the endpoint wants to be tried again
	}{
		{200, "", 0}, {202, "", 0}, {204, "", 0},
		{410, "", 0},
		{301, "", 0}, {304, "", 0}, {400, "60", 0}, {401, "", 0}, {404, "", 0}, {500, "60", 0}, {502, "", 0},
		{429, "", 0}, {429, "60", time.Minute}, {503, "60", time.Minute}, {503, "86400", 24 * time.Hour},
		{503, "Tue, 24 Nov 2026 01:35:00 GMT", 5 * time.Minute},
		{503, "Tue, 24 Nov 2026 01:25:00 GMT", 0}, // past
		{503, "0", 0}, {503, "-60", 0}, {503, "86401", 0}, {503, "99999999999999999999", 0}, {503, "soon", 0},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.retryAfter), func(t *testing.T) {
			t.Parallel()
			to := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.retryAfter != "" {
					w.Header().Set("Retry-After", c.retryAfter)
				}
				w.WriteHeader(c.status)
			})
			err := newSender(t, nil).Send(t.Context(), message(to))
			switch {
			case c.status < 300:
				if err != nil {
					t.Error(err)
				}
				return
			case c.status == 410:
				if !errors.Is(err, webhook.ErrGone) {
					t.Error(err)
				}
				return
			}
			want := &webhook.Failure{Reason: fmt.Sprint("the endpoint answered ", c.status)}
			if c.wait > 0 {
				want.RetryAt = now.Add(c.wait)
			}
			var got *webhook.Failure
			if !errors.As(err, &got) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSend_FollowsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	elsewhere := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		to := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		wantFailure(t, newSender(t, nil).Send(t.Context(), message(to)), fmt.Sprint("the endpoint answered ", status))
	}
	if visits.Load() > 0 {
		t.Errorf("followed %d times", visits.Load())
	}
}

// wantFailure asks for a failure of this reason that gives nothing away.
func wantFailure(t *testing.T, err error, reason string) {
	t.Helper()
	var got *webhook.Failure
	if !errors.As(err, &got) || got.Reason != reason {
		t.Errorf("Send: %v, want the reason %q", err, reason)
		return
	}
	for _, secret := range []string{"t0ken", "127.0.0.1", "localhost", "whsec", "李四"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the failure holds %q: %v", secret, err)
		}
	}
}

func TestSend_ConnectsToNothingOutsideTheNetwork(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	to := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	by := func(network catalog.Network, url string) webhook.Message {
		m := message(to)
		m.Endpoint.URL, m.Endpoint.Network = url, network
		return m
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(to.URL, "http://"), ":")
	named := "://localhost:" + port // a name that resolves to this machine
	const outside = "the address is outside the network that the endpoint allows"
	wantFailure(t, newSender(t, nil).Send(t.Context(), by(catalog.NetworkPublic, "https"+named)), outside)
	wantFailure(t, newSender(t, nil).Send(t.Context(), by(catalog.NetworkPrivate, "http"+named)), outside)
	// An address that should never have been stored is not even tried.
	const refused = "the endpoint's address is not allowed"
	wantFailure(t, newSender(t, nil).Send(t.Context(), by(catalog.NetworkPublic, "http"+named)), refused)
	wantFailure(t, newSender(t, nil).Send(t.Context(), by(catalog.NetworkPrivate, to.URL)), refused)
	wantFailure(t, newSender(t, nil).Send(t.Context(), by("any", to.URL)), refused)
	if visits.Load() > 0 {
		t.Errorf("visited %d times", visits.Load())
	}
}

func TestSend_WaitsOnlySoLong(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) {
		// The server sees that the client has gone once the body is read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	soon := func(cfg *webhook.Config) { cfg.Timeout = 50 * time.Millisecond }
	wantFailure(t, newSender(t, soon).Send(t.Context(), message(receiver(t, hang))), "no answer in time")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wantFailure(t, newSender(t, nil).Send(cancelled, message(receiver(t, hang))), "the delivery was cancelled")
}

func TestSend_ReadsLittleOfTheAnswer(t *testing.T) {
	t.Parallel()
	const piece = 1 << 20
	written := make(chan int, 1)
	to := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		n, total := 0, 0
		for err := error(nil); err == nil && total < 1<<30; total += n {
			n, err = w.Write(make([]byte, piece))
		}
		written <- total
	})
	if err := newSender(t, nil).Send(t.Context(), message(to)); err != nil {
		t.Error(err)
	}
	// What the two ends of the socket hold back is a few megabytes.
	if got := <-written; got > 64<<20 {
		t.Errorf("the endpoint could write %d bytes", got)
	}
}

func TestSend_TakesAnAnswerThatBreaksOffForItsStatus(t *testing.T) {
	t.Parallel()
	to := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "李四")
	})
	if err := newSender(t, nil).Send(t.Context(), message(to)); err != nil {
		t.Error(err)
	}
}

func TestSend_FailsWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	to := webhook.Endpoint{System: "spj-1", URL: server.URL + "/t0ken", Network: catalog.NetworkLocal, Generation: 1}
	server.Close()
	wantFailure(t, newSender(t, nil).Send(t.Context(), message(to)), "no connection, or it broke")
	broken := receiver(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	wantFailure(t, newSender(t, nil).Send(t.Context(), message(broken)), "no connection, or it broke")
	broken.URL = "http://name.invalid/t0ken"
	wantFailure(t, newSender(t, nil).Send(t.Context(), message(broken)), "the name of the host could not be resolved")
}

func TestSend_BelievesOnlyACertificateThatItKnows(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it is told of the refused handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	to := webhook.Endpoint{System: "spj-1", URL: server.URL + "/t0ken", Network: catalog.NetworkLocal, Generation: 1}
	wantFailure(t, newSender(t, nil).Send(t.Context(), message(to)), "the certificate of the endpoint is not valid")
	known := newSender(t, func(cfg *webhook.Config) {
		cfg.Roots = x509.NewCertPool()
		cfg.Roots.AddCert(server.Certificate())
	})
	if err := known.Send(t.Context(), message(to)); err != nil {
		t.Error(err)
	}
}

func TestSend_RefusesAMessageThatCannotBeSigned(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	to := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	for _, id := range []string{"", "a.b", "a b", "a\nb", "一"} {
		m := message(to)
		m.ID = id
		if err := newSender(t, nil).Send(t.Context(), m); err == nil {
			t.Errorf("id %q was sent", id)
		}
	}
	m := message(to)
	m.Data = json.RawMessage(`{"name":"李四"`)
	if err := newSender(t, nil).Send(t.Context(), m); err == nil || strings.Contains(err.Error(), "李四") {
		t.Errorf("broken data: %v", err)
	}
	if visits.Load() > 0 {
		t.Error("something was sent")
	}
}

func TestNewSender_RefusesAWeakKey(t *testing.T) {
	t.Parallel()
	for _, cfg := range []webhook.Config{{Now: clock}, {Master: master()[:31], Now: clock}, {Master: master()}} {
		if _, err := webhook.NewSender(cfg); err == nil {
			t.Errorf("taken with a key of %d bytes", len(cfg.Master))
		}
	}
}

func TestSender_PrintsNoKey(t *testing.T) {
	t.Parallel()
	s := newSender(t, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, value := range []any{s, *s} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "密") || strings.Contains(text, "229 175 134") || strings.Contains(text, "0xe5, 0xaf") || strings.Contains(text, "e5af86") {
				t.Errorf("%s prints the key: %s", verb, text)
			}
		}
	}
}
