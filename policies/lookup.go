package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
)

// lookUp tries the proofs of the requirement in their order, by one mode.
func (w *walk) lookUp(mode catalog.Mode) (Settlement, bool, error) {
	for _, proof := range w.r.Proofs {
		if !w.s.Catalog.Reachable(proof, mode) {
			continue
		}
		out, done, err := w.prove(mode, proof)
		if err != nil || done {
			return out, done, err
		}
	}
	return Settlement{}, false, nil
}

// prove tries one proof: all its records, then its check.
func (w *walk) prove(mode catalog.Mode, proof *catalog.Proof) (Settlement, bool, error) {
	p := proving{walk: w, mode: mode, proof: proof, records: map[string]map[string]any{}}
	for i := range proof.Lookups {
		p.record(&proof.Lookups[i])
	}
	if p.ends != nil {
		return *p.ends, true, nil
	}
	if p.failed != nil {
		w.note(*p.failed)
		return Settlement{}, false, nil
	}
	if len(p.wishes) > 0 {
		return w.end("", "", "", func(out *Settlement) { out.Wishes = p.wishes }), true, nil
	}
	return p.judge()
}

// proving is the state of one proof under trial.
type proving struct {
	*walk
	mode     catalog.Mode
	proof    *catalog.Proof
	records  map[string]map[string]any
	evidence []Evidence
	wishes   []Wish
	millis   int64
	failed   *Attempt    // the first look-up that did not succeed
	ends     *Settlement // the chain ends here, whatever the others say
}

// record finds one record of the proof: from a result of the case, from an
// answer, or by a wish to ask.
func (p *proving) record(l *catalog.Lookup) {
	dataset := p.s.Catalog.Dataset(l.Dataset)
	if p.fromResult(l, dataset) {
		return
	}
	party, role := p.subject(l)
	if party.Number == "" {
		p.fail(l, Attempt{Result: NotFound, Detail: DetailNoNumber})
		return
	}
	decision := p.decide(l, dataset, party, role)
	if !decision.Allowed {
		p.denied(l, decision)
		return
	}
	ask := Ask{Mode: p.mode, Dataset: l.Dataset, Party: party.ID}
	fields := FieldsRead(p.proof, l, dataset)
	answer, known := p.s.answer(ask, fields)
	if !known {
		p.wishes = append(p.wishes, Wish{Ask: ask, Use: p.r.Uses[0], Fields: fields, Decision: decision})
		return
	}
	p.answered(l, dataset, answer, decision)
}

// answer is the first answer to a question that was asked for all of these
// fields. A later one, asked for the sake of other fields, changes nothing of
// what follows from it.
func (s *Situation) answer(ask Ask, fields []string) (Answer, bool) {
	for _, answer := range s.Answers[ask] {
		missing := func(code string) bool { return !slices.Contains(answer.Asked, code) }
		if !slices.ContainsFunc(fields, missing) {
			return answer, true
		}
	}
	return Answer{}, false
}

// subject is whose record a look-up is about. The plan has made sure that the
// role has a party.
func (p *proving) subject(l *catalog.Lookup) (*catalog.Party, *catalog.Role) {
	if l.Subject == "" {
		return p.r.Party, p.s.Catalog.Role(p.r.Role)
	}
	return catalog.PartyIn(p.s.Parties, l.Subject), p.s.Catalog.Role(l.Subject)
}

// fromResult takes the record from a matter of this case that brings it into
// being: before that matter is decided there is no record to ask for.
func (p *proving) fromResult(l *catalog.Lookup, dataset *catalog.Dataset) bool {
	for _, code := range p.r.Material().Prior {
		planned := p.s.Plan.Matter(code)
		if planned == nil || planned.State == catalog.StateSkipped || planned.Matter.Result.Dataset != l.Dataset {
			continue
		}
		switch {
		case planned.State.Pending():
			p.end(ReasonPriorPending, code)
			return true
		case planned.State != catalog.StateGranted:
			p.end(ReasonPriorRefused, code)
			return true
		}
		reported := p.s.Results[code]
		if len(reported.Fields) == 0 {
			return false
		}
		if p.ended(code) {
			p.fail(l, Attempt{Result: Expired, Detail: "the result is no longer valid"})
			return true
		}
		p.records[l.Dataset] = reported.Fields
		p.evidence = append(p.evidence, Evidence{
			Dataset: l.Dataset, Department: dataset.Department, Source: "prior:" + code,
			Reference: reported.Number, FetchedAt: reported.ReportedAt, ValidUntil: reported.ValidUntil,
			YesNo: l.YesNo, Fields: released(l, dataset, reported.Fields), Unavailable: unavailable(p.proof, l, dataset, reported.Fields),
		})
		return true
	}
	return false
}

