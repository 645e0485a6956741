package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/policies"
)

func TestSharing_LeadsFromAnApplicationToGrants(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.submit(`"S01.M1"`, `"S01.M1","S01.M3"`)
	r := s.get(provider, target)
	// 23 November 2026 is a Monday; ten working days on is Monday 7 December.
	if due := time.Date(2026, 12, 7, 16, 0, 0, 0, time.UTC); r.State != "submitted" || r.Provider != "GA" || r.Deadline.Article != "21" || !r.Deadline.DueAt.Equal(due) {
		t.Fatalf("after submission: %+v, deadline %+v, want %s", r, r.Deadline, due)
	}
	r = s.must(provider, target+"/decision", `{"fields":[{"field":"name","agreed":true},{"field":"citizen_id","agreed":false,"reason":"核验姓名即可"}],"officer":"李负责"}`)
	// Twenty working days on is Monday 21 December.
	if due := time.Date(2026, 12, 21, 16, 0, 0, 0, time.UTC); r.State != "partly_agreed" || r.Deadline.Article != "22" || !r.Deadline.DueAt.Equal(due) {
		t.Fatalf("after the decision: %+v, deadline %+v, want %s", r, r.Deadline, due)
	}
	r = s.must(provider, target+"/delivery", "")
	if r.State != "delivered" || r.Deadline != nil || len(r.Grants) != 2 {
		t.Fatalf("after delivery: %+v", r)
	}
	for i, matter := range []string{"S01.M1", "S01.M3"} {
		g := s.get(applicant, "/v1/grants/"+r.Grants[i])
		if g.State != "active" || g.Matter != matter || !slices.Equal(g.Fields, []string{"name"}) ||
			!g.From.Equal(time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)) || !g.Until.Equal(time.Date(2027, 11, 30, 16, 0, 0, 0, time.UTC)) {
			t.Errorf("grant %+v", g)
		}
	}
	want := []string{"sharing_requested by u-applicant", "sharing_decided by u-provider", "sharing_delivered by u-provider"}
	if diff := cmp.Diff(want, s.entries("sharing-request:"+r.ID)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := s.entries("grant:" + r.Grants[1]); !slices.Equal(got, []string{"grant_given by u-provider"}) {
		t.Errorf("entries of a grant: %v", got)
	}
	found, err := s.db.GrantsFor(t.Context(), []string{"S01.M3"})
	if err != nil || len(found) != 1 || found[0].ID != r.Grants[1] {
		t.Errorf("the decision's view: %+v (%v)", found, err)
	}
}

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

func TestSharing_OfTwoWhoDecideAtOnceOneIsRefused(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.submit()
	codes := make(chan int, 2)
	var all sync.WaitGroup
	for _, who := range []string{provider, secondProvider} {
		all.Go(func() { codes <- s.as(who, http.MethodPost, target+"/decision", agreeToAll).Code })
	}
	all.Wait()
	close(codes)
	var got []int
	for code := range codes {
		got = append(got, code)
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{200, 409}) {
		t.Errorf("statuses %v, want one 200 and one 409", got)
	}
	if n := len(s.entries("sharing-request:" + s.get(provider, target).ID)); n != 2 {
		t.Errorf("%d entries, want the application and one decision", n)
	}
}

func TestSharing_KeepsToTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.submit()
	tag := s.as(provider, http.MethodGet, target, "").Header().Get("ETag")
	s.must(secondProvider, target+"/extension", `{"days":2,"reason":"涉及多个系统"}`)
	wantProblem(t, s.as(provider, http.MethodPost, target+"/decision", agreeToAll, "If-Match", tag), 412, "changed-since-read")
	wantProblem(t, s.as(provider, http.MethodPost, target+"/decision", agreeToAll, "If-Match", `"x"`), 422, "invalid-request")
	tag = s.as(provider, http.MethodGet, target, "").Header().Get("ETag")
	if w := s.as(provider, http.MethodPost, target+"/decision", agreeToAll, "If-Match", tag); w.Code != http.StatusOK {
		t.Errorf("with the tag of now: %d %s", w.Code, w.Body)
	}
}

func TestSharing_IsOnlyThereForItsParties(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.granted()
	id := s.get(provider, "/v1/sharing-requests/s01").ID
	for _, path := range []string{"/v1/sharing-requests/" + id, target} {
		for who, want := range map[string]int{applicant: 200, provider: 200, authority: 200, stranger: 404, auditor: 404, clerk: 403} {
			if got := s.as(who, http.MethodGet, path, "").Code; got != want {
				t.Errorf("%s reads %s: %d, want %d", who, path, got, want)
			}
		}
		if got := s.call(other, http.MethodGet, path, "").Code; got != 200 {
			t.Errorf("the provider's system reads %s: %d", path, got)
		}
	}
	for query, counts := range map[string]map[string]int{
		"":              {applicant: 1, provider: 1, authority: 1, stranger: 0},
		"?as=applicant": {applicant: 1, provider: 0, authority: 0, stranger: 0},
		"?as=provider":  {applicant: 0, provider: 1, authority: 0, stranger: 0},
	} {
		for who, want := range counts {
			for _, path := range []string{"/v1/sharing-requests" + query, "/v1/grants" + strings.Replace(query, "applicant", "holder", 1)} {
				if got := len(s.list(who, path).Items); got != want {
					t.Errorf("%s lists %s: %d, want %d", who, path, got, want)
				}
			}
		}
	}
}

