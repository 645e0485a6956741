// Package draft is how the catalog comes to change (目录草案): somebody writes a
// set of changes, another person reviews it, and it is published as a revision, at
// once or at a date. What others published meanwhile is merged, thing by thing and
// key by key; an earlier revision is brought back by a draft that leads there.
//
// Procedure and Merge hold the rules and are pure: they know no database and read
// no clock. Desk holds the use cases around them.
package draft

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
)

// State (草案状态) is how far a draft has come.
type State string

// The states; docs/drafts.md says which act leads from which to which.
const (
	Editing   State = "editing"   // 编辑中
	Submitted State = "submitted" // 待审核
	Returned  State = "returned"  // 已退回, to be written on
	Approved  State = "approved"  // 审核通过
	Scheduled State = "scheduled" // 待发布, at its date
	Published State = "published" // 已发布
	Withdrawn State = "withdrawn" // 已撤销
)

// States lists the states in the order of a draft's life.
func States() []State {
	return []State{Editing, Submitted, Returned, Approved, Scheduled, Published, Withdrawn}
}

// Open reports whether something can still come of the draft.
func (s State) Open() bool { return s != Published && s != Withdrawn }

// Name gives the state in Chinese.
func (s State) Name() string {
	return map[State]string{
		Editing: "编辑中", Submitted: "待审核", Returned: "已退回", Approved: "审核通过", Scheduled: "待发布", Published: "已发布", Withdrawn: "已撤销",
	}[s]
}

// Thing (草案对象) names a thing of the catalog.
type Thing struct {
	Kind catalog.ThingKind `json:"kind"`
	Code string            `json:"code"`
}

// thingOf is what an edit is about.
func thingOf(e catalog.Edit) Thing { return Thing{e.Kind, e.Code} }

// Deed (草案记录) is one act on a draft.
type Deed struct {
	Act        Act       `json:"act"`
	At         time.Time `json:"at"`
	Department string    `json:"department,omitempty"`
	Person     string    `json:"person,omitempty" doc:"办理人的代号; 按期自动办理的为空"`
	State      State     `json:"state" doc:"办理后的状态"`
	Why        string    `json:"why,omitempty" doc:"意见或原因"`
}

// Draft (目录草案) is a set of changes of the catalog, with what became of it. It
// never changes: an act makes another one.
type Draft struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why" doc:"为什么改"`
	// Department is whose staff write it; empty for one that was made at the machine.
	Department string `json:"department,omitempty"`
	// Writers are all who had a part in it; none of them reviews it.
	Writers []string `json:"writers" doc:"参与编写的人的代号"`
	// Base is the revision that the edits were written on.
	Base  int            `json:"base" doc:"所依据的目录修订"`
	State State          `json:"state"`
	Edits []catalog.Edit `json:"edits"`
	// PublishAt is when a scheduled draft is published, and Reviewer who said so.
	PublishAt *time.Time `json:"publish_at,omitempty"`
	Reviewer  string     `json:"reviewer,omitempty" doc:"审核人的代号"`
	// Restores is the revision that it brings back.
	Restores int `json:"restores,omitempty" doc:"恢复到哪一个目录修订"`
	// Revision is the one that it was published as.
	Revision  int       `json:"revision,omitempty" doc:"发布为哪一个目录修订"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	History   []Deed    `json:"history"`
	Version   int       `json:"version"`
}

// Outline (草案摘要) is what a list shows of a draft.
type Outline struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Department string     `json:"department,omitempty"`
	Writers    []string   `json:"writers"`
	Base       int        `json:"base" doc:"所依据的目录修订"`
	State      State      `json:"state" enum:"editing,submitted,returned,approved,scheduled,published,withdrawn"`
	Things     int        `json:"things" doc:"改了多少项"`
	PublishAt  *time.Time `json:"publish_at,omitempty"`
	Restores   int        `json:"restores,omitempty"`
	Revision   int        `json:"revision,omitempty"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// Overlap (重叠草案) is another open draft that changes some of the same things.
type Overlap struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Writers []string `json:"writers"`
	State   State    `json:"state"`
	Things  []Thing  `json:"things" doc:"两份草案都改的"`
}

// Edit gives the draft's edit of a thing, or nil.
func (d *Draft) Edit(t Thing) *catalog.Edit {
	for i := range d.Edits {
		if thingOf(d.Edits[i]) == t {
			return &d.Edits[i]
		}
	}
	return nil
}

// WrittenBy reports whether a person had a part in it.
func (d *Draft) WrittenBy(person string) bool { return slices.Contains(d.Writers, person) }

// clone gives a copy that shares nothing that an act changes.
func (d *Draft) clone() Draft {
	next := *d
	next.Edits, next.Writers, next.History = slices.Clone(d.Edits), slices.Clone(d.Writers), slices.Clone(d.History)
	return next
}

// Sorted gives edits in the order of the kinds, then by code, so that the same
// changes are the same draft.
func Sorted(edits []catalog.Edit) []catalog.Edit {
	out := make([]catalog.Edit, len(edits))
	copy(out, edits)
	kinds := catalog.ThingKinds()
	slices.SortStableFunc(out, func(a, b catalog.Edit) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), strings.Compare(a.Code, b.Code))
	})
	return out
}

// Touch reports whether two edits are about the same thing, or one of them removes
// what holds the other's.
func Touch(a, b catalog.Edit) bool {
	return thingOf(a) == thingOf(b) || a.Removes() && slices.Contains(holdersOf(b), thingOf(a)) || b.Removes() && slices.Contains(holdersOf(a), thingOf(b))
}

// CodesAround gives the codes of edits and of what holds them, each once.
func CodesAround(edits []catalog.Edit) []string {
	var out []string
	for _, e := range edits {
		out = append(out, e.Code)
		for _, t := range holdersOf(e) {
			out = append(out, t.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
