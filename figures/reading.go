package figures

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/sharing"
)

// reading is one report under way: what was loaded, and what it comes to.
type reading struct {
	q    Query
	rev  *catalog.Revision
	now  time.Time
	days sharing.Workdays

	materials, daily, uploads []MaterialCount
	cases                     []CaseCount
	requests                  []sharing.Request
	corrections               []Answered
	sources                   []SourceTime
}

func (r *reading) load(ctx context.Context, f *Figures) (err error) {
	from, until := r.q.span()
	if r.materials, err = f.Counts.MaterialCounts(ctx, r.q); err != nil {
		return err
	}
	if r.daily, err = f.Counts.DailyCounts(ctx, r.q); err != nil {
		return err
	}
	if r.uploads, err = f.Counts.UploadCounts(ctx, r.q, uploadRows); err != nil {
		return err
	}
	if r.cases, err = f.Counts.CaseCounts(ctx, r.q); err != nil {
		return err
	}
	if r.requests, err = f.Clocks.SharingReceived(ctx, from, until); err != nil {
		return err
	}
	if r.corrections, err = f.Clocks.CorrectionsOpened(ctx, from, until); err != nil {
		return err
	}
	r.sources, err = f.Clocks.SourceTimes(ctx, r.q.Department, from, until)
	return err
}

// report works out what was loaded. It is pure.
func (r *reading) report() *Report {
	out := &Report{Query: r.q, CountedAt: r.now, Sources: r.sources, Trend: r.trend(), Uploads: r.stillUploaded()}
	byWay := map[Way]int{}
	for _, c := range r.materials {
		byWay[c.Way] += c.N
	}
	for _, way := range ways() {
		out.Ways = append(out.Ways, WayCount{Way: way, Name: way.Name(), N: byWay[way]})
	}
	out.ByDepartment, out.ByMatter, out.ByOneThing = r.lines()
	out.Figures = []Figure{r.marked(), actual(byWay), r.atOnce(), fieldShare(), r.demand(), r.inTime()}
	return out
}

// trend gives every day of the query, also those on which no case ended.
func (r *reading) trend() []Point {
	byDay := map[string]*Point{}
	points := []Point{}
	from, until := r.q.span()
	for at := from; at.Before(until); at = at.AddDate(0, 0, 1) {
		points = append(points, Point{Day: at.Format(time.DateOnly)})
	}
	for i := range points {
		byDay[points[i].Day] = &points[i]
	}
	for _, c := range r.daily {
		p := byDay[c.Day]
		if p == nil || c.Way == NotApplicable {
			continue
		}
		p.Applicable += c.N
		if c.Way == Exempt {
			p.Exempt += c.N
		}
	}
	return points
}

// covers reports whether a matter is among those that the query asks for.
func (r *reading) covers(m *catalog.Matter) bool {
	return (r.q.Department == "" || m.Department == r.q.Department) && (r.q.Matter == "" || m.Code == r.q.Matter) &&
		(r.q.OneThing == "" || m.OneThing == r.q.OneThing)
}

// lines gives the shares by department, matter and one-thing. Those of the
// catalog are there also when no case of theirs has ended.
func (r *reading) lines() (byDepartment, byMatter, byOneThing []Line) {
	departments, matters, things := map[string]*Line{}, map[string]*Line{}, map[string]*Line{}
	for _, m := range r.rev.Matters() {
		if !r.covers(m) {
			continue
		}
		can, all := marked(m)
		for _, line := range []*Line{lineOf(departments, m.Department), lineOf(matters, m.Code), lineOf(things, m.OneThing)} {
			line.Marked += can
			line.Materials += all
		}
	}
	for _, c := range r.materials {
		for _, line := range []*Line{lineOf(departments, c.Department), lineOf(matters, c.Matter), lineOf(things, c.OneThing)} {
			line.add(c)
		}
	}
	for _, c := range r.cases {
		lineOf(departments, c.Department).Finished += c.Finished
		lineOf(departments, c.Department).AtOnce += c.AtOnce
		of := things
		if r.rev.OneThing(c.Subject) == nil {
			of = matters
		}
		lineOf(of, c.Subject).Finished += c.Finished
		lineOf(of, c.Subject).AtOnce += c.AtOnce
	}
	return r.named(departments, r.departmentName), r.named(matters, r.matterName), r.named(things, r.thingName)
}

