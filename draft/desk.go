package draft

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Drafts keeps drafts.
type Drafts interface {
	// Draft gives a draft with its edits; fault.NotFound for none.
	Draft(ctx context.Context, id string) (*Draft, error)
	// Drafts gives those that a filter chooses, the newest first.
	Drafts(ctx context.Context, f Filter) ([]Outline, error)
	// DraftsTouching gives the open drafts but one that change some of the same
	// things as edits do, or that remove what holds them.
	DraftsTouching(ctx context.Context, edits []catalog.Edit, but string) ([]Overlap, error)
	// SaveDraft stores a draft with its entries and its jobs, all or nothing. It is a
	// fault.Conflict when the draft is not at the version before.
	SaveDraft(ctx context.Context, c Commit) error
}

// Publisher makes revisions.
type Publisher interface {
	// LatestRevision gives the number of the current revision; fault.NotFound for none.
	LatestRevision(ctx context.Context) (int, error)
	// PublishDraft stores the next revision together with the draft that it comes
	// from, all or nothing, and gives its number. It is a fault.Conflict with the code
	// "revision-moved" when the latest revision is not the base.
	PublishDraft(ctx context.Context, c Commit, p Publication) (int, error)
	// ChangedBetween gives codes of which the things that differ between two
	// revisions are, for Catalogs.Revision.
	ChangedBetween(ctx context.Context, earlier, later int) ([]string, error)
}

// Catalogs gives revisions of the catalog, and what would come of edits.
type Catalogs interface {
	// Revision is the one of that number, with at least the one-things that the codes
	// are about; fault.NotFound for none.
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
	// Drafted gives a revision with edits; the error is catalog.Faults where the
	// edits are faulty.
	Drafted(ctx context.Context, base int, edits []catalog.Edit, about ...string) (*catalog.Drafted, error)
	// Thing gives a thing as it stands in the files of a revision; without a value
	// where it does not.
	Thing(ctx context.Context, number int, kind catalog.ThingKind, code string) (catalog.Edit, error)
	// EditedFiles gives the files of a revision that edits touch, by path; nil for one
	// that is not there.
	EditedFiles(ctx context.Context, number int, edits []catalog.Edit) (map[string][]byte, error)
}

// Linter (目录检查) finds what forbids publishing.
type Linter interface {
	// LintErrors gives the findings of a drafted revision that are errors, and that
	// its base does not have.
	LintErrors(ctx context.Context, drafted *catalog.Drafted, base int) ([]fault.Detail, error)
}

// Commit (同时保存) is what is stored in one transaction.
type Commit struct {
	Draft *Draft
	// Put are the edits that are new or other than before, Gone the things whose edit
	// is no more.
	Put     []catalog.Edit
	Gone    []Thing
	Entries []ledger.Entry
	Jobs    []jobs.Job
}

// Publication (发布) is the revision that a draft makes.
type Publication struct {
	Base    int
	Parts   []catalog.Part
	Title   string // of the catalog
	Version string
}

// Filter chooses drafts.
type Filter struct {
	State State  // empty: any
	Open  bool   // those alone of which something can still come
	After string // id of the last one of the page before
	Limit int
}

// Config is what the use cases are made of. All fields are required, but for
// Linter: without one nothing but faults forbids publishing.
type Config struct {
	Drafts    Drafts
	Publisher Publisher
	Catalogs  Catalogs
	Linter    Linter
	Procedure
	Now   func() time.Time
	NewID func() string
}

// Desk (草案台) is the use cases. It is safe for concurrent use.
type Desk struct{ Config }

// New returns the use cases.
func New(c Config) *Desk { return &Desk{c} }

// Opening (起草) is what a draft begins with.
type Opening struct {
	Title string
	Why   string
	// Base is the revision that the edits were written on; 0 for the current one.
	Base  int
	Edits []catalog.Edit
}

