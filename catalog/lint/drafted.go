package lint

import (
	"bytes"
	"encoding/json"
	"slices"

	"mianti/catalog"
)

// Drafted gives the open findings that a change of the catalog answers for: those
// that were not there before, and those on a thing that the change touches. Parts are
// the files that it changes: where they are of one-things, only those are looked
// through, and what other one-things tell of a paper is not known. The revisions need
// not hold more.
func Drafted(base, drafted *catalog.Revision, parts []catalog.Part, c Config) []Finding {
	before := map[identity]bool{}
	for _, f := range checkParts(base, parts, c) {
		before[identityOf(&f)] = true
	}
	// What is not of the change has been there, and goes on being worked off.
	return slices.DeleteFunc(checkParts(drafted, parts, c), func(f Finding) bool {
		return f.Explained != nil || before[identityOf(&f)] && bytes.Equal(written(base, &f), written(drafted, &f))
	})
}

// checkParts looks through the one-things of some files; through all where another
// file is among them.
func checkParts(rev *catalog.Revision, parts []catalog.Part, c Config) []Finding {
	l := New(rev, c)
	l.part = true
	things := rev.OneThings()
	if !slices.ContainsFunc(parts, func(p catalog.Part) bool { return !catalog.IsOneThing(p.Path) }) {
		things = slices.DeleteFunc(things, func(thing *catalog.OneThing) bool {
			return !slices.ContainsFunc(parts, func(p catalog.Part) bool { return p.Path == catalog.OneThingPath(thing.Code) })
		})
	}
	for _, thing := range things {
		l.Look(rev, thing)
	}
	l.Ground(rev)
	return l.Report().Findings
}

// written gives what a finding is about as it is written, to see whether it was
// touched: a matter with its materials, whose conditions belong together, and a
// one-thing with the matters alone.
func written(rev *catalog.Revision, f *Finding) []byte {
	var thing any
	switch f.Kind {
	case catalog.ThingMaterial:
		thing = rev.Material(f.Code)
	case catalog.ThingMatter:
		thing = rev.Matter(f.Code)
	case catalog.ThingOneThing:
		if whole := rev.OneThing(f.Code); whole != nil {
			alone := *whole
			alone.Matters = slices.Clone(whole.Matters)
			for i := range alone.Matters {
				alone.Matters[i].Materials = nil
			}
			thing = alone
		}
	case catalog.ThingSource:
		thing = rev.Source(f.Code)
	default:
	}
	text, err := json.Marshal(thing)
	if err != nil {
		return nil // cannot be: they were read from JSON's own types
	}
	return text
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
