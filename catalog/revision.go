package catalog

import (
	"slices"
	"strings"
	"time"
)

// Revision (目录修订) is one catalog, loaded and checked. It never changes once
// it is loaded; what it returns is shared and MUST NOT be written to.
//
// One that is not Whole holds the ground of a catalog (departments, datasets, facts,
// roles, standard and common materials) and some of its one-things: those that
// somebody asked for.
type Revision struct {
	Number  int    // 0 until it is stored
	Digest  string // SHA-256 over the names and contents of its files, hex
	Title   string
	Version string

	departments       []*Department
	datasets          []*Dataset
	facts             []*Fact
	roles             []*Role
	standardMaterials []*StandardMaterial
	commonMaterials   []*Material
	oneThings         []*OneThing
	matters           []*Matter
	materials         []*Material
	lint              LintSettings

	byCode index
	// language is what its expressions are written in, and schemas what its files
	// must look like, for what people try.
	language *language
	schemas  *schemas
	commons  map[string]map[string]any // the common materials as written, by code
	whole    bool
}

// Whole reports whether the revision holds all one-things of its catalog. Of one
// that does not, nil for a code that nobody asked for says nothing.
func (r *Revision) Whole() bool { return r.whole }

// RevisionHead (目录修订摘要) is what a stored revision is called.
type RevisionHead struct {
	Number  int
	Digest  string
	Title   string
	Version string
	Loaded  time.Time
	// How much it holds.
	OneThings, Matters, Materials int
}

// MatterQuery (事项查询) chooses matters of a revision.
type MatterQuery struct {
	Text       string // part of the code, the name, or the implementation code's last 13 characters
	Department string
	After      string // the code after which to go on
	Limit      int
}

// index finds things by their code.
type index struct {
	departments       map[string]*Department
	datasets          map[string]*Dataset
	facts             map[string]*Fact
	roles             map[string]*Role
	standardMaterials map[string]*StandardMaterial
	commonMaterials   map[string]*Material
	sources           map[string]*Source
	subjects
}

// subjects finds what cases are about.
type subjects struct {
	oneThings       map[string]*OneThing
	matters         map[string]*Matter
	materials       map[string]*Material
	implementations map[string][]*Matter
}

func newSubjects() subjects {
	return subjects{oneThings: map[string]*OneThing{}, matters: map[string]*Matter{}, materials: map[string]*Material{}, implementations: map[string][]*Matter{}}
}

// Department gives a department by its code, or nil.
func (r *Revision) Department(code string) *Department { return r.byCode.departments[code] }

// Dataset gives a dataset by its code, or nil.
func (r *Revision) Dataset(code string) *Dataset { return r.byCode.datasets[code] }

// Fact gives a fact by its code, or nil.
func (r *Revision) Fact(code string) *Fact { return r.byCode.facts[code] }

// Role gives a role by its code, or nil.
func (r *Revision) Role(code string) *Role { return r.byCode.roles[code] }

// StandardMaterial gives a standard material by its code, or nil.
func (r *Revision) StandardMaterial(code string) *StandardMaterial {
	return r.byCode.standardMaterials[code]
}

// OneThing gives a one-thing by its code, or nil.
func (r *Revision) OneThing(code string) *OneThing { return r.byCode.oneThings[code] }

// Matter gives a matter by its short code, or nil.
func (r *Revision) Matter(code string) *Matter { return r.byCode.matters[code] }

// Material gives a material by its code, or nil.
func (r *Revision) Material(code string) *Material { return r.byCode.materials[code] }

// MatterOf gives the matter that asks for a material, or nil. It goes by the
// code: a material's goes on from its matter's.
func (r *Revision) MatterOf(material string) *Matter {
	at := strings.LastIndexByte(material, '.')
	if at < 0 {
		return nil
	}
	return r.Matter(material[:at])
}

// Source gives a source by its code, or nil.
func (r *Revision) Source(code string) *Source { return r.byCode.sources[code] }

// MattersByImplementationCode gives the matters with a 31-character
// implementation code, in the catalog's order: one matter can stand in several
// one-things.
func (r *Revision) MattersByImplementationCode(code string) []*Matter {
	return slices.Clone(r.byCode.implementations[code])
}

// LintSettings gives what the catalog says of its own lint.
func (r *Revision) LintSettings() *LintSettings { return &r.lint }

// Departments lists the departments in the catalog's order.
func (r *Revision) Departments() []*Department { return slices.Clone(r.departments) }

// Datasets lists the datasets in the catalog's order.
func (r *Revision) Datasets() []*Dataset { return slices.Clone(r.datasets) }

// Facts lists the facts in the catalog's order.
func (r *Revision) Facts() []*Fact { return slices.Clone(r.facts) }

// Roles lists the roles in the catalog's order.
func (r *Revision) Roles() []*Role { return slices.Clone(r.roles) }

// StandardMaterials lists the standard materials in the catalog's order.
func (r *Revision) StandardMaterials() []*StandardMaterial { return slices.Clone(r.standardMaterials) }

// CommonMaterials lists the common materials in the catalog's order, as they
// are written; no matter asks for them but by reference.
func (r *Revision) CommonMaterials() []*Material { return slices.Clone(r.commonMaterials) }

// OneThings lists the one-things in the catalog's order.
func (r *Revision) OneThings() []*OneThing { return slices.Clone(r.oneThings) }

// Matters lists the matters of all one-things in the catalog's order.
func (r *Revision) Matters() []*Matter { return slices.Clone(r.matters) }

// Materials lists the materials of all matters in the catalog's order.
func (r *Revision) Materials() []*Material { return slices.Clone(r.materials) }

// Field gives a field by its code, or nil.
func (d *Dataset) Field(code string) *Field {
	for i := range d.Fields {
		if d.Fields[i].Code == code {
			return &d.Fields[i]
		}
	}
	return nil
}
