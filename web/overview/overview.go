// Package overview is the pages for leaders: the figures with their definitions, how
// they go over time, by department, matter and one-thing, what to connect next, and
// the same as a workbook.
package overview

import (
	"context"
	"embed"
	"slices"

	"mianti/figures"
	"mianti/policies"
	"mianti/web/frame"
)

//go:embed pages style.css text.en.json
var files embed.FS

// Figures counts.
type Figures interface {
	// Read gives the figures; fault.Denied where they are another department's.
	Read(ctx context.Context, by policies.Caller, q figures.Query) (*figures.Report, error)
	// SeesAll reports whether the caller may count for every department.
	SeesAll(by policies.Caller) bool
}

// Config is what the pages stand on. All fields are required.
type Config struct {
	Figures Figures
}

type pages struct{ Config }

// New returns the section.
func New(c Config) frame.Section {
	p := &pages{c}
	readers := []policies.Duty{
		policies.DutySharingOfficer, policies.DutyPolicyEditor, policies.DutyPolicyReviewer, policies.DutyDepartmentAdmin, policies.DutyAuditor, policies.DutyOperator,
	}
	return frame.Section{
		Name: "overview", Files: files,
		Menu: []frame.MenuItem{{Title: "指标", Path: "/overview", Duties: readers}},
		Pages: []frame.Page{
			{Path: "/overview", Duties: readers, Handle: p.show},
			{Path: "/overview/download", Duties: readers, Handle: p.download},
		},
	}
}

// lines is how many departments, matters and one-things a page shows; the workbook
// has all.
const lines = 20

type view struct {
	Form        *frame.Form
	SeesAll     bool
	Departments []frame.Option
	OneThings   []frame.Option
	Report      *figures.Report
	Tables      []lineTable
	Wide        chart
	Narrow      chart
	Points      []figures.Point // as the charts draw them
	Each        string          // what one of them is: a day, a week, a month
	Ways        []wayBar
	Query       figures.Query
	Definition  string
	rev         names
}

// lineTable is the shares of one kind of thing. Key is the filter that narrows the
// page down to a line.
type lineTable struct {
	Title, Head, Key string
	Lines            []figures.Line
	More             int
}

// query reads the filters of the address.
func query(v *frame.Visit) (*frame.Form, figures.Query) {
	form := frame.NewForm(v, "from", "until", "department", "matter", "one_thing")
	return form, figures.Query{
		From: form.Value("from"), Until: form.Value("until"), Department: form.Value("department"), Matter: form.Value("matter"), OneThing: form.Value("one_thing"),
	}
}

// show shows the figures.
func (p *pages) show(v *frame.Visit) (frame.Answer, error) {
	form, q := query(v)
	data := view{Form: form, SeesAll: p.Figures.SeesAll(v.Caller), Definition: figures.SourceDefinition(), rev: names{v}}
	data.options(v)
	report, err := p.Figures.Read(v.Context(), v.Caller, q)
	if err != nil {
		if form.Take(err) {
			return frame.Show("overview.html", "指标", &data).Status(422), nil
		}
		return frame.Answer{}, err
	}
	data.fill(v, report)
	return frame.Show("overview.html", "指标", &data), nil
}

func (d *view) options(v *frame.Visit) {
	d.Departments, d.OneThings = []frame.Option{{Title: v.T("全部部门")}}, []frame.Option{{Title: v.T("全部")}}
	if v.Catalog == nil {
		return
	}
	for _, one := range v.Catalog.Departments() {
		d.Departments = append(d.Departments, frame.Option{Value: one.Code, Title: one.Name})
	}
	for _, one := range v.Catalog.OneThings() {
		d.OneThings = append(d.OneThings, frame.Option{Value: one.Code, Title: one.Code + " " + one.Name})
	}
}

func (d *view) fill(v *frame.Visit, r *figures.Report) {
	d.Report, d.Query = r, r.Query
	d.Form.Set("from", r.From)
	d.Form.Set("until", r.Until)
	d.Points, d.Each = gather(r.Trend)
	d.Wide, d.Narrow = draw(d.Points, 1100, 300), draw(d.Points, 330, 240)
	d.Ways = bars(r.Ways)
	for _, t := range []lineTable{
		{"按部门", "部门", "department", r.ByDepartment, 0}, {"按一件事", "一件事", "one_thing", r.ByOneThing, 0}, {"按事项", "事项", "matter", r.ByMatter, 0},
	} {
		t.More = max(0, len(t.Lines)-lines)
		t.Lines = t.Lines[:min(len(t.Lines), lines)]
		if t.Key != "department" || d.SeesAll {
			d.Tables = append(d.Tables, t)
		}
	}
}

// Address gives the page with one filter more.
func (d *view) Address(key, value string) string {
	return d.address("/overview", key, value)
}

// Download is the address of the workbook of what the page shows.
func (d *view) Download() string { return d.address("/overview/download", "", "") }

func (d *view) address(path, key, value string) string {
	given := d.given()
	if key != "" {
		given.Set(key, value)
	}
	return path + "?" + given.Encode()
}

// Narrowed reports whether the page shows less than all.
func (d *view) Narrowed() bool {
	return d.Query.Department != "" && d.SeesAll || d.Query.Matter != "" || d.Query.OneThing != ""
}

// Department and Dataset give names of the catalog, or codes where it has none.
func (d *view) Department(code string) string { return d.rev.department(code) }

// Dataset gives the name of a dataset.
func (d *view) Dataset(code string) string { return d.rev.dataset(code) }

// Sources are those that were called, the slowest first.
func (d *view) Sources() []figures.SourceTime {
	called := slices.DeleteFunc(slices.Clone(d.Report.Sources), func(s figures.SourceTime) bool { return s.Asked == 0 })
	slices.SortStableFunc(called, func(a, b figures.SourceTime) int { return int(b.P95 - a.P95) })
	return called[:min(len(called), lines)]
}
