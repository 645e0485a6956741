package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/internal/fault"
)

// twoRevisions are a catalog and the one after it.
type twoRevisions struct{ first, second *catalog.Revision }

func (r twoRevisions) Current(context.Context, ...string) (*catalog.Revision, error) {
	return r.second, nil
}

func (r twoRevisions) Revision(_ context.Context, number int, _ ...string) (*catalog.Revision, error) {
	switch number {
	case 1:
		return r.first, nil
	case 2:
		return r.second, nil
	}
	return nil, fault.New(fault.NotFound, "unknown-revision", "没有这个目录版本")
}

func (r twoRevisions) RevisionHeads(_ context.Context, before, limit int) ([]catalog.RevisionHead, error) {
	var heads []catalog.RevisionHead
	for _, rev := range []*catalog.Revision{r.second, r.first} {
		if (before == 0 || rev.Number < before) && len(heads) < limit {
			heads = append(heads, catalog.RevisionHead{Number: rev.Number, Digest: rev.Digest, Title: rev.Title, Version: rev.Version, Loaded: at()})
		}
	}
	return heads, nil
}

// withTwoRevisions has the test catalog, and one in which the lease is asked for
// when a seal is made, and a form has no basis.
func (h *harness) withTwoRevisions() *harness {
	h.t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"catalog.yaml", "facts.yaml", "roles.yaml", "standard-materials.yaml", "departments/GA.yaml", "departments/SPJ.yaml", "one-things/S01.yaml"} {
		files[name] = &fstest.MapFile{Data: readFile(h.t, "testdata/catalog/"+name)}
	}
	var all twoRevisions
	load := func(number int) *catalog.Revision {
		rev, err := catalog.Load(files)
		if err != nil {
			h.t.Fatal(err)
		}
		rev.Number = number
		return rev
	}
	all.first = load(1)
	text := strings.Replace(string(files["one-things/S01.yaml"].Data), "when: premises == 'rent'", "when: need_seal", 1)
	text = strings.Replace(text, "        basis: [国发印章管理规定23]\n", "", 1)
	files["one-things/S01.yaml"] = &fstest.MapFile{Data: []byte(text)}
	all.second = load(2)
	h.config.Drafter = drafting(files)
	h.config.Catalogs, h.config.Revisions = all, all
	return h.withPeople()
}

func (h *harness) editor(method, target, body string, into any) int {
	h.t.Helper()
	headers := []string{"Cookie", "who=policy_editor"}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	w := h.send(request(method, target, body, headers...))
	decode(h.t, w, into)
	return w.Code
}

func TestRevisions_AreListedTheNewestFirst(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	var first, second struct {
		Items []struct {
			Number int
			Loaded time.Time
		}
		Next string
	}
	if code := h.editor(http.MethodGet, "/v1/revisions?limit=1", "", &first); code != http.StatusOK || len(first.Items) != 1 || first.Items[0].Number != 2 || first.Next != "2" {
		t.Errorf("%d %+v", code, first)
	}
	if code := h.editor(http.MethodGet, "/v1/revisions?before=2", "", &second); code != http.StatusOK || len(second.Items) != 1 || second.Items[0].Number != 1 || second.Next != "" || !second.Items[0].Loaded.Equal(at()) {
		t.Errorf("%d %+v", code, second)
	}
	var one struct{ Counts map[string]int }
	if code := h.editor(http.MethodGet, "/v1/revisions/1", "", &one); code != http.StatusOK || one.Counts["materials"] != 4 || one.Counts["matters"] != 2 || one.Counts["facts"] != 2 {
		t.Errorf("%d %+v", code, one)
	}
	var none problemAnswer
	if code := h.editor(http.MethodGet, "/v1/revisions/3", "", &none); code != http.StatusNotFound || !strings.HasSuffix(none.Type, "/no-such-revision") {
		t.Errorf("%d %+v", code, none)
	}
}

func TestRevisions_AreComparedFieldByField(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	var got struct{ Items []catalog.ThingChange }
	if code := h.editor(http.MethodGet, "/v1/revisions/2/changes?since=1", "", &got); code != http.StatusOK || len(got.Items) != 2 {
		t.Fatalf("%d %+v", code, got)
	}
	lease := got.Items[0]
	if lease.Code != "S01.M1.c" || lease.Change != catalog.ThingChanged || !slices.Equal(lease.Fields, []catalog.FieldChange{{Place: "when", Old: "premises == 'rent'", New: "need_seal"}}) {
		t.Errorf("%+v", lease)
	}
	got.Items = nil
	if code := h.editor(http.MethodGet, "/v1/revisions/2/changes?since=1&kind=fact", "", &got); code != http.StatusOK || len(got.Items) != 0 {
		t.Errorf("%d %+v", code, got)
	}
}

func TestFindings_HaveTheirPlace(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	type list struct {
		Items      []lint.Finding
		Counts     []lint.Count
		Unmeasured []lint.Rule
	}
	var got list
	if code := h.editor(http.MethodGet, "/v1/revisions/2/findings?rule=basis", "", &got); code != http.StatusOK || len(got.Items) != 1 ||
		got.Items[0].Code != "S01.M2.a" || got.Items[0].File != "one-things/S01.yaml" || got.Items[0].Key != "basis" || got.Items[0].Severity != lint.Error {
		t.Errorf("%d %+v", code, got)
	}
	if len(got.Counts) != len(lint.Rules()) || got.Counts[0].Open != 1 || len(got.Unmeasured) != 3 {
		t.Errorf("counts %+v, not measured %v", got.Counts, got.Unmeasured)
	}
	for _, query := range []string{"rule=basis&severity=warning", "rule=basis&state=explained", "rule=basis&department=SC", "rule=basis&one_thing=S02", "rule=basis&q=nothing"} {
		var none list
		if code := h.editor(http.MethodGet, "/v1/revisions/2/findings?"+query, "", &none); code != http.StatusOK || len(none.Items) != 0 {
			t.Errorf("%s: %d %+v", query, code, none.Items)
		}
	}
}

