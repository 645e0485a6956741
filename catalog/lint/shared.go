package lint

import (
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
)

// lookShared is for a material of which no step spares the applicant anything.
func (l *Linter) lookShared(m *catalog.Material, modes modeSet) {
	if modes.spares() {
		return
	}
	for i := range m.Proofs {
		mode := askable(l.thing.rev, &m.Proofs[i])
		if mode == "" {
			continue
		}
		if f := l.found(Shared, l.here(m), "chain"); f != nil {
			f.Reason = "写了证明组合且数源可问，顺位里却没有用"
			f.Suggestion = "在提交之前加一步 " + mode.Name() + "（建议的修改）；确实不能的，在说明文件中写明原因。"
			f.Fix = withStep(l.thing.rev, m, 0, catalog.Step{Mode: mode})
		}
		return
	}
	fallback := Rule("")
	if m.Origin == "government" && m.Note == "" {
		fallback = Government
	}
	if m.StandardMaterial == "" {
		if fallback != "" {
			l.complete(l.found(fallback, l.here(m), "chain"))
		}
		return
	}
	l.wish(Shared, fallback, [2]string{m.StandardMaterial}, m)
}

func (l *Linter) complete(f *Finding) {
	if f != nil {
		f.Reason = "由政府部门核发，却要申请人提交，也没有说明原因"
	}
}

// askable gives the mode by which every record of a proof may be shared and has a
// source; empty for none.
func askable(rev *catalog.Revision, p *catalog.Proof) catalog.Mode {
	for i := range p.Lookups {
		if d := rev.Dataset(p.Lookups[i].Dataset); d == nil || d.Sharing == catalog.SharingWithheld {
			return ""
		}
	}
	switch {
	case len(p.Lookups) == 0:
		return ""
	case rev.Reachable(p, catalog.ModeElicense):
		return catalog.ModeElicense
	case rev.Reachable(p, catalog.ModeData):
		return catalog.ModeData
	default:
		return ""
	}
}

func (l *Linter) lookPrior(m *catalog.Material) {
	for i := range m.Proofs {
		for j := range m.Proofs[i].Lookups {
			dataset := m.Proofs[i].Lookups[j].Dataset
			from := l.unusedResult(m, l.thing.results[dataset])
			if from == nil {
				continue
			}
			f := l.found(Prior, l.here(m), "prior")
			if f == nil {
				return
			}
			f.Reason = fmt.Sprintf("%s 由前序事项 %s（%s）登记，却没有前序结果复用", dataset, from.Code, from.Name)
			changed := *m
			changed.Prior = append(slices.Clone(m.Prior), from.Code)
			if !modesOf(m).has(catalog.ModePrior) {
				changed.Chain = slices.Insert(slices.Clone(m.Chain), 0, catalog.Step{Mode: catalog.ModePrior})
			}
			f.Fix = l.thing.fix(&changed)
			return
		}
	}
}

// unusedResult gives the matter whose result the material could be, if it names
// none of those that register in the dataset; else nil.
func (l *Linter) unusedResult(m *catalog.Material, registering []*catalog.Matter) *catalog.Matter {
	var from *catalog.Matter
	for _, matter := range registering {
		switch {
		case matter.Code == l.thing.matter.Code:
		case slices.Contains(m.Prior, matter.Code):
			return nil
		case l.thing.comesBefore(matter, l.thing.matter):
			from = matter
		}
	}
	return from
}

func (l *Linter) lookCommit(m *catalog.Material, modes modeSet) {
	if modes.has(catalog.ModeCommit) {
		for i := range m.Chain {
			if m.Chain[i].Mode == catalog.ModeCommit && m.Chain[i].When == "" {
				if f := l.found(Commit, l.here(m), "chain"); f != nil {
					f.Reason = "告知承诺一步没有条件，不由申请人选择"
				}
			}
		}
		return
	}
	if !modes.has(catalog.ModeUpload) {
		return
	}
	if keys := knownAs(m); keys[0] != "" {
		l.wish(Commit, "", keys, m)
	}
}

// knownAs are what a material is known by elsewhere. A form is everybody's and says
// nothing.
func knownAs(m *catalog.Material) [2]string {
	var keys [2]string
	if m.StandardMaterial != "" && m.Kind != "form" {
		keys[0] = m.StandardMaterial
	}
	switch {
	case keys[0] == "":
		keys[0] = m.Common
	case m.Common != "":
		keys[1] = m.Common
	}
	return keys
}

// elsewhere knows of each paper where else it is settled without being handed in,
// and which materials wait to be told. Both are by standard or common material, so
// that their number does not grow with the catalog's matters.
type elsewhere struct {
	proved  map[string]string // a material that is looked up, by standard material
	commits map[string]commitment
	wishes  map[wishKey]*wish
	order   []*wish
	kept    int
}

type commitment struct{ material, when string }

type wishKey struct {
	rule, fallback Rule
	keys           [2]string
}