func (p *proving) end(reason ReasonCode, matter string) {
	if p.ends == nil {
		out := p.awaits(reason, []string{matter})
		p.ends = &out
	}
}

// decide asks the policy. The uses of a requirement have the same right
// (Separate), so the first one speaks for all.
func (p *proving) decide(l *catalog.Lookup, dataset *catalog.Dataset, party *catalog.Party, role *catalog.Role) Decision {
	return p.decideUse(p.r.Uses[0], l, dataset, party, role)
}

func (p *proving) decideUse(use catalog.Use, l *catalog.Lookup, dataset *catalog.Dataset, party *catalog.Party, role *catalog.Role) Decision {
	a := Access{
		System: p.s.System, Receiver: p.s.Receiver, Department: p.s.Catalog.Department(use.Matter.Department),
		Matter: use.Matter, Material: use.Material.Code, Dataset: dataset, Fields: FieldsRead(p.proof, l, dataset),
		Role: role, Party: party, Own: p.s.permission(party), Guardians: p.s.guardians(party),
	}
	if planned := p.s.Plan.Matter(use.Matter.Code); planned != nil {
		a.State = planned.State
	}
	return Decide(a, p.s.Grants, p.s.Stops, p.s.Now)
}

func (p *proving) denied(l *catalog.Lookup, d Decision) {
	if d.AwaitsConsent {
		if p.ends == nil {
			out := p.walk.end(NeedsConsent, "", ReasonConsentMissing)
			p.ends = &out
		}
		return
	}
	result := NoGrant
	if slices.Contains(d.Reasons, ConsentDenied) {
		result = NoConsent
	}
	p.fail(l, Attempt{Result: result, Detail: joinReasons(d.Reasons)})
}

func (p *proving) answered(l *catalog.Lookup, dataset *catalog.Dataset, answer Answer, d Decision) {
	p.millis = max(p.millis, answer.Millis)
	if answer.Result == Pending {
		p.pending(l, dataset, answer)
		return
	}
	if answer.Result != OK {
		p.retry(answer.RetryAt)
		p.fail(l, Attempt{Result: answer.Result, Detail: answer.Fault + answer.Mismatch})
		return
	}
	validUntil, _ := answer.Fields[dataset.ValidUntil].(string)
	if answer.Revoked {
		p.fail(l, Attempt{Result: Expired, Detail: "the source marks it as no longer in force"})
		return
	}
	if validUntil != "" && validUntil < p.s.Today.Format(time.DateOnly) {
		p.fail(l, Attempt{Result: Expired, Detail: dataset.ValidUntil})
		return
	}
	p.records[l.Dataset] = answer.Fields
	evidence := Evidence{
		Dataset: l.Dataset, Department: dataset.Department, Source: answer.Source, Reference: answer.Reference, Proof: answer.Proof,
		AsOf: answer.AsOf, FetchedAt: answer.FetchedAt, ValidUntil: validUntil,
		YesNo: l.YesNo, Fields: released(l, dataset, answer.Fields), Grant: d.Grant, Consent: d.Consent, Basis: d.Reasons,
		Unavailable: unavailable(p.proof, l, dataset, answer.Fields),
	}
	if _, shown := evidence.Fields[dataset.ValidUntil]; !shown {
		evidence.ValidUntil = "" // a field like any other
	}
	if l.YesNo {
		evidence.Reference = "" // it can be a number of the record itself
	}
	p.evidence = append(p.evidence, evidence)
}

// pending waits for the officer of a department that can only be asked in
// person.
func (p *proving) pending(l *catalog.Lookup, dataset *catalog.Dataset, answer Answer) {
	if overdue(answer, p.s.Now) {
		p.task = answer.Task // a late answer still counts
		p.fail(l, Attempt{Result: SourceDown, Detail: DetailOverdue})
		return
	}
	if p.ends == nil {
		out := p.awaitsOfficer(dataset.Department, 0, answer)
		p.ends = &out
	}
}

