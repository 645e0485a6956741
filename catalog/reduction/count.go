package reduction

import (
	"cmp"
	"slices"

	"mianti/catalog"
)

// Sums (减材料计数) are the figures of a one-thing, a matter or a department. Those of
// steps are of one-things alone.
type Sums struct {
	Materials int `json:"materials" doc:"改革前材料"`
	Cancelled int `json:"cancelled"`
	Joined    int `json:"joined"`
	Exempt    int `json:"exempt"`
	Committed int `json:"committed"`
	Deferred  int `json:"deferred"`
	Uploaded  int `json:"uploaded"`
	FallBack  int `json:"fall_back" doc:"减的材料中, 后面还留有提交或容缺一步的"`
	// Modes are those by which the exempt ones are settled.
	Modes map[catalog.Mode]int `json:"modes" doc:"免提交的按方式计数"`

	Matters     int `json:"matters" doc:"事项, 即改革前提交申请的次数"`
	Submissions int `json:"submissions" doc:"改革后提交申请的次数"`
	Issued      int `json:"issued" doc:"改革前要专门去开具的材料"`
	StillIssued int `json:"still_issued" doc:"改革后仍要专门去开具的材料"`
	Departments int `json:"departments" doc:"改革前要去的部门"`
	Leads       int `json:"leads" doc:"改革后要去的部门"`
	Days        int `json:"days" doc:"改革前的承诺工作日"`
	DaysAfter   int `json:"days_after" doc:"改革后的承诺工作日"`
}

// Reduced is how many materials fewer are handed in (减材料).
func (c *Sums) Reduced() int { return c.Cancelled + c.Joined + c.Exempt + c.Committed }

// Still is how many are handed in, now or later (仍需提交).
func (c *Sums) Still() int { return c.Uploaded + c.Deferred }

// StepsBefore and StepsAfter are how often the applicant has to do something, and
// StepsReduced how many times fewer (减环节).
func (c *Sums) StepsBefore() int { return c.Matters + c.Issued }

// StepsAfter is how often he has to after.
func (c *Sums) StepsAfter() int { return c.Submissions + c.StillIssued }

// StepsReduced is how many times fewer.
func (c *Sums) StepsReduced() int { return c.StepsBefore() - c.StepsAfter() }

// Of gives the number of a class.
func (c *Sums) Of(class Class) int {
	if n := c.of(class); n != nil {
		return *n
	}
	return 0
}

func (c *Sums) of(class Class) *int {
	return map[Class]*int{
		Cancelled: &c.Cancelled, Joined: &c.Joined, Exempt: &c.Exempt, Committed: &c.Committed, Deferred: &c.Deferred, Uploaded: &c.Uploaded,
	}[class]
}

func (c *Sums) add(item *Item) {
	c.Materials++
	if n := c.of(item.Class); n != nil {
		*n++
	}
	if item.Class == Exempt {
		if c.Modes == nil {
			c.Modes = map[catalog.Mode]int{}
		}
		c.Modes[item.Mode]++
	}
	if item.FallsBack {
		c.FallBack++
	}
	if item.Issued {
		c.Issued++
		if item.Class == Uploaded || item.Class == Deferred {
			c.StillIssued++
		}
	}
}

// Line (减材料一行) is what one of them comes to.
type Line struct {
	Code string `json:"code"`
	Name string `json:"name"`
	// OneThing is that of a matter.
	OneThing string `json:"one_thing,omitempty"`
	Sums
}

// Tally (减材料统计) adds one-things up. Of a large catalog they can be added one at a
// time; it keeps a line for each and, unless WithoutMatters is set, one for each matter.
type Tally struct {
	WithoutMatters bool

	Revision    int
	Title       string
	Total       Line
	OneThings   []Line
	Matters     []Line
	departments map[string]*Line
}

// Count tallies a revision that is held whole.
func Count(rev *catalog.Revision) *Tally {
	t := &Tally{}
	t.Add(rev)
	return t
}