// Dossier (草案详情) is a draft as somebody reads it.
type Dossier struct {
	Draft
	// Head is the current revision.
	Head int `json:"head" doc:"现行目录修订"`
	// Moved are the things of the draft that others have changed since its base.
	Moved []Thing `json:"moved" doc:"起草之后别人改过的, 要先合并"`
	// Others are open drafts that change the same things.
	Others []Overlap `json:"others" doc:"也改这些对象的其他草案"`
	Faults []Flaw    `json:"faults" doc:"改动的错误; 改正之后才能提交"`
	May    []Act     `json:"may" doc:"您现在可以办理的"`
}

// Create begins a draft.
func (d *Desk) Create(ctx context.Context, by policies.Caller, in Opening) (*Dossier, error) {
	draft, err := d.open(ctx, by, in)
	if err != nil {
		return nil, err
	}
	commit := Commit{Draft: draft, Put: draft.Edits, Entries: draft.entries(Create, draft.Why, by, draft.CreatedAt)}
	if err := d.Drafts.SaveDraft(ctx, commit); err != nil {
		return nil, fmt.Errorf("create a draft: %w", err)
	}
	return d.view(ctx, by, draft)
}

// open makes a draft that is not stored yet.
func (d *Desk) open(ctx context.Context, by policies.Caller, in Opening) (*Draft, error) {
	if by.Person == "" || !by.Has(policies.DutyPolicyEditor) && !by.Has(policies.DutyPolicyReviewer) {
		return nil, fault.New(fault.Denied, "not-your-duty", "草案由目录编辑、目录审核人员本人办理。")
	}
	if err := checkTexts(in); err != nil {
		return nil, err
	}
	if err := checkEdits(in.Edits); err != nil {
		return nil, err
	}
	head, err := d.Publisher.LatestRevision(ctx)
	if err != nil {
		return nil, fmt.Errorf("create a draft: %w", err)
	}
	switch {
	case in.Base == 0:
		in.Base = head
	case in.Base < 0 || in.Base > head:
		return nil, fault.New(fault.Invalid, "invalid-draft", "没有编号为 %d 的目录修订。", in.Base).
			With(fault.Detail{Location: "body.base", Code: "no-such-revision", Message: "请填写已有的目录修订，或者不填。"})
	}
	now := d.Now().UTC()
	draft := &Draft{
		ID: d.NewID(), Title: strings.TrimSpace(in.Title), Why: strings.TrimSpace(in.Why), Department: by.Department, Writers: []string{by.Person},
		Base: in.Base, State: Editing, Edits: Sorted(in.Edits), CreatedAt: now, History: []Deed{},
	}
	draft.note(Event{Act: Create}, by, now)
	return draft, nil
}

// Draft gives a draft with what stands in its way.
func (d *Desk) Draft(ctx context.Context, by policies.Caller, id string) (*Dossier, error) {
	draft, err := d.Drafts.Draft(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	return d.view(ctx, by, draft)
}

func (d *Desk) view(ctx context.Context, by policies.Caller, draft *Draft) (*Dossier, error) {
	out := &Dossier{Draft: *draft, Moved: []Thing{}, Others: []Overlap{}, Faults: []Flaw{}, May: d.May(draft, by)}
	var err error
	if out.Head, err = d.Publisher.LatestRevision(ctx); err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	if !draft.State.Open() {
		return out, nil
	}
	all, err := d.triples(ctx, draft, out.Head)
	if err != nil {
		return nil, err
	}
	out.Moved = moved(all)
	if len(out.Moved) == 0 {
		out.May = slices.DeleteFunc(out.May, func(a Act) bool { return a == Rebase && draft.Base == out.Head })
	}
	if out.Others, err = d.Drafts.DraftsTouching(ctx, draft.Edits, draft.ID); err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	out.Faults, err = d.faults(ctx, draft)
	return out, err
}

// List gives the drafts that a filter chooses, the newest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Outline, error) {
	found, err := d.Drafts.Drafts(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list drafts: %w", err)
	}
	return found, nil
}

