package correction

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Corrections keeps corrections.
type Corrections interface {
	// Correction gives a correction; fault.NotFound for none.
	Correction(ctx context.Context, id string) (*Correction, error)
	// Corrections gives those that a filter chooses, the oldest first.
	Corrections(ctx context.Context, f Filter) ([]Correction, error)
	// SaveCorrection stores a correction with its entry and its jobs, all or
	// nothing. It is a fault.Conflict when the correction is not at the version
	// before, or when the record of one of its fields is being corrected already.
	SaveCorrection(ctx context.Context, c Commit) error
	// OverdueCorrections counts those whose deadline is gone at a moment, by
	// provider and article; those of one provider, or of all.
	OverdueCorrections(ctx context.Context, provider string, now time.Time) ([]Overdue, error)
}

// Exchange is what corrections need of the exchange.
type Exchange interface {
	Contest(ctx context.Context, by policies.Caller, ref exchange.ContestRef) (*exchange.Contested, error)
	ContestedParty(ctx context.Context, ref exchange.CaseRef, party, subject string) (exchange.AssistSubject, error)
	Tell(ctx context.Context, department, kind, id string, data map[string]any) error
}

// Commit (同时保存) is what is stored in one transaction.
type Commit struct {
	Correction *Correction
	Entries    []ledger.Entry
	Jobs       []jobs.Job
}

// Filter chooses corrections: those of a provider, of a receiver, of a citizen, or
// those that the authority has before it.
type Filter struct {
	Provider string
	Receiver string
	Subject  string // of the citizen who opened them
	// Disputed are those alone that have come to the authority (art. 28).
	Disputed bool
	State    State // empty: any
	Overdue  bool  // those alone whose deadline is gone
	Case     string
	Now      time.Time
	After    string // id of the last one of the page before
	Limit    int
}

// Overdue (校核逾期) counts the corrections of one provider whose deadline by one
// article is gone (条例, art. 40).
type Overdue struct {
	Department string
	Article    string
	Count      int
	OldestDue  time.Time
}

// Config is what the use cases are made of. All fields are required, but for
// Authority.
type Config struct {
	Catalogs    exchange.Catalogs
	Corrections Corrections
	Exchange    Exchange
	Journal     Journal
	Procedure
	Now   func() time.Time
	NewID func() string
}

// Journal appends entries to the ledger, durably, before it returns.
type Journal interface {
	Append(ctx context.Context, entries []ledger.Entry) error
}

// Desk (校核台) is the use cases. It is safe for concurrent use.
type Desk struct{ Config }

// New returns the use cases.
func New(c Config) *Desk { return &Desk{c} }

// Submission (校核申请) is what somebody says is wrong, of which record.
type Submission struct {
	exchange.ContestRef
	Fields []string
	Claim  Claim
}

// Submit opens a correction (条例, art. 26): the caller's own record, or one of a
// case of his department.
func (d *Desk) Submit(ctx context.Context, by policies.Caller, in Submission) (*View, error) {
	found, err := d.Exchange.Contest(ctx, by, in.ContestRef)
	if err != nil {
		return nil, err
	}
	if err := checkSubmission(found, &in); err != nil {
		return nil, err
	}
	now := d.Now().UTC()
	c := d.Procedure.Submit(Correction{
		ID: d.NewID(), RecordRef: exchange.RecordRef{Dataset: found.Dataset.Code, Subject: found.Subject}, Fields: in.Fields,
		Provider: found.Dataset.Department, Case: found.Case, CaseNumber: found.CaseNumber, Receiver: found.Department, Matter: found.Matter,
		Material: found.Material, Party: found.Party, Revision: found.Revision, Finding: found.Finding, Evidence: found.Evidence, Claim: in.Claim,
	}, by, now)
	notices, err := c.notices()
	if err != nil {
		return nil, err
	}
	entry := c.entry(ledger.CorrectionOpened, by, now, "")
	if err := d.Corrections.SaveCorrection(ctx, Commit{Correction: &c, Entries: []ledger.Entry{entry}, Jobs: notices}); err != nil {
		return nil, fmt.Errorf("open a correction: %w", err)
	}
	return (&View{Correction: c.At(d.Days, now)}).without(), nil
}

