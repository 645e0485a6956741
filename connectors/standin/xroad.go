package standin

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// xroad answers as the security server of X-Road at the exchange's side does,
// with the department's data interface behind it (REST message protocol 1):
//
//	POST /r1/{instance}/{class}/{department}/{subsystem}/{dataset}
//	X-Road-Client: INSTANCE/CLASS/MEMBER/SUBSYSTEM
//	X-Road-Id: a UUID
func (s *Server) xroad(w http.ResponseWriter, r *http.Request) {
	if fault := xroadRequestFault(r); fault != "" {
		s.sendXRoadError(w, http.StatusBadRequest, fault)
		return
	}
	t := s.template(r)
	if t == nil {
		s.sendXRoadError(w, http.StatusInternalServerError, "Server.ServerProxy.UnknownService")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.sendXRoadError(w, http.StatusBadRequest, "Client.InvalidBody")
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	b := s.behaviour(t.dataset.Code, "")
	switch b.fault {
	case FaultXRoadClient:
		s.sendXRoadError(w, http.StatusBadRequest, "Client.AccessDenied")
		return
	case FaultXRoadServer:
		s.sendXRoadError(w, http.StatusInternalServerError, "Server.ServerProxy.NetworkError")
		return
	}
	s.setXRoadHeaders(w.Header(), r, body, b.fault)
	s.query(w, r)
}

// xroadRequestFault is what a security server refuses a request for, or "".
func xroadRequestFault(r *http.Request) string {
	id := r.Header.Values("X-Road-Id")
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	client := r.Header.Values("X-Road-Client")
	switch {
	case len(client) != 1 || len(strings.Split(client[0], "/")) < 3:
		return "Client.MissingHeader"
	case len(id) != 1 || !uuid.MatchString(strings.ToLower(id[0])):
		return "Client.BadRequest"
	}
	return ""
}

// setXRoadHeaders says what was asked, by whom, and what binds the answer to
// the question.
func (s *Server) setXRoadHeaders(header http.Header, r *http.Request, body []byte, fault Fault) {
	service := strings.TrimPrefix(r.URL.EscapedPath(), "/"+r.PathValue("site"))
	_, service, _ = strings.Cut(strings.TrimPrefix(service, "/"), "r1/")
	header.Set("X-Road-Client", r.Header.Get("X-Road-Client"))
	header.Set("X-Road-Service", service)
	header.Set("X-Road-Id", r.Header.Get("X-Road-Id"))
	if fault == FaultXRoadOtherID {
		header.Set("X-Road-Id", "00000000-0000-4000-8000-000000000000")
	}
	header.Set("X-Road-Request-Id", "00000000-0000-4000-8000-000000000001")
	if fault != FaultXRoadNoHash {
		header.Set("X-Road-Request-Hash", requestHash(r, body))
	}
}

// requestHash is SHA-512 over the digests of the headers and of the body. Which
// bytes of the headers a security server takes is its own affair.
func requestHash(r *http.Request, body []byte) string {
	lines := []string{r.Method + " " + r.URL.EscapedPath()}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Road-") {
			lines = append(lines, strings.ToLower(name)+":"+strings.Join(values, ","))
		}
	}
	slices.Sort(lines[1:])
	headers, content := sha512.Sum512([]byte(strings.Join(lines, "\n"))), sha512.Sum512(body)
	both := sha512.Sum512(append(headers[:], content[:]...))
	return base64.StdEncoding.EncodeToString(both[:])
}

// sendXRoadError gives a failure of X-Road itself, not of the source.
func (s *Server) sendXRoadError(w http.ResponseWriter, status int, kind string) {
	body, err := encode(map[string]string{"type": kind, "message": "系统异常", "detail": "00000000-0000-4000-8000-000000000002"})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("X-Road-Error", kind)
	w.Header().Set("Date", s.today().UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the one who asked may be gone
}
