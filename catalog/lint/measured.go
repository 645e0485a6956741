package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// Measures (体检所需的实测数据) are what a catalog alone cannot tell. A list that is nil
// was not measured; one that is empty was, and there was nothing.
type Measures struct {
	Now     time.Time
	Grants  []policies.Grant
	Sources []SourceMeasure
	Uploads []UploadMeasure
}

// SourceMeasure (数源实测) is how a source answered in the time that was measured.
type SourceMeasure struct {
	Source  string
	Dataset string
	Asked   int
	Failed  int // calls that were not answered
}

// UploadMeasure (提交实测) is how often a material that applied was uploaded all the
// same, in the time that was measured. What the applicant chose to hand in himself
// is not an upload.
type UploadMeasure struct {
	Material string
	Applied  int
	Uploaded int
}

// limits are the thresholds in force.
type limits struct {
	upload, failed float64
	grant          time.Duration
	days, least    int
}

// limitsOf gives the thresholds of a catalog, completed by those that the rules come
// with: 5 % of uploads and of failed calls, 30 days before the end of a grant, and
// no share of fewer than 20.
func limitsOf(own catalog.LintThresholds) limits {
	l := limits{upload: cmp.Or(own.UploadShare, 0.05), failed: cmp.Or(own.FailedShare, 0.05), days: cmp.Or(own.GrantDays, 30), least: cmp.Or(own.Least, 20)}
	l.grant = time.Duration(l.days) * 24 * time.Hour
	return l
}

// measured are measures by what they are of.
type measured struct {
	*Measures
	grants  map[grantKey][]policies.Grant
	uploads map[string]UploadMeasure
	uses    map[string]int // how many materials rely on a dataset
}

type grantKey struct{ department, matter, dataset string }

func newMeasured(m *Measures) *measured {
	if m == nil {
		m = &Measures{}
	}
	out := &measured{Measures: m, grants: map[grantKey][]policies.Grant{}, uploads: map[string]UploadMeasure{}, uses: map[string]int{}}
	for _, g := range m.Grants {
		key := grantKey{g.Department, g.Matter, g.Dataset}
		out.grants[key] = append(out.grants[key], g)
	}
	for _, u := range m.Uploads {
		out.uploads[u.Material] = u
	}
	return out
}

// missing lists the rules that cannot look for want of figures.
func (m *measured) missing(severity [ruleCount]Severity) []Rule {
	out := []Rule{}
	for _, one := range []struct {
		rule    Rule
		missing bool
	}{{Grant, m.Grants == nil}, {Source, m.Sources == nil}, {Exempt, m.Uploads == nil}} {
		if one.missing && severity[one.rule.index()] != Off {
			out = append(out, one.rule)
		}
	}
	return out
}

// lookGrants holds the grants against what the look-ups of a material need. A
// department reads its own records without one.
func (l *Linter) lookGrants(m *catalog.Material, modes modeSet) {
	looksUp := modes.has(catalog.ModeElicense, catalog.ModeData)
	if l.measured.Sources != nil && looksUp {
		for _, dataset := range datasetsOf(m) {
			l.measured.uses[dataset]++
		}
	}
	if l.measured.Grants == nil || !looksUp {
		return
	}
	var seen []string
	for i := range m.Proofs {
		for j := range m.Proofs[i].Lookups {
			lookup := &m.Proofs[i].Lookups[j]
			dataset := l.thing.rev.Dataset(lookup.Dataset)
			if dataset == nil || dataset.Department == l.thing.matter.Department || slices.Contains(seen, dataset.Code) {
				continue
			}
			why := l.grantMissing(dataset, policies.FieldsRead(&m.Proofs[i], lookup, dataset))
			if why == "" {
				continue
			}
			seen = append(seen, dataset.Code)
			if f := l.found(Grant, l.here(m), fmt.Sprintf("proofs.%d.lookups.%d", i+1, j+1)); f != nil {
				f.Reason = fmt.Sprintf("%s（%s）%s", dataset.Code, dataset.Name, why)
			}
		}
	}
}

func datasetsOf(m *catalog.Material) []string {
	var out []string
	for i := range m.Proofs {
		for j := range m.Proofs[i].Lookups {
			if code := m.Proofs[i].Lookups[j].Dataset; !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
	}
	return out
}

// grantMissing says what is wrong with the grants for a dataset; empty for nothing.
// One that serves for long enough is enough.
func (l *Linter) grantMissing(dataset *catalog.Dataset, fields []string) string {
	matter, now := l.thing.matter, l.measured.Now
	why := "没有有效的共享授权"
	for _, g := range l.measured.grants[grantKey{matter.Department, matter.Code, dataset.Code}] {
		if g.State != policies.GrantActive || !now.Before(g.Until) || now.Before(g.From) {
			continue
		}
		lacks := slices.DeleteFunc(slices.Clone(fields), func(field string) bool { return slices.Contains(g.Fields, field) })
		switch {
		case len(lacks) > 0:
			why = "的授权不含数据项 " + strings.Join(lacks, "、")
		case g.Until.Before(now.Add(l.limits.grant)):
			why = fmt.Sprintf("的授权将于 %s 到期，不足 %d 天", g.Until.In(catalog.TimeZone()).Format(time.DateOnly), l.limits.days)
		default:
			return ""
		}
	}
	return why
}

// lookUploads holds what is really uploaded against what the chain says. What it
// says first is what a guide tells the applicant.
func (l *Linter) lookUploads(m *catalog.Material) {
	if len(l.measured.uploads) == 0 || len(m.Chain) == 0 {
		return
	}
	switch m.Chain[0].Mode {
	case catalog.ModeUpload, catalog.ModeDefer, catalog.ModeCommit:
		return
	default:
	}
	u, known := l.measured.uploads[m.Code]
	if !known || u.Applied < l.limits.least || float64(u.Uploaded) <= l.limits.upload*float64(u.Applied) {
		return
	}
	if f := l.found(Exempt, l.here(m), "chain"); f != nil {
		f.Reason = fmt.Sprintf("标注先由“%s”免提交，适用的 %d 次中仍上传 %d 次（%s，阈值 %s）", m.Chain[0].Mode.Name(), u.Applied, u.Uploaded,
			percent(u.Uploaded, u.Applied), percent(int(l.limits.upload*1000), 1000))
	}
}

// lookSources reports sources that too often gave no answer.
func (l *Linter) lookSources(rev *catalog.Revision) {
	for _, s := range l.measured.Sources {
		dataset := rev.Dataset(s.Dataset)
		if dataset == nil || rev.Source(s.Source) == nil || s.Asked < l.limits.least || float64(s.Failed) <= l.limits.failed*float64(s.Asked) {
			continue
		}
		f := l.foundAt(Source, [4]string{s.Source, dataset.Code, dataset.Department}, "sources")
		if f == nil {
			continue
		}
		f.Kind, f.Code, f.Name, f.Department = catalog.ThingSource, s.Source, dataset.Name, dataset.Department
		f.File = "departments/" + dataset.Department + ".yaml"
		f.Reason = fmt.Sprintf("%d 次调用中 %d 次没有应答（%s，阈值 %s），%d 份材料靠它核验", s.Asked, s.Failed,
			percent(s.Failed, s.Asked), percent(int(l.limits.failed*1000), 1000), l.measured.uses[dataset.Code])
	}
}

func percent(part, whole int) string { return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole)) }