func (p *proving) fail(l *catalog.Lookup, a Attempt) {
	if p.failed != nil {
		return
	}
	a.Mode, a.Dataset, a.Millis = p.mode, l.Dataset, p.millis
	p.failed = &a
}

// judge holds the check against the records.
func (p *proving) judge() (Settlement, bool, error) {
	in := catalog.CheckInput{Records: p.records, Facts: p.s.Facts, Today: p.s.Today}
	if p.r.Party != nil {
		in.Subject = *p.r.Party
	}
	if thing := p.s.Catalog.OneThing(p.r.Matter().OneThing); thing != nil {
		in.Params = thing.Params // also when the matter is a case of its own
	}
	result, err := p.proof.Holds(in)
	if err != nil {
		return Settlement{}, false, fmt.Errorf("check of %s: %w", p.r.Material().Code, err)
	}
	attempt := Attempt{Mode: p.mode, Dataset: p.proof.Lookups[0].Dataset, Result: OK, Millis: p.millis}
	switch result.Truth {
	case catalog.Unknown:
		return p.walk.end(NeedsFact, "", ReasonFactMissing, func(out *Settlement) { out.Questions = result.Facts }), true, nil
	case catalog.False:
		attempt.Result, attempt.Detail = Mismatch, p.proof.CheckText
		if result.MissingField != "" {
			attempt.Detail = result.MissingField
		}
		p.note(attempt)
		return Settlement{}, false, nil
	}
	p.note(attempt)
	reason := ReasonRecordMatches
	if p.mode == catalog.ModeElicense {
		reason = ReasonLicenceValid
	}
	return p.walk.previewed(p.walk.end(Settled, p.mode, reason, func(out *Settlement) { out.Evidence = p.evidence })), true, nil
}

// released cuts a record down to what the caller may see.
func released(l *catalog.Lookup, dataset *catalog.Dataset, fields map[string]any) map[string]any {
	if l.YesNo {
		return nil
	}
	out := map[string]any{}
	for _, code := range releasedFields(l, dataset) {
		if v, ok := fields[code]; ok {
			out[code] = v
		}
	}
	return out
}

// releasedFields are those that the look-up names, or else every field that is
// not withheld. Of a withheld dataset nothing can be left out: it is denied as a
// whole, or it is the department's own.
func releasedFields(l *catalog.Lookup, dataset *catalog.Dataset) []string {
	if len(l.Release) > 0 {
		return l.Release
	}
	codes := make([]string, 0, len(dataset.Fields))
	for i := range dataset.Fields {
		if f := &dataset.Fields[i]; dataset.SharingOf(f) != catalog.SharingWithheld || dataset.Sharing == catalog.SharingWithheld {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// unavailable says of the fields that are read and not given out, why.
func unavailable(proof *catalog.Proof, l *catalog.Lookup, dataset *catalog.Dataset, fields map[string]any) map[string]Unavailable {
	out := map[string]Unavailable{}
	for _, code := range FieldsRead(proof, l, dataset) {
		_, answered := fields[code]
		field := dataset.Field(code)
		switch {
		case l.YesNo:
			out[code] = YesNoOnly
		case slices.Contains(releasedFields(l, dataset), code):
			if !answered {
				out[code] = NoValue
			}
		case field != nil && dataset.SharingOf(field) == catalog.SharingWithheld:
			out[code] = NotShared
		default:
			out[code] = NotReleased
		}
	}
	return out
}

// FieldsRead are the fields that a look-up reads: those it releases, those the
// check needs, and the one that says how long the record is valid. Sorted.
func FieldsRead(proof *catalog.Proof, l *catalog.Lookup, dataset *catalog.Dataset) []string {
	var released []string
	if !l.YesNo {
		released = releasedFields(l, dataset)
	}
	need := slices.Concat(released, proof.FieldsChecked(l.Dataset))
	if dataset.ValidUntil != "" {
		need = append(need, dataset.ValidUntil)
	}
	slices.Sort(need)
	return slices.Compact(need)
}

func joinReasons(reasons []ReasonOfDecision) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}
