package exchange

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// Inputs (核验输入) are what one version of a resolution follows from, besides the
// catalog's revision and the rules: with them it can be worked out again years
// later (mianti replay). They hold people's data, and end with the case's.
type Inputs struct {
	Resolution string `json:"resolution"`
	Version    int    `json:"version"`
	Case       string `json:"case"`
	Department string `json:"department"`
	System     string `json:"system"`
	// CaseVersion, Parties, Facts and Results are the case as it was.
	CaseVersion int             `json:"case_version"`
	Parties     []catalog.Party `json:"parties"`
	Facts       catalog.Facts   `json:"facts"`
	Results     []MatterResult  `json:"results,omitempty"`
	// Grants are those for the matters of the case; Permissions what persons had said.
	// Where GrantSet names the set in which they are kept, they are not stored here too.
	Grants      []policies.Grant               `json:"grants"`
	GrantSet    string                         `json:"grant_set,omitempty"`
	Stops       []policies.Stop                `json:"stops,omitempty"`
	Permissions map[string]policies.Permission `json:"permissions"`
	Handed      []policies.Handed              `json:"handed,omitempty"`
	// Previews are what persons had said of what was found; Disputed names the
	// datasets whose records were being corrected, by material.
	Previews []policies.Preview  `json:"previews,omitempty"`
	Disputed map[string][]string `json:"disputed,omitempty"`
	Now      time.Time           `json:"now"`
	Since    time.Time           `json:"since,omitzero"`
	// Answers are what was said; to each question in the order in which it was said.
	Answers []Answered `json:"answers,omitempty"`
	// Prior is the version that it went on with, or the resolution of which it kept
	// what had been decided; nil for none. Kept are the materials that it kept.
	Prior *Prior            `json:"prior,omitempty"`
	Kept  []*MaterialResult `json:"kept,omitempty"`
}

// Answered is a question with what was answered to it.
type Answered struct {
	Ask     policies.Ask      `json:"ask"`
	Answers []policies.Answer `json:"answers"`
}

// Prior names a version of a resolution.
type Prior struct {
	Resolution string `json:"resolution"`
	Version    int    `json:"version"`
	// GoesOn says that the later one is the next version of it.
	GoesOn bool `json:"goes_on"`
}

// inputs are what the resolution under way follows from.
func (run *resolving) inputs(r *Resolution) *Inputs {
	s := run.s
	in := &Inputs{
		Resolution: r.ID, Version: r.Version, Case: run.c.ID, Department: s.Receiver, System: s.System, CaseVersion: run.c.Version,
		Parties: s.Parties, Facts: s.Facts, Results: run.c.Results, GrantSet: run.held.grants.Digest, Stops: run.held.stops.Stops, Permissions: s.Permissions,
		Handed: s.Handed, Now: s.Now, Since: s.Since, Previews: s.Previews, Disputed: map[string][]string{},
	}
	if in.GrantSet == "" {
		in.Grants = run.held.grants.Grants
	}
	for _, ask := range slices.SortedFunc(maps.Keys(s.Answers), compareAsks) {
		in.Answers = append(in.Answers, Answered{ask, s.Answers[ask]})
	}
	for i := range r.Materials {
		if m := &r.Materials[i]; len(m.Disputed) > 0 {
			in.Disputed[identity(m.Code, m.party(), m.UsedBy)] = m.Disputed
		}
	}
	if run.prior != nil {
		in.Prior = &Prior{Resolution: run.prior.ID, Version: run.prior.Version, GoesOn: run.before != nil}
	}
	for _, requirement := range s.Plan.Requirements {
		if kept := run.kept[identityOf(requirement)]; kept != nil {
			in.Kept = append(in.Kept, kept)
		}
	}
	return in
}

// compareAsks orders questions.
func compareAsks(a, b policies.Ask) int {
	return cmp.Or(cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Material, b.Material))
}
