// Package lint (目录体检) looks through a catalog for what is allowed by its format
// and wrong all the same: the four rules (四个一律), what measured figures
// contradict, conditions that overlap or leave a gap, steps that are never tried.
//
// It is pure: what is measured is handed in. It looks at one one-thing after the
// other, so that a catalog of any size can be streamed through it; what it keeps is
// bounded, what it counts is exact. docs/lint.md describes the rules.
package lint

import (
	"cmp"
	"slices"

	"mianti/catalog"
)

// Config is how a catalog is looked through. The zero value looks by all rules at
// the catalog alone, and keeps every finding.
type Config struct {
	// Measures is what was measured; nil where nothing was. A rule without its
	// measure finds nothing, and the report says that it was not measured.
	Measures *Measures
	// Keep is how many findings of each rule are kept, of the open and of the
	// explained ones; 0 for all. All are counted.
	Keep int
}

// Linter (体检器) looks through a catalog, one one-thing after the other. It is for
// one goroutine.
type Linter struct {
	config   Config
	severity [ruleCount]Severity
	limits   limits
	risks    []catalog.ExcludedRisk
	measured *measured
	explains *explanations
	spaces   *spaces

	report Report
	counts [ruleCount]Count
	kept   [ruleCount][2]int
	order  []int // of each finding, when it was found
	seen   int

	elsewhere *elsewhere
	thing     thingScope
	// part says that there is more of the catalog than is looked at: what it lacks
	// may be there.
	part bool
}

// New makes a linter by the settings of a revision of the catalog. The revision
// need not be whole: the settings are all that is read of it.
func New(rev *catalog.Revision, c Config) *Linter {
	settings := rev.LintSettings()
	l := &Linter{
		config: c, limits: limitsOf(settings.Thresholds), risks: append(excludedRisks(), settings.Risks...),
		measured: newMeasured(c.Measures), explains: newExplanations(settings.Explained), spaces: newSpaces(), elsewhere: newElsewhere(),
	}
	for i, rule := range Rules() {
		l.severity[i] = rule.Severity()
		if own, given := settings.Severities[string(rule)]; given {
			l.severity[i] = Severity(own)
		}
	}
	return l
}

// Check looks at once through what a revision holds.
func Check(rev *catalog.Revision, c Config) *Report {
	l := New(rev, c)
	l.part = !rev.Whole()
	for _, thing := range rev.OneThings() {
		l.Look(rev, thing)
	}
	l.Ground(rev)
	return l.Report()
}

// Look looks at a one-thing of a revision, which holds the datasets, the facts and
// the roles that it names. Each one-thing MUST be given once.
func (l *Linter) Look(rev *catalog.Revision, thing *catalog.OneThing) {
	l.report.OneThings++
	l.thing.begin(rev, thing)
	l.lookConflict()
	l.lookMatters()
	for i := range thing.Matters {
		matter := &thing.Matters[i]
		l.report.Matters++
		l.report.Materials += len(matter.Materials)
		l.thing.matter = matter
		for j := range matter.Materials {
			l.lookMaterial(&matter.Materials[j])
		}
		l.lookAlternatives()
	}
}

// lookMaterial is by the rules that look at one material.
func (l *Linter) lookMaterial(m *catalog.Material) {
	modes := modesOf(m)
	if len(m.Basis) == 0 && modes != bitOf(catalog.ModeCancel) { // what is cancelled has been cleared away
		l.lookBasis(m, modes)
	}
	if word := vague(m.Name); word != "" {
		l.lookVague(m, word)
	}
	l.lookShared(m, modes)
	l.lookPrior(m)
	l.lookCommit(m, modes)
	if modes.has(catalog.ModeCommit) {
		l.lookRisk(m)
	}
	if modes.asks() {
		l.lookTwice(m)
	}
	l.lookChain(m, modes)
	l.lookGrants(m, modes)
	l.lookUploads(m)
	l.elsewhere.know(&l.thing, m, modes)
}

// Ground looks at what belongs to no one-thing: the sources. It is given the ground
// of the catalog, once, after the one-things.
func (l *Linter) Ground(rev *catalog.Revision) { l.lookSources(rev) }

