package api_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
)

type listAnswer struct {
	Items []struct{ Code, Name, Department string }
	Next  string
}

func (a listAnswer) codes() []string {
	var out []string
	for _, item := range a.Items {
		out = append(out, item.Code)
	}
	return out
}

func TestCatalog_FiltersAndSearches(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for target, want := range map[string][]string{
		"/v1/matters":                                {"S01.M1", "S01.M2"},
		"/v1/matters?department=GA":                  {"S01.M2"},
		"/v1/matters?one_thing=S01":                  {"S01.M1", "S01.M2"},
		"/v1/matters?one_thing=S02":                  nil,
		"/v1/matters?q=" + url.QueryEscape("公章"):     {"S01.M2"},
		"/v1/matters?q=s01.m1":                       {"S01.M1"},
		"/v1/one-things":                             {"S01"},
		"/v1/one-things?department=GA":               {"S01"},
		"/v1/one-things?department=ZJ":               nil,
		"/v1/materials":                              {"S01.M1.a", "S01.M1.b", "S01.M1.c", "S01.M2.a"},
		"/v1/materials?matter=S01.M2":                {"S01.M2.a"},
		"/v1/materials?standard_material=STD-ID":     {"S01.M1.b"},
		"/v1/materials?mode=upload":                  {"S01.M1.b", "S01.M1.c"},
		"/v1/materials?mode=upload&one_thing=S02":    nil,
		"/v1/datasets?department=GA":                 {"D-GA01"},
		"/v1/datasets?sharing=unconditional":         nil,
		"/v1/departments?q=" + url.QueryEscape("公安"): {"GA"},
		"/v1/facts": {"need_seal", "premises"},
	} {
		var got listAnswer
		w := h.call(ownSystem, http.MethodGet, target, "")
		decode(t, w, &got)
		if w.Code != http.StatusOK || !slices.Equal(got.codes(), want) || got.Items == nil {
			t.Errorf("%s: %d %v, want %v", target, w.Code, got.codes(), want)
		}
	}
}

func TestCatalog_ReadsOneThingByItsCode(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for target, code := range map[string]string{
		"/v1/matters/S01.M1":                          "S01.M1",
		"/v1/one-things/S01":                          "S01",
		"/v1/materials/S01.M1.b":                      "S01.M1.b",
		"/v1/datasets/D-GA01":                         "D-GA01",
		"/v1/departments/SPJ":                         "SPJ",
		"/v1/matters/11370100MB9010002W3370131001000": "S01.M1",
	} {
		var got struct{ Code string }
		w := h.call(ownSystem, http.MethodGet, target, "")
		if decode(t, w, &got); w.Code != http.StatusOK || got.Code != code {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for target, code := range map[string]string{
		"/v1/matters/S09.M9": "unknown-matter", "/v1/one-things/S09": "unknown-one-thing", "/v1/materials/x": "unknown-material",
		"/v1/datasets/D-X": "unknown-dataset", "/v1/departments/XX": "unknown-department",
	} {
		wantProblem(t, h.call(ownSystem, http.MethodGet, target, ""), 404, code)
	}
}

func TestCatalog_PagesThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var seen []string
	cursor := ""
	for range 10 {
		var got listAnswer
		decode(t, h.call(ownSystem, http.MethodGet, "/v1/materials?limit=1&cursor="+cursor, ""), &got)
		seen = append(seen, got.codes()...)
		if cursor = got.Next; cursor == "" {
			break
		}
	}
	if want := []string{"S01.M1.a", "S01.M1.b", "S01.M1.c", "S01.M2.a"}; !slices.Equal(seen, want) {
		t.Errorf("pages gave %v, want %v", seen, want)
	}
}

func TestCatalog_RefusesACursorOfAnotherList(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var first listAnswer
	decode(t, h.call(ownSystem, http.MethodGet, "/v1/materials?limit=1", ""), &first)
	if first.Next == "" {
		t.Fatal("no cursor")
	}
	for _, target := range []string{
		"/v1/materials?mode=upload&cursor=" + first.Next, "/v1/matters?cursor=" + first.Next, "/v1/materials?q=x&cursor=" + first.Next,
		"/v1/materials?cursor=" + first.Next + "A", "/v1/materials?cursor=!!!", "/v1/materials?cursor=YWJj",
	} {
		wantProblem(t, h.call(ownSystem, http.MethodGet, target, ""), 422, "bad-cursor")
	}
	changed := *h.memory.rev
	changed.Digest = "another"
	h.memory.change(func(m *memory) { m.rev = &changed })
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/materials?limit=1&cursor="+first.Next, ""), 422, "bad-cursor")
}

// Of a catalog that is held in part, a list is of what is asked for.
func TestCatalog_RefusesToListAllOfALargeCatalog(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ground := h.memory.rev.Ground()
	h.memory.change(func(m *memory) { m.rev = ground })
	for _, target := range []string{"/v1/matters", "/v1/materials", "/v1/one-things", "/v1/materials?mode=upload"} { // nor is there an index here
		wantProblem(t, h.call(ownSystem, http.MethodGet, target, ""), 422, "catalog-too-large")
	}
	for _, target := range []string{"/v1/matters?one_thing=S01", "/v1/materials?matter=S01.M1", "/v1/datasets", "/v1/facts", "/v1/departments"} {
		if answer := h.call(ownSystem, http.MethodGet, target, ""); answer.Code != http.StatusOK {
			t.Errorf("%s: %d", target, answer.Code)
		}
	}
}

func TestCatalog_RefusesALimitOutOfRange(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, limit := range []string{"0", "201", "-1", "1000000000", "x", "1e2"} {
		wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/matters?limit="+limit, ""), 422, "invalid-request")
	}
}

func TestCatalog_AnswersNotModified(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, target := range []string{"/v1/matters", "/v1/matters/S01.M1"} {
		w := h.call(ownSystem, http.MethodGet, target, "")
		tag := w.Header().Get("ETag")
		if len(tag) != 34 || tag[0] != '"' || w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: headers %v", target, w.Header())
		}
		for _, given := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			again := h.call(ownSystem, http.MethodGet, target, "", "If-None-Match", given)
			if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
				t.Errorf("%s, %s: %d %s", target, given, again.Code, again.Body)
			}
		}
		if again := h.call(ownSystem, http.MethodGet, target, "", "If-None-Match", `"other"`); again.Code != http.StatusOK {
			t.Errorf("%s with another tag: %d", target, again.Code)
		}
	}
	all := h.call(ownSystem, http.MethodGet, "/v1/matters", "").Header().Get("ETag")
	some := h.call(ownSystem, http.MethodGet, "/v1/matters?department=GA", "").Header().Get("ETag")
	if all == some {
		t.Error("two questions have one ETag")
	}
}