// Add adds every one-thing of a revision.
func (t *Tally) Add(rev *catalog.Revision) {
	t.Revision, t.Title = rev.Number, rev.Title // also of one without any
	for _, thing := range rev.OneThings() {
		t.AddThing(rev, thing)
	}
}

// AddThing adds a one-thing of a revision.
func (t *Tally) AddThing(rev *catalog.Revision, thing *catalog.OneThing) {
	t.Revision, t.Title = rev.Number, rev.Title
	of := Line{Code: thing.Code, Name: thing.Name}
	matters, at := make([]Line, len(thing.Matters)), map[string]int{}
	departments := map[string]bool{}
	for i := range thing.Matters {
		m := &thing.Matters[i]
		at[m.Code] = i
		departments[m.Department] = true
		matters[i] = Line{Code: m.Code, Name: m.Name, OneThing: thing.Code, Sums: Sums{Matters: 1, Days: m.Days}}
		of.Matters++
		of.Days += m.Days
		d := t.department(rev, m.Department)
		d.Matters++
		d.Days += m.Days
	}
	for _, item := range Items(rev, thing) {
		of.add(&item)
		matters[at[item.Matter]].add(&item)
		t.department(rev, item.Department).add(&item)
	}
	of.Departments, of.Submissions, of.DaysAfter = len(departments), submissions(thing), longest(thing)
	if of.Matters > 0 {
		of.Leads = 1
	}
	t.Total.sum(&of.Sums)
	t.OneThings = append(t.OneThings, of)
	if !t.WithoutMatters {
		t.Matters = append(t.Matters, matters...)
	}
}

func (t *Tally) department(rev *catalog.Revision, code string) *Line {
	if t.departments == nil {
		t.departments = map[string]*Line{}
	}
	if t.departments[code] == nil {
		t.departments[code] = &Line{Code: code, Name: code}
		if d := rev.Department(code); d != nil {
			t.departments[code].Name = d.Name
		}
	}
	return t.departments[code]
}

// Departments lists the departments by their codes.
func (t *Tally) Departments() []Line {
	out := make([]Line, 0, len(t.departments))
	for _, l := range t.departments {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b Line) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

func (l *Line) sum(c *Sums) {
	for _, class := range Classes() {
		*l.of(class) += c.Of(class)
	}
	for mode, n := range c.Modes {
		if l.Modes == nil {
			l.Modes = map[catalog.Mode]int{}
		}
		l.Modes[mode] += n
	}
	l.Materials += c.Materials
	l.FallBack += c.FallBack
	l.Matters += c.Matters
	l.Submissions += c.Submissions
	l.Issued += c.Issued
	l.StillIssued += c.StillIssued
	l.Departments += c.Departments
	l.Leads += c.Leads
	l.Days += c.Days
	l.DaysAfter += c.DaysAfter
}

// submissions is how often an applicant applies for a one-thing: once, or once for
// each of its stages.
func submissions(thing *catalog.OneThing) int {
	stages := map[int]bool{}
	for i := range thing.Matters {
		stages[thing.Matters[i].Stage] = true
	}
	return len(stages)
}

// longest is the longest way through a one-thing, in promised days: a matter begins
// when those before it are done. The loader has refused circles.
func longest(thing *catalog.OneThing) int {
	at, done := map[string]*catalog.Matter{}, map[string]int{}
	for i := range thing.Matters {
		at[thing.Matters[i].Code] = &thing.Matters[i]
	}
	var until func(code string) int
	until = func(code string) int {
		if known, ok := done[code]; ok {
			return known
		}
		m, begins := at[code], 0
		if m == nil {
			return 0
		}
		done[code] = 0
		for _, before := range m.After {
			begins = max(begins, until(before))
		}
		done[code] = begins + m.Days
		return done[code]
	}
	most := 0
	for i := range thing.Matters {
		most = max(most, until(thing.Matters[i].Code))
	}
	return most
}
