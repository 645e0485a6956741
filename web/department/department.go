// Package department is the pages of a department's sharing officers (政务数据共享
// 工作机构人员): what is due, who used the department's data, applications,
// questions of other departments, corrections, grants, and how its sources are.
//
// A page decides nothing. It asks the use cases that the API asks, and shows what
// they say.
package department

import (
	"context"
	"embed"
	"slices"
	"strconv"

	"mianti/catalog"
	"mianti/correction"
	"mianti/exchange"
	"mianti/figures"
	"mianti/policies"
	"mianti/sharing"
	"mianti/web/frame"
)

//go:embed pages style.css text.en.json
var files embed.FS

// Figures tells who used a department's data, and how its sources are.
type Figures interface {
	Used(ctx context.Context, by policies.Caller, q figures.UseQuery) (*figures.Used, error)
	Sources(ctx context.Context, by policies.Caller, department string, days int) ([]figures.SourceTime, error)
}

// Requests are the sharing requests (共享申请).
type Requests interface {
	Submit(ctx context.Context, by policies.Caller, a sharing.Application) (*sharing.Request, error)
	List(ctx context.Context, by policies.Caller, as sharing.Side, f sharing.Filter) ([]sharing.Request, error)
	Request(ctx context.Context, by policies.Caller, id string) (*sharing.Request, error)
	Act(ctx context.Context, by policies.Caller, id string, version int, e sharing.Event) (*sharing.Request, error)
}

// Grants are the sharing grants (共享授权).
type Grants interface {
	ListGrants(ctx context.Context, by policies.Caller, as sharing.Side, f sharing.GrantFilter) ([]sharing.Grant, error)
	Grant(ctx context.Context, by policies.Caller, id string) (*sharing.Grant, error)
	ActOnGrant(ctx context.Context, by policies.Caller, id string, version int, e sharing.GrantEvent) (*sharing.Grant, error)
}

// Assists are the questions of other departments (协查).
type Assists interface {
	AssistTasks(ctx context.Context, by policies.Caller, f exchange.AssistFilter) ([]exchange.AssistTask, error)
	AssistTask(ctx context.Context, by policies.Caller, id string) (*exchange.AssistTask, error)
	AnswerAssist(ctx context.Context, by policies.Caller, id string, in exchange.AssistAnswer) (*exchange.AssistTask, error)
}

// Corrections are what is said of wrong records (校核).
type Corrections interface {
	List(ctx context.Context, by policies.Caller, as correction.Side, f correction.Filter) ([]correction.Brief, error)
	Correction(ctx context.Context, by policies.Caller, id string) (*correction.View, error)
	Act(ctx context.Context, by policies.Caller, id string, version int, e correction.Event) (*correction.View, error)
}

// Config is what the pages stand on. All fields are required, but for Authority.
type Config struct {
	Figures     Figures
	Requests    Requests
	Grants      Grants
	Assists     Assists
	Corrections Corrections
	// Authority is the code of the department that is the authority for government
	// data (政务数据共享主管部门); empty where there is none.
	Authority string
}

type pages struct{ Config }

// New returns the section.
func New(c Config) frame.Section {
	p := &pages{c}
	officer := []policies.Duty{policies.DutySharingOfficer}
	readers := []policies.Duty{policies.DutySharingOfficer, policies.DutyDepartmentAdmin, policies.DutyAuditor}
	page := func(path string, duties []policies.Duty, handle func(*frame.Visit) (frame.Answer, error)) frame.Page {
		return frame.Page{Path: "/department" + path, Duties: duties, Handle: handle}
	}
	post := func(path string, handle func(*frame.Visit) (frame.Answer, error)) frame.Page {
		return frame.Page{Method: "POST", Path: "/department" + path, Duties: officer, Handle: handle}
	}
	return frame.Section{
		Name: "department", Files: files,
		Menu: []frame.MenuItem{
			{Title: "部门数据", Path: "/department", Duties: officer},
			{Title: "数据使用", Path: "/department/uses", Duties: []policies.Duty{policies.DutyDepartmentAdmin, policies.DutyAuditor}},
		},
		Pages: []frame.Page{
			page("", officer, p.home),
			page("/uses", readers, p.uses), page("/sources", readers, p.sources),
			page("/sharing", officer, p.listRequests), page("/sharing/new", officer, p.showApply), post("/sharing/new", p.submitApplication),
			page("/sharing/:id", officer, p.showRequest), post("/sharing/:id", p.actOnRequest),
			page("/assists", officer, p.listAssists), page("/assists/:id", officer, p.showAssist), post("/assists/:id", p.answerAssist),
			page("/corrections", officer, p.listCorrections), page("/corrections/:id", officer, p.showCorrection), post("/corrections/:id", p.actOnCorrection),
			page("/grants", officer, p.listGrants), page("/grants/:id", officer, p.showGrant), post("/grants/:id", p.actOnGrant),
		},
	}
}

