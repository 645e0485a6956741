package lint

import (
	"mianti/catalog"
)

func (l *Linter) lookBasis(m *catalog.Material, modes modeSet) {
	f := l.found(Basis, l.here(m), "basis")
	if f == nil {
		return
	}
	if !modes.has(catalog.ModeUpload, catalog.ModeDefer, catalog.ModeCommit) {
		f.Reason = "没有设定依据，不向申请人要"
		f.Suggestion = "补上法律、法规、规章的条款；查无依据的，删去这份材料。"
		return
	}
	f.Reason = "没有设定依据，却会要申请人提交或承诺"
	f.Suggestion = "补上法律、法规、规章的条款；查无依据的，改为直接取消（建议的修改）。"
	changed := *m
	changed.Chain = []catalog.Step{{Mode: catalog.ModeCancel}}
	f.Fix = l.thing.fix(&changed)
}

func (l *Linter) lookConflict() {
	words := l.thing.thing.Variants["conflict"]
	if words == "" {
		return
	}
	if f := l.found(Conflict, place{thing: l.thing.thing}, "variants.conflict"); f != nil {
		f.Reason = words
	}
}

// modeSet holds the modes of a chain, one bit for each.
type modeSet uint16

// modesOf gives the modes of a chain, as far as it is walked: what stands after a
// step that always has a result is not asked of anybody.
func modesOf(m *catalog.Material) modeSet {
	var set modeSet
	for i := range m.Chain {
		set |= bitOf(m.Chain[i].Mode)
		if m.Chain[i].Mode.Ends() && m.Chain[i].When == "" {
			break
		}
	}
	return set
}

func bitOf(mode catalog.Mode) modeSet {
	switch mode {
	case catalog.ModeForm:
		return 1 << 0
	case catalog.ModeElicense:
		return 1 << 1
	case catalog.ModeData:
		return 1 << 2
	case catalog.ModePrior:
		return 1 << 3
	case catalog.ModeHistory:
		return 1 << 4
	case catalog.ModeWait:
		return 1 << 5
	case catalog.ModeAssist:
		return 1 << 6
	case catalog.ModeCommit:
		return 1 << 7
	case catalog.ModeDefer:
		return 1 << 8
	case catalog.ModeCancel:
		return 1 << 9
	case catalog.ModeUpload:
		return 1 << 10
	default:
		return 0
	}
}

// has reports whether one of the modes is in the set.
func (s modeSet) has(modes ...catalog.Mode) bool {
	for _, mode := range modes {
		if s&bitOf(mode) != 0 {
			return true
		}
	}
	return false
}

// asks reports whether the applicant may have to hand the material in.
func (s modeSet) asks() bool { return s.has(catalog.ModeUpload, catalog.ModeDefer) }

// spares reports whether some step can save the applicant from handing it in.
func (s modeSet) spares() bool {
	return s.has(catalog.ModeForm, catalog.ModeElicense, catalog.ModeData, catalog.ModePrior, catalog.ModeHistory, catalog.ModeAssist, catalog.ModeCancel)
}
