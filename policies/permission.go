package policies

import (
	"slices"
	"time"

	"mianti/catalog"
)

// Permission (授权同意的效力) is what a person has said of look-ups about him, for
// one case and at one revision of the catalog. The zero value says nothing.
type Permission struct {
	// Consent is the id of the consent; empty for none.
	Consent string
	State   catalog.ConsentState
	// Everything says that it was given for whatever the case needs; else Fields
	// are what the person was shown, by dataset.
	Everything bool
	Fields     map[string][]string
	Until      time.Time // from this moment on it is no longer in force; zero for the case's life
}

// permission is what was said of look-ups about a party; nil where consents are
// not kept.
func (s *Situation) permission(party string) *Permission {
	if s.Permissions == nil {
		return nil
	}
	said := s.Permissions[party]
	return &said
}

// Covers reports whether the person has agreed to these fields of a dataset
// being read at a moment.
func (p *Permission) Covers(dataset string, fields []string, now time.Time) bool {
	if p.State != catalog.ConsentGiven || (!p.Until.IsZero() && !now.Before(p.Until)) {
		return false
	}
	if p.Everything {
		return true
	}
	shown, named := p.Fields[dataset]
	missing := func(code string) bool { return !slices.Contains(shown, code) }
	return named && !slices.ContainsFunc(fields, missing)
}
