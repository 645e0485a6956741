package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors/egress"
)

// ErrGone is an endpoint that says that it wants no message any more (410).
var ErrGone = errors.New("the endpoint is gone")

// Failure is a message that was not delivered. Its text is the program's own:
// neither the address nor what the endpoint said.
type Failure struct {
	Reason string
	// RetryAt is when the endpoint wants to be tried again; zero if it did not say.
	RetryAt time.Time
}

// Error gives the reason.
func (f *Failure) Error() string { return "the message was not delivered: " + f.Reason }

// Message (通知) is one event for one endpoint.
type Message struct {
	Endpoint Endpoint
	ID       string // the same for every try
	Type     string // such as "resolution.updated"
	At       time.Time
	Data     json.RawMessage // an object, without personal data; empty means {}
}

// Config is what a Sender is made of.
type Config struct {
	// Master is the key from which all secrets are derived, 32 bytes at least.
	Master []byte
	Now    func() time.Time
	// Timeout bounds one delivery; default 10 s.
	Timeout time.Duration
	// Roots are the certificate authorities that are believed; nil means the
	// system's.
	Roots *x509.CertPool
}

const (
	shortestMaster = 32
	defaultTimeout = 10 * time.Second
	// overlap is how long the secret before the present one signs too, so that a
	// receiver can change over in its own time.
	overlap = 24 * time.Hour
	// mostAnswer is how much of an answer is read, so that the endpoint gets to
	// send it, before it is dropped.
	mostAnswer       = 1 << 10
	mostAnswerHeader = 64 << 10
	// longestRetryAfter is the longest wait that an endpoint may ask for; more is
	// taken for a mistake.
	longestRetryAfter = 24 * time.Hour
)

// Sender signs and sends messages. It is safe for concurrent use, and keeps no
// connection open.
type Sender struct {
	// secret closes over the master key, so that no way of printing a Sender
	// prints it.
	secret  func(system string, generation int) string
	now     func() time.Time
	timeout time.Duration
	clients map[catalog.Network]*http.Client
}

// NewSender checks cfg and fills in the defaults.
func NewSender(cfg Config) (*Sender, error) {
	if len(cfg.Master) < shortestMaster || cfg.Now == nil {
		return nil, fmt.Errorf("new webhook sender: Config.Master has under %d bytes, or Config.Now is not set", shortestMaster)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	master := bytes.Clone(cfg.Master)
	s := &Sender{
		secret:  func(system string, generation int) string { return Secret(master, system, generation) },
		now:     cfg.Now,
		timeout: cfg.Timeout,
		clients: map[catalog.Network]*http.Client{},
	}
	for _, network := range []catalog.Network{catalog.NetworkPublic, catalog.NetworkPrivate, catalog.NetworkLocal} {
		s.clients[network] = newClient(network, cfg.Roots)
	}
	return s, nil
}

// newClient makes a client that connects to nothing outside the network,
// whatever a name resolves to, by no proxy, and follows nobody elsewhere.
func newClient(network catalog.Network, roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            egress.Dialer(network).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true, // messages are rare, and a connection would outlive its check
			DisableCompression:     true,
			MaxResponseHeaderBytes: mostAnswerHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send delivers a message once. It returns nil when the endpoint took it,
// ErrGone, or a *Failure.
func (s *Sender) Send(ctx context.Context, m Message) error {
	if err := CheckURL(m.Endpoint.URL, m.Endpoint.Network); err != nil {
		return &Failure{Reason: "the endpoint's address is not allowed"}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := s.request(ctx, m)
	if err != nil {
		return err
	}
	response, err := s.clients[m.Endpoint.Network].Do(request)
	if err != nil {
		return &Failure{Reason: reasonOf(err)}
	}
	defer func() { _ = response.Body.Close() }() // nothing was written, and what was read is dropped
	// The status has said all; how the rest ends makes no difference.
	_, _ = io.CopyN(io.Discard, response.Body, mostAnswer)
	switch status := response.StatusCode; {
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusGone:
		return ErrGone
	default:
		return &Failure{Reason: "the endpoint answered " + strconv.Itoa(status), RetryAt: s.retryAt(response)}
	}
}

func (s *Sender) request(ctx context.Context, m Message) (*http.Request, error) {
	body, err := bodyOf(m)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return nil, &Failure{Reason: "the endpoint's address is not allowed"} // the cause repeats it
	}
	now := s.now()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "mianti")
	request.Header.Set("Webhook-Id", m.ID)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	request.Header.Set("Webhook-Signature", s.signatures(m, now, body))
	return request, nil
}

// bodyOf makes the body of a message. An id that the signature could not tell
// from the rest of the signed text is refused.
func bodyOf(m Message) ([]byte, error) {
	if m.ID == "" || strings.ContainsFunc(m.ID, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }) {
		return nil, errors.New("a message's id is empty, or holds a dot, a space or other than ASCII")
	}
	if len(m.Data) == 0 {
		m.Data = json.RawMessage("{}")
	}
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{m.Type, m.At.UTC(), m.Data})
	if err != nil {
		return nil, errors.New("the data of a message is no JSON") // the cause quotes it
	}
	return body, nil
}

// signatures signs by the present secret, and for a while by the one before.
func (s *Sender) signatures(m Message, now time.Time, body []byte) string {
	generations := []int{m.Endpoint.Generation}
	if m.Endpoint.Generation > 1 && now.Before(m.Endpoint.RotatedAt.Add(overlap)) {
		generations = append(generations, m.Endpoint.Generation-1)
	}
	text := fmt.Appendf(nil, "%s.%d.%s", m.ID, now.Unix(), body)
	var all []string
	for _, generation := range generations {
		all = append(all, sign(s.secret(m.Endpoint.System, generation), text))
	}
	return strings.Join(all, " ")
}

func sign(secret string, text []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		panic("webhook: a derived secret is no base64")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text) // a hash never fails
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// retryAt reads Retry-After where the standard gives it a meaning.
func (s *Sender) retryAt(response *http.Response) time.Time {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return time.Time{}
	}
	now, said := s.now(), response.Header.Get("Retry-After")
	var at time.Time
	if seconds, err := strconv.ParseInt(said, 10, 32); err == nil {
		at = now.Add(time.Duration(seconds) * time.Second)
	} else if at, err = http.ParseTime(said); err != nil {
		return time.Time{}
	}
	if wait := at.Sub(now); wait <= 0 || wait > longestRetryAfter {
		return time.Time{}
	}
	return at
}

// reasonOf says what kept a message from its endpoint. The causes hold the
// address, and are left out.
func reasonOf(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, egress.ErrForbidden):
		return "the address is outside the network that the endpoint allows"
	case errors.Is(err, context.Canceled):
		return "the delivery was cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &name):
		return "the name of the host could not be resolved"
	case errors.As(err, &certificate):
		return "the certificate of the endpoint is not valid"
	default:
		return "no connection, or it broke"
	}
}