// Report gives what was found, by rule and in the catalog's order. It ends the
// linter.
func (l *Linter) Report() *Report {
	l.lookElsewhere()
	if !l.part {
		l.lookExplanations()
	}
	out := l.report
	out.Unmeasured = l.measured.missing(l.severity)
	for i, rule := range Rules() {
		l.counts[i].Rule, l.counts[i].Severity = rule, l.severity[i]
		out.Counts = append(out.Counts, l.counts[i])
	}
	at := make([]int, len(out.Findings))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		return cmp.Or(cmp.Compare(out.Findings[a].Rule.index(), out.Findings[b].Rule.index()), cmp.Compare(l.order[a], l.order[b]))
	})
	sorted := make([]Finding, len(at))
	for i, from := range at {
		sorted[i] = out.Findings[from]
	}
	out.Findings = sorted
	return &out
}

// place is what a finding is about.
type place struct {
	thing    *catalog.OneThing
	matter   *catalog.Matter
	material *catalog.Material
}

// here is the material of the matter that is looked at.
func (l *Linter) here(m *catalog.Material) place { return place{l.thing.thing, l.thing.matter, m} }

// found counts a finding, and gives it to be completed where it is kept; nil where
// it is not.
func (l *Linter) found(rule Rule, at place, key string) *Finding {
	f := l.foundAt(rule, at.codes(), key)
	if f != nil {
		at.write(f)
	}
	return f
}

// foundAt is found for what is in no one-thing. The codes are those by which it can
// be explained.
func (l *Linter) foundAt(rule Rule, codes [4]string, key string) *Finding {
	severity := l.severity[rule.index()]
	if severity == Off {
		return nil
	}
	why := l.explains.of(rule, codes, key)
	l.count(rule, why != nil, 1)
	if !l.keeps(rule, why != nil) {
		return nil
	}
	l.seen++
	return l.add(newFinding(rule, severity, key, why), l.seen)
}

func (l *Linter) add(f Finding, seen int) *Finding {
	l.order = append(l.order, seen)
	l.report.Findings = append(l.report.Findings, f)
	return &l.report.Findings[len(l.report.Findings)-1]
}

func newFinding(rule Rule, severity Severity, key string, why *used) Finding {
	return Finding{Rule: rule, Severity: severity, Key: key, Explained: why.reason(), Clause: rule.Clause(), Suggestion: rule.Remedy()}
}

func (l *Linter) count(rule Rule, explained bool, n int) {
	c := &l.counts[rule.index()]
	if explained {
		c.Explained += n
		return
	}
	c.Open += n
}

// keeps reports whether one more finding is kept, and counts it as kept if so.
func (l *Linter) keeps(rule Rule, explained bool) bool {
	n := &l.kept[rule.index()][0]
	if explained {
		n = &l.kept[rule.index()][1]
	}
	if l.config.Keep > 0 && *n >= l.config.Keep {
		return false
	}
	*n++
	return true
}

// codes are those by which a place can be explained, the nearest first.
func (p place) codes() [4]string {
	var out [4]string
	if p.material != nil {
		out[0], out[1] = p.material.Code, p.material.Common
	}
	if p.matter != nil {
		out[2] = p.matter.Code
	}
	if p.thing != nil {
		out[3] = p.thing.Code
	}
	return out
}

// write says in a finding what it is about.
func (p place) write(f *Finding) {
	if p.thing != nil {
		f.Kind, f.Code, f.Name, f.OneThing, f.Department = catalog.ThingOneThing, p.thing.Code, p.thing.Name, p.thing.Code, p.thing.Lead
		f.File = "one-things/" + p.thing.Code + ".yaml"
	}
	if p.matter != nil {
		f.Kind, f.Code, f.Name, f.Matter, f.Department = catalog.ThingMatter, p.matter.Code, p.matter.Name, p.matter.Code, p.matter.Department
	}
	if p.material != nil {
		f.Kind, f.Code, f.Name = catalog.ThingMaterial, p.material.Code, p.material.Name
	}
}
