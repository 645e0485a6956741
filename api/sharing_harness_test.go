package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/internal/workday"
	"mianti/policies"
	"mianti/sharing"
	"mianti/store"
)

// Who acts in the tests of sharing, as "person:department:duty". SPJ
// applies, GA provides, DSJ is the authority.
const (
	applicant      = "u-applicant:SPJ:sharing_officer"
	provider       = "u-provider:GA:sharing_officer"
	secondProvider = "u-provider-2:GA:sharing_officer"
	authority      = "u-authority:DSJ:sharing_officer"
	stranger       = "u-stranger:JY:sharing_officer"
	clerk          = "u-clerk:GA:clerk"
	auditor        = "u-auditor:JY:auditor"
)

// sharingPeople is who has signed in, by a header of the tests' own.
type sharingPeople struct{}

func (sharingPeople) Caller(r *http.Request) (policies.Caller, error) {
	person, rest, ok := strings.Cut(r.Header.Get("X-Test-Person"), ":")
	department, duty, _ := strings.Cut(rest, ":")
	if !ok {
		return policies.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "没有登录。")
	}
	return policies.Caller{Person: person, Department: department, Duties: []policies.Duty{policies.Duty(duty)}}, nil
}

// sharingHarness is the interface over a real database.
type sharingHarness struct {
	*harness
	rev  *catalog.Revision
	db   *store.Store
	path string
	now  atomic.Pointer[time.Time]
}

func newSharingHarness(t testing.TB) *sharingHarness {
	t.Helper()
	s := &sharingHarness{harness: newHarness(t), path: filepath.Join(t.TempDir(), "mianti.db")}
	var err error
	if s.rev, err = catalog.Load(os.DirFS("testdata/sharing")); err != nil {
		t.Fatal(err)
	}
	s.rev.Number = 1
	s.memory.rev = s.rev
	if err := store.Migrate(t.Context(), "sqlite:"+s.path); err != nil {
		t.Fatal(err)
	}
	s.set(at())
	now := func() time.Time { return *s.now.Load() }
	if s.db, err = store.Open(t.Context(), store.Config{URL: "sqlite:" + s.path, Keys: keytest.Keys(), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	s.ledger.use(store.NewLog(s.db))
	s.seal()
	calendar, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	s.config.People = sharingPeople{}
	s.config.Sharing = sharing.New(sharing.Config{
		Catalogs: s.memory, Requests: s.db, Grants: s.db, Procedure: sharing.Procedure{Days: calendar, Authority: "DSJ"},
		Now: now, NewID: func() string { return fmt.Sprintf("s%02d", ids.Add(1)) },
	})
	s.handler = s.newHandler(s.config)
	return s
}

func (s *sharingHarness) set(now time.Time) { s.now.Store(&now) }

// as sends a request as a person.
func (s *sharingHarness) as(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := request(method, target, body, append(headers, "X-Test-Person", who)...)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return s.send(r)
}

// rows counts what is kept, by table.
func (s *sharingHarness) rows() map[string]int {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	counts := map[string]int{}
	for _, table := range []string{"sharing_requests", "grants", "ledger_entries"} {
		n := 0
		if err := db.QueryRowContext(s.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		counts[table] = n
	}
	// A change leaves no row more, but a version more.
	for _, table := range []string{"sharing_requests", "grants"} {
		n := 0
		if err := db.QueryRowContext(s.t.Context(), "SELECT COALESCE(SUM(version), 0) FROM "+table).Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		counts["versions of "+table] = n
	}
	return counts
}

// entries are the kinds of the entries about an object, in their order.
func (s *sharingHarness) entries(object string) []string {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(s.t.Context(), "SELECT body FROM ledger_entries ORDER BY id")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var kinds []string
	for rows.Next() {
		var body string
		var e struct{ Kind, Object, Person, System, Why string }
		if err := rows.Scan(&body); err != nil {
			s.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			s.t.Fatal(err)
		}
		if e.Object == object {
			kinds = append(kinds, e.Kind+" by "+e.Person+e.System)
		}
	}
	return kinds
}

// application is a good one, changed by replacing parts of its text.
func application(replace ...string) string {
	body := `{"dataset":"D-GA01","fields":["name","citizen_id"],"matters":["S01.M1"],"basis":"市场主体登记管理条例第十六条",` +
		`"scenario":"公司设立登记核验股东身份","scope":"设立登记窗口","purpose":"核验股东身份","manner":"query",` +
		`"from":"2026-12-01","until":"2027-11-30","officer":"张负责"}`
	return strings.NewReplacer(replace...).Replace(body)
}

// submit makes a request and gives its address.
func (s *sharingHarness) submit(replace ...string) string {
	s.t.Helper()
	w := s.as(applicant, http.MethodPost, "/v1/sharing-requests", application(replace...))
	if w.Code != http.StatusCreated {
		s.t.Fatalf("submit: %d %s", w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

const agreeToAll = `{"fields":[{"field":"name","agreed":true},{"field":"citizen_id","agreed":true}],"officer":"李负责"}`

// must sends an act that succeeds, and gives the request or grant after it.
func (s *sharingHarness) must(who, target, body string) view {
	s.t.Helper()
	w := s.as(who, http.MethodPost, target, body)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return s.view(w)
}

// view is what the tests read of a request or a grant.
type view struct {
	ID       string
	State    string
	Version  int
	Overdue  bool
	Provider string
	Matter   string
	Fields   []string
	Grants   []string
	From     time.Time
	Until    time.Time
	Deadline *struct {
		Article string
		DueAt   time.Time `json:"due_at"`
	}
	CorrectBy string `json:"correct_by"`
	History   []struct{ Act, Person, Why string }
}

func (s *sharingHarness) view(w *httptest.ResponseRecorder) view {
	s.t.Helper()
	var v view
	decode(s.t, w, &v)
	return v
}

func (s *sharingHarness) get(who, target string) view {
	s.t.Helper()
	w := s.as(who, http.MethodGet, target, "")
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return s.view(w)
}

// granted makes a request that is decided and delivered, and gives its grant.
func (s *sharingHarness) granted() string {
	s.t.Helper()
	target := s.submit()
	s.must(provider, target+"/decision", agreeToAll)
	done := s.must(provider, target+"/delivery", "")
	if len(done.Grants) != 1 {
		s.t.Fatalf("%d grants", len(done.Grants))
	}
	return "/v1/grants/" + done.Grants[0]
}

func reason(text string) string { return fmt.Sprintf(`{"reason":%q}`, text) }
