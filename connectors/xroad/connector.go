// Package xroad asks services of X-Road by its REST message protocol, version 1.
// The question goes to the exchange's own security server, which carries it to
// the department's; what is sent and what an answer means is described as for
// any other JSON interface (package mapping).
//
//	POST {address}/r1/{instance}/{class}/{member}/{subsystem}/{service}{path}
//	X-Road-Client: INSTANCE/CLASS/MEMBER/SUBSYSTEM
//	X-Road-Id: a UUID, by which both sides find the message
//	X-Road-Issue: the number of the case
//	X-Road-UserId: as the settings say
//
// An answer is believed only if it is to this question, of this service, and
// bound to the question by X-Road-Request-Hash. That hash is over the message
// as the security servers exchange it, which is not what is sent from here: the
// exchange's security server verifies it (PR-REST §4.3). What can be seen from
// here is that it is there and a SHA-512; it is kept, so that the question can
// be proved from the servers' own logs.
package xroad

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
	"mianti/connectors/wire"
)

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines.
type Connector struct {
	client   *wire.Client
	now      func() time.Time
	mappings mapping.Cache
}

// New returns a Connector that asks by the client, which stays its owner's.
func New(client *wire.Client, now func() time.Time) *Connector {
	return &Connector{client: client, now: now}
}

// Ask puts the question to the service. All pages of an answer share the
// deadline.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	return c.Trace(ctx, q, func(mapping.Page) {})
}

// Trace asks as Ask does, and shows each page as it was received: for whoever
// connects a source.
func (c *Connector) Trace(ctx context.Context, q connectors.Query, see func(mapping.Page)) (connectors.Reply, error) {
	s, err := newService(q.Source)
	if err != nil {
		return connectors.Reply{}, err
	}
	m, err := c.mappings.Of(q.Dataset, q.Source)
	if err != nil {
		return connectors.Reply{}, err
	}
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	n := 0
	return m.Gather(q, c.now(), func(r mapping.Request) (mapping.Page, error) {
		n++
		page, err := c.ask(ctx, message{query: q, service: s, request: r, id: messageID(q.ID, n), absent: m.Accept()}, m.Charset())
		if err == nil {
			see(page)
		}
		return page, err
	})
}

// message is one question and what its answer is held against.
type message struct {
	query   connectors.Query
	service service
	request mapping.Request
	id      string
	absent  []int // the statuses by which the source says "no record"
}

func (c *Connector) ask(ctx context.Context, m message, charset string) (mapping.Page, error) {
	header, err := m.header()
	if err != nil {
		return mapping.Page{}, err
	}
	answer, err := c.client.Do(ctx, wire.Call{
		Query: m.query, Method: m.request.Method, URL: m.query.BaseURL + m.service.path() + m.request.Target,
		ContentType: m.request.ContentType, Header: header, Body: m.request.Body, Charset: charset,
		// With these X-Road says what is the matter with itself.
		Accept: slices.Concat(m.absent, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusInternalServerError}),
	})
	if err != nil {
		return mapping.Page{}, err
	}
	proof, err := m.proof(answer)
	return mapping.Page{Status: answer.Status, Body: answer.Body, Size: answer.Size, Warnings: answer.Warnings, Proof: proof}, err
}

// header is what X-Road wants to know, with what the description adds.
func (m message) header() (http.Header, error) {
	out := m.request.Header.Clone()
	out.Set("X-Road-Client", m.service.client.escaped())
	out.Set("X-Road-Id", m.id)
	for name, text := range map[string]string{"X-Road-Issue": m.query.CaseNumber, "X-Road-UserId": m.service.userID} {
		value, err := mapping.HeaderText(text)
		if err != nil {
			return nil, err
		}
		if value != "" {
			out.Set(name, value)
		}
	}
	return out, nil
}

// messageID is the UUID of a page's message: that of the question for the
// first, and one that follows from it for the others, or where the question has
// another kind of number.
func messageID(question string, page int) string {
	if page == 1 && isUUID(question) {
		return strings.ToLower(question)
	}
	sum := sha256.Sum256([]byte(question + "\n" + strconv.Itoa(page)))
	sum[6] = sum[6]&0x0f | 0x80 // version 8: a digest of one's own (RFC 9562 §5.8)
	sum[8] = sum[8]&0x3f | 0x80
	text := hex.EncodeToString(sum[:16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

func isUUID(text string) bool {
	for i, part := range strings.Split(text, "-") {
		lengths := []int{8, 4, 4, 4, 12}
		if i >= len(lengths) || len(part) != lengths[i] || strings.Trim(strings.ToLower(part), "0123456789abcdef") != "" {
			return false
		}
	}
	return len(text) == 36
}

// service is whom a source stands for in X-Road, and as whom it is asked.
type service struct {
	client, id identifier
	userID     string
}

// newService checks the settings of a source. The error is a *connectors.Fault
// of kind misset.
func newService(source *catalog.Source) (service, error) {
	if source.XRoad == nil {
		return service{}, misset("the source does not say which service of X-Road it is")
	}
	if source.HTTP != nil {
		for name := range source.HTTP.Headers {
			if strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Road-") {
				return service{}, misset("a header of X-Road is described, and is not the description's to say")
			}
		}
	}
	client, err := parseIdentifier(source.XRoad.Client, 4)
	if err != nil {
		return service{}, err
	}
	id, err := parseIdentifier(source.XRoad.Service, 5)
	return service{client: client, id: id, userID: source.XRoad.UserID}, err
}

// path is where the service is at the security server.
func (s service) path() string { return "/r1/" + s.id.escaped() }

// isAbsent says whether a status means "no record".
func (m message) isAbsent(status int) bool { return slices.Contains(m.absent, status) }