// wish is materials of a kind that would be findings if the paper is settled
// elsewhere, or otherwise by the fallback, if there is one.
type wish struct {
	wishKey
	// counts are of open and explained ones, by the rule and by the fallback.
	counts [2][2]int
	used   [2][]*used
	kept   []wished
}

type wished struct {
	seen     int
	at       place
	material catalog.Material
	why      [2]*used
}

// mostWished is how many materials of one kind wait with all that is known of them,
// where not all findings are kept.
const mostWished = 10

func newElsewhere() *elsewhere {
	return &elsewhere{proved: map[string]string{}, commits: map[string]commitment{}, wishes: map[wishKey]*wish{}}
}

// know takes note of what a material tells of others.
func (e *elsewhere) know(s *thingScope, m *catalog.Material, modes modeSet) {
	if modes.has(catalog.ModeElicense, catalog.ModeData) {
		for i := range m.Proofs {
			standard := m.Proofs[i].StandardMaterial
			if standard == "" {
				standard = m.StandardMaterial
			}
			if standard != "" && e.proved[standard] == "" && askable(s.rev, &m.Proofs[i]) != "" {
				e.proved[standard] = m.Code
			}
		}
	}
	if !modes.has(catalog.ModeCommit) {
		return
	}
	for _, key := range knownAs(m) {
		if _, known := e.commits[key]; known || key == "" {
			continue
		}
		for i := range m.Chain {
			if m.Chain[i].Mode == catalog.ModeCommit {
				e.commits[key] = commitment{m.Code, m.Chain[i].When}
				break
			}
		}
	}
}

func (l *Linter) wish(rule, fallback Rule, keys [2]string, m *catalog.Material) {
	e, key := l.elsewhere, wishKey{rule, fallback, keys}
	w := e.wishes[key]
	if w == nil {
		w = &wish{wishKey: key}
		e.wishes[key] = w
		e.order = append(e.order, w)
	}
	at := l.here(m)
	var why [2]*used
	for i, r := range [2]Rule{rule, fallback} {
		explained := 0
		if why[i] = l.explains.find(r, at.codes(), "chain"); why[i] != nil {
			explained = 1
			if !slices.Contains(w.used[i], why[i]) {
				w.used[i] = append(w.used[i], why[i])
			}
		}
		w.counts[i][explained]++
	}
	l.seen++
	if l.config.Keep > 0 && (len(w.kept) >= mostWished || e.kept >= mostWished*l.config.Keep) {
		return
	}
	e.kept++
	kept := wished{seen: l.seen, material: *m, why: why}
	// What surrounds it is kept without all that it holds.
	thing, matter := *l.thing.thing, *l.thing.matter
	thing.Matters, matter.Materials = nil, nil
	kept.at = place{thing: &thing, matter: &matter}
	w.kept = append(w.kept, kept)
}

// lookElsewhere grants the wishes: now it is known what is settled elsewhere.
func (l *Linter) lookElsewhere() {
	for _, w := range l.elsewhere.order {
		rule, which, reason, when := w.rule, 0, "", ""
		switch {
		case w.rule == Shared && l.elsewhere.proved[w.keys[0]] != "":
			reason = fmt.Sprintf("同一标准材料 %s 在 %s 由数据或证照核验", w.keys[0], l.elsewhere.proved[w.keys[0]])
		case w.rule == Commit && l.elsewhere.offers(w.keys) != "":
			key := l.elsewhere.offers(w.keys)
			reason = fmt.Sprintf("%s 中同一材料（%s）可以承诺", l.elsewhere.commits[key].material, key)
			when = l.elsewhere.commits[key].when
		case w.fallback != "":
			rule, which, reason = w.fallback, 1, "由政府部门核发，却要申请人提交，也没有说明原因"
		default:
			continue
		}
		if l.severity[rule.index()] == Off {
			continue
		}
		l.count(rule, false, w.counts[which][0])
		l.count(rule, true, w.counts[which][1])
		for _, u := range w.used[which] {
			u.found = true
		}
		for i := range w.kept {
			l.granted(&w.kept[i], rule, w.kept[i].why[which], reason, when)
		}
	}
}

func (l *Linter) granted(w *wished, rule Rule, why *used, reason, when string) {
	if !l.keeps(rule, why != nil) {
		return
	}
	f := newFinding(rule, l.severity[rule.index()], "chain", why)
	w.at.material = &w.material
	w.at.write(&f)
	f.Reason = reason
	if when != "" {
		at := slices.IndexFunc(w.material.Chain, func(s catalog.Step) bool { return s.Mode == catalog.ModeUpload })
		f.Suggestion = fmt.Sprintf("在提交之前加一步告知承诺，条件同彼处（%s）；风险高不宜承诺的，写明原因。", strings.TrimSpace(when))
		f.Fix = withStep(l.thing.rev, &w.material, max(at, 0), catalog.Step{Mode: catalog.ModeCommit, When: when})
	}
	l.add(f, w.seen)
}

// offers gives the key under which somebody may commit elsewhere; empty for none.
func (e *elsewhere) offers(keys [2]string) string {
	for _, key := range keys {
		if e.commits[key].material != "" {
			return key
		}
	}
	return ""
}