func lineOf(lines map[string]*Line, code string) *Line {
	if lines[code] == nil {
		lines[code] = &Line{Code: code}
	}
	return lines[code]
}

func (l *Line) add(c MaterialCount) {
	switch c.Way {
	case NotApplicable:
		l.NotApplicable += c.N
		return
	case Exempt:
		l.Exempt += c.N
	case Chosen:
		l.Chosen += c.N
	default: // it applied, and did not go without
	}
	l.Applicable += c.N
}

// named gives the lines by how much was asked for, the most first. What belongs
// to no department, matter or one-thing has no line.
func (r *reading) named(lines map[string]*Line, name func(string) string) []Line {
	delete(lines, "")
	out := make([]Line, 0, len(lines))
	for _, line := range lines {
		line.Name = name(line.Code)
		out = append(out, *line)
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Applicable, a.Applicable), strings.Compare(a.Code, b.Code))
	})
	return out
}

func (r *reading) departmentName(code string) string {
	if d := r.rev.Department(code); d != nil {
		return d.Name
	}
	return code
}

func (r *reading) matterName(code string) string {
	if m := r.rev.Matter(code); m != nil {
		return m.Name
	}
	return code
}

func (r *reading) thingName(code string) string {
	if t := r.rev.OneThing(code); t != nil {
		return t.Name
	}
	return code
}

// stillUploaded gives the papers that were most often uploaded: those of one
// standard material together, whatever each matter calls it.
func (r *reading) stillUploaded() []StillUploaded {
	type gathering struct {
		StillUploaded
		reasons map[string]int
	}
	papers := map[string]*gathering{}
	for _, c := range r.uploads {
		code, name, datasets := r.paper(c.Material)
		p := papers[code]
		if p == nil {
			p = &gathering{StillUploaded: StillUploaded{Code: code, Name: name, Matters: []string{}, Datasets: datasets}, reasons: map[string]int{}}
			papers[code] = p
		}
		p.N += c.N
		p.reasons[c.Reason] += c.N
		if !slices.Contains(p.Matters, c.Matter) {
			p.Matters = append(p.Matters, c.Matter)
		}
	}
	out := make([]StillUploaded, 0, len(papers))
	for _, p := range papers {
		most := slices.SortedFunc(maps.Keys(p.reasons), func(a, b string) int { return cmp.Or(cmp.Compare(p.reasons[b], p.reasons[a]), strings.Compare(a, b)) })
		p.Reason, p.Text = most[0], reasonName(most[0])
		slices.Sort(p.Matters)
		out = append(out, p.StillUploaded)
	}
	slices.SortFunc(out, func(a, b StillUploaded) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Code, b.Code)) })
	return out[:min(len(out), topUploads)]
}

// paper gives the standard material of a material with its name, or the material
// itself where it has none; and the datasets that the catalog names for it.
func (r *reading) paper(material string) (code, name string, datasets []string) {
	datasets = []string{}
	m := r.rev.Material(material)
	if m == nil {
		return material, material, datasets
	}
	for i := range m.Proofs {
		for _, l := range m.Proofs[i].Lookups {
			if !slices.Contains(datasets, l.Dataset) {
				datasets = append(datasets, l.Dataset)
			}
		}
	}
	if standard := r.rev.StandardMaterial(m.StandardMaterial); standard != nil {
		return standard.Code, standard.Name, datasets
	}
	return m.Code, m.Name, datasets
}
