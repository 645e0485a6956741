package elicense

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"mianti/connectors"
	"mianti/connectors/wire"
)

const (
	// linkLife is how long the platform keeps a link open.
	linkLife = 10 * time.Minute
	// maxFile bounds the file of a licence.
	maxFile = 20 << 20
)

// ErrLinkOver is the error of a link that has been used or is too old: a new
// one has to be asked for. It is no fault of the source.
var ErrLinkOver = errors.New("the link has been used, or ten minutes are over")

var errNoField = errors.New("a field that the dataset does not have")

// FileLink is where the file of a licence is, once and for ten minutes. Its
// address lets anybody have the file, so it is not told; see File.
type FileLink struct {
	ExpiresAt time.Time

	address string
	used    *atomic.Bool // shared by the copies
}

// String keeps the address out of texts.
func (FileLink) String() string { return "link (redacted)" }

// GoString keeps the address out of texts.
func (l FileLink) GoString() string { return l.String() }

// LogValue keeps the address out of logs.
func (l FileLink) LogValue() slog.Value { return slog.StringValue(l.String()) }

// FileLink has the platform open a link to the file of a licence, with the
// query's purpose as its watermark. The error, if any, is a *connectors.Fault.
func (c *Connector) FileLink(ctx context.Context, q connectors.Query, identifier string) (FileLink, error) {
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	expires := c.client.Now().Add(linkLife) // from before the platform opens it
	var answer struct {
		Head head `json:"head"`
		Data struct {
			URL string `json:"url"`
		} `json:"data"`
	}
	a := asking{client: c.client, query: q}
	question := map[string]string{"certIdentifier": identifier, "useCause": useCause(q.Purpose)}
	if err := a.post(ctx, "downloadUrl", question, &answer); err != nil {
		return FileLink{}, err
	}
	none, err := answer.Head.check()
	switch {
	case err != nil:
		return FileLink{}, err
	case none:
		return FileLink{}, wire.Malformed("there is no file of a licence that was found")
	case !atSameHost(answer.Data.URL, q.BaseURL):
		return FileLink{}, wire.Malformed("the link leads to another host than the source's")
	}
	return FileLink{ExpiresAt: expires, address: answer.Data.URL, used: new(atomic.Bool)}, nil
}

// atSameHost reports whether a link leads to where the source is, by the same
// protocol and port.
func atSameHost(link, base string) bool {
	l, err := url.Parse(link)
	if err != nil || l.User != nil || l.Opaque != "" {
		return false
	}
	b, err := url.Parse(base)
	return err == nil && l.Host != "" && l.Scheme == b.Scheme && strings.EqualFold(l.Host, b.Host)
}

// File gets the file that a link leads to, at most 20 MiB of it, while it is
// read; the deadline is that of ctx. A link that was tried is used, whatever
// came of it: then, and when it is too old, the error is ErrLinkOver. Every
// other error, also of the reading, is a *connectors.Fault.
func (c *Connector) File(ctx context.Context, q connectors.Query, link FileLink) (*connectors.File, error) {
	if link.used == nil || !c.client.Now().Before(link.ExpiresAt) || !link.used.CompareAndSwap(false, true) {
		return nil, ErrLinkOver
	}
	stream, err := c.client.Stream(ctx, wire.Call{
		Query: q, Method: http.MethodGet, URL: link.address, Header: http.Header{"Accept": {"application/ofd, application/pdf, image/png"}},
	}, maxFile)
	if err != nil {
		return nil, err
	}
	body, err := sniff(stream)
	if err != nil {
		_ = stream.Body.Close() // nothing was written: its error says nothing
		return nil, err
	}
	return &connectors.File{Type: stream.Type, Body: body}, nil
}

// fileBody reads on where sniff has looked.
type fileBody struct {
	io.Reader
	io.Closer
}

// sniff refuses a file that is not of a kind in which licences come, or does
// not begin as its kind does: a browser would look for itself, and show it.
func sniff(stream *wire.Stream) (io.ReadCloser, error) {
	var begin string
	switch stream.Type {
	case "application/ofd":
		begin = "PK"
	case "application/pdf":
		begin = "%PDF-"
	case "image/png":
		begin = "\x89PNG\r\n\x1a\n"
	default:
		return nil, wire.Malformed("the file is neither ofd, pdf nor png")
	}
	reader := bufio.NewReader(stream.Body)
	first, err := reader.Peek(len(begin))
	var fault *connectors.Fault
	if errors.As(err, &fault) {
		return nil, fault
	}
	if !bytes.Equal(first, []byte(begin)) {
		return nil, wire.Malformed("the file is not what it says that it is")
	}
	return fileBody{Reader: reader, Closer: stream.Body}, nil
}