func TestTryRules_SaysWhatWouldBeAskedAndBesideADraft(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	type trial struct {
		Totals    map[string]int
		Materials []struct {
			Codes []string
			Group string
			First string
		}
		Questions []struct{ Fact string }
	}
	group := func(tr trial, code string) string {
		for _, m := range tr.Materials {
			if slices.Contains(m.Codes, code) {
				return m.Group + " " + m.First
			}
		}
		return ""
	}
	for _, c := range []struct{ target, body, want string }{
		{"/v1/revisions/1/trials", `{"subject":"S01","facts":{"premises":"rent","need_seal":false}}`, "upload upload"},
		{"/v1/revisions/2/trials", `{"subject":"S01","facts":{"premises":"rent","need_seal":false}}`, "not_applicable "},
		{"/v1/revisions/1/trials", `{"subject":"S01"}`, "unknown "},
		{"/v1/revisions/1/trials", `{"subject":"S01.M1","facts":{"premises":"own"},"material":"code: S01.M1.c\nname: 租赁合同\nkind: proof\nneed: required\norigin: applicant\nchain: [{mode: form}]\n"}`, "exempt form"},
	} {
		var got trial
		if code := h.editor(http.MethodPost, c.target, c.body, &got); code != http.StatusOK || group(got, "S01.M1.c") != c.want {
			t.Errorf("%s %s: %d, the lease is %q, want %q", c.target, c.body, code, group(got, "S01.M1.c"), c.want)
		}
	}
	for body, location := range map[string]string{
		`{"subject":"S99"}`:                                "body.subject",
		`{"subject":"S01","facts":{"need_seal":1}}`:        "body.facts.need_seal",
		`{"subject":"S01","facts":{"colour":"red"}}`:       "body.facts.colour",
		`{"subject":"S01","material":"code: S01.M1.c\n"}`:  "body.material",
		`{"subject":"S01","material":"code: [S01.M1.c\n"}`: "body.material",
	} {
		var got problemAnswer
		if code := h.editor(http.MethodPost, "/v1/revisions/1/trials", body, &got); code != http.StatusUnprocessableEntity || len(got.Errors) == 0 || got.Errors[0].Location != location {
			t.Errorf("%s: %d %+v", body, code, got)
		}
	}
}

func TestTryCondition_SaysItInWordsOrWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	type answer struct {
		Words  string
		Exact  bool
		Faults []catalog.ExpressionFault
	}
	var good, bad answer
	if code := h.editor(http.MethodPost, "/v1/revisions/1/conditions", `{"condition":"need_seal && premises == 'own'"}`, &good); code != http.StatusOK || good.Words != "刻制印章，并且住所来源为“自有”" || !good.Exact || len(good.Faults) != 0 {
		t.Errorf("%d %+v", code, good)
	}
	if code := h.editor(http.MethodPost, "/v1/revisions/1/conditions", `{"condition":"need_seal && premises == 'owned'"}`, &bad); code != http.StatusOK || len(bad.Faults) != 1 || bad.Faults[0].Column != 26 || bad.Faults[0].Code != "unknown-option" {
		t.Errorf("%d %+v", code, bad)
	}
}

// problemAnswer is a problem as a caller reads it.
type problemAnswer struct {
	Type   string
	Errors []struct{ Location, Message string }
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCheckCatalog_ListsFaultsOrWhatWouldChange(t *testing.T) {
	t.Parallel()
	h := newHarness(t).withTwoRevisions()
	files := map[string]string{}
	for _, name := range []string{"catalog.yaml", "facts.yaml", "roles.yaml", "standard-materials.yaml", "departments/GA.yaml", "departments/SPJ.yaml", "one-things/S01.yaml"} {
		files[name] = string(readFile(t, "testdata/catalog/"+name))
	}
	body := func() string {
		text, err := json.Marshal(map[string]any{"files": files})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var got struct {
		Valid  bool
		Faults []struct {
			File string
			Line int
			Code string
		}
		Changes []struct {
			Kind    string
			Changed int
		}
	}
	// The current revision is the second, which has two materials otherwise.
	if code := h.editor(http.MethodPost, "/v1/catalog-checks", body(), &got); code != http.StatusOK || !got.Valid || len(got.Faults) != 0 || len(got.Changes) != 1 || got.Changes[0].Kind != "material" || got.Changes[0].Changed != 2 {
		t.Errorf("%d %+v", code, got)
	}
	files["one-things/S01.yaml"] = strings.Replace(files["one-things/S01.yaml"], "when: premises == 'rent'", "when: premise == 'rent'", 1)
	before, _, _ := strings.Cut(files["one-things/S01.yaml"], "premise ==")
	if code := h.editor(http.MethodPost, "/v1/catalog-checks", body(), &got); code != http.StatusOK || got.Valid || len(got.Faults) != 1 || got.Faults[0].Code != "unknown-fact" || got.Faults[0].Line != strings.Count(before, "\n")+1 {
		t.Errorf("%d %+v", code, got)
	}
	delete(files, "catalog.yaml")
	if code := h.editor(http.MethodPost, "/v1/catalog-checks", body(), &got); code != http.StatusOK || got.Valid || len(got.Faults) != 1 || got.Faults[0].Code != "missing-file" {
		t.Errorf("%d %+v", code, got)
	}
}
