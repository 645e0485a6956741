// Package policy has the pages of policy staff (目录编辑、目录审核): what the
// catalog asks for and why, what a change would do, what it takes off applicants,
// and where it falls short of the four rules. They read and try; nothing here changes the catalog.
package policy

import (
	"context"
	"embed"
	"errors"
	"io"
	"net/http"
	"sync"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/catalog/lint"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

//go:embed pages style.css text.en.json
var files embed.FS

// Catalogs gives the revisions of the catalog.
type Catalogs interface {
	// Revision gives one by its number; fault.NotFound for none.
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
}

// Revisions lists the revisions that are stored.
type Revisions interface {
	// RevisionHeads gives at most limit of those before a number, the newest first;
	// 0 begins with the newest of all.
	RevisionHeads(ctx context.Context, before, limit int) ([]catalog.RevisionHead, error)
}

// Interchange exports the catalog, and holds files against it.
type Interchange interface {
	// Export writes what is wanted.
	Export(ctx context.Context, w interchange.Wish, to io.Writer) error
	// Preview says what a file would change of a revision, and which that is; 0 is
	// the current one.
	Preview(ctx context.Context, number int, content []byte, progress func(rows int)) (*interchange.Preview, int, error)
}

// Measures gives what was measured of a catalog, for its lint.
type Measures interface {
	// Measures gives the same pointer as long as nothing was measured anew.
	Measures(ctx context.Context) (*lint.Measures, error)
}

// Config is what the pages stand on. All fields but Measures are required, but for those that
// say what is without them.
type Config struct {
	Catalogs  Catalogs
	Revisions Revisions
	Measures  Measures // nil where nothing is measured
	// Drafts are how the catalog comes to change.
	Drafts      *draft.Desk
	Effects     Effects
	Interchange Interchange
	// BeginDraft begins a draft with edits of a revision, and gives the path of its
	// page. Without it the edits are given to be taken along.
	BeginDraft func(ctx context.Context, by policies.Caller, title string, base int, edits []catalog.Edit) (path string, err error)
	// Suggestions is the mapping assistant.
	Suggestions Suggestions
}

// section is the pages, with what they remember of the revisions shown last.
type section struct {
	Config

	mu      sync.Mutex
	shelves []*shelf // the one used last comes first
	changes []comparison
	kept    *reductionKept
}

// duties are of those whose pages these are.
func duties() []policies.Duty {
	return []policies.Duty{policies.DutyPolicyEditor, policies.DutyPolicyReviewer}
}

// New returns the pages of policy staff.
func New(c Config) frame.Section {
	s := &section{Config: c}
	out := frame.Section{
		Name: "policy", Files: files,
		Menu: []frame.MenuItem{{Title: "目录", Path: "/catalog", Duties: duties()}},
	}
	for _, p := range []frame.Page{
		{Path: "/catalog", Handle: s.overview},
		{Path: "/catalog/one-things/:code", Handle: s.oneThing},
		{Path: "/catalog/matters", Handle: s.matters},
		{Path: "/catalog/matters/:code", Handle: s.matter},
		{Path: "/catalog/materials", Handle: s.materials},
		{Path: "/catalog/materials/:code", Handle: s.material},
		{Path: "/catalog/materials/:code/edit", Handle: s.edit},
		{Method: http.MethodPost, Path: "/catalog/materials/:code/edit", Handle: s.edit},
		{Path: "/catalog/datasets", Handle: s.datasets},
		{Path: "/catalog/datasets/:code", Handle: s.dataset},
		{Path: "/catalog/departments", Handle: s.departments},
		{Path: "/catalog/revisions", Handle: s.revisions},
		{Path: "/catalog/revisions/:number/changes", Handle: s.compare},
		{Path: "/catalog/drafts", Handle: s.drafts},
		{Method: http.MethodPost, Path: "/catalog/drafts", Handle: s.createDraft},
		{Path: "/catalog/drafts/:id", Handle: s.draft},
		{Method: http.MethodPost, Path: "/catalog/drafts/:id", Handle: s.actOnDraft},
		{Path: "/catalog/drafts/:id/thing", Handle: s.draftThing},
		{Method: http.MethodPost, Path: "/catalog/drafts/:id/thing", MaxBody: maxThing, Handle: s.draftThing},
		{Path: "/catalog/drafts/:id/merge", Handle: s.mergeDraft},
		{Method: http.MethodPost, Path: "/catalog/drafts/:id/merge", MaxBody: maxThing, Handle: s.mergeDraft},
		{Path: "/catalog/drafts/:id/effect", Handle: s.draftEffect},
		{Method: http.MethodPost, Path: "/catalog/drafts/:id/effect", Handle: s.draftEffect},
		{Path: "/catalog/check", Handle: s.check},
		{Method: http.MethodPost, Path: "/catalog/check", MaxBody: maxArchive, Handle: s.check},
		{Path: "/catalog/export", Handle: s.export},
		{Path: "/catalog/export/file", Handle: s.exportFile},
		{Path: "/catalog/import", Handle: s.importFile},
		{Method: http.MethodPost, Path: "/catalog/import", MaxBody: maxImport, Handle: s.importFile},
		{Path: "/catalog/trial", Handle: s.trial},
		{Path: "/catalog/health", Handle: s.health},
		{Method: http.MethodPost, Path: "/catalog/health", Handle: s.draftFix},
		{Path: "/catalog/effect", Handle: s.effect},
		{Method: http.MethodPost, Path: "/catalog/effect", Handle: s.effect},
		{Path: "/catalog/report", Handle: s.report},
		{Path: "/catalog/report/workbook", Handle: s.reportWorkbook},
		{Path: "/catalog/report/picture", Handle: s.reportPicture},
		{Path: "/catalog/suggest", Handle: s.suggest},
		{Method: http.MethodPost, Path: "/catalog/suggest", MaxBody: maxList, Handle: s.suggest},
	} {
		p.Duties = duties()
		out.Pages = append(out.Pages, p)
	}
	return out
}

// base is what every page knows: the revision that it shows.
type base struct {
	// Rev is the revision's number where it is not the current one; 0 where it is.
	Rev     int
	Number  int
	Version string
	Tab     string // the entry of the section's own menu
}

// at gives the revision that a page is asked for, with the parts that its lists
// need.
func (s *section) at(v *frame.Visit, tab string) (*shelf, base, error) {
	rev, err := v.Revision()
	if err != nil {
		return nil, base{}, err
	}
	b := base{Tab: tab}
	if number := v.Number("rev", 1, 1<<30, 0); number != 0 && number != rev.Number {
		if rev, err = s.numbered(v, number); err != nil {
			return nil, base{}, err
		}
		b.Rev = number
	}
	b.Number, b.Version = rev.Number, rev.Version
	if !rev.Whole() {
		return nil, b, fault.New(fault.Invalid, "catalog-too-large", "这个目录太大，页面上不能整个列出。请用命令 mianti catalog，或按代码在接口上读取。")
	}
	return s.shelfOf(rev), b, nil
}

// numbered gives a revision by its number.
func (s *section) numbered(v *frame.Visit, number int) (*catalog.Revision, error) {
	rev, err := s.Catalogs.Revision(v.Context(), number)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.New(fault.NotFound, "no-such-revision", "没有编号为 %d 的目录修订。", number).Because(err)
	}
	return rev, err
}

// keptShelves is how many revisions are kept ready.
const keptShelves = 3

// shelfOf gives a revision with its parts in order, made once.
func (s *section) shelfOf(rev *catalog.Revision) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.shelves {
		if known.rev == rev {
			copy(s.shelves[1:i+1], s.shelves[:i])
			s.shelves[0] = known
			return known
		}
	}
	made := newShelf(rev)
	s.shelves = append([]*shelf{made}, s.shelves...)
	s.shelves = s.shelves[:min(len(s.shelves), keptShelves)]
	return made
}

// missing says that the catalog has no such thing.
func missing(code, what string) error {
	return fault.New(fault.NotFound, code, "目录中没有这个%s。请从清单中选择。", what)
}
