package policies

import (
	"fmt"
	"time"

	"mianti/catalog"
)

// ConsentNeed (须授权的核验) is one look-up that only a person's consent is
// missing for: the grant is there, and no other basis will do.
type ConsentNeed struct {
	Party *catalog.Party
	// Guardian says that a guardian has to consent, for a child under 14.
	Guardian bool
	Use      catalog.Use
	Dataset  *catalog.Dataset
	Fields   []string // that would be read, sorted
	YesNo    bool     // only the conclusion is released
}

// ConsentNeeds lists the look-ups of a case that need a consent, whatever has
// been said so far, in the order of the plan. Materials that do not apply, or
// may not, need none yet; neither does a look-up whose record is taken from a
// result of the same case.
func ConsentNeeds(s *Situation) ([]ConsentNeed, error) {
	asked := *s // nobody has said anything
	asked.Permissions = make(map[string]Permission, len(s.Parties))
	for i := range s.Parties {
		asked.Permissions[s.Parties[i].ID] = Permission{}
	}
	var needs []ConsentNeed
	for _, r := range s.Plan.Requirements {
		if r.Applies != catalog.True || stoppedBy(s, r) != nil {
			continue
		}
		for _, use := range r.Uses {
			part := r
			if len(r.Uses) > 1 {
				part = r.Apart([]catalog.Use{use})
			}
			found, err := consentNeedsOf(&asked, part, use)
			if err != nil {
				return nil, err
			}
			needs = append(needs, found...)
		}
	}
	return needs, nil
}

func consentNeedsOf(s *Situation, r *catalog.Requirement, use catalog.Use) ([]ConsentNeed, error) {
	var needs []ConsentNeed
	for _, proof := range r.Proofs {
		asks, err := isAsked(s, use.Material, proof)
		if err != nil {
			return nil, err
		}
		if !asks {
			continue
		}
		p := proving{walk: &walk{s: s, r: r}, proof: proof, records: map[string]map[string]any{}}
		for i := range proof.Lookups {
			if need, ok := p.consentNeed(use, &proof.Lookups[i]); ok {
				needs = append(needs, need)
			}
		}
	}
	return needs, nil
}

// isAsked reports whether a step of the chain that may apply asks for the proof.
func isAsked(s *Situation, m *catalog.Material, proof *catalog.Proof) (bool, error) {
	for i := range m.Chain {
		mode := m.Chain[i].Mode
		if mode != catalog.ModeData && mode != catalog.ModeElicense {
			continue
		}
		applies, _, err := m.StepApplies(i, s.Facts)
		if err != nil {
			return false, fmt.Errorf("condition of step %d of %s: %w", i+1, m.Code, err)
		}
		if applies != catalog.False && s.Catalog.Reachable(proof, mode) {
			return true, nil
		}
	}
	return false, nil
}

func (p *proving) consentNeed(use catalog.Use, l *catalog.Lookup) (ConsentNeed, bool) {
	dataset := p.s.Catalog.Dataset(l.Dataset)
	party, role := p.subject(l)
	if party == nil || party.Number == "" || p.fromResult(l, dataset) {
		return ConsentNeed{}, false
	}
	if !p.decideUse(use, l, dataset, party, role).AwaitsConsent {
		return ConsentNeed{}, false
	}
	return ConsentNeed{
		Party: party, Guardian: NeedsGuardian(party, p.s.Now), Use: use, Dataset: dataset, Fields: FieldsRead(p.proof, l, dataset), YesNo: l.YesNo,
	}, true
}

// NeedsGuardian reports whether a guardian speaks for the party: a person under
// 14 (个人信息保护法, art. 31).
func NeedsGuardian(p *catalog.Party, now time.Time) bool {
	return p.Kind == catalog.KindPerson && isUnder14(p.Number, now)
}
