package lint

import (
	"slices"

	"mianti/catalog"
)

// thingScope is the one-thing that is looked at, with what its materials are held
// against.
type thingScope struct {
	rev    *catalog.Revision
	thing  *catalog.OneThing
	matter *catalog.Matter
	// results are the matters that register in a dataset.
	results map[string][]*catalog.Matter
	// asked are the materials that the applicant may have to hand in, by name.
	asked map[string][]asking
	// conditional are the materials of a matter that have a condition.
	conditional []member
	before      map[string]map[string]bool // the matters that come before one
}

func (s *thingScope) begin(rev *catalog.Revision, thing *catalog.OneThing) {
	s.rev, s.thing, s.matter = rev, thing, nil
	if s.results == nil {
		s.results, s.asked, s.before = map[string][]*catalog.Matter{}, map[string][]asking{}, map[string]map[string]bool{}
	}
	clear(s.results)
	clear(s.asked)
	clear(s.before)
	for i := range thing.Matters {
		if m := &thing.Matters[i]; m.Result.Dataset != "" {
			s.results[m.Result.Dataset] = append(s.results[m.Result.Dataset], m)
		}
	}
}

// find gives a matter of the one-thing, or nil.
func (s *thingScope) find(code string) *catalog.Matter {
	for i := range s.thing.Matters {
		if s.thing.Matters[i].Code == code {
			return &s.thing.Matters[i]
		}
	}
	return nil
}

// comesBefore reports whether a matter of the one-thing is granted before another.
func (s *thingScope) comesBefore(earlier, later *catalog.Matter) bool {
	seen, known := s.before[later.Code]
	if !known {
		seen = map[string]bool{}
		for open := slices.Clone(later.After); len(open) > 0; {
			code := open[0]
			open = open[1:]
			if m := s.find(code); m != nil && !seen[code] {
				seen[code] = true
				open = append(open, m.After...)
			}
		}
		s.before[later.Code] = seen
	}
	return seen[earlier.Code]
}

// fix gives the change that writes a material anew. One that cannot be written is
// no fix.
func (s *thingScope) fix(m *catalog.Material) *catalog.Edit { return fixOf(s.rev, m) }

func fixOf(rev *catalog.Revision, m *catalog.Material) *catalog.Edit {
	edit, err := rev.Written(m)
	if err != nil {
		return nil
	}
	return &edit
}

// withoutStep gives the change that drops steps of a chain; nil where nothing that
// settles the material would be left.
func (s *thingScope) withoutStep(m *catalog.Material, drop func(catalog.Step) bool) *catalog.Edit {
	changed := *m
	changed.Chain = slices.DeleteFunc(slices.Clone(m.Chain), drop)
	left := slices.ContainsFunc(changed.Chain, func(step catalog.Step) bool {
		return step.Mode == catalog.ModeUpload || step.Mode == catalog.ModeCommit || step.When == "" && step.Mode != catalog.ModeHistory && step.Mode != catalog.ModeWait
	})
	if !left || len(changed.Chain) == len(m.Chain) {
		return nil
	}
	return s.fix(&changed)
}

// withStep gives the change that puts a step into a chain, at a place.
func withStep(rev *catalog.Revision, m *catalog.Material, at int, step catalog.Step) *catalog.Edit {
	changed := *m
	changed.Chain = slices.Insert(slices.Clone(m.Chain), at, step)
	return fixOf(rev, &changed)
}
