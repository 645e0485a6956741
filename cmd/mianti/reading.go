package main

import (
	"context"
	"net/http"
	"time"

	"mianti/store"
)

// writtenCookie tells which position of the database the person's last act has come to,
// so that any node reads its pages where that can be seen. It is no secret: who
// forges it is shown older or newer pages of his own.
const writtenCookie = "mianti-written"

// writtenFor is how long the cookie lasts: longer than a replica may be behind.
const writtenFor = time.Minute

// positions is what the database tells of how far it is.
type positions interface {
	HasReplicas() bool
	Position(ctx context.Context) (store.Position, error)
}

// fromReplicas lets pages be read from replicas, each person's own acts shown.
func fromReplicas(db positions, secure bool, pages http.Handler) http.Handler {
	if !db.HasReplicas() {
		return pages
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			pages.ServeHTTP(&noting{ResponseWriter: w, db: db, ctx: r.Context(), secure: secure}, r)
			return
		}
		after := store.Position("")
		if cookie, err := r.Cookie(writtenCookie); err == nil {
			after = store.Position(cookie.Value)
		}
		pages.ServeHTTP(w, r.WithContext(store.ReadingAfter(r.Context(), after)))
	})
}

// noting sets the cookie when an act is answered: what it wrote is committed then.
type noting struct {
	http.ResponseWriter
	db     positions
	ctx    context.Context //nolint:containedctx // of the one request that it answers
	secure bool
	noted  bool
}

// WriteHeader sets the cookie first.
func (n *noting) WriteHeader(status int) {
	n.note()
	n.ResponseWriter.WriteHeader(status)
}

// Write sets the cookie first.
func (n *noting) Write(body []byte) (int, error) {
	n.note()
	return n.ResponseWriter.Write(body)
}

// Unwrap is for http.ResponseController.
func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// Flush sends what is there.
func (n *noting) Flush() {
	n.note()
	_ = http.NewResponseController(n.ResponseWriter).Flush() // one that cannot sends it at the end
}

func (n *noting) note() {
	if n.noted {
		return
	}
	n.noted = true
	// Of a caller that has gone too: the next request may be from the same person.
	ctx, stop := context.WithTimeout(context.WithoutCancel(n.ctx), time.Second)
	defer stop()
	at, err := n.db.Position(ctx)
	if err != nil {
		at = "primary" // not a position: the primary is read
	}
	http.SetCookie(n, &http.Cookie{
		Name: writtenCookie, Value: string(at), Path: "/", MaxAge: int(writtenFor.Seconds()), HttpOnly: true, Secure: n.secure, SameSite: http.SameSiteLaxMode,
	})
}