func TestCatalog_IsForCallersOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, target := range []string{"/v1/matters", "/v1/one-things", "/v1/materials", "/v1/datasets", "/v1/departments", "/v1/facts"} {
		wantProblem(t, h.send(request(http.MethodGet, target, "")), 401, "unauthenticated")
	}
}

func TestCatalog_SaysThatThereIsNone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.memory.change(func(m *memory) { m.rev = nil })
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/matters", ""), 503, "no-catalog")
	if w := h.send(request(http.MethodGet, "/readyz", "")); w.Code != 503 || w.Body.String() != `{"ready":false,"parts":[{"name":"catalog","ready":false,"reason":"no-catalog"}]}` {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
	if w := h.send(request(http.MethodGet, "/healthz", "")); w.Code != 200 || w.Body.String() != "ok" {
		t.Errorf("healthz: %d %s", w.Code, w.Body)
	}
}

// inPart is a catalog that is held in part: it comes with what is asked for.
type inPart struct {
	*memory
	all *catalog.Revision
}

func (p inPart) Current(ctx context.Context, about ...string) (*catalog.Revision, error) {
	return p.Revision(ctx, p.all.Number, about...)
}

func (p inPart) Revision(_ context.Context, _ int, about ...string) (*catalog.Revision, error) {
	if strings.Join(about, "") == "" {
		return p.all.Ground(), nil
	}
	return p.all.Join([]*catalog.Revision{p.all}, false), nil
}

// FindMatters goes through the matters themselves.
func (p inPart) FindMatters(_ context.Context, _ int, q catalog.MatterQuery) ([]string, error) {
	var codes []string
	for _, m := range p.all.Matters() {
		if m.Code > q.After && strings.Contains(m.Name, q.Text) && (q.Department == "" || m.Department == q.Department) {
			codes = append(codes, m.Code)
		}
	}
	slices.Sort(codes)
	return codes[:min(len(codes), q.Limit)], nil
}

func TestCatalog_ListsTheMattersOfALargeCatalog(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	large := inPart{h.memory, h.memory.rev}
	h.config.Catalogs, h.config.Matters = large, large
	h.handler = h.newHandler(h.config)
	got, pages := []string{}, 0
	for next := ""; ; pages++ {
		var page struct {
			Items []struct{ Code, Name string }
			Next  string
		}
		decode(t, h.call(ownSystem, http.MethodGet, "/v1/matters?limit=1&cursor="+next, ""), &page)
		for _, m := range page.Items {
			got = append(got, m.Code)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	want, _ := large.FindMatters(t.Context(), 0, catalog.MatterQuery{Limit: 1000})
	if !slices.Equal(got, want) || pages == 0 {
		t.Errorf("%d pages more, %v, want %v", pages, got, want)
	}
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/matters?cursor=!!!", ""), 422, "bad-cursor")
	wantProblem(t, h.call(ownSystem, http.MethodGet, "/v1/materials", ""), 422, "catalog-too-large")
}