func TestSharing_ASystemAppliesButDecidesNothing(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	w := s.call(ownSystem, http.MethodPost, "/v1/sharing-requests", application())
	if w.Code != http.StatusCreated {
		t.Fatalf("submit: %d %s", w.Code, w.Body)
	}
	target := w.Header().Get("Location")
	wantProblem(t, s.call(other, http.MethodPost, target+"/decision", agreeToAll), 403, "not-your-duty")
	wantProblem(t, s.call(other, http.MethodPost, target+"/delivery", ""), 403, "not-your-duty")
}

type listed struct {
	Items []view
	Next  string
}

func (s *sharingHarness) list(who, path string) listed {
	s.t.Helper()
	w := s.as(who, http.MethodGet, path, "")
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	var out listed
	decode(s.t, w, &out)
	return out
}

func TestSharing_ListsPageByPage(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	for range 5 {
		s.submit()
	}
	var got []string
	for path := "/v1/sharing-requests?limit=2"; ; {
		page := s.list(provider, path)
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		if page.Next == "" {
			break
		}
		path = "/v1/sharing-requests?limit=2&cursor=" + page.Next
	}
	if want := []string{"s01", "s02", "s03", "s04", "s05"}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	wantProblem(t, s.as(stranger, http.MethodGet, "/v1/sharing-requests?cursor=s01", ""), 404, "unknown-sharing-request")
}

func TestSharing_CountsWhatIsOverdueByDepartmentAndArticle(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	s.submit(`"S01.M1"`, `"S01.M3"`)
	unconditional(s) // due on Tuesday 24 November
	target := s.submit()
	s.must(provider, target+"/decision", agreeToAll) // delivery is due on 21 December
	type counted struct {
		Department, Article string
		Count               int
	}
	overdue := func(who string) []counted {
		var out struct{ Items []counted }
		decode(t, s.as(who, http.MethodGet, "/v1/overdue", ""), &out)
		return out.Items
	}
	dsj, reply, delivery := counted{"DSJ", "21", 1}, counted{"GA", "21", 1}, counted{"GA", "22", 1}
	for _, test := range []struct {
		now  time.Time
		all  []counted
		ours []counted // GA's
	}{
		{time.Date(2026, 11, 24, 15, 59, 59, 0, time.UTC), []counted{}, []counted{}},
		{time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC), []counted{dsj}, []counted{}},
		{time.Date(2026, 12, 7, 16, 0, 0, 0, time.UTC), []counted{dsj, reply}, []counted{reply}},
		{time.Date(2026, 12, 21, 16, 0, 0, 0, time.UTC), []counted{dsj, reply, delivery}, []counted{reply, delivery}},
	} {
		s.set(test.now)
		for who, want := range map[string][]counted{authority: test.all, auditor: test.all, provider: test.ours, stranger: {}} {
			if diff := cmp.Diff(want, overdue(who)); diff != "" {
				t.Errorf("%s at %s (-want +got):\n%s", who, test.now, diff)
			}
		}
		if got := len(s.list(provider, "/v1/sharing-requests?overdue=true").Items); got != len(test.ours) {
			t.Errorf("at %s %d are listed as overdue, want %d", test.now, got, len(test.ours))
		}
	}
}

