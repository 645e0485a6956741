package lint

import (
	"slices"

	"mianti/catalog"
)

// Drafted gives the open findings that a change of the catalog answers for: those
// that were not there before, and those on a thing that the change touches. The
// revisions may hold no more than the one-things that the change is about.
func Drafted(base, drafted *catalog.Revision, c Config) ([]Finding, error) {
	changes, err := catalog.Compare(base, drafted)
	if err != nil {
		return nil, err
	}
	touched := map[string]bool{}
	for _, change := range changes {
		touched[change.Code] = true
	}
	before := map[identity]bool{}
	for _, f := range Check(base, c).Findings {
		before[identityOf(&f)] = f.Explained == nil
	}
	findings := Check(drafted, c).Findings
	return slices.DeleteFunc(findings, func(f Finding) bool {
		// What is not of the change has been there, and goes on being worked off.
		return f.Explained != nil || f.Rule == Unexplained || before[identityOf(&f)] && !touched[f.Code]
	}), nil
}

// identity tells a finding from others, whatever it says.
type identity struct {
	rule      Rule
	code, key string
}

func identityOf(f *Finding) identity { return identity{f.Rule, f.Code, f.Key} }

// OfFaults gives the faults of a catalog that cannot be loaded as findings: each is
// an error by the rule of its own code, such as unknown-fact.
func OfFaults(faults catalog.Faults) []Finding {
	findings := make([]Finding, len(faults))
	for i, f := range faults {
		findings[i] = Finding{Rule: Rule(f.Code), Severity: Error, File: f.File, Line: f.Line, Reason: f.Reason}
	}
	return findings
}

// Locate fills in the lines of findings from the catalog's files, by name.
func Locate(findings []Finding, files map[string][]byte) {
	known := map[string]catalog.Lines{}
	for i := range findings {
		f := &findings[i]
		content, there := files[f.File]
		if f.Line != 0 || !there {
			continue
		}
		lines, read := known[f.File]
		if !read {
			lines = catalog.LinesOf(f.File, content)
			known[f.File] = lines
		}
		f.Line = lines.Of(f.Code, f.Key)
	}
}
