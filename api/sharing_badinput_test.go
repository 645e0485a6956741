package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// badInput is a request that is refused: what is done before, what is sent, and
// how it is answered.
type badInput struct {
	name     string
	before   func(s *sharingHarness) string // gives the address
	who      string
	act      string
	body     string
	status   int
	code     string
	location string // of one of the errors
	detail   string // code of that error
}

func TestSharing_RefusesBadInput(t *testing.T) {
	t.Parallel()
	shared := newSharingHarness(t) // those that need no grant and no other time
	for _, test := range slices.Concat(badApplications(), badReplies()) {
		t.Run(test.name, func(t *testing.T) { shared.wantRefusal(t, test) })
	}
	for _, test := range slices.Concat(badStates(), badGrantActs()) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			newSharingHarness(t).wantRefusal(t, test)
		})
	}
}

// wantRefusal checks that bad input is a clear problem and changes nothing.
func (s *sharingHarness) wantRefusal(t *testing.T, test badInput) {
	t.Helper()
	target := test.before(s)
	before := s.rows()
	p := wantProblem(t, s.as(test.who, http.MethodPost, target+test.act, test.body), test.status, test.code)
	if diff := cmp.Diff(before, s.rows()); diff != "" {
		t.Errorf("something changed (-before +after):\n%s", diff)
	}
	if test.location == "" {
		return
	}
	for _, e := range p.Errors {
		if e.Location == test.location && e.Code == test.detail && e.Message != "" {
			return
		}
	}
	t.Errorf("errors %+v, want %s at %s", p.Errors, test.detail, test.location)
}

func nothing(*sharingHarness) string { return "/v1/sharing-requests" }

func badApplications() []badInput {
	bad := func(name, location, detail string, replace ...string) badInput {
		return badInput{name, nothing, applicant, "", application(replace...), 422, "invalid-sharing-request", location, detail}
	}
	return []badInput{
		bad("a field that the dataset does not have", "body.fields[1]", "unknown-field", `"citizen_id"`, `"blood_type"`),
		bad("a field twice", "body.fields[1]", "duplicate-field", `"citizen_id"`, `"name"`),
		bad("no field", "body.fields", "missing", `"name","citizen_id"`, ``),
		bad("a withheld field", "body.fields[0]", "withheld-field", `D-GA01`, `D-GA08`, `"name","citizen_id"`, `"full_points"`),
		bad("a conditional field without a purpose", "body.purpose", "conditional-needs-purpose", `核验股东身份",`, `",`),
		bad("no scope", "body.scope", "missing", `设立登记窗口`, ` `),
		bad("no basis", "body.basis", "missing", `市场主体登记管理条例第十六条`, ``),
		bad("nobody signed", "body.officer", "missing", `张负责`, ``),
		bad("a person's number", "body.scenario", "invalid-text", `公司设立登记核验股东身份`, `核验 `+personA),
		bad("a matter of another department", "body.matters[0]", "matter-of-another-department", `S01.M1`, `S01.M2`),
		bad("an unknown matter", "body.matters[0]", "unknown-matter", `S01.M1`, `S99.M1`),
		bad("a matter twice", "body.matters[1]", "duplicate-matter", `"S01.M1"`, `"S01.M1","S01.M1"`),
		bad("an unknown dataset", "body.dataset", "unknown-dataset", `D-GA01`, `D-GA99`),
		bad("a term that ends before it begins", "body.until", "term-ends-before-it-begins", `2027-11-30`, `2026-11-30`),
		bad("a term in the past", "body.until", "term-past", `2026-12-01`, `2026-01-01`, `2027-11-30`, `2026-11-22`),
		bad("a term that has begun", "body.from", "term-past", `2026-12-01`, `2026-11-22`),
		{"its own data", nothing, "u:GA:sharing_officer", "", application(`S01.M1`, `S01.M2`), 422, "invalid-sharing-request", "body.dataset", "own-dataset"},
		{"another manner", nothing, applicant, "", application(`"query"`, `"fax"`), 422, "invalid-request", "body.manner", "not-allowed"},
		{"no date", nothing, applicant, "", application(`2027-11-30`, `2027-02-30`), 422, "invalid-request", "body.until", "format"},
		{"a clerk", nothing, clerk, "", application(), 403, "not-your-duty", "", ""},
	}
}

func submitted(s *sharingHarness) string { return s.submit() }

