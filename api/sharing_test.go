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