func TestGrant_IsSuspendedOrderedAndEnded(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.granted()
	if g := s.must(applicant, target+"/narrowing", `{"reason":"不再核验号码","fields":["name"]}`); !slices.Equal(g.Fields, []string{"name"}) {
		t.Fatalf("narrowed to %v", g.Fields)
	}
	s.must(provider, target+"/suspension", reason("超范围使用"))
	if g := s.must(provider, target+"/correction-order", `{"reason":"停止超范围使用","correct_by":"2026-12-10"}`); g.State != "suspended" || g.CorrectBy != "2026-12-10" {
		t.Fatalf("ordered: %+v", g)
	}
	if g := s.must(provider, target+"/resumption", reason("已整改")); g.State != "active" || g.CorrectBy != "" {
		t.Fatalf("resumed: %+v", g)
	}
	s.must(provider, target+"/suspension", reason("再次超范围使用"))
	s.must(provider, target+"/correction-order", `{"reason":"停止超范围使用","correct_by":"2026-12-10"}`)
	s.set(time.Date(2026, 12, 10, 16, 0, 0, 0, time.UTC)) // the last day is over
	g := s.must(provider, target+"/termination", reason("逾期未改"))
	if g.State != "terminated" || len(g.History) != 7 {
		t.Fatalf("ended: %+v", g)
	}
	want := []string{
		"grant_given by u-provider", "grant_narrowed by u-applicant", "grant_suspended by u-provider", "grant_correction_ordered by u-provider",
		"grant_resumed by u-provider", "grant_suspended by u-provider", "grant_correction_ordered by u-provider", "grant_terminated by u-provider",
	}
	if diff := cmp.Diff(want, s.entries("grant:"+g.ID)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	s.submit(`"2026-12-01"`, `"2026-12-11"`) // what has ended stands in nobody's way
}

func TestGrant_OneThatWasGivenByCommandIsSuspendedByItsProvider(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	given := policies.Grant{
		ID: "catalog:S01.M1:D-GA01", Department: "SPJ", Matter: "S01.M1", Dataset: "D-GA01", Fields: []string{"name"}, Basis: "条例",
		From: at(), Until: at().AddDate(1, 0, 0), State: policies.GrantActive,
	}
	if err := s.db.SaveGrants(t.Context(), []policies.Grant{given}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"": 1, "?state=active&matter=S01.M1&dataset=D-GA01": 1, "?state=suspended": 0, "?matter=S01.M3": 0, "?cursor=catalog:S01.M1:D-GA01": 0} {
		if got := len(s.list(provider, "/v1/grants"+query).Items); got != want {
			t.Errorf("%s lists %d, want %d", query, got, want)
		}
	}
	target := "/v1/grants/" + given.ID
	tag := s.as(provider, http.MethodGet, target, "").Header().Get("ETag")
	if g := s.must(provider, target+"/suspension", reason("超范围使用")); g.State != "suspended" {
		t.Errorf("%+v", g)
	}
	wantProblem(t, s.as(provider, http.MethodPost, target+"/resumption", reason("好了"), "If-Match", tag), 412, "changed-since-read")
}

func TestSharing_ACompletedRequestIsWhatIsDecided(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := completionAsked(s)
	r := s.must(applicant, target+"/completion", application(`"name","citizen_id"`, `"address"`))
	if r.State != "resubmitted" || r.Deadline == nil {
		t.Fatalf("completed: %+v", r)
	}
	wantProblem(t, s.as(provider, http.MethodPost, target+"/decision", agreeToAll), 422, "invalid-decision") // the fields of before
	r = s.must(provider, target+"/decision", `{"fields":[{"field":"address","agreed":false,"reason":"与事项无关"}],"officer":"李负责"}`)
	if r.State != "refused" || r.Deadline != nil {
		t.Fatalf("decided: %+v", r)
	}
	want := []string{"sharing_requested by u-applicant", "sharing_completion_asked by u-provider", "sharing_completed by u-applicant", "sharing_decided by u-provider"}
	if diff := cmp.Diff(want, s.entries("sharing-request:"+r.ID)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestSharing_AnExtensionIsConsentedToByTheAuthority(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := extensionAsked(s)
	if r := s.must(authority, target+"/extension-consent", ""); !r.Deadline.DueAt.Equal(time.Date(2026, 12, 21, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("due at %s, want the end of the twentieth working day, 21 December", r.Deadline.DueAt)
	}
	var seen struct {
		Extension struct {
			ConsentedBy string `json:"consented_by"`
			ConsentedAt string `json:"consented_at"`
		}
	}
	decode(t, s.as(applicant, http.MethodGet, target, ""), &seen)
	if seen.Extension.ConsentedBy != "DSJ" || seen.Extension.ConsentedAt == "" {
		t.Errorf("the applicant sees %+v", seen)
	}
	if got := s.entries("sharing-request:s01"); !slices.Equal(got[1:], []string{"sharing_extension_asked by u-provider", "sharing_extended by u-authority"}) {
		t.Errorf("entries %v", got)
	}
}

func TestSharing_AGrantBeginsNoSoonerThanItIsDelivered(t *testing.T) {
	t.Parallel()
	s := newSharingHarness(t)
	target := s.submit() // from 1 December on
	s.must(provider, target+"/decision", agreeToAll)
	late := time.Date(2026, 12, 2, 1, 0, 0, 0, time.UTC)
	s.set(late)
	done := s.must(provider, target+"/delivery", "")
	if g := s.get(applicant, "/v1/grants/"+done.Grants[0]); !g.From.Equal(late) {
		t.Errorf("from %s, want %s: nothing is allowed for the past", g.From, late)
	}
}
