package citizen

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// Filled is what the applicant did not have to hand in, and Upload what is left.
	Filled []OwnMaterial `json:"filled" doc:"为您免提交的材料"`
	Upload []OwnPaper    `json:"upload" doc:"仍需您上传的材料"`
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
	rev, err := z.Catalogs.Revision(ctx, c.Revision)
	if err != nil {
		return nil, fmt.Errorf("read catalog revision %d: %w", c.Revision, err)
	}
	v := viewing{rev: rev, c: c, own: z.partiesOf(c, by.Subject), values: values, asked: map[string]bool{}}
	out := &OwnCase{
		ID: c.ID, Number: c.Number, Matter: subjectName(rev, c.Subject), Department: departmentName(rev, c.Department), Roles: v.roles(),
		OpenedAt: c.OpenedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), Filled: []OwnMaterial{}, Upload: []OwnPaper{},
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

// viewing is a case being told to one of its parties.
type viewing struct {
	rev    *catalog.Revision
	c      *exchange.Case
	own    []*catalog.Party
	values bool
	asked  map[string]bool // material|dataset about him
}

func (v *viewing) roles() []string {
	out := []string{}
	for _, p := range v.own {
		for _, code := range p.Roles {
			name := code
			if role := v.rev.Role(code); role != nil {
				name = role.Name
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// isOwn reports whether a party, by id, is the person himself. What is nobody's in
// particular is the applicant's, and of who acts for him.
func (v *viewing) isOwn(party string) bool {
	return slices.ContainsFunc(v.own, func(p *catalog.Party) bool {
		return p.ID == party || party == "" && (p.In("applicant") || p.In("agent"))
	})
}

// add tells of a material, if it is his.
func (v *viewing) add(out *OwnCase, m *exchange.MaterialResult) {
	party := ""
	if m.Subject != nil {
		party = m.Subject.Party
	}
	if !v.isOwn(party) {
		return
	}
	switch m.Outcome {
	case policies.Settled, policies.Committed:
		if m.Evidence == nil {
			out.Filled = append(out.Filled, v.filled(m, nil, party))
		}
		for _, e := range m.Evidences() {
			out.Filled = append(out.Filled, v.filled(m, e, party))
		}
	case policies.Upload, policies.Deferred:
		out.Upload = append(out.Upload, OwnPaper{Material: m.Code, Name: m.Name, Reason: m.Reason.Text})
	}
}

func (v *viewing) filled(m *exchange.MaterialResult, e *exchange.Evidence, party string) OwnMaterial {
	f := OwnMaterial{Material: m.Code, Name: m.Name, Mode: modeText(m.Mode), Reason: m.Reason.Text, Values: []OwnValue{}}
	if e == nil {
		return f
	}
	f.Department, f.At, f.AsOf = departmentName(v.rev, e.Department), e.FetchedAt, e.AsOf
	dataset := v.rev.Dataset(e.Dataset)
	if dataset == nil {
		return f
	}
	f.Data = dataset.Name
	if e.Withheld != "" {
		f.Withheld = withheldText(e.Withheld)
		return f
	}
	if !v.values || !v.about(m, e.Dataset, party) {
		return f
	}
	for _, field := range dataset.Fields {
		if value, there := e.Fields[field.Code]; there {
			f.Values = append(f.Values, OwnValue{AccessField: AccessField{Code: field.Code, Name: field.Name}, Value: value})
		}
	}
	return f
}

// about reports whether the record of a dataset by which a material was settled is
// the person's own: he was looked up for it, and nobody else could have been.
func (v *viewing) about(m *exchange.MaterialResult, dataset, party string) bool {
	found := false
	for _, code := range m.UsedBy {
		material := v.rev.Material(code)
		if material == nil {
			return false
		}
		for i := range material.Proofs {
			for _, l := range material.Proofs[i].Lookups {
				if l.Dataset != dataset {
					continue
				}
				of := party
				if l.Subject != "" {
					if in := catalog.PartyIn(v.c.Parties, l.Subject); in != nil {
						of = in.ID
					}
				}
				if of == "" || !v.isOwn(of) {
					return false
				}
				found = found || v.asked[code+"|"+dataset]
			}
		}
	}
	return found
}
