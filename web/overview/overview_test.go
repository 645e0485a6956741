package overview_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"mianti/figures"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame/frametest"
	"mianti/web/overview"
)

// counted gives a report, and keeps what was asked.
type counted struct {
	report *figures.Report
	asked  figures.Query
	all    bool
	err    error
}

func (c *counted) Read(_ context.Context, _ policies.Caller, q figures.Query) (*figures.Report, error) {
	c.asked = q
	return c.report, c.err
}

func (c *counted) SeesAll(policies.Caller) bool { return c.all }

// formula is a text as a department might name a thing.
const formula = `=HYPERLINK("http://x","点我")`

func report(days int) *figures.Report {
	r := &figures.Report{
		Query: figures.Query{From: "2026-10-25", Until: "2026-11-23"}, CountedAt: frametest.Now(),
		Figures: []figures.Figure{
			{Code: "actual", Name: "实际免提交率", Definition: "没有由申请人提交的 ÷ 适用的。", Part: 812, Whole: 1000, Beside: []figures.Beside{{Name: "不适用", N: 4321}, {Name: "申请人选择自行提交", N: 17}}},
			{Code: "field_share", Name: "字段共享率", Definition: "预填的 ÷ 全部的。", Absent: "表单在审批系统里。", Beside: []figures.Beside{}},
			{Code: "demand", Name: "需求满足率", Definition: "按期同意的 ÷ 收到的。", Beside: []figures.Beside{}},
		},
		Ways: []figures.WayCount{
			{Way: figures.Exempt, Name: "免提交", N: 812}, {Way: figures.Chosen, Name: "申请人选择自行提交", N: 17}, {Way: figures.Uploaded, Name: "仍需提交", N: 171},
			{Way: figures.Later, Name: "容缺后补"}, {Way: figures.Unsettled, Name: "办结时没有结论"}, {Way: figures.NotApplicable, Name: "不适用", N: 4321},
		},
		ByDepartment: []figures.Line{{Code: "SPJ", Name: "市行政审批服务局", Exempt: 812, Applicable: 1000, Marked: 80, Materials: 100, Finished: 90, AtOnce: 81}},
		ByOneThing:   []figures.Line{{Code: "S01", Name: "企业开办一件事", Exempt: 812, Applicable: 1000}},
		ByMatter:     []figures.Line{{Code: "S01.M1", Name: formula, Exempt: 812, Applicable: 1000}},
		Uploads:      []figures.StillUploaded{{Code: "SM-001", Name: "<b>租赁合同</b>", N: 171, Matters: []string{"S01.M1"}, Text: "还没有接通数据", Datasets: []string{}}},
		Sources:      []figures.SourceTime{{Source: "GA.D-GA01.query", Dataset: "D-GA01", Department: "GA", Asked: 40, Answered: 38, P50: 12, P95: 180}},
	}
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1-days)
	for i := range days {
		p := figures.Point{Day: from.AddDate(0, 0, i).Format(time.DateOnly), Exempt: 20 + i%9, Applicable: 30 + i%7}
		if i == 3 {
			p.Exempt, p.Applicable = 0, 0
		}
		r.Trend = append(r.Trend, p)
	}
	return r
}

func visit(t *testing.T, c *counted) *frametest.Visitor {
	t.Helper()
	return frametest.Site(t, frametest.Staff("SPJ", policies.DutyAuditor), overview.New(overview.Config{Figures: c}))
}

func TestOverview_PrintsEachNumberWithItsDefinitionAndWhatIsNotInIt(t *testing.T) {
	t.Parallel()
	p := visit(t, &counted{report: report(30), all: true}).Get("/overview")
	if p.Status != http.StatusOK {
		t.Fatalf("status %d: %s", p.Status, p.Body)
	}
	p.Has(t, "81.2%", "812 ÷ 1,000", "没有由申请人提交的 ÷ 适用的。", "4,321", "表单在审批系统里。", "这段时间没有可以统计的。", "还没有接通数据")
}

func TestOverview_ShowsWhatTheCatalogSaysInert(t *testing.T) {
	t.Parallel()
	p := visit(t, &counted{report: report(30), all: true}).Get("/overview")
	p.Has(t, "&lt;b&gt;租赁合同&lt;/b&gt;")
	p.Lacks(t, "<b>租赁合同</b>", "style=", "<script>")
}

func TestOverview_TheChartIsNamedDescribedAndThereAsATable(t *testing.T) {
	t.Parallel()
	p := visit(t, &counted{report: report(30), all: true}).Get("/overview")
	p.Has(t, `role="img" aria-labelledby="wide-title wide-desc"`, `<title id="wide-title">`, `<desc id="wide-desc">`, "以表格显示", "2026-11-23")
	svg := p.Body[strings.Index(p.Body, `<svg class="chart wide"`):]
	svg = svg[:strings.Index(svg, "</svg>")+len("</svg>")]
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
	if got := strings.Count(svg, "<circle"); got != 29 {
		t.Errorf("%d points of 29 days on which a case ended", got)
	}
	if got := strings.Count(svg, "<polyline"); got != 2 {
		t.Errorf("%d lines; a day without cases breaks the line in two", got)
	}
}

