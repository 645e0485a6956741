package policies

import (
	"slices"
	"time"

	"mianti/catalog"
)

// DetailOverdue is the detail of a question to an officer who has not answered
// within the time allowed.
const DetailOverdue = "overdue"

// assist asks an officer to confirm what the material would prove: yes or no,
// and no more (最小必要). What he says settles it or lets the chain go on; while
// he has not answered and still has time, the chain ends here.
func (w *walk) assist(step *catalog.Step) (Settlement, bool) {
	if w.refused(step) { // the person is not asked about by another way
		return Settlement{}, false
	}
	ask := Ask{Mode: catalog.ModeAssist, Material: w.r.Material().Code}
	if w.r.Party != nil {
		ask.Party = w.r.Party.ID
	}
	answers := w.s.Answers[ask]
	if len(answers) == 0 {
		return w.end("", "", "", func(out *Settlement) { out.Wishes = []Wish{w.assistWish(ask, step)} }), true
	}
	answer := answers[0]
	switch {
	case answer.Result == OK:
		return w.confirmed(step, answer), true
	case answer.Result == Pending && !overdue(answer, w.s.Now):
		return w.awaitsOfficer(w.assistant(step), step.Days, answer), true
	}
	if answer.Result == SourceDown { // it could not be put to him: that is our fault
		w.note(assistAttempt(answer))
		return w.waitUntil(w.s.since().Add(longestWait))
	}
	if answer.Result == Pending { // a late answer still counts
		w.task = answer.Task
	}
	w.note(assistAttempt(answer))
	return Settlement{}, false
}

// refused reports whether somebody whose consent a look-up for this material
// needs has refused it, also where no look-up could be made.
func (w *walk) refused(step *catalog.Step) bool {
	if w.failed(NoConsent) {
		return true
	}
	for _, proof := range w.r.Proofs {
		p := proving{walk: w, proof: proof}
		for i := range proof.Lookups {
			l := &proof.Lookups[i]
			party, role := p.subject(l)
			if party != nil && slices.Contains(p.decide(l, w.s.Catalog.Dataset(l.Dataset), party, role).Reasons, ConsentDenied) {
				return true
			}
		}
	}
	if len(w.r.Proofs) > 0 || w.r.Party == nil {
		return false
	}
	use := w.r.Uses[0]
	return slices.Contains(Decide(Access{
		Receiver: w.s.Receiver, Department: w.s.Catalog.Department(use.Matter.Department), Matter: use.Matter.Code,
		Dataset: &catalog.Dataset{Department: w.assistant(step)}, // what the officer looks into
		Role:    w.s.Catalog.Role(w.r.Role), Party: w.r.Party, Guardian: guardianConsent(w.s.Parties), Stops: w.s.Stops,
	}, w.s.Grants, w.s.Now).Reasons, ConsentDenied)
}

func (w *walk) assistWish(ask Ask, step *catalog.Step) Wish {
	return Wish{
		Ask: ask, Use: w.r.Uses[0], Assistant: w.assistant(step), Days: step.Days,
		Decision: Decision{Allowed: true, Reasons: []ReasonOfDecision{OfficerDecides}, Ruleset: Ruleset},
	}
}

// assistAttempt is what a question to an officer that settled nothing came to.
// It names no dataset: it is no look-up.
func assistAttempt(answer Answer) Attempt {
	a := Attempt{Mode: catalog.ModeAssist, Result: answer.Result, Detail: answer.Fault + answer.Mismatch}
	if answer.Result == Pending {
		a.Result, a.Detail = SourceDown, DetailOverdue
	}
	return a
}

func (w *walk) confirmed(step *catalog.Step, answer Answer) Settlement {
	w.note(Attempt{Mode: step.Mode, Result: OK})
	return w.end(Settled, step.Mode, ReasonConfirmed, func(out *Settlement) {
		out.Evidence = []Evidence{{
			Department: w.assistant(step), Source: answer.Source, Reference: answer.Task, AsOf: answer.AsOf, FetchedAt: answer.FetchedAt,
			YesNo: true, Basis: []ReasonOfDecision{OfficerDecides},
		}}
	})
}

// awaitsOfficer ends the chain until an officer has answered.
func (w *walk) awaitsOfficer(department string, days int, answer Answer) Settlement {
	return w.end(Verifying, "", ReasonAssist, func(out *Settlement) {
		out.Department, out.DueDays, out.Task, out.DueAt = department, days, answer.Task, answer.DueAt
	})
}

func overdue(answer Answer, now time.Time) bool {
	return !answer.DueAt.IsZero() && !now.Before(answer.DueAt)
}

// assistant is the department whose officer is asked.
func (w *walk) assistant(step *catalog.Step) string {
	if step.Department != "" {
		return step.Department
	}
	for _, proof := range w.r.Proofs {
		return w.s.Catalog.Dataset(proof.Lookups[0].Dataset).Department
	}
	return w.r.Matter().Department
}
