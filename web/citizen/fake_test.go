package citizen_test

import (
	"context"
	"testing"
	"time"

	"mianti/catalog"
	own "mianti/citizen"
	"mianti/correction"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/citizen"
	"mianti/web/frame"
	"mianti/web/frame/frametest"
)

// fake is the use cases, with one case of one person.
type fake struct {
	theCase  own.OwnCase
	consent  exchange.Consent
	found    exchange.Preview
	accesses own.AccessList

	query     own.Query
	decided   exchange.ConsentDecision
	withdrawn bool
	released  string
	wrong     correction.Submission
	refusal   error // of the next decision
}

func (f *fake) ListCases(context.Context, policies.Caller, string, int) (*own.OwnCaseList, error) {
	return &own.OwnCaseList{Items: []own.OwnCase{f.theCase}, Message: "只列出您是当事人的办件。"}, nil
}

func (f *fake) Case(_ context.Context, _ policies.Caller, id string) (*own.OwnCase, error) {
	if id != f.theCase.ID {
		return nil, fault.New(fault.NotFound, "unknown-case", "没有这个办件")
	}
	return &f.theCase, nil
}

func (f *fake) List(_ context.Context, _ policies.Caller, q own.Query) (*own.AccessList, error) {
	f.query = q
	return &f.accesses, nil
}

func (f *fake) MyConsents(context.Context, policies.Caller, exchange.ConsentFilter) ([]exchange.Consent, error) {
	return []exchange.Consent{f.consent}, nil
}

func (f *fake) MyConsent(context.Context, policies.Caller, string) (*exchange.Consent, error) {
	return &f.consent, nil
}

func (f *fake) Receipt(context.Context, policies.Caller, string) (*exchange.ConsentReceipt, error) {
	return &exchange.ConsentReceipt{Consent: f.consent, SheetDigest: f.consent.SheetDigest, Digest: "sha256:receipt", IssuedAt: frametest.Now()}, nil
}

func (f *fake) DecideConsent(_ context.Context, _ policies.Caller, _ string, in exchange.ConsentDecision) (*exchange.Consent, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	f.decided = in
	f.consent.State = exchange.ConsentStanding(in.Decision)
	return &f.consent, nil
}

func (f *fake) WithdrawConsent(context.Context, policies.Caller, string) (*exchange.Consent, error) {
	f.withdrawn = true
	return &f.consent, nil
}

func (f *fake) MyPreviews(context.Context, policies.Caller, exchange.ConsentFilter) ([]exchange.Preview, error) {
	return []exchange.Preview{f.found}, nil
}

func (f *fake) MyPreview(context.Context, policies.Caller, string) (*exchange.Preview, error) {
	return &f.found, nil
}

func (f *fake) DecidePreview(_ context.Context, _ policies.Caller, _, content string, said policies.PreviewState) (*exchange.Preview, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	f.released = string(said) + " " + content
	return &f.found, nil
}

// desk is the corrections of a fake.
type desk struct{ *fake }

func (d desk) Submit(_ context.Context, _ policies.Caller, in correction.Submission) (*correction.View, error) {
	if d.refusal != nil {
		return nil, d.refusal
	}
	d.wrong = in
	return &correction.View{}, nil
}

func (d desk) List(context.Context, policies.Caller, correction.Side, correction.Filter) ([]correction.Brief, error) {
	return []correction.Brief{{Dataset: "D-GA01", Provider: "GA", State: correction.Open}}, nil
}

func section(t testing.TB, f *fake) frame.Section {
	t.Helper()
	config := citizen.Config{}
	if f != nil {
		config = citizen.Config{Own: f, Consents: f, Sheets: f, Previews: f, Corrections: desk{f}}
	}
	s, err := citizen.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// anybody has not signed in; applicant has.
func anybody(t testing.TB) *frametest.Visitor { return frametest.Site(t, nil, section(t, newFake())) }

func applicant(t testing.TB, f *fake) *frametest.Visitor {
	t.Helper()
	return frametest.Site(t, frametest.Citizen("subject"), section(t, f))
}

const markup = `<script>alert(1)</script>`

// newFake has a case with a material of every kind, whose texts are markup where a
// department or a clerk has written them.
func newFake() *fake {
	at := frametest.Now()
	due := at.AddDate(0, 0, 7)
	return &fake{
		theCase: own.OwnCase{
			ID: "c1", Number: "JN-1", Matter: "新建商品房" + markup, Department: "市不动产登记中心", State: "办理中", Roles: []string{"买受人"},
			OpenedAt: at, UpdatedAt: at,
			Filled: []own.OwnMaterial{
				{Material: "S06.M2.b", Name: "身份证明", Reason: "已核验", Department: "市公安局", Data: "居民身份证", Dataset: "D-GA01", Party: "p1", At: &at,
					Values: []own.OwnValue{{AccessField: own.AccessField{Code: "name", Name: "姓名"}, Value: markup}}},
				{Material: "S06.M2.e", Name: "婚姻证明", Reason: "承诺", Committed: true},
			},
			Checking: []own.OwnWaiting{
				{Material: "S06.M4.e", Name: "完税凭证", Outcome: policies.AwaitingPrior, Reason: "待前序办结"},
				{Material: "S06.M2.d", Name: "发票", Outcome: policies.NeedsConsent, Reason: "等您看", Preview: "v1"},
			},
			Upload:  []own.OwnPaper{{Material: "S06.M5.a", Name: "抵押合同", Reason: "没有查到", Looked: "D-ZJ01", Party: "p1"}},
			Matters: []own.OwnMatter{{Matter: "S06.M2", Name: "契税申报", Department: "市税务局", Days: 1, State: catalog.StateGranted}},
		},
		consent: exchange.Consent{
			ID: "k1", Case: "c1", CaseNumber: "JN-1", Department: "BDC", State: exchange.ConsentRequested, SheetDigest: "sha256:read", DecideBy: &due,
			Sheet: &exchange.ConsentSheet{
				Receivers: []string{"济南水务集团"}, About: "您本人", Purpose: "核验", Otherwise: "自行提交纸质材料", Until: "2027-05-22", Ground: "单独同意", Rights: []string{"撤回"},
				Items: []exchange.ConsentItem{{Name: "不动产权证书", From: "市不动产登记中心", Sensitive: true, Fields: []exchange.ConsentField{{Code: "holder", Name: "权利人"}}}},
			},
		},
		found: exchange.Preview{
			ID: "v1", Case: "c1", Department: "BDC", Material: "S06.M2.d", Name: "购房发票", Party: "p1", Content: "sha256:seen", State: policies.PreviewAwaited,
			Records: []exchange.PreviewRecord{{Dataset: "D-GA01", Name: "居民身份证", Department: "GA", Fields: map[string]any{"name": markup, "citizen_id": "370199199310081195"}}},
		},
		accesses: own.AccessList{Total: 1, Next: "7", Message: "最近的在前。", Items: []own.Access{{
			ID: "9", At: at.Add(-time.Hour), What: "查询您的数据", Who: own.Accessor{Name: "市不动产登记中心", Duty: "审批人员"}, Data: "居民身份证",
			Fields: []own.AccessField{{Code: "name", Name: "姓名"}}, For: []own.AccessUse{{Name: "转移登记", Title: markup}}, Result: "ok", Outcome: "查到记录，已核验",
			Grounds: []string{"为履行法定职责所必需"}, Proof: []own.AccessProof{{Entry: "9", Nth: 3}},
		}}},
	}
}
