package batch_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/batch"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
	pages "mianti/web/batch"
	"mianti/web/frame/frametest"
)

// desk has one batch, of the person who is signed in.
type desk struct {
	one       *batch.Batch
	rows      []batch.Row
	submitted *batch.Submission
	refuse    error
	acts      []string
	filter    batch.RowFilter
	secret    string
}

func (d *desk) Batch(_ context.Context, by policies.Caller, id string) (*batch.Batch, error) {
	if d.one == nil || id != d.one.ID || by.Department != d.one.Department {
		return nil, fault.New(fault.NotFound, "unknown-batch", "没有这个批次")
	}
	return d.one, nil
}

func (d *desk) Batches(_ context.Context, _ policies.Caller, f batch.Filter) ([]batch.Batch, error) {
	if d.one == nil || f.State != "" && f.State != d.one.State {
		return nil, nil
	}
	return []batch.Batch{*d.one}, nil
}

func (d *desk) List(_ context.Context, _ policies.Caller, f batch.RowFilter) ([]batch.Row, error) {
	d.filter = f
	var out []batch.Row
	for _, row := range d.rows {
		if row.Line > f.After && len(out) < f.Limit && (len(f.States) == 0 || slices.Contains(f.States, row.State)) {
			out = append(out, row)
		}
	}
	return out, nil
}

func (d *desk) Errors(context.Context, policies.Caller, string) ([]byte, error) {
	return []byte("PK"), nil
}

func (d *desk) Submit(_ context.Context, _ policies.Caller, in batch.Submission) (*batch.Batch, error) {
	d.submitted = &in
	return d.one, d.refuse
}

func (d *desk) Columns(context.Context, string) ([]batch.Column, error) {
	return []batch.Column{{Heading: "申请人<i>姓名</i>", Note: "照填"}}, nil
}

func (d *desk) Template(_ context.Context, _ string, to io.Writer) error {
	_, err := io.WriteString(to, "PK")
	return err
}

func (d *desk) Systems(context.Context, policies.Caller) ([]string, error) {
	return []string{"SPJ-1"}, nil
}

func (d *desk) act(name string) (*batch.Batch, error) {
	d.acts = append(d.acts, name)
	return d.one, d.refuse
}

func (d *desk) Start(_ context.Context, _ policies.Caller, _ string, leaveOut bool) (*batch.Batch, error) {
	if leaveOut {
		return d.act("start without the wrong rows")
	}
	return d.act("start")
}

func (d *desk) Pause(context.Context, policies.Caller, string, string) (*batch.Batch, error) {
	return d.act("pause")
}
func (d *desk) Resume(context.Context, policies.Caller, string, string) (*batch.Batch, error) {
	return d.act("resume")
}

func (d *desk) Cancel(_ context.Context, _ policies.Caller, _, why string) (*batch.Batch, error) {
	return d.act("cancel: " + why)
}

func (d *desk) Result(_ context.Context, _ policies.Caller, _, passphrase string) (*batch.File, error) {
	d.secret = passphrase
	if len(passphrase) < 16 {
		return nil, fault.New(fault.Invalid, "invalid-passphrase", "口令不能使用").With(fault.Detail{Location: "body.passphrase", Message: "请用 16 个字符以上的口令。"})
	}
	return &batch.File{Name: "b.zip", Content: []byte("PK")}, nil
}

// at is the batch of the tests, in a state.
func at(state batch.State, counts batch.Counts) *batch.Batch {
	b := &batch.Batch{
		ID: "b1", Number: "PL20261123-1", Department: "SPJ", System: "SPJ-1", Person: "p-staff", Subject: "S02.M7", Purpose: "核查<script>", Basis: "条例第一条",
		PerDay: 5000, State: state, Counts: counts, SubmittedAt: frametest.Now(), Version: 3,
	}
	if state == batch.Running || state == batch.Finished {
		started := frametest.Now().Add(time.Minute)
		b.StartedAt = &started
	}
	return b
}

func site(t *testing.T, d *desk, duties ...policies.Duty) *frametest.Visitor {
	t.Helper()
	section, err := pages.New(pages.Config{Lists: d, Intake: d, Acts: d, Results: d})
	if err != nil {
		t.Fatal(err)
	}
	return frametest.Site(t, frametest.Staff("SPJ", duties...), section)
}

