package admission

import "net/http"

// writer takes an answer to its caller. While the caller does not take it, the request
// waits for him and not for us: it is away, so that whoever reads slowly holds nobody's
// place.
type writer struct {
	http.ResponseWriter
	ticket *Ticket
	sent   int
}

// Write takes a piece of the answer.
func (w *writer) Write(p []byte) (int, error) {
	if w.sent += len(p); w.sent < buffered {
		return w.ResponseWriter.Write(p)
	}
	defer w.ticket.Away()()
	return w.ResponseWriter.Write(p)
}

// buffered is what the server keeps for a while before it sends it, so that a caller
// cannot make it wait.
const buffered = 2 << 10

// Flush sends what was kept.
func (w *writer) Flush() {
	defer w.ticket.Away()()
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap gives the server's own, for its deadlines.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