// Put adds edits to a draft, or writes them anew.
func (d *Desk) Put(ctx context.Context, by policies.Caller, id string, version int, edits ...catalog.Edit) (*Dossier, error) {
	if err := checkEdits(edits); err != nil {
		return nil, err
	}
	return d.change(ctx, by, id, version, func(all []catalog.Edit) ([]catalog.Edit, error) {
		for _, e := range edits {
			all = slices.DeleteFunc(all, func(old catalog.Edit) bool { return thingOf(old) == thingOf(e) })
		}
		all = append(all, edits...)
		if len(all) > mostEdits {
			return nil, checkEdits(all)
		}
		return all, nil
	})
}

// Remove takes the edit of a thing out of a draft.
func (d *Desk) Remove(ctx context.Context, by policies.Caller, id string, version int, t Thing) (*Dossier, error) {
	return d.change(ctx, by, id, version, func(all []catalog.Edit) ([]catalog.Edit, error) {
		rest := slices.DeleteFunc(all, func(old catalog.Edit) bool { return thingOf(old) == t })
		if len(rest) == len(all) {
			return nil, fault.New(fault.NotFound, "unknown-edit", "草案没有改这个对象。")
		}
		return rest, nil
	})
}

// change writes the edits of a draft anew.
func (d *Desk) change(ctx context.Context, by policies.Caller, id string, version int, do func([]catalog.Edit) ([]catalog.Edit, error)) (*Dossier, error) {
	draft, err := d.at(ctx, id, version)
	if err != nil {
		return nil, err
	}
	next, err := d.Apply(draft, Event{Act: Change}, by, d.Now())
	if err != nil {
		return nil, err
	}
	edits, err := do(next.Edits)
	if err != nil {
		return nil, err
	}
	return d.rewrite(ctx, by, draft, next, edits)
}

// rewrite stores a draft with other edits than before.
func (d *Desk) rewrite(ctx context.Context, by policies.Caller, was *Draft, next Draft, edits []catalog.Edit) (*Dossier, error) {
	next.Edits = Sorted(edits)
	put, gone := difference(was.Edits, next.Edits)
	if err := d.Drafts.SaveDraft(ctx, Commit{Draft: &next, Put: put, Gone: gone}); err != nil {
		return nil, fmt.Errorf("change a draft: %w", err)
	}
	return d.view(ctx, by, &next)
}

// at gives a draft at the version that the caller has read; 0 for whichever it is.
func (d *Desk) at(ctx context.Context, id string, version int) (*Draft, error) {
	draft, err := d.Drafts.Draft(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	if version != 0 && version != draft.Version {
		return nil, fault.New(fault.Conflict, "changed-since-read", "在您读取之后已有变更。请重新读取后再办理。")
	}
	return draft, nil
}

// Act does what needs nothing but the procedure: recall, return, approve,
// withdraw. What is submitted has no faults and nothing to merge.
func (d *Desk) Act(ctx context.Context, by policies.Caller, id string, version int, e Event) (*Dossier, error) {
	draft, err := d.at(ctx, id, version)
	if err != nil {
		return nil, err
	}
	now := d.Now().UTC()
	next, err := d.Apply(draft, e, by, now)
	if err != nil {
		return nil, err
	}
	commit := Commit{Draft: &next, Entries: next.entries(e.Act, strings.TrimSpace(e.Why), by, now)}
	switch e.Act {
	case Submit:
		if err := d.ready(ctx, draft); err != nil {
			return nil, err
		}
	case Schedule:
		if err := d.ready(ctx, draft); err != nil {
			return nil, err
		}
		commit.Jobs = []jobs.Job{next.publishJob()}
	case Recall, Return, Approve, Withdraw:
	default:
		return nil, fault.New(fault.Invalid, "invalid-request", "没有这种办理。")
	}
	if err := d.Drafts.SaveDraft(ctx, commit); err != nil {
		return nil, fmt.Errorf("change a draft: %w", err)
	}
	return d.view(ctx, by, &next)
}
