package standin

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// read takes a request's JSON; a wrong one is answered with 400.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return false
	}
	return true
}

// write sends an answer with status 200.
func write(w http.ResponseWriter, answer any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body.Bytes()) // the one who asked may be gone
}

// playFault plays the faults of the interface. It is false when the answer has
// to be given all the same.
func playFault(w http.ResponseWriter, r *http.Request, fault Fault) bool {
	switch fault {
	case FaultDown:
		http.Error(w, "系统维护中", http.StatusServiceUnavailable)
	case FaultDenied:
		http.Error(w, "无权限", http.StatusForbidden)
	case FaultMissing:
		http.NotFound(w, r)
	case FaultRedirect:
		http.Redirect(w, r, r.URL.Path+"?moved=1", http.StatusTemporaryRedirect)
	case FaultMalformed:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"code":"0","head":{"status":"0"},"data":[{"subject":`)
	case FaultTruncated:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "4096")
		_, _ = io.WriteString(w, `{"code":"0","data":[`)
		_ = http.NewResponseController(w).Flush() // so that the answer ends within its body
		panic(http.ErrAbortHandler)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>统一认证</title>")
	case FaultHuge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"code":"0","data":[],"message":"`)
		for range 3 << 10 {
			if _, err := io.WriteString(w, strings.Repeat("长", 1<<10/3)); err != nil {
				return true
			}
		}
		_, _ = io.WriteString(w, `"}`)
	default:
		return false
	}
	return true
}