// checkSubmission holds what is said against the dataset. What was not found has
// no fields that could be wrong.
func checkSubmission(found *exchange.Contested, in *Submission) error {
	var wrong []fault.Detail
	add := func(location, code, message string) {
		wrong = append(wrong, fault.Detail{Location: location, Code: code, Message: message})
	}
	in.Fields = slices.Compact(slices.Sorted(slices.Values(slices.Concat(in.Fields, slices.Collect(maps.Keys(in.Claim.Fields))))))
	switch {
	case found.Finding == policies.NotFound && len(in.Fields) > 0:
		add("body.fields", "record-not-found", "没有查到记录，请不填数据项，只说明应有这项记录。")
	case found.Finding != policies.NotFound && len(in.Fields) == 0:
		add("body.fields", "missing", "请指明哪些数据项有误。")
	case in.Fields == nil:
		in.Fields = []string{}
	}
	for _, code := range in.Fields {
		if found.Dataset.Field(code) == nil {
			add("body.fields", "unknown-field", "这个数据资源没有数据项 "+code+"。")
		}
	}
	for code, value := range in.Claim.Fields {
		if blank(value) || !readable(value, longestValue) {
			add("body.claim.fields."+code, "invalid-text", "请填写应有的内容，至多 500 字，不能有不可见字符。")
		}
	}
	if blank(in.Claim.Explanation) || !readable(in.Claim.Explanation, longestText) {
		add("body.claim.explanation", "invalid-text", "请说明为什么认为有误，至多 2000 字，不能有不可见字符。")
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.SortFunc(wrong, func(a, b fault.Detail) int { return strings.Compare(a.Location, b.Location) })
	return fault.New(fault.Invalid, "invalid-correction", "校核申请有 %d 处不符合要求，没有登记。", len(wrong)).With(wrong...)
}

// View (校核详情) is a correction as one of its sides reads it.
type View struct {
	Correction
	// About is whose record it is; only the department that holds it is told.
	About *exchange.AssistSubject `json:"about,omitempty" doc:"谁的记录; 只给提供部门"`
}

// Correction gives a correction to who is party to it: who opened it, the
// department that holds the record, and the authority once it has come there. It
// does not exist for anybody else. A reading by a department is recorded before it
// is answered.
func (d *Desk) Correction(ctx context.Context, by policies.Caller, id string) (*View, error) {
	c, err := d.mine(ctx, by, id)
	if err != nil {
		return nil, err
	}
	now := d.Now().UTC()
	view := &View{Correction: c.At(d.Days, now)}
	if by.Department == "" {
		return view.without(), nil
	}
	if isOfficer(by, c.Provider) {
		about, err := d.Exchange.ContestedParty(ctx, exchange.CaseRef{Department: c.Receiver, Case: c.Case}, c.Party, c.Subject)
		if err != nil {
			return nil, err
		}
		if about.Number != "" {
			view.About = &about
		}
	}
	read := c.entry(ledger.CorrectionRead, by, now, "")
	if err := d.Journal.Append(ctx, []ledger.Entry{read}); err != nil {
		return nil, fault.New(fault.Unavailable, "not-recorded", "读取未能留痕，因此没有给出结果。请稍后重试。").Because(err)
	}
	return view.without(), nil
}

// without takes the keyed digests out: nobody outside has a use for them.
func (v *View) without() *View {
	v.Subject, v.Opener.Subject = "", ""
	return v
}

func (d *Desk) mine(ctx context.Context, by policies.Caller, id string) (*Correction, error) {
	c, err := d.Corrections.Correction(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a correction: %w", err)
	}
	party := c.isOpener(by) || isOfficer(by, c.Provider) || c.Step > stepTalk && isOfficer(by, d.Authority) ||
		c.Step > 0 && isOfficer(by, c.Receiver)
	if !party {
		return nil, fault.New(fault.NotFound, "unknown-correction", "没有这个校核")
	}
	return c, nil
}

// Side (校核参与方) is how a department is party to corrections.
type Side string

// The sides.
const (
	AsProvider  Side = "provider"  // 向本部门提出的
	AsReceiver  Side = "receiver"  // 本部门办件中提出的
	AsAuthority Side = "authority" // 提请本部门协调或决定的
)

// Brief (校核摘要) is what a list shows of a correction: nothing that was said of the
// person.
type Brief struct {
	ID         string    `json:"id"`
	Dataset    string    `json:"dataset"`
	Fields     []string  `json:"fields"`
	Provider   string    `json:"provider" doc:"提供部门"`
	Receiver   string    `json:"receiver" doc:"受理办件的部门"`
	Case       string    `json:"case"`
	CaseNumber string    `json:"case_number"`
	Material   string    `json:"material"`
	Party      string    `json:"party"`
	State      State     `json:"state" enum:"open,taken,corrected,upheld,negotiating,mediating,referred,ordered,withdrawn"`
	Step       int       `json:"step"`
	OpenedAt   time.Time `json:"opened_at"`
	Deadline   *Term     `json:"deadline,omitempty"`
	Light      Light     `json:"light,omitempty" enum:"green,amber,red" doc:"时限灯: 剩 3 个工作日以内为 amber, 逾期为 red"`
	Overdue    bool      `json:"overdue"`
	Version    int       `json:"version"`
}

func (c *Correction) brief() Brief {
	return Brief{
		ID: c.ID, Dataset: c.Dataset, Fields: c.Fields, Provider: c.Provider, Receiver: c.Receiver, Case: c.Case, CaseNumber: c.CaseNumber,
		Material: c.Material, Party: c.Party, State: c.State, Step: c.Step, OpenedAt: c.OpenedAt, Deadline: c.Deadline, Light: c.Light,
		Overdue: c.Overdue, Version: c.Version,
	}
}

// List gives the corrections that the caller is party to: a citizen those that he
// opened, a department those of a side.
func (d *Desk) List(ctx context.Context, by policies.Caller, as Side, f Filter) ([]Brief, error) {
	f.Now = d.Now().UTC()
	switch {
	case by.Department == "" && by.Subject == "":
		return []Brief{}, nil
	case by.Department == "":
		f.Subject = by.Subject
	case as == AsReceiver && (by.System != "" || by.Has(policies.DutyClerk) || by.Has(policies.DutySharingOfficer)):
		f.Receiver = by.Department
	case as == AsProvider && isOfficer(by, by.Department):
		f.Provider = by.Department
	case as == AsAuthority && isOfficer(by, d.Authority):
		f.Disputed = true
	default:
		return []Brief{}, nil
	}
	found, err := d.Corrections.Corrections(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list corrections: %w", err)
	}
	out := make([]Brief, len(found))
	for i := range found {
		at := found[i].At(d.Days, f.Now)
		out[i] = at.brief()
	}
	return out, nil
}

// Act does something about a correction. Version is the one that the caller has
// read; 0 for whichever it is. Once a record is corrected, the open cases that rest
// on it ask for it again.
func (d *Desk) Act(ctx context.Context, by policies.Caller, id string, version int, e Event) (*View, error) {
	c, err := d.mine(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != c.Version {
		return nil, fault.New(fault.Conflict, "changed-since-read", "在您读取之后已有变更。请重新读取后再办理。")
	}
	if e.Act == PassOn {
		if err := d.checkDepartment(ctx, e.To); err != nil {
			return nil, err
		}
	}
	now := d.Now().UTC()
	next, err := d.Apply(*c, e, by, now)
	if err != nil {
		return nil, err
	}
	commit := Commit{Correction: &next, Entries: []ledger.Entry{next.entry(e.Act.kind(), by, now, e.Reason)}}
	if commit.Jobs, err = next.following(e, now); err != nil {
		return nil, err
	}
	if err := d.Corrections.SaveCorrection(ctx, commit); err != nil {
		return nil, fmt.Errorf("change a correction: %w", err)
	}
	return (&View{Correction: next}).without(), nil
}

func (d *Desk) checkDepartment(ctx context.Context, code string) error {
	rev, err := d.Catalogs.Current(ctx)
	if err != nil {
		return fmt.Errorf("pass a correction on: %w", err)
	}
	if rev.Department(code) == nil {
		return fault.New(fault.Invalid, "invalid-correction-act", "目录中没有这个部门，没有登记。").
			With(fault.Detail{Location: "body.department", Code: "unknown-department", Message: "请填写目录中的部门代码。"})
	}
	return nil
}

// Overdue counts what is overdue: of all departments for the authority and for
// auditors, of the caller's own for others.
func (d *Desk) Overdue(ctx context.Context, by policies.Caller) ([]Overdue, error) {
	provider := by.Department
	if d.Authority != "" && by.Department == d.Authority || by.Has(policies.DutyAuditor) {
		provider = ""
	} else if provider == "" {
		return nil, nil
	}
	found, err := d.Corrections.OverdueCorrections(ctx, provider, d.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("count overdue corrections: %w", err)
	}
	return found, nil
}

// kind is the kind of the entry that records an act.
func (a Act) kind() ledger.Kind {
	switch a {
	case Take:
		return ledger.CorrectionTaken
	case Answer:
		return ledger.CorrectionAnswered
	case PassOn:
		return ledger.CorrectionPassedOn
	case Escalate:
		return ledger.CorrectionEscalated
	case Mediate:
		return ledger.CorrectionMediated
	case Decide:
		return ledger.CorrectionDecided
	default:
		return ledger.CorrectionWithdrawn
	}
}

// entry records an act: which record, by code, and the state that it led to.
// Nothing of what was said about the person is in it.
func (c *Correction) entry(kind ledger.Kind, by policies.Caller, now time.Time, why Reason) ledger.Entry {
	return ledger.Entry{
		Kind: kind, At: now, System: by.System, Person: by.Person, Department: by.Department, Case: c.Case, Revision: c.Revision,
		Matter: c.Matter, Material: c.Material, Dataset: c.Dataset, Fields: c.Fields, Object: "correction:" + c.ID, Why: string(why),
		Version: c.Version, Result: string(c.State), Concerns: []string{c.Subject},
	}
}
