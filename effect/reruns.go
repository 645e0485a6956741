package effect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
)

// Reruns (办件重算) are recorded cases, each worked out from its recorded inputs under
// the revision as it is and as it would be.
type Reruns struct {
	// Looked of the latest cases were looked at; Rerun of them are about something
	// that the change touches, and were worked out again.
	Looked int `json:"looked" doc:"看过多少件"`
	Rerun  int `json:"rerun" doc:"其中涉及改动、已重算的"`
	// Destroyed cases and those of which no inputs were kept are skipped; Gone are of
	// a matter that would not be there any more; Failed could not be worked out.
	Destroyed  int `json:"destroyed" doc:"内容已按期销毁, 跳过"`
	Unrecorded int `json:"unrecorded" doc:"没有保存核验输入, 跳过"`
	Gone       int `json:"gone" doc:"所办的事项或一件事改后不在目录中"`
	Failed     int `json:"failed" doc:"改后的条件不能用于当时的情形"`
	// Earliest and Latest bound when the cases that were rerun were resolved.
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`

	Total        RerunLine   `json:"total"`
	ByOneThing   []RerunLine `json:"by_one_thing"`
	ByDepartment []RerunLine `json:"by_department" doc:"按材料所属事项的部门"`
	Moves        []Move      `json:"moves" doc:"结论不同的材料"`
}

// RerunLine (重算一行) is what the cases of a one-thing, or the materials of a department,
// come to. Papers are counted as an applicant would: each once.
type RerunLine struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Cases   int    `json:"cases"`
	Changed int    `json:"changed" doc:"至少一项材料结论不同的办件"`
	Before  int    `json:"uploads_before" doc:"改前须提交"`
	After   int    `json:"uploads_after" doc:"改后须提交"`
	// Unknown are materials that newly hang on what nobody asked or said then: neither
	// settled nor handed in.
	Unknown int `json:"unknown" doc:"改后要看当时没有问过的数据、没有说过的情形或同意, 不知道结果; 不算核验通过, 也不算须提交"`
}

// Difference is how many papers more are handed in; less than 0 for fewer. The
// unknown ones are not in it.
func (l *RerunLine) Difference() int { return l.After - l.Before }

// Move (结论变化) is a material that comes out otherwise, in so many cases.
type Move struct {
	Place
	From     policies.Outcome `json:"from"`
	To       policies.Outcome `json:"to" doc:"unknown: 要问当时没有问过的, 不知道结果; 空: 不再要"`
	N        int              `json:"n"`
	Asks     []string         `json:"asks" doc:"unknown 时: 会问的数据资源、会请求协查的部门、要登记的当事人"`
	Examples []string         `json:"examples" doc:"几个核验结果的编号"`
}

// mostExamples is how many resolutions are named for a move.
const mostExamples = 5

func newReruns() Reruns {
	return Reruns{ByOneThing: []RerunLine{}, ByDepartment: []RerunLine{}, Moves: []Move{}}
}

// How many cases are listed at a time, and how many are looked at at most for one
// that a change touches.
const (
	listed     = 200
	looksFor   = 50
	fewestLook = 2_000
)

// rerun works the latest cases out again that the change touches, one by one.
func (d *Desk) rerun(ctx context.Context, q Question, t *touched, out *Reruns) error {
	r := rerunning{q: q, out: out, things: map[string]*RerunLine{}, departments: map[string]*RerunLine{}, moves: map[moveKey]*Move{}}
	var last *exchange.PastCase
	for most := max(q.Cases*looksFor, fewestLook); out.Looked < most && out.Rerun < q.Cases; {
		cases, err := d.Past.PastCases(ctx, last, listed)
		if err != nil {
			return err
		}
		if len(cases) == 0 {
			break
		}
		last = &cases[len(cases)-1]
		for i := range cases {
			if out.Looked == most || out.Rerun == q.Cases {
				break
			}
			out.Looked++
			if !t.concerns(cases[i].Subject) {
				continue
			}
			if err := d.rerunOne(ctx, &r, cases[i]); err != nil {
				return err
			}
		}
	}
	r.finish()
	return ctx.Err()
}

func (d *Desk) rerunOne(ctx context.Context, r *rerunning, c exchange.PastCase) error {
	if c.Destroyed {
		r.out.Destroyed++
		return nil
	}
	inputs, err := d.Past.CaseInputs(ctx, c.ID)
	switch {
	case errors.Is(err, fault.Gone): // destroyed meanwhile
		r.out.Destroyed++
		return nil
	case errors.Is(err, fault.NotFound):
		r.out.Unrecorded++
		return nil
	case err != nil:
		return fmt.Errorf("rerun case %s: %w", c.ID, err)
	}
	r.add(c, inputs)
	if r.q.Progress != nil {
		r.q.Progress(r.out.Rerun, r.q.Cases)
	}
	return nil
}

type rerunning struct {
	q                   Question
	out                 *Reruns
	things, departments map[string]*RerunLine
	moves               map[moveKey]*Move
}

type moveKey struct {
	material string
	from, to policies.Outcome
}

// known reports whether a revision has what a case is about.
func known(rev *catalog.Revision, subject string) bool {
	return rev.OneThing(subject) != nil || rev.Matter(subject) != nil
}

func (r *rerunning) add(c exchange.PastCase, inputs []*exchange.Inputs) {
	if !known(r.q.Before, c.Subject) || !known(r.q.After, c.Subject) {
		r.out.Gone++
		return
	}
	before, err := exchange.RerunCase(r.q.Before, c, inputs)
	if err != nil {
		r.out.Failed++
		return
	}
	after, err := exchange.RerunCase(r.q.After, c, inputs)
	if err != nil {
		r.out.Failed++
		return
	}
	r.out.Rerun++
	if r.out.Latest.IsZero() {
		r.out.Latest = c.ResolvedAt
	}
	r.out.Earliest = c.ResolvedAt
	r.count(c, before, after)
}

// asked is one material of one party.
type asked struct{ code, party string }

// change is one asking before and after; nil where it is not there.
type change struct{ before, after *exchange.RerunMaterial }

func beside(before, after *exchange.Rerun) []change {
	at, out := map[asked]int{}, []change{}
	for i := range before.Materials {
		m := &before.Materials[i]
		at[asked{m.Code, m.Party}] = len(out)
		out = append(out, change{before: m})
	}
	for i := range after.Materials {
		m := &after.Materials[i]
		if n, ok := at[asked{m.Code, m.Party}]; ok {
			out[n].after = m
			continue
		}
		out = append(out, change{after: m})
	}
	return out
}

func (r *rerunning) count(c exchange.PastCase, before, after *exchange.Rerun) {
	thing := line(r.things, before.OneThing)
	changed, of := false, map[string]bool{}
	for _, one := range beside(before, after) {
		department := one.department()
		lines := []*RerunLine{&r.out.Total, thing, line(r.departments, department)}
		same := one.outcome(one.before) == one.outcome(one.after)
		for _, l := range lines {
			l.add(one)
		}
		of[department] = of[department] || !same
		if !same {
			changed = true
			r.move(c, one)
		}
	}
	for department, otherwise := range of {
		line(r.departments, department).addCase(otherwise)
	}
	thing.addCase(changed)
	r.out.Total.addCase(changed)
}

func line(of map[string]*RerunLine, code string) *RerunLine {
	if of[code] == nil {
		of[code] = &RerunLine{Code: code}
	}
	return of[code]
}

func (l *RerunLine) addCase(changed bool) {
	l.Cases++
	if changed {
		l.Changed++
	}
}

func (l *RerunLine) add(one change) {
	if one.before != nil && one.before.Paper {
		l.Before++
	}
	if one.after == nil {
		return
	}
	if one.after.Paper {
		l.After++
	}
	if open(one.after.Outcome) && !open(one.outcome(one.before)) {
		l.Unknown++
	}
}

// open reports whether an outcome hangs on something that nobody has said: a source's
// answer, a fact, a consent.
func open(o policies.Outcome) bool {
	return o == exchange.NotRecorded || o == policies.NeedsFact || o == policies.NeedsConsent
}

func (change) outcome(m *exchange.RerunMaterial) policies.Outcome {
	if m == nil || m.Outcome == policies.NotApplicable { // not asked for, either way
		return ""
	}
	return m.Outcome
}

func (c change) department() string {
	if c.after != nil {
		return c.after.Department
	}
	return c.before.Department
}

func (r *rerunning) move(c exchange.PastCase, one change) {
	m := one.after
	if m == nil {
		m = one.before
	}
	key := moveKey{m.Code, one.outcome(one.before), one.outcome(one.after)}
	found := r.moves[key]
	if found == nil {
		place := placeOf(r.q.After, m.Code)
		if place.Name == "" {
			place = placeOf(r.q.Before, m.Code)
		}
		found = &Move{Place: place, From: key.from, To: key.to, Asks: []string{}, Examples: []string{}}
		r.moves[key] = found
	}
	found.N++
	for _, ask := range m.Asks {
		if key.to == exchange.NotRecorded && !slices.Contains(found.Asks, ask) {
			found.Asks = append(found.Asks, ask)
		}
	}
	if len(found.Examples) < mostExamples && !slices.Contains(found.Examples, c.Resolution) {
		found.Examples = append(found.Examples, c.Resolution)
	}
}

// finish names the lines and puts all in order.
func (r *rerunning) finish() {
	for code, l := range r.things {
		l.Name = "单独办理的事项"
		for _, rev := range []*catalog.Revision{r.q.Before, r.q.After} {
			if thing := rev.OneThing(code); thing != nil {
				l.Name = thing.Name
			}
		}
		r.out.ByOneThing = append(r.out.ByOneThing, *l)
	}
	for code, l := range r.departments {
		l.Name = code
		for _, rev := range []*catalog.Revision{r.q.Before, r.q.After} {
			if d := rev.Department(code); d != nil {
				l.Name = d.Name
			}
		}
		r.out.ByDepartment = append(r.out.ByDepartment, *l)
	}
	for _, m := range r.moves {
		r.out.Moves = append(r.out.Moves, *m)
	}
	byCode := func(a, b RerunLine) int { return cmp.Compare(a.Code, b.Code) }
	slices.SortFunc(r.out.ByOneThing, byCode)
	slices.SortFunc(r.out.ByDepartment, byCode)
	slices.SortFunc(r.out.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Material, b.Material), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
