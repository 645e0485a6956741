package citizen

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// OwnCase (本人办件) is a case as one of its parties sees it: what is his of it.
type OwnCase struct {
	ID         string    `json:"id"`
	Number     string    `json:"number" doc:"办件编号"`
	Matter     string    `json:"matter" doc:"事项或一件事的名称"`
	Department string    `json:"department" doc:"受理部门"`
	State      string    `json:"state" doc:"办件与核验的状态"`
	Roles      []string  `json:"roles" doc:"您在办件中的角色"`
	OpenedAt   time.Time `json:"opened_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	// Filled is what the applicant did not have to hand in, Checking what somebody
	// is asked about, and Upload what is left.
	Filled   []OwnMaterial `json:"filled" doc:"为您免提交的材料"`
	Checking []OwnWaiting  `json:"checking" doc:"正在核对的, 或等您表示的"`
	Upload   []OwnPaper    `json:"upload" doc:"仍需您上传的材料"`
	// Matters say how far it is. They are the applicant's and his agent's to see.
	Matters []OwnMatter `json:"matters" doc:"各事项办到哪一步"`
	Closed  bool        `json:"closed,omitempty" doc:"已关闭"`
}

// OwnMatter (办理进度) is one matter of a case, and how far it is.
type OwnMatter struct {
	Matter     string              `json:"matter"`
	Name       string              `json:"name"`
	Department string              `json:"department" doc:"办理部门"`
	Days       int                 `json:"days" doc:"承诺办结工作日"`
	State      catalog.MatterState `json:"state" enum:"open,waiting,skipped,undecided,granted,refused,stopped"`
	After      []string            `json:"after" doc:"在哪些事项之后"`
}

// OwnWaiting (待核材料) is a material that nobody has settled yet: a department, an
// earlier matter or the person himself is awaited.
type OwnWaiting struct {
	Material string           `json:"material"`
	Name     string           `json:"name" doc:"材料名称"`
	Outcome  policies.Outcome `json:"outcome" enum:"verifying,awaiting_prior,needs_consent,needs_fact"`
	Reason   string           `json:"reason" doc:"说明"`
	// Department is asked in person, until DueAt.
	Department string     `json:"department,omitempty" doc:"由哪个部门人工核对"`
	DueAt      *time.Time `json:"due_at,omitempty" doc:"最迟何时答复"`
	RetryAt    *time.Time `json:"retry_at,omitempty" doc:"何时自动再查"`
	Questions  []string   `json:"questions" doc:"还要回答的问题"`
	Preview    string     `json:"preview,omitempty" doc:"先看后用: 等您看过"`
}

// OwnMaterial (已填材料) is a material that was settled for somebody.
type OwnMaterial struct {
	Material   string     `json:"material"`
	Name       string     `json:"name" doc:"材料名称"`
	Mode       string     `json:"mode" doc:"免提交方式"`
	Department string     `json:"department,omitempty" doc:"由哪个部门证明"`
	Data       string     `json:"data,omitempty" doc:"哪种数据"`
	At         *time.Time `json:"at,omitempty" doc:"何时取得"`
	AsOf       *time.Time `json:"as_of,omitempty" doc:"数据截至何时"`
	Reason     string     `json:"reason" doc:"说明"`
	// Committed says that the applicant committed to it instead: it is not exempt.
	Committed bool `json:"committed,omitempty" doc:"以书面承诺代替, 不是免提交"`
	// Dataset and Party name the record, for whoever says that it is wrong.
	Dataset string `json:"dataset,omitempty"`
	Party   string `json:"party,omitempty" doc:"谁的记录: 当事人 id"`
	// Values are his own, and given of one case alone.
	Values   []OwnValue `json:"values" doc:"本人的数据项; 只在读取单个办件和导出时有内容"`
	Withheld string     `json:"withheld,omitempty" doc:"为什么不提供内容"`
}

// OwnValue (数据项内容) is a field of his own record.
type OwnValue struct {
	AccessField
	Value any `json:"value,omitempty"`
}

// OwnPaper (待交材料) is a paper that is left to upload.
type OwnPaper struct {
	Material string `json:"material"`
	Name     string `json:"name" doc:"材料名称"`
	Reason   string `json:"reason" doc:"为什么仍需上传"`
	// DueDays is how long it may follow later, in working days; 0 for now.
	DueDays int `json:"due_days,omitempty" doc:"可后补的, 几个工作日"`
	// Looked is the dataset in which it was looked for last, and Party whose record it
	// would be: what was not found, or did not hold, may be wrong there.
	Looked string `json:"looked,omitempty" doc:"在哪种数据里没有查到或没有核对上"`
	Party  string `json:"party,omitempty"`
}

// OwnCaseList (本人办件清单) is a page of cases.
type OwnCaseList struct {
	Items   []OwnCase `json:"items"`
	Next    string    `json:"next,omitempty" doc:"下一页的 cursor; 没有则到此为止"`
	Message string    `json:"message" doc:"说明"`
}

// ListCases gives the cases in which the caller is a party, newest first. It
// shows no value of a record.
func (z *Citizen) ListCases(ctx context.Context, by policies.Caller, cursor string, limit int) (*OwnCaseList, error) {
	after, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	if err := z.record(ctx, ledger.OwnCasesRead, by, ""); err != nil {
		return nil, err
	}
	list := &OwnCaseList{Items: []OwnCase{}, Message: "只列出您是当事人的办件。被监护人、所在单位的办件不在其中。"}
	for len(list.Items) == 0 { // a page may hold only cases that he is no longer in
		found, next, err := z.Cases.CasesConcerning(ctx, by.Subject, after, limit)
		if err != nil {
			return nil, fmt.Errorf("list cases: %w", err)
		}
		if list.Items, err = z.ownCases(ctx, by, found, false); err != nil {
			return nil, err
		}
		if after = next; next == 0 {
			break
		}
		list.Next = strconv.FormatInt(next, 10)
	}
	if after == 0 {
		list.Next = ""
	}
	if len(list.Items) == 0 && cursor == "" {
		list.Message = "没有您是当事人的办件。"
	}
	return list, nil
}

// Case gives one case in which the caller is a party, with the values of his own
// records that were released for it.
func (z *Citizen) Case(ctx context.Context, by policies.Caller, id string) (*OwnCase, error) {
	if by.Subject == "" {
		return nil, unknownCase()
	}
	c, err := z.Cases.CaseConcerning(ctx, by.Subject, id)
	if errors.Is(err, fault.NotFound) {
		return nil, unknownCase()
	}
	if err != nil {
		return nil, fmt.Errorf("read a case: %w", err)
	}
	if len(z.partiesOf(c, by.Subject)) == 0 {
		return nil, unknownCase()
	}
	if err := z.record(ctx, ledger.OwnCasesRead, by, c.ID); err != nil {
		return nil, err
	}
	return z.ownCase(ctx, by, c, true)
}

func unknownCase() error { return fault.New(fault.NotFound, "unknown-case", "没有这个办件") }

// partiesOf are the parties of a case that are the person of that digest.
func (z *Citizen) partiesOf(c *exchange.Case, subject string) []*catalog.Party {
	var own []*catalog.Party
	for i := range c.Parties {
		p := &c.Parties[i]
		if p.Kind == catalog.KindPerson && p.Number != "" && z.Exchange.SubjectOf(p.Kind, p.Number) == subject {
			own = append(own, p)
		}
	}
	return own
}

// ownCases leaves out those in which he is a party no more.
func (z *Citizen) ownCases(ctx context.Context, by policies.Caller, found []exchange.Case, values bool) ([]OwnCase, error) {
	out := []OwnCase{}
	for i := range found {
		if len(z.partiesOf(&found[i], by.Subject)) == 0 {
			continue
		}
		own, err := z.ownCase(ctx, by, &found[i], values)
		if err != nil {
			return nil, err
		}
		out = append(out, *own)
	}
	return out, nil
}

// ownCase tells a case to one of its parties.
func (z *Citizen) ownCase(ctx context.Context, by policies.Caller, c *exchange.Case, values bool) (*OwnCase, error) {
	rev, err := z.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("read catalog revision %d: %w", c.Revision, err)
	}
	v := viewing{rev: rev, c: c, own: z.partiesOf(c, by.Subject), values: values, asked: map[string]bool{}}
	out := &OwnCase{
		ID: c.ID, Number: c.Number, Matter: subjectName(rev, c.Subject), Department: departmentName(rev, c.Department), Roles: v.roles(),
		OpenedAt: c.OpenedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), Filled: []OwnMaterial{}, Checking: []OwnWaiting{}, Upload: []OwnPaper{},
		Matters: []OwnMatter{}, Closed: !c.ClosedAt.IsZero(),
	}
	r, err := z.Exchange.LastReleased(ctx, c)
	if errors.Is(err, fault.NotFound) {
		out.State = caseState(c, nil)
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.State = caseState(c, r)
	if err := z.lookUps(ctx, by, r, &v); err != nil {
		return nil, err
	}
	for i := range r.Materials {
		v.add(out, &r.Materials[i])
	}
	if v.isOwn("") {
		v.progress(out, r)
	}
	return out, nil
}

func subjectName(rev *catalog.Revision, code string) string {
	if thing := rev.OneThing(code); thing != nil {
		return thing.Name
	}
	if matter := rev.Matter(code); matter != nil {
		return matter.Name
	}
	return code
}

func caseState(c *exchange.Case, r *exchange.Resolution) string {
	switch {
	case !c.ClosedAt.IsZero():
		return "已关闭：" + textOf(caseTexts(), string(c.ClosedFor))
	case r == nil:
		return "已登记，尚未核验"
	}
	return "办理中：" + textOf(caseTexts(), string(r.Status))
}

// lookUps finds of which datasets the caller was looked up for a resolution. A
// party may have been replaced by somebody else under the same id: what the
// ledger says is what counts.
func (z *Citizen) lookUps(ctx context.Context, by policies.Caller, r *exchange.Resolution, v *viewing) error {
	found, err := z.all(ctx, Filter{Subject: by.Subject, Case: r.Case})
	if err != nil {
		return err
	}
	for i := range found {
		e := &found[i].Entry
		if e.Kind != ledger.Intent || e.Resolution != r.ID {
			continue
		}
		v.asked[e.Material+"|"+e.Dataset] = true
		for _, also := range e.Also {
			v.asked[also.Material+"|"+e.Dataset] = true
		}
	}
	return nil
}
