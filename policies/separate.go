package policies

import (
	"slices"

	"mianti/catalog"
)

// Separate takes apart what the plan has joined in a requirement, where one
// department may look a record up and another may not: the one's right is not
// the other's. The paper is still asked for once.
func Separate(s *Situation, r *catalog.Requirement) []*catalog.Requirement {
	if len(r.Uses) == 1 || len(r.Proofs) == 0 || s.Plan.Decided(r) {
		return []*catalog.Requirement{r}
	}
	var rights []string
	byRight := map[string][]catalog.Use{}
	for _, use := range r.Uses {
		right := rightsOf(s, r.Apart([]catalog.Use{use}), use)
		if byRight[right] == nil {
			rights = append(rights, right)
		}
		byRight[right] = append(byRight[right], use)
	}
	if len(rights) == 1 {
		return []*catalog.Requirement{r}
	}
	first := *r
	first.Uses = byRight[rights[0]]
	out := []*catalog.Requirement{&first}
	for _, right := range rights[1:] {
		out = append(out, r.Apart(byRight[right]))
	}
	return out
}

// rightsOf says what a use may look up by its own proofs: "a" when it may make
// all look-ups of one of them, and else why not of the first.
func rightsOf(s *Situation, r *catalog.Requirement, use catalog.Use) string {
	first := ""
	for _, proof := range r.Proofs {
		p := proving{walk: &walk{s: s, r: r}, proof: proof}
		right := p.right(use)
		if right == "a" {
			return right
		}
		if first == "" {
			first = right
		}
	}
	return first
}

// right says whether a use may make all look-ups of the proof.
func (p *proving) right(use catalog.Use) string {
	for i := range p.proof.Lookups {
		l := &p.proof.Lookups[i]
		party, role := p.subject(l)
		if party == nil {
			continue
		}
		if got := letter(p.decideUse(use, l, p.s.Catalog.Dataset(l.Dataset), party, role)); got != "a" {
			return got
		}
	}
	return "a"
}

func letter(d Decision) string {
	switch {
	case d.Allowed:
		return "a"
	case d.AwaitsConsent:
		return "w"
	case slices.Contains(d.Reasons, ConsentDenied):
		return "r"
	default:
		return "n"
	}
}