func TestBatch_IsForClerksAlone(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Ready, batch.Counts{Todo: 2})}
	for _, path := range []string{"/batch", "/batch/new", "/batch/b1", "/batch/b1/errors", "/batch/b1/events", "/batch/template/S02.M7"} {
		if got := site(t, d, policies.DutyAuditor).Get(path); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d for an auditor", path, got.Status)
		}
		if got := site(t, d, policies.DutyClerk).Get(path); got.Status != http.StatusOK {
			t.Errorf("%s: %d for a clerk\n%s", path, got.Status, got.Body)
		}
	}
	if got := site(t, d, policies.DutyClerk).Get("/batch/b2"); got.Status != http.StatusNotFound {
		t.Errorf("another's batch: %d", got.Status)
	}
}

func TestShow_OffersWhatItsStateAllows(t *testing.T) {
	t.Parallel()
	wrong := batch.Row{Line: 7, State: batch.RowWrong, Problems: []fault.Detail{{Location: "申请人号码", Message: "校验位不对<b>"}}}
	for _, c := range []struct {
		b           *batch.Batch
		has, hasNot []string
	}{
		{at(batch.Invalid, batch.Counts{Wrong: 1, Todo: 2}), []string{"3 行中有 1 行", "剔除 1 行，核验其余 2 行", "校验位不对&lt;b&gt;", "/batch/b1/errors"}, []string{"开始核验 ", "取得结果"}},
		{at(batch.Invalid, batch.Counts{Wrong: 1}), []string{"1 行中有 1 行"}, []string{"leave_out"}},
		{at(batch.Ready, batch.Counts{Todo: 2}), []string{"开始核验 2 行", "核查&lt;script&gt;"}, []string{"取得结果", "<script>核"}},
		{at(batch.Running, batch.Counts{Todo: 1, Done: 1}), []string{`data-live="/batch/b1/events"`, "/batch/b1/pause", "到目前为止"}, []string{"/batch/b1/start"}},
		{at(batch.Paused, batch.Counts{Todo: 1, Done: 1}), []string{"/batch/b1/resume"}, []string{"/batch/b1/pause", "data-live"}},
		{at(batch.Finished, batch.Counts{Done: 2}), []string{"下载加密结果", "已完成"}, []string{"/batch/b1/cancel", "data-live"}},
	} {
		page := site(t, &desk{one: c.b, rows: []batch.Row{wrong}}, policies.DutyClerk).Get("/batch/b1")
		page.Has(t, c.has...)
		page.Lacks(t, c.hasNot...)
		another := *c.b
		another.Person = "p-other"
		colleague := site(t, &desk{one: &another}, policies.DutyClerk).Get("/batch/b1")
		colleague.Has(t, "只有提交人")
		colleague.Lacks(t, "/batch/b1/start", "/batch/b1/resume", "下载加密结果")
	}
}

func TestShow_PagesAndFiltersItsRowsByTheAddress(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Finished, batch.Counts{Done: 119, Failed: 1})}
	for line := 2; line <= 120; line++ {
		d.rows = append(d.rows, batch.Row{Line: line, State: batch.RowDone, Status: exchange.StatusComplete, Number: "批-" + string(rune('A'+line%26))})
	}
	d.rows = append(d.rows, batch.Row{Line: 121, State: batch.RowFailed, Number: "批-末"})
	clerk := site(t, d, policies.DutyClerk)
	first := clerk.Get("/batch/b1")
	first.Has(t, "第 2 至 51 行", "/batch/b1?after=51&amp;rows=")
	first.Lacks(t, "第一页")
	clerk.Get("/batch/b1?after=51&rows=").Has(t, "第 52 至 101 行", "第一页")
	failed := clerk.Get("/batch/b1?rows=failed")
	failed.Has(t, "批-末", `aria-current="true">没有核验成`)
	failed.Lacks(t, "批-A")
}

// send sends the form of a new batch.
func send(v *frametest.Visitor, file string, fields url.Values) frametest.Page {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		_ = form.WriteField(name, values[0]) // into memory
	}
	if file != "" {
		part, _ := form.CreateFormFile("file", "=cmd.csv")
		_, _ = io.WriteString(part, file)
	}
	_ = form.Close()
	r := httptest.NewRequest(http.MethodPost, "/batch/new", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return v.Do(r)
}