func badReplies() []badInput {
	bad := func(name, body, location, detail string) badInput {
		return badInput{name, submitted, provider, "/decision", body, 422, "invalid-decision", location, detail}
	}
	own := strings.Replace(applicant, "SPJ", "GA", 1) // the same person in the provider's department
	return []badInput{
		bad("a decision without a field", `{"fields":[{"field":"name","agreed":true}],"officer":"李"}`, "body.fields", "field-not-decided"),
		bad("a refusal without a reason", `{"fields":[{"field":"name","agreed":true},{"field":"citizen_id","agreed":false}],"officer":"李"}`, "body.fields[1].reason", "reason-missing"),
		bad("a field that was not asked for", `{"fields":[{"field":"name","agreed":true},{"field":"citizen_id","agreed":true},{"field":"address","agreed":true}],"officer":"李"}`, "body.fields[2].field", "unknown-field"),
		bad("a field decided twice", `{"fields":[{"field":"name","agreed":true},{"field":"name","agreed":true},{"field":"citizen_id","agreed":true}],"officer":"李"}`, "body.fields[1].field", "duplicate-field"),
		bad("nobody signed the decision", strings.Replace(agreeToAll, "李负责", " ", 1), "body.officer", "missing"),
		{"the author decides", submitted, own, "/decision", agreeToAll, 403, "own-application", "", ""},
		{"the author asks for completion", submitted, own, "/completion-request", `{"missing":"依据"}`, 403, "own-application", "", ""},
		{"the applicant decides", submitted, "u-other:SPJ:sharing_officer", "/decision", agreeToAll, 403, "not-the-provider", "", ""},
		{"the authority decides", submitted, authority, "/decision", agreeToAll, 403, "not-the-provider", "", ""},
		{"a stranger decides", submitted, stranger, "/decision", agreeToAll, 404, "unknown-sharing-request", "", ""},
		{"a clerk of the provider decides", submitted, clerk, "/decision", agreeToAll, 403, "not-your-duty", "", ""},
		{"an extension that is too long", submitted, provider, "/extension", `{"days":11,"reason":"涉及多个系统"}`, 422, "invalid-extension", "body.days", "out-of-range"},
		{"an extension without a reason", submitted, provider, "/extension", `{"days":5,"reason":""}`, 422, "reason-missing", "body.reason", "missing"},
		{"an extension without consent", extensionAsked, secondProvider, "/extension-consent", "", 403, "extension-without-consent", "", ""},
		{"an extension that nobody asked for", submitted, authority, "/extension-consent", "", 409, "no-extension-asked", "", ""},
		{"the author consents", extensionAsked, strings.Replace(applicant, "SPJ", "DSJ", 1), "/extension-consent", "", 403, "own-application", "", ""},
		{"who asked consents", extensionAsked, strings.Replace(provider, "GA", "DSJ", 1), "/extension-consent", "", 403, "own-application", "", ""},
		{"an extension of what is unconditional", unconditional, authority, "/extension", `{"days":1,"reason":"忙"}`, 409, "extension-not-allowed", "", ""},
		{"completion without saying what", submitted, provider, "/completion-request", `{"missing":" "}`, 422, "reason-missing", "body.missing", "missing"},
		{"completion with another dataset", completionAsked, applicant, "/completion", application(`D-GA01`, `D-GA02`), 422, "invalid-sharing-request", "body.dataset", "other-dataset"},
		{"a withdrawal by the provider", submitted, provider, "/withdrawal", reason("不办了"), 403, "not-the-applicant", "", ""},
	}
}

func extensionAsked(s *sharingHarness) string {
	target := s.submit()
	s.must(provider, target+"/extension", `{"days":10,"reason":"涉及多个系统"}`)
	return target
}

func unconditional(s *sharingHarness) string {
	return s.submit(`D-GA01`, `D-DSJ01`, `"name","citizen_id"`, `"address_code","division"`)
}

func completionAsked(s *sharingHarness) string {
	target := s.submit()
	s.must(provider, target+"/completion-request", `{"missing":"写明条款"}`)
	return target
}