func TestOverview_PutsManyDaysTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days, points int
		each         string
	}{{30, 29, "每日一点"}, {91, 90, "每日一点"}, {182, 26, "每周一点"}, {730, 25, "每月一点"}} {
		p := visit(t, &counted{report: report(c.days), all: true}).Get("/overview")
		p.Has(t, c.each)
		svg := p.Body[strings.Index(p.Body, `<svg class="chart wide"`):]
		if got := strings.Count(svg[:strings.Index(svg, "</svg>")], "<circle"); got != c.points {
			t.Errorf("%d days: %d points, want %d", c.days, got, c.points)
		}
	}
}

func TestOverview_FiltersByTheAddress(t *testing.T) {
	t.Parallel()
	c := &counted{report: report(30), all: true}
	p := visit(t, c).Get("/overview?from=2026-10-25&until=2026-11-23&department=GA&matter=S01.M1&one_thing=S01")
	want := figures.Query{From: "2026-10-25", Until: "2026-11-23", Department: "GA", Matter: "S01.M1", OneThing: "S01"}
	if c.asked != want {
		t.Errorf("%+v, want %+v", c.asked, want)
	}
	p.Has(t, `href="/overview/download?from=2026-10-25&amp;until=2026-11-23"`, `value="SPJ"`)
}

func TestOverview_ADepartmentChoosesNoOther(t *testing.T) {
	t.Parallel()
	p := visit(t, &counted{report: report(30)}).Get("/overview")
	p.Has(t, "只含本部门")
	p.Lacks(t, `name="department"`, "按部门")
}

func TestOverview_SaysWhatIsWrongWithTheDates(t *testing.T) {
	t.Parallel()
	c := &counted{err: fault.New(fault.Invalid, "invalid-figures", "x").With(fault.Detail{Location: "query.until", Message: "结束日期早于开始日期。"})}
	p := visit(t, c).Get("/overview?from=2026-11-02&until=2026-11-01")
	if p.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", p.Status)
	}
	p.Has(t, `href="#until"`, "结束日期早于开始日期。")
}

func TestOverview_ExplainsItselfWhenNothingHasEnded(t *testing.T) {
	t.Parallel()
	r := &figures.Report{Query: figures.Query{From: "2026-11-01", Until: "2026-11-02"}, Trend: []figures.Point{{Day: "2026-11-01"}, {Day: "2026-11-02"}}}
	visit(t, &counted{report: r, all: true}).Get("/overview").Has(t, "这段时间没有办结的办件")
}

func TestDownload_WritesTextsAsTextsAndNumbersAsNumbers(t *testing.T) {
	t.Parallel()
	r := report(30)
	r.ByMatter = nil
	for _, name := range []string{formula, "+1", "-1", "@SUM(A1)", "\tx", "a\x00\x1b[31mb", "\u202e=x", "正常"} {
		r.ByMatter = append(r.ByMatter, figures.Line{Code: "c", Name: name})
	}
	p := visit(t, &counted{report: r, all: true}).Get("/overview/download")
	if p.Status != http.StatusOK || !strings.Contains(p.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("status %d, %v", p.Status, p.Header)
	}
	book, err := excelize.OpenReader(bytes.NewReader([]byte(p.Body)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"'" + formula, "'+1", "'-1", "'@SUM(A1)", "x", "a[31mb", "'=x", "正常"} {
		cell := fmt.Sprintf("B%d", i+2)
		got, err := book.GetCellValue("按事项", cell)
		formula, ferr := book.GetCellFormula("按事项", cell)
		if got != want || formula != "" || err != nil || ferr != nil {
			t.Errorf("%s is %q with the formula %q, want %q: %v", cell, got, formula, want, err)
		}
	}
	if got, err := book.GetCellValue("指标", "B2", excelize.Options{RawCellValue: true}); got != "0.812" || err != nil {
		t.Errorf("the share is %q, %v", got, err)
	}
	if got, err := book.GetCellValue("指标", "E2"); got != "没有由申请人提交的 ÷ 适用的。" || err != nil {
		t.Errorf("the definition is %q, %v", got, err)
	}
}

func TestPages_AreOfThoseWhoCount(t *testing.T) {
	t.Parallel()
	for duty, want := range map[policies.Duty]int{policies.DutyAuditor: 200, policies.DutySharingOfficer: 200, policies.DutyPolicyReviewer: 200, policies.DutyClerk: 403} {
		site := frametest.Site(t, frametest.Staff("SPJ", duty), overview.New(overview.Config{Figures: &counted{report: report(30)}}))
		if p := site.Get("/overview"); p.Status != want {
			t.Errorf("%s: %d, want %d", duty, p.Status, want)
		}
	}
}

func TestOverview_IsThereInEnglish(t *testing.T) {
	t.Parallel()
	v := visit(t, &counted{report: report(30), all: true})
	v.Post("/preferences", url.Values{"language": {"en"}, "back": {"/overview"}})
	v.Get("/overview").Has(t, "Actual exempt share over time", "What to connect next", "No data connected", "Still submitted", "P95: of the calls to a source", "one point for each day")
}
