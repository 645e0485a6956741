package wire

import (
	"context"
	"io"
	"mime"
	"net/http"
	"sync"
)

// Stream is an answer that is read while it arrives. It has to be closed, and
// ends with the context of its call.
type Stream struct {
	Type string // the media type, without its parameters
	// Length is how many bytes are to come, -1 if unsaid.
	Length int64
	// Body gives at most the bytes that were allowed. An error of it other than
	// io.EOF is a *connectors.Fault.
	Body io.ReadCloser
}

// Stream puts a call whose answer is a file of at most limit bytes. Of the
// call, Accept and Charset have no meaning. The error, if any, is a
// *connectors.Fault.
func (c *Client) Stream(ctx context.Context, call Call, limit int64) (*Stream, error) {
	sent, err := c.send(ctx, call)
	if err != nil {
		return nil, err
	}
	response := sent.response
	kind, _, typeErr := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode != http.StatusOK:
		err = statusFault(response, c.now())
	case typeErr != nil:
		err = Malformed("the answer does not say what it is")
	case response.Header.Get("Content-Encoding") != "":
		err = Malformed("the answer is compressed")
	case response.ContentLength > limit:
		err = errTooLong()
	}
	if err != nil {
		sent.close()
		return nil, err
	}
	body := &streamBody{sent: sent, left: limit, judge: func(err error) error { return failure(ctx, err) }}
	return &Stream{Type: kind, Length: response.ContentLength, Body: body}, nil
}

func errTooLong() error { return Malformed("the answer is larger than agreed") }

// streamBody counts what is read, and gives the connection back once.
type streamBody struct {
	sent  *sent
	left  int64
	judge func(error) error // turns an error of the network into a Fault
	once  sync.Once
}

// Read keeps io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong()
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more tells a file that is too large from one that just fits
	}
	n, err := b.sent.response.Body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLong()
	}
	if err != nil && err != io.EOF {
		err = b.judge(err)
	}
	return n, err
}

// Close keeps io.Closer.
func (b *streamBody) Close() error {
	b.once.Do(b.sent.close)
	return nil
}