func badStates() []badInput {
	resubmitted := func(s *sharingHarness) string {
		target := completionAsked(s)
		s.must(applicant, target+"/completion", application())
		return target
	}
	decided := func(s *sharingHarness) string {
		target := s.submit()
		s.must(provider, target+"/decision", agreeToAll)
		return target
	}
	delivered := func(s *sharingHarness) string {
		target := decided(s)
		s.must(provider, target+"/delivery", "")
		return target
	}
	expired := func(s *sharingHarness) string {
		target := s.submit(`2027-11-30`, `2026-12-31`)
		s.set(time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC))
		return target
	}
	late := func(s *sharingHarness) string {
		target := s.submit()
		s.set(time.Date(2026, 12, 7, 16, 0, 0, 0, time.UTC)) // the end of the tenth working day
		return target
	}
	withdrawn := func(s *sharingHarness) string {
		target := s.submit()
		s.must(applicant, target+"/withdrawal", reason("不再需要"))
		return target
	}
	twice := func(s *sharingHarness) string { // two requests for the same, the first delivered
		target := s.submit()
		s.granted()
		s.must(provider, target+"/decision", agreeToAll)
		return target
	}
	return []badInput{
		{"an overlapping grant", func(s *sharingHarness) string { s.granted(); return "/v1/sharing-requests" }, applicant, "",
			application(`"citizen_id"`, `"address"`, `2026-12-01`, `2027-11-30`, `2027-11-30`, `2028-11-30`), 409, "overlapping-grant", "grant:s02", "overlapping-grant"},
		{"a second completion request", resubmitted, provider, "/completion-request", `{"missing":"还有"}`, 409, "second-completion", "", ""},
		{"a completion that nobody asked for", submitted, applicant, "/completion", application(), 409, "no-completion-asked", "", ""},
		{"a decision during completion", completionAsked, provider, "/decision", agreeToAll, 409, "awaiting-completion", "", ""},
		{"a completion request that is late", late, provider, "/completion-request", `{"missing":"依据"}`, 409, "completion-too-late", "", ""},
		{"an extension that is late", late, provider, "/extension", `{"days":5,"reason":"忙"}`, 409, "extension-too-late", "", ""},
		{"a second extension", extensionAsked, provider, "/extension", `{"days":1,"reason":"忙"}`, 409, "second-extension", "", ""},
		{"deciding twice", decided, secondProvider, "/decision", agreeToAll, 409, "already-decided", "", ""},
		{"delivery before the decision", submitted, provider, "/delivery", "", 409, "not-agreed", "", ""},
		{"delivery twice", delivered, provider, "/delivery", "", 409, "already-delivered", "", ""},
		{"a withdrawal after delivery", delivered, applicant, "/withdrawal", reason("不再需要"), 409, "already-delivered", "", ""},
		{"an expired request", expired, provider, "/decision", agreeToAll, 409, "request-expired", "", ""},
		{"a withdrawn request", withdrawn, provider, "/decision", agreeToAll, 409, "request-withdrawn", "", ""},
		{"delivery of what is granted already", twice, provider, "/delivery", "", 409, "overlapping-grant", "grant:s03", "overlapping-grant"},
	}
}

func badGrantActs() []badInput {
	granted := func(s *sharingHarness) string { return s.granted() }
	suspended := func(s *sharingHarness) string {
		target := s.granted()
		s.must(provider, target+"/suspension", reason("超范围使用"))
		return target
	}
	ordered := func(s *sharingHarness) string {
		target := suspended(s)
		s.must(provider, target+"/correction-order", `{"reason":"停止超范围使用","correct_by":"2026-12-10"}`)
		return target
	}
	terminated := func(s *sharingHarness) string {
		target := s.granted()
		s.must(applicant, target+"/termination", reason("不再需要"))
		return target
	}
	expired := func(s *sharingHarness) string {
		target := s.granted()
		s.set(time.Date(2027, 11, 30, 16, 0, 0, 0, time.UTC))
		return target
	}
	return []badInput{
		{"suspension without a reason", granted, provider, "/suspension", reason(" "), 422, "reason-missing", "body.reason", "missing"},
		{"suspension twice", suspended, provider, "/suspension", reason("又"), 409, "grant-suspended", "", ""},
		{"suspension by the holder", granted, applicant, "/suspension", reason("停"), 403, "not-the-provider", "", ""},
		{"suspension by a stranger", granted, stranger, "/suspension", reason("停"), 404, "unknown-grant", "", ""},
		{"suspension by a clerk", granted, clerk, "/suspension", reason("停"), 403, "not-your-duty", "", ""},
		{"an order before a suspension", granted, provider, "/correction-order", `{"reason":"改","correct_by":"2026-12-10"}`, 409, "grant-not-suspended", "", ""},
		{"an order for yesterday", suspended, provider, "/correction-order", `{"reason":"改","correct_by":"2026-11-22"}`, 422, "invalid-correction-order", "body.correct_by", "out-of-range"},
		{"resumption of what is active", granted, provider, "/resumption", reason("好了"), 409, "grant-not-suspended", "", ""},
		{"termination at once", granted, provider, "/termination", reason("不想给了"), 409, "no-correction-order", "", ""},
		{"termination without an order", suspended, provider, "/termination", reason("不想给了"), 409, "no-correction-order", "", ""},
		{"termination while it is corrected", ordered, provider, "/termination", reason("不想等了"), 409, "correction-under-way", "", ""},
		{"a wider grant", granted, applicant, "/narrowing", `{"reason":"还要","fields":["name","address"]}`, 422, "wider-needs-request", "body.fields", "wider-needs-request"},
		{"a grant of nothing", granted, applicant, "/narrowing", `{"reason":"不要","fields":[]}`, 422, "nothing-left", "body.fields", "nothing-left"},
		{"an ended grant", terminated, provider, "/suspension", reason("停"), 409, "grant-terminated", "", ""},
		{"an expired grant", expired, provider, "/suspension", reason("停"), 409, "grant-expired", "", ""},
	}
}
