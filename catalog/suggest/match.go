package suggest

import (
	"fmt"
	"strings"
)

// The scores of what is recognised by its name alone.
const (
	scoreDecided = 1
	scoreSame    = 0.99
	scoreSynonym = 0.97
	scoreKindOf  = 0.92
	// scoreAlike bounds what is recognised by likeness.
	scoreAlike = 0.94
)

// How a decision moves what is nearly the same name.
const (
	nearRejected = 0.8 // alike enough to count
	rejectedOff  = 0.25
)

// compared is how many of the nearest names are looked at closely, and apart how far
// the best has to be from the next best that is another paper.
const (
	compared = 48
	apart    = 0.04
)

// exact recognises a name by what is decided or known of it, without likeness.
func (a *Assistant) exact(in asked) ([]NamedPaper, bool) {
	key := a.words.key(in.text)
	if d, ok := a.learnt.accepted[key]; ok {
		p := a.found(in, d.candidate, scoreDecided, CauseDecided)
		p.Reason = fmt.Sprintf("%s有人确认过这个名称就是「%s」。", d.At.Format("2006年1月2日"), p.Match.Name)
		return []NamedPaper{p}, true
	}
	for i, form := range in.forms {
		if i > 0 && a.words.vague(in.text) {
			break // 原许可证 is no licence in particular
		}
		if papers, ok := a.known(in, form); ok {
			return papers, true
		}
	}
	for _, form := range a.words.looser(in) {
		if papers, ok := a.known(in, form); ok {
			return papers, true
		}
	}
	return nil, false
}

// known recognises a form of a name by the names of candidates and known papers.
func (a *Assistant) known(in asked, form string) ([]NamedPaper, bool) {
	key := a.words.key(form)
	if i, ok := a.byKey[key]; ok {
		p := a.found(in, i, scoreSame, CauseSame)
		p.Reason = fmt.Sprintf("与目录中的名称「%s」一致。", p.Match.Name)
		return []NamedPaper{a.unlessRejected(in, i, p)}, true
	}
	named := a.words.paper(key)
	if named == nil {
		return nil, false
	}
	if len(named.Both) > 0 {
		var out []NamedPaper
		for _, name := range named.Both {
			out = append(out, a.asPaper(in, form, a.words.named[name]))
		}
		return out, true
	}
	return []NamedPaper{a.asPaper(in, form, named)}, true
}

// asPaper suggests for a known paper.
func (a *Assistant) asPaper(in asked, form string, named *paper) NamedPaper {
	i := a.candidateOf(named)
	if i < 0 {
		p := a.nothing(in, CauseOther)
		p.Reason = fmt.Sprintf("这是「%s」，目录中没有。", named.Name)
		return p
	}
	if direct, ok := a.byPaper[named.Name]; ok {
		p := a.found(in, direct, scoreSynonym, CauseSynonym)
		p.Reason = fmt.Sprintf("「%s」是「%s」的另一种写法。", form, p.Match.Name)
		return a.unlessRejected(in, direct, p)
	}
	p := a.found(in, i, scoreKindOf, CauseKindOf)
	p.Reason = fmt.Sprintf("「%s」是「%s」的一种，目录中只有后者。", named.Name, p.Match.Name)
	return a.unlessRejected(in, i, p)
}

// paper suggests for a name that stands for one paper.
func (a *Assistant) paper(in asked) NamedPaper {
	if papers, ok := a.exact(in); ok {
		return papers[0]
	}
	last := in.forms[len(in.forms)-1]
	if a.words.vague(in.text) || a.words.vague(last) {
		p := a.nothing(in, CauseVague)
		p.Reason = fmt.Sprintf("「%s」没有说明是哪一种材料，请先明确。", in.text)
		return p
	}
	best := a.nothing(in, CauseUnknown)
	best.Reason = "目录中没有名称足够接近的材料。"
	for _, form := range in.forms {
		if p := a.alike(in, a.words.key(form)); p.Score > best.Score || best.Cause == CauseUnknown && p.Cause != CauseUnknown {
			best = p
		}
	}
	return best
}

// hit is one of the nearest names.
type hit struct {
	indexed
	term *term
	likeness
}

// means names what a hit stands for, so that two names of one thing are not rivals.
func (a *Assistant) means(h hit) string {
	if h.candidate >= 0 {
		return string(a.candidates[h.candidate].Kind) + a.candidates[h.candidate].Code
	}
	return h.paper
}