// around is what every page of the section shows besides its own: its part of the
// menu, and the names of what the catalog knows.
type around struct {
	Tabs []tab
	Visit
}

// tab is one page of the section in its own menu.
type tab struct {
	Title, Path string
	Current     bool
}

// Visit gives names of the catalog, and the moment.
type Visit struct{ *frame.Visit }

func (p *pages) around(v *frame.Visit, at string) around {
	a := around{Visit: Visit{v}}
	for _, t := range []struct {
		title, path string
		officer     bool
	}{
		{"待办", "/department", true}, {"谁用了我的数据", "/department/uses", false}, {"共享申请", "/department/sharing", true},
		{"协查", "/department/assists", true}, {"校核", "/department/corrections", true}, {"授权", "/department/grants", true},
		{"数源", "/department/sources", false},
	} {
		if !t.officer || v.Caller.Has(policies.DutySharingOfficer) {
			a.Tabs = append(a.Tabs, tab{v.T(t.title), t.path, t.path == at})
		}
	}
	return a
}

// Department gives the name of a department, or its code where the catalog no
// longer has it; so do those that follow.
func (v Visit) Department(code string) string {
	if v.Catalog != nil {
		if d := v.Catalog.Department(code); d != nil {
			return d.Name
		}
	}
	return code
}

// Dataset gives the name of a dataset.
func (v Visit) Dataset(code string) string {
	if d := v.dataset(code); d != nil {
		return d.Name
	}
	return code
}

func (v Visit) dataset(code string) *catalog.Dataset {
	if v.Catalog == nil {
		return nil
	}
	return v.Catalog.Dataset(code)
}

// Field gives the name of a field of a dataset.
func (v Visit) Field(dataset, code string) string {
	if d := v.dataset(dataset); d != nil {
		if f := d.Field(code); f != nil {
			return f.Name
		}
	}
	return code
}

// Matter gives the name of a matter.
func (v Visit) Matter(code string) string {
	if v.Catalog != nil {
		if m := v.Catalog.Matter(code); m != nil {
			return m.Name
		}
	}
	return code
}

// Material gives the name of a material.
func (v Visit) Material(code string) string {
	if v.Catalog != nil {
		if m := v.Catalog.Material(code); m != nil {
			return m.Name
		}
	}
	return code
}

// pageSize is how many rows a list shows at once.
const pageSize = 30

// onePage cuts what was asked for with one more than a page has, and names the one
// after which the next page begins; "" for the last page.
func onePage[T any](found []T, id func(T) string) (page []T, next string) {
	if len(found) <= pageSize {
		return found, ""
	}
	return found[:pageSize], id(found[pageSize-1])
}

// pager leads to the next part of a list that goes on after an id, and back to its
// beginning.
func pager(v *frame.Visit, path, next, after string, shown int) frame.Pager {
	p := frame.Pager{Summary: v.T("本页 %d 项", shown)}
	query := v.Request().URL.Query()
	query.Del("after")
	at := func() string {
		if len(query) == 0 {
			return path
		}
		return path + "?" + query.Encode()
	}
	if after != "" {
		p.First = at()
	}
	if next != "" {
		query.Set("after", next)
		p.Next = at()
	}
	return p
}

// options make the values of a select, with one for any of them.
func options(v *frame.Visit, anything string, pairs ...string) []frame.Option {
	out := []frame.Option{{Title: v.T(anything)}}
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, frame.Option{Value: pairs[i], Title: v.T(pairs[i+1])})
	}
	return out
}

// version reads the version that a form was made from; 0 for none.
func version(f *frame.Form) int {
	n, err := strconv.Atoi(f.Value("version"))
	if err != nil {
		return 0
	}
	return n
}

// known gives a query's value if it is one of the options, or "".
func known(v *frame.Visit, name string, all []frame.Option) string {
	value := v.Query(name)
	if slices.ContainsFunc(all, func(o frame.Option) bool { return o.Value == value }) {
		return value
	}
	return ""
}
