package citizen

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

// telling turns entries into words. It asks for names once for a whole page.
type telling struct {
	by        policies.Caller
	revisions map[int]*catalog.Revision
	systems   map[string]string
	bases     map[string]string
	numbers   map[string]string
}

// tell says in words what is recorded.
func (z *Citizen) tell(ctx context.Context, by policies.Caller, found []Recorded) ([]Access, error) {
	t := telling{by: by, revisions: map[int]*catalog.Revision{}}
	var systems, grants, cases []string
	about := map[int][]string{}
	for i := range found {
		e := &found[i].Entry
		systems, cases = append(systems, e.System), append(cases, e.Case)
		grants = append(grants, e.Grant)
		for _, s := range e.Also {
			grants = append(grants, s.Grant)
		}
		about[e.Revision] = append(append(about[e.Revision], e.Material), strings.Split(e.Matter, ",")...)
	}
	if err := z.readRevisions(ctx, &t, about); err != nil {
		return nil, err
	}
	var err error
	if t.systems, err = z.Register.SystemNames(ctx, distinct(systems)); err != nil {
		return nil, fmt.Errorf("read the names of systems: %w", err)
	}
	if t.bases, err = z.Register.GrantBases(ctx, distinct(grants)); err != nil {
		return nil, fmt.Errorf("read the bases of grants: %w", err)
	}
	if t.numbers, err = z.Register.CaseNumbers(ctx, distinct(cases)); err != nil {
		return nil, fmt.Errorf("read the numbers of cases: %w", err)
	}
	out := make([]Access, len(found))
	for i := range found {
		out[i] = t.access(&found[i])
	}
	return out, nil
}

// readRevisions gets revisions of the catalog with what is told of them, each once.
// What is of no case has none, and is told with today's names.
func (z *Citizen) readRevisions(ctx context.Context, t *telling, about map[int][]string) error {
	for number, codes := range about {
		codes = distinct(codes)
		var err error
		if number == 0 {
			t.revisions[0], err = z.Catalogs.Current(ctx, codes...)
		} else {
			t.revisions[number], err = z.Catalogs.Revision(ctx, number, codes...)
		}
		if err != nil {
			return fmt.Errorf("read catalog revision %d: %w", number, err)
		}
	}
	return nil
}

// distinct are the texts that are not empty, each once.
func distinct(texts []string) []string {
	texts = slices.Compact(slices.Sorted(slices.Values(texts)))
	if len(texts) > 0 && texts[0] == "" {
		texts = texts[1:]
	}
	return texts
}

// access tells one entry, with what came of it.
func (t *telling) access(r *Recorded) Access {
	e, rev := &r.Entry, t.revisions[r.Entry.Revision]
	a := Access{
		ID: strconv.FormatInt(r.Number, 10), At: e.At.UTC(), Kind: e.Kind, What: what(e), Who: t.who(rev, e),
		Case: e.Case, CaseNumber: t.numbers[e.Case], For: uses(rev, e), Dataset: e.Dataset, Fields: fields(rev, e),
		Mode: modeText(catalog.Mode(e.Mode)), Grounds: t.grounds(rev, e), Grant: e.Grant, Consent: e.Consent,
		Result: e.Result, Proof: []AccessProof{proof(r)},
	}
	if d := rev.Dataset(e.Dataset); d != nil {
		a.Data, a.Holder = d.Name, departmentName(rev, d.Department)
	}
	if e.Kind == ledger.Intent {
		t.end(&a, r.Outcome)
	}
	a.Outcome = outcomeText(e.Kind, a.Result, a.Unfinished)
	return a
}

// end puts what came of a question to it.
func (t *telling) end(a *Access, outcome *Recorded) {
	if outcome == nil {
		a.Unfinished = true
		return
	}
	a.Result, a.EndedAt = outcome.Entry.Result, moment(outcome.Entry.At)
	a.Proof = append(a.Proof, proof(outcome))
}

func proof(r *Recorded) AccessProof {
	return AccessProof{Entry: strconv.FormatInt(r.Number, 10), Kind: string(r.Entry.Kind), Nth: r.Nth, Link: r.Link}
}

// who says who acted: a system by its name, a person by his duty alone.
func (t *telling) who(rev *catalog.Revision, e *ledger.Entry) Accessor {
	if e.Person != "" && e.Person == t.by.Person {
		return Accessor{Name: "本人", Self: true}
	}
	w := Accessor{Department: e.Department, Name: departmentName(rev, e.Department), System: e.System, SystemName: t.systems[e.System]}
	if e.Person != "" {
		w.Duty = dutyText(e)
	}
	if w.Name == "" {
		w.Name = "本平台"
	}
	return w
}

func departmentName(rev *catalog.Revision, code string) string {
	if d := rev.Department(code); d != nil {
		return d.Name
	}
	return code
}

// uses are what something was for. A question may serve several materials.
func uses(rev *catalog.Revision, e *ledger.Entry) []AccessUse {
	out := []AccessUse{}
	add := func(matter, material string) {
		if matter == "" && material == "" {
			return
		}
		u := AccessUse{Matter: matter, Name: matter, Material: material, Title: material}
		if m := rev.Matter(matter); m != nil {
			u.Name = m.Name
		}
		if m := rev.Material(material); m != nil {
			u.Title = m.Name
		}
		out = append(out, u)
	}
	add(e.Matter, e.Material)
	for _, s := range e.Also {
		add(s.Matter, s.Material)
	}
	return out
}

func fields(rev *catalog.Revision, e *ledger.Entry) []AccessField {
	out := make([]AccessField, 0, len(e.Fields))
	dataset := rev.Dataset(e.Dataset)
	for _, code := range e.Fields {
		f := AccessField{Code: code, Name: code}
		if dataset != nil {
			if known := dataset.Field(code); known != nil {
				f.Name = known.Name
			}
		}
		out = append(out, f)
	}
	return out
}

// grounds say in words what allowed it, or did not. A case and a consent are their
// own ground.
func (t *telling) grounds(rev *catalog.Revision, e *ledger.Entry) []string {
	out := []string{}
	add := func(text string) {
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	explain := func(grant string, basis []string) {
		for _, code := range basis {
			reason := policies.ReasonOfDecision(code)
			text := reason.Text()
			if reason == policies.GrantCovers && grant != "" {
				text += "（共享授权 " + grant + withText("：", t.bases[grant]) + "）"
			}
			add(text)
		}
	}
	explain(e.Grant, e.Basis)
	for _, s := range e.Also {
		explain(s.Grant, s.Basis)
	}
	if e.Consent != "" {
		add("授权同意 " + e.Consent)
	}
	if role := roleBasis(rev, e); role != "" {
		add(role)
	}
	return out
}

// withText joins a text that may be missing.
func withText(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// roleBasis are the clauses that ask for the material (设定依据).
func roleBasis(rev *catalog.Revision, e *ledger.Entry) string {
	m := rev.Material(e.Material)
	if m == nil || len(m.Basis) == 0 {
		return ""
	}
	text := "材料的设定依据："
	for i, clause := range m.Basis {
		if i > 0 {
			text += "；"
		}
		text += clause
	}
	return text
}
