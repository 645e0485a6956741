package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"mianti/store"
)

// writtenSoFar is a database with replicas.
type writtenSoFar struct {
	at  store.Position
	err error
}

func (w writtenSoFar) HasReplicas() bool                                { return true }
func (w writtenSoFar) Position(context.Context) (store.Position, error) { return w.at, w.err }

func TestFromReplicas_NotesWhatAPersonWrote(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, want string
		db                 writtenSoFar
	}{
		{"a page", http.MethodGet, "", writtenSoFar{at: "0/1"}},
		{"an act", http.MethodPost, "16/B374D848", writtenSoFar{at: "16/B374D848"}},
		{"an act whose position is unknown", http.MethodPost, "primary", writtenSoFar{err: errors.New("away")}},
	} {
		for _, answer := range []http.HandlerFunc{
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/queue", http.StatusSeeOther) },
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) },
		} {
			got := httptest.NewRecorder()
			fromReplicas(tt.db, true, answer).ServeHTTP(got, httptest.NewRequest(tt.method, "/queue", http.NoBody))
			cookies := got.Result().Cookies()
			if tt.want == "" {
				if len(cookies) != 0 {
					t.Errorf("%s: sets %v", tt.name, cookies)
				}
				continue
			}
			if len(cookies) != 1 || cookies[0].Value != tt.want || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].MaxAge < 10 {
				t.Errorf("%s: cookies %v, want %s", tt.name, cookies, tt.want)
			}
		}
	}
}
