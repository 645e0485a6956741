package xroad_test

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
)

const (
	number     = "370199198805163323"
	questionID = "018f6b0e-1111-7000-8000-000000000001"
)

// securityServer is the exchange's security server, as strict as the protocol
// allows it to be, with a service behind it that answers with body.
type securityServer struct {
	t      *testing.T
	status int    // of the service; 0 means 200
	body   string // of the service
	// spoil changes the headers before they are sent.
	spoil func(http.Header)

	seen []*http.Request
	hash string // of the last request
}

func (s *securityServer) start() string {
	s.t.Helper()
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP is POST /r1/{instance}/{class}/{member}/{subsystem}/{service}[/path].
func (s *securityServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.seen = append(s.seen, r)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	service, fault := s.check(r)
	if fault != "" {
		s.t.Errorf("the security server refuses: %s", fault)
		http.Error(w, fault, http.StatusBadRequest)
		return
	}
	s.hash = requestHash(r, body)
	header := w.Header()
	header.Set("Date", conformance.Today().Format(http.TimeFormat))
	header.Set("Content-Type", "application/json;charset=utf-8")
	// The names are as a security server writes them; case does not matter.
	header["x-road-id"] = r.Header.Values("X-Road-Id")
	header["x-road-client"] = r.Header.Values("X-Road-Client")
	header["x-road-service"] = []string{service}
	header["x-road-request-id"] = []string{"f92591a3-6bf0-49b1-987b-0dd78c034cc3"}
	header["x-road-request-hash"] = []string{s.hash}
	if s.spoil != nil {
		s.spoil(header)
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	_, _ = io.WriteString(w, s.body)
}

// check gives the identifier of the service, and what is wrong with a request.
func (s *securityServer) check(r *http.Request) (service, fault string) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	switch {
	case len(parts) < 7 || parts[0] != "" || parts[1] != "r1" || slices.Contains(parts[2:], "") || slices.Contains(parts[2:], ".."):
		return "", "path " + r.URL.EscapedPath()
	case len(r.Header.Values("X-Road-Client")) != 1 || strings.Count(r.Header.Get("X-Road-Client"), "/") != 3:
		return "", "client"
	case len(r.Header.Values("X-Road-Id")) != 1 || !uuid.MatchString(r.Header.Get("X-Road-Id")):
		return "", "id " + r.Header.Get("X-Road-Id")
	case len(r.Header.Values("X-Road-Request-Hash")) != 0:
		return "", "a hash in the request"
	}
	for name, values := range r.Header {
		if len(values) != 1 || strings.ContainsFunc(values[0], func(c rune) bool { return c < ' ' || c > '~' }) {
			return "", "header " + name
		}
	}
	return strings.Join(parts[2:7], "/"), ""
}

// requestHash is base64(SHA512(SHA512(headers)+SHA512(body))). Which bytes the
// headers are is agreed between security servers; here it is all of X-Road's.
func requestHash(r *http.Request, body []byte) string {
	lines := []string{r.Method + " " + r.URL.RequestURI()}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Road-") {
			lines = append(lines, name+":"+values[0])
		}
	}
	slices.Sort(lines[1:])
	headers, content := sha512.Sum512([]byte(strings.Join(lines, "\r\n"))), sha512.Sum512(body)
	both := sha512.Sum512(append(headers[:], content[:]...))
	return base64.StdEncoding.EncodeToString(both[:])
}

func query(baseURL string) connectors.Query {
	return connectors.Query{
		ID: questionID, BaseURL: baseURL, Network: catalog.NetworkLocal,
		Dataset: &catalog.Dataset{Code: "D-X", Fields: []catalog.Field{{Code: "state", Name: "状态", Type: catalog.FieldString}}},
		Source: &catalog.Source{
			Code: "MZ.D-X.xroad", Kind: catalog.SourceXRoad, Path: "/marriages",
			XRoad: &catalog.XRoad{Client: "CN-SD/GOV/370100/mianti", Service: "CN-SD/GOV/370110/registry/marriage", UserID: "mianti"},
		},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
		Fields:  []string{"state"}, Purpose: "办件核验", CaseNumber: "JN-S01-0001",
	}
}

// married is the answer of the service in plain JSON.
func married() string {
	return fmt.Sprintf(`{"code": "0", "serial": "S-1", "data": [{"subject": {"name": "王建国", "number": %q}, "record": {"状态": "已婚"}}]}`, number)
}