func TestNew_HandsTheListOnAsItIs(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Ready, batch.Counts{Todo: 2})}
	clerk := site(t, d, policies.DutyClerk)
	clerk.Get("/batch/new").Has(t, "选择事项", "S02.M7")
	clerk.Get("/batch/new?subject=S02.M7").Has(t, "申请人&lt;i&gt;姓名&lt;/i&gt;", "/batch/template/S02.M7")
	clerk.Get("/batch/new?subject=S02.M1").Lacks(t, "下载模板") // the tax office's
	fields := url.Values{"subject": {"S02.M7"}, "purpose": {"年度核查"}, "basis": {"条例第一条"}, "per_day": {"1,000"}}
	big := strings.Repeat("济南,1\n", 300_000) // more than a form without files may have
	if got := send(clerk, big, fields); got.Status != http.StatusSeeOther || got.Location != "/batch/b1" {
		t.Fatalf("%d to %q: %s", got.Status, got.Location, got.Body)
	}
	if in := d.submitted; string(in.File) != big || in.PerDay != 1000 || in.Subject != "S02.M7" || in.Purpose != "年度核查" {
		t.Errorf("handed on: %d bytes, %d a day, %s, %s", len(in.File), in.PerDay, in.Subject, in.Purpose)
	}
}

func TestNew_PutsWhatIsWrongAtItsField(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Ready, batch.Counts{})}
	clerk := site(t, d, policies.DutyClerk)
	empty := send(clerk, "", url.Values{"subject": {"S02.M7"}})
	empty.Has(t, "有 4 处需要改正", "请选择名单文件")
	if empty.Status != http.StatusUnprocessableEntity || d.submitted != nil {
		t.Errorf("%d, submitted %v", empty.Status, d.submitted)
	}
	d.refuse = fault.New(fault.Invalid, "invalid-list", "列名不对").With(fault.Detail{Location: "第 1 行第 2 列", Message: "列名“<手机>”不认识。"})
	wrong := send(clerk, "a", url.Values{"subject": {"S02.M7"}, "purpose": {"年度核查"}, "basis": {"条例第一条"}, "per_day": {"5"}})
	wrong.Has(t, "第 1 行第 2 列：列名“&lt;手机&gt;”不认识。", `href="#file"`, "年度核查")
}

func TestActs_GoBackToTheBatchAndSayWhy(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Running, batch.Counts{Todo: 2})}
	clerk := site(t, d, policies.DutyClerk)
	clerk.Get("/batch/b1/cancel").Has(t, "确认取消", "2 行还没有核验")
	for _, c := range []struct{ path, field, value string }{
		{"start", "", ""}, {"start", "leave_out", "yes"}, {"pause", "", ""}, {"resume", "", ""}, {"cancel", "reason", "名单有误"},
	} {
		if got := clerk.Post("/batch/b1/"+c.path, url.Values{c.field: {c.value}}); got.Location != "/batch/b1" {
			t.Errorf("%s: %d to %q", c.path, got.Status, got.Location)
		}
	}
	if want := []string{"start", "start without the wrong rows", "pause", "resume", "cancel: 名单有误"}; !slices.Equal(d.acts, want) {
		t.Errorf("%q, want %q", d.acts, want)
	}
	d.refuse = fault.New(fault.Conflict, "batch-state", "批次已经完成，不能这样操作。")
	clerk.Post("/batch/b1/pause", nil)
	clerk.Get("/batch/b1").Has(t, "批次已经完成，不能这样操作。")
}

func TestResult_IsSentUnderThePassphraseThatThePageProposes(t *testing.T) {
	t.Parallel()
	d := &desk{one: at(batch.Finished, batch.Counts{Done: 2})}
	clerk := site(t, d, policies.DutyClerk)
	_, after, _ := strings.Cut(clerk.Get("/batch/b1").Body, `name="passphrase" type="text" value="`)
	proposed, _, _ := strings.Cut(after, `"`)
	if len(proposed) != 23 {
		t.Fatalf("it proposes %q", proposed)
	}
	got := clerk.Post("/batch/b1/result", url.Values{"passphrase": {proposed}})
	if got.Header.Get("Content-Type") != "application/zip" || got.Body != "PK" || d.secret != proposed {
		t.Errorf("%v %q", got.Header, got.Body)
	}
	short := clerk.Post("/batch/b1/result", url.Values{"passphrase": {"12345"}})
	short.Has(t, "请用 16 个字符以上的口令。", `href="#passphrase"`)
	if short.Status != http.StatusUnprocessableEntity {
		t.Errorf("%d for a short one", short.Status)
	}
}

func TestEvents_EndWithTheBatch(t *testing.T) {
	t.Parallel()
	got := site(t, &desk{one: at(batch.Finished, batch.Counts{Done: 2})}, policies.DutyClerk).Get("/batch/b1/events")
	got.Has(t, "event: version\nid: 3000004\n", "event: end\n")
	if kind := got.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("it is %s", kind)
	}
}