// alike suggests what has nearly the same characters.
func (a *Assistant) alike(in asked, key string) NamedPaper {
	asked := a.term(key)
	var best, next hit
	for _, h := range a.hits(asked) {
		switch {
		case best.key == "" || h.score > best.score:
			if best.key != "" && a.means(best) != a.means(h) {
				next = best
			}
			best = h
		case a.means(best) != a.means(h) && h.score > next.score:
			next = h
		}
	}
	return a.judge(in, asked, best, next)
}

// hits compares a key with the names nearest to it.
func (a *Assistant) hits(asked *term) []hit {
	var out []hit
	within := map[string]bool{}
	for _, i := range a.index.nearest(asked.runes, compared) {
		h := hit{a.index.names[i], a.index.terms[i], a.words.compare(asked, a.index.terms[i])}
		if h.within {
			within[a.means(h)] = true
		}
		out = append(out, h)
	}
	for i, h := range out {
		if h.within && len(within) == 1 {
			h.score = max(h.score, abbreviated)
		}
		out[i].score = a.moved(asked, h)
	}
	return out
}

// moved is a likeness after what staff rejected for nearly the same name.
func (a *Assistant) moved(asked *term, h hit) float64 {
	score := min(h.score, scoreAlike)
	if h.candidate < 0 || score < possibleFrom {
		return score
	}
	for _, no := range a.learnt.near {
		if no.candidate == h.candidate && no.key != asked.key && a.words.compare(asked, no.term).score >= nearRejected {
			return score - rejectedOff
		}
	}
	return score
}

// judge makes a suggestion of the best hit, or says why there is none.
func (a *Assistant) judge(in asked, key *term, best, next hit) NamedPaper {
	if levelOf(best.score) == None {
		p := a.nothing(in, CauseUnknown)
		p.Reason = "目录中没有名称足够接近的材料。"
		if best.against[0] != "" && best.candidate >= 0 {
			p.Reason = fmt.Sprintf("与「%s」相近，但「%s」不是「%s」。", a.candidates[best.candidate].Name, best.against[0], best.against[1])
		}
		return p
	}
	if best.candidate < 0 {
		p := a.nothing(in, CauseOther)
		p.Score, p.Reason = 0, fmt.Sprintf("更像「%s」，目录中没有。", best.paper)
		return p
	}
	if next.key != "" && best.score-next.score < apart && levelOf(next.score) != None {
		p := a.nothing(in, CauseAmbiguous)
		p.Reason = fmt.Sprintf("与「%s」「%s」同样接近，请自行选定。", best.key, next.key)
		return p
	}
	p := a.found(in, best.candidate, best.score, CauseAlike)
	p.Reason = alikeReason(p.Match.Name, key, best)
	if a.learnt.refused(a.words.key(in.text), best.candidate) {
		return a.unlessRejected(in, best.candidate, p)
	}
	return p
}

func alikeReason(name string, key *term, h hit) string {
	var parts []string
	if more := rest(key.runes, h.inX); more != "" {
		parts = append(parts, "多出「"+more+"」")
	}
	if less := rest(h.term.runes, h.inY); less != "" {
		parts = append(parts, "少了「"+less+"」")
	}
	if h.learnt {
		return fmt.Sprintf("与确认过的「%s」相近：%s。", h.key, strings.Join(parts, "，"))
	}
	return fmt.Sprintf("与「%s」相近：%s。", name, strings.Join(parts, "，"))
}

// unlessRejected takes a suggestion back that staff rejected for this name.
func (a *Assistant) unlessRejected(in asked, candidate int, p NamedPaper) NamedPaper {
	if !a.learnt.refused(a.words.key(in.text), candidate) {
		return p
	}
	out := a.nothing(in, CauseRejected)
	out.Reason = fmt.Sprintf("曾建议「%s」，有人否定过。", a.candidates[candidate].Name)
	return out
}

func (a *Assistant) found(in asked, candidate int, score float64, cause Cause) NamedPaper {
	return NamedPaper{
		Text: in.text, Roles: in.roles, Remarks: in.remarks, Match: &a.candidates[candidate],
		Score: score, Level: levelOf(score), Cause: cause,
	}
}

func (a *Assistant) nothing(in asked, cause Cause) NamedPaper {
	return NamedPaper{Text: in.text, Roles: in.roles, Remarks: in.remarks, Level: None, Cause: cause}
}
