package api_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mianti/policies"
	"mianti/sheet"
)

// testFont is a Chinese font of the tests' machine.
func testFont(t *testing.T) *sheet.Font {
	t.Helper()
	font, err := sheet.ReadFont("/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf")
	if err != nil {
		t.Fatalf("no Chinese font: run tools/install-test-tools.sh font, or install the Debian package fonts-arphic-gbsn00lp: %v", err)
	}
	return font
}

var checkAddress = regexp.MustCompile(regexp.QuoteMeta(issuer) + `(/check/[0-9A-Za-z._-]+)`)

func TestSheet_IsAPageWhoseCodeLeadsToItsCheck(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.resolution("JN-1")
	w := h.call(ownSystem, http.MethodGet, "/v1/resolutions/"+r.ID+"/sheet", "", "Accept", "text/html,application/xhtml+xml")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), "JN-1") || strings.Contains(w.Body.String(), personA) {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	found := checkAddress.FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatalf("no address of the check: %s", w.Body)
	}
	page := h.send(request(http.MethodGet, found[1], ""))
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "由本平台出具") || !strings.Contains(page.Body.String(), r.ID+".1") {
		t.Errorf("the check: %d %s", page.Code, page.Body)
	}
	for _, private := range []string{"JN-1", personA, personA[:6], "王建国", r.Case} {
		if strings.Contains(page.Body.String(), private) {
			t.Errorf("the check shows %q", private)
		}
	}
	h.memory.change(func(m *memory) { m.grants[0].State = policies.GrantTerminated })
	if page := h.send(request(http.MethodGet, found[1], "")); !strings.Contains(page.Body.String(), "其后已终止") {
		t.Errorf("that a right has ended is not said: %s", page.Body)
	}
	for _, wrong := range []string{found[1] + "A", found[1][:len(found[1])-1], "/check/x", "/check/" + r.ID + ".1"} {
		if page := h.send(request(http.MethodGet, wrong, "")); page.Code != http.StatusNotFound || !strings.Contains(page.Body.String(), "没有这份核验单") {
			t.Errorf("%s: %d %s", wrong, page.Code, page.Body)
		}
	}
}

func TestSheet_AsPDFNeedsAFont(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.resolution("JN-1")
	path := "/v1/resolutions/" + r.ID + "/sheet.pdf"
	p := wantProblem(t, h.call(ownSystem, http.MethodGet, path, "", "Accept", "application/pdf"), 503, "no-pdf-font")
	if !strings.Contains(p.Detail, "MIANTI_PDF_FONT") {
		t.Errorf("nobody is told what to do: %s", p.Detail)
	}
	h.config.PDFFont = testFont(t)
	h.handler = h.newHandler(h.config)
	w := h.call(ownSystem, http.MethodGet, path, "", "Accept", "application/pdf")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(w.Body.String(), "%PDF-") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := h.call(ownSystem, http.MethodGet, path, "", "Accept", "application/json"); w.Code != http.StatusNotAcceptable {
		t.Errorf("a caller that takes JSON alone gets %d", w.Code)
	}
}
