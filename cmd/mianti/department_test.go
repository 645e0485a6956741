package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mianti/exchange"
	"mianti/policies"
)

// post sends a form of a page, and gives the page that comes of it.
func (s *surfer) post(path string, form url.Values) (int, string) {
	s.t.Helper()
	response, err := s.http.PostForm(s.url+path, form)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// see waits for a page to say something: what is sealed and counted in the
// background is there soon.
func (s *surfer) see(path, text string) string {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, body := s.call(http.MethodGet, path, "")
		if status == http.StatusOK && strings.Contains(body, text) {
			return body
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s never says %q: %d\n%s", path, text, status, body)
		}
	}
}

// asksOf counts how often matters asked for what was settled, and for all that
// applied.
func asksOf(r *exchange.Resolution) (exempt, applicable int) {
	for _, m := range r.Materials {
		if m.Outcome == policies.Settled {
			exempt += len(m.UsedBy)
		}
		if m.Outcome != policies.NotApplicable {
			applicable += len(m.UsedBy)
		}
	}
	return exempt, applicable
}

// TestDepartmentPages_ThroughTheWholeProgram lets a department decide on an
// application field by field, deliver it and suspend the grant, and see who used
// its data; and a leader what the finished case came to.
func TestDepartmentPages_ThroughTheWholeProgram(t *testing.T) {
	d, err := startDemo(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "department.db"), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	opened := resolveNamed(t, d, "S01-own-premises.yaml")
	applicant := signInAs(t, d, "staff", "sharing")
	year := time.Now().Year() + 2
	application := fmt.Sprintf(`{"dataset":"D-GA01","fields":["name","address"],"matters":["S01.M1"],"basis":"条例第二十条","scenario":"企业开办","scope":"登记人员",`+
		`"purpose":"核实身份","manner":"query","from":"%d-01-01","until":"%d-12-31","officer":"王示例"}`, year, year)
	if status, body := applicant.call(http.MethodPost, "/v1/sharing-requests", application); status != http.StatusCreated {
		t.Fatalf("apply: %d %s", status, body)
	}

	provider := signInAs(t, d, "staff", "two")
	if status, body := provider.call(http.MethodPost, "/v1/session/department", `{"department":"GA"}`); status >= 300 {
		t.Fatalf("choose a department: %d %s", status, body)
	}
	path := regexp.MustCompile(`/department/sharing/[0-9a-f-]{36}`).FindString(provider.see("/department", "答复共享申请"))
	status, body := provider.post(path, url.Values{
		"act": {"decision"}, "version": {"1"}, "officer": {"李示例"}, "agree-name": {"yes"}, "agree-address": {"no"}, "reason-address": {"超出所需"},
	})
	if status != http.StatusOK || !strings.Contains(body, "已答复。") || !strings.Contains(body, "部分同意") {
		t.Fatalf("decide: %d %s", status, body)
	}
	status, body = provider.post(path, url.Values{"act": {"delivery"}, "version": {"2"}})
	grant := regexp.MustCompile(`/department/grants/[0-9a-f-]{36}`).FindString(body)
	if status != http.StatusOK || grant == "" {
		t.Fatalf("deliver: %d %s", status, body)
	}
	if status, body = provider.post(grant, url.Values{"act": {"suspension"}, "version": {"1"}, "reason": {"查询量异常"}}); status != http.StatusOK || !strings.Contains(body, "已暂停") {
		t.Errorf("suspend: %d %s", status, body)
	}
	if status, body = provider.post(grant, url.Values{"act": {"suspension"}, "version": {"1"}, "reason": {"查询量异常"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("suspend what was read before: %d %s", status, body)
	}
	used := provider.see("/department/uses", "市行政审批服务局")
	if strings.Contains(used, "370199") {
		t.Error("who used the data names a person")
	}
	provider.see("/department/sources", "GA.D-GA01")

	if _, err := d.node.exchange.CloseCase(t.Context(), policies.Caller{System: demoSystem + "SPJ", Department: "SPJ", Duties: []policies.Duty{policies.DutySystem}}, opened.Case, exchange.CaseFinished); err != nil {
		t.Fatal(err)
	}
	d.node.background.count(t.Context())
	leader := signInAs(t, d, "staff", "auditor")
	exempt, applicable := asksOf(opened)
	leader.see("/overview", fmt.Sprintf("%d ÷ %d<", exempt, applicable))
	if status, body := leader.call(http.MethodGet, "/overview/download", ""); status != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("the workbook: %d %.20q", status, body)
	}
}
