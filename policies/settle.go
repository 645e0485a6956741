package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
)

// Attempt is one mode that was tried.
type Attempt struct {
	Mode    catalog.Mode
	Dataset string
	Result  Result
	Millis  int64
	// Detail says more: the field that did not agree, the kind of fault, the
	// reason of a denial. It holds no personal data.
	Detail string
}

// asked reports whether it was, or would have been, a question to a department.
func (a *Attempt) asked() bool { return a.Dataset != "" || a.Mode == catalog.ModeAssist }

// Denied reports whether the policy denied it for one of these reasons.
func (a *Attempt) Denied(reasons ...ReasonOfDecision) bool {
	said := strings.Split(a.Detail, ",")
	return slices.ContainsFunc(reasons, func(r ReasonOfDecision) bool { return slices.Contains(said, string(r)) })
}

// DetailNoNumber is the detail of a look-up that was not made, because the party
// has no number by which it could be asked for.
const DetailNoNumber = "the party has no number"

// DetailName is the detail of a record that is the asked number's but bears
// another name.
const DetailName = "name"

// Evidence is what settles a material.
type Evidence struct {
	Dataset    string
	Department string
	Source     string
	Reference  string
	Proof      string
	AsOf       time.Time
	FetchedAt  time.Time
	ValidUntil string
	YesNo      bool // only the conclusion is released
	Fields     map[string]any
	// Unavailable says of each field that was read and is not among Fields, why.
	Unavailable map[string]Unavailable
	Grant       string
	Consent     string // that it rests on; empty for none
	Basis       []ReasonOfDecision
}

// Unavailable (未提供原因) is why a field that was read is not given out.
type Unavailable string

// The reasons.
const (
	YesNoOnly   Unavailable = "yes_no_only"  // 只返回是否
	NotShared   Unavailable = "withheld"     // 不予共享
	NotReleased Unavailable = "not_released" // 只供核验, 不提供
	NoValue     Unavailable = "no_value"     // 数源没有这一项
)

// Settlement is the conclusion for one requirement, or the wishes that must be
// answered before there is one.
type Settlement struct {
	Outcome    Outcome
	Mode       catalog.Mode // that settled it
	Reason     ReasonCode
	Evidence   []Evidence
	Attempts   []Attempt
	Questions  []string // codes of facts
	Prior      []string // matters that are awaited
	Department string   // that is asked to assist
	DueDays    int      // working days, for assist and defer
	Task       string   // the assist task that is open
	DueAt      time.Time
	// Waits says that the source is asked again later, of itself: not before
	// RetryAt, if that is set, and until WaitUntil.
	Waits     bool
	RetryAt   time.Time
	WaitUntil time.Time
	// Content is the digest of what the person was to see first, where he is, and
	// Previewed what was found, as long as he has not released it.
	Content   string
	Previewed []Evidence
	Wishes    []Wish // not empty: ask these and settle again
}

// Settle walks down the chain of one requirement with what is known so far. It
// is called again with more answers until it has no more wishes.
func Settle(s *Situation, r *catalog.Requirement) (Settlement, error) {
	if r.Applies == catalog.False {
		return Settlement{Outcome: NotApplicable, Reason: ReasonConditionFalse}, nil
	}
	if stopped := stoppedBy(s, r); stopped != nil {
		return Settlement{Outcome: AwaitingPrior, Reason: ReasonPriorRefused, Prior: stopped}, nil
	}
	if s.Plan.Decided(r) {
		return Settlement{Outcome: NotApplicable, Reason: ReasonMatterDecided}, nil
	}
	if r.Applies == catalog.Unknown {
		return Settlement{Outcome: NeedsFact, Reason: ReasonFactMissing, Questions: r.Facts}, nil
	}
	w := walk{s: s, r: r}
	for i := range r.Material().Chain {
		applies, unknown, err := r.Material().StepApplies(i, s.Facts)
		if err != nil {
			return Settlement{}, fmt.Errorf("condition of step %d of %s: %w", i+1, r.Material().Code, err)
		}
		if applies == catalog.Unknown {
			return w.end(NeedsFact, "", ReasonFactMissing, func(out *Settlement) { out.Questions = unknown }), nil
		}
		if applies == catalog.False {
			continue
		}
		out, done, err := w.try(&r.Material().Chain[i])
		if err != nil || done {
			return out, err
		}
	}
	return w.exhausted(), nil
}

// stoppedBy gives the refused matters that every use of the requirement hangs
// on; nil if any use may still go on.
func stoppedBy(s *Situation, r *catalog.Requirement) []string {
	var refused []string
	for _, use := range r.Uses {
		planned := s.Plan.Matter(use.Matter.Code)
		if planned.State != catalog.StateStopped {
			return nil
		}
		for _, code := range planned.After {
			if state := s.Plan.Matter(code).State; state == catalog.StateRefused || state == catalog.StateStopped {
				refused = append(refused, code)
			}
		}
	}
	slices.Sort(refused)
	return slices.Compact(refused)
}

// walk is one way down a chain.
type walk struct {
	s        *Situation
	r        *catalog.Requirement
	attempts []Attempt
	last     ReasonCode // of the last look-up that did not settle
	retryAt  time.Time  // the earliest that a source named
	task     string     // the assist task whose answer may still come
}

// failed reports whether any question so far ended in one of these ways.
func (w *walk) failed(results ...Result) bool {
	return slices.ContainsFunc(w.attempts, func(a Attempt) bool { return a.asked() && slices.Contains(results, a.Result) })
}

func (w *walk) end(o Outcome, mode catalog.Mode, reason ReasonCode, more ...func(*Settlement)) Settlement {
	out := Settlement{Outcome: o, Mode: mode, Reason: reason, Attempts: w.attempts, Task: w.task}
	for _, set := range more {
		set(&out)
	}
	return out
}

// note keeps an attempt. Only a question that failed is a reason for what comes
// after it: that nothing was handed in before tells the applicant nothing.
func (w *walk) note(a Attempt) {
	w.attempts = append(w.attempts, a)
	if a.Result == OK || !a.asked() {
		return
	}
	w.last = ReasonCode(a.Result)
	if a.Result == NoConsent {
		w.last = ReasonConsentRefused
	}
}

// try takes one step; done says that the chain ends here.
func (w *walk) try(step *catalog.Step) (Settlement, bool, error) {
	switch step.Mode {
	case catalog.ModeForm:
		return w.settled(step.Mode, ReasonGenerated), true, nil
	case catalog.ModeCancel:
		return w.cancelled(), true, nil
	case catalog.ModePrior:
		out, done := w.prior()
		return out, done, nil
	case catalog.ModeElicense, catalog.ModeData:
		return w.lookUp(step.Mode)
	case catalog.ModeHistory:
		out, done := w.history(step)
		return out, done, nil
	case catalog.ModeAssist:
		out, done := w.assist(step)
		return out, done, nil
	case catalog.ModeWait:
		out, done := w.wait(step)
		return out, done, nil
	case catalog.ModeCommit:
		return w.end(Committed, step.Mode, ReasonCommitment), true, nil
	case catalog.ModeDefer:
		return w.end(Deferred, step.Mode, ReasonMayFollow, func(out *Settlement) { out.DueDays = step.Days }), true, nil
	case catalog.ModeUpload:
		return w.end(Upload, "", w.whyUpload()), true, nil
	}
	return Settlement{}, false, fmt.Errorf("material %s: mode %q is not known", w.r.Material().Code, step.Mode)
}

func (w *walk) settled(mode catalog.Mode, reason ReasonCode, evidence ...Evidence) Settlement {
	w.note(Attempt{Mode: mode, Result: OK})
	return w.end(Settled, mode, reason, func(out *Settlement) { out.Evidence = evidence })
}

// cancelled ends a chain whose paper is not asked for any more. A look-up that
// failed before it is not healed by that: a fault settles nothing, and a record
// that does not hold is looked at by a person.
func (w *walk) cancelled() Settlement {
	if w.failed(SourceDown, Stale, Mismatch, Expired, Multiple) {
		return w.exhausted()
	}
	return w.settled(catalog.ModeCancel, ReasonCancelled)
}

// prior takes the result of an earlier matter of the case.
func (w *walk) prior() (Settlement, bool) {
	m := w.r.Material()
	var granted, pending, refused []string
	ended := false
	for _, code := range m.Prior {
		planned := w.s.Plan.Matter(code)
		switch {
		case planned == nil || planned.State == catalog.StateSkipped:
		case planned.State == catalog.StateGranted && !w.isFor(code):
		case planned.State == catalog.StateGranted && w.ended(code):
			ended = true
			w.note(Attempt{Mode: catalog.ModePrior, Dataset: planned.Matter.Result.Dataset, Result: Expired, Detail: "the result is no longer valid"})
		case planned.State == catalog.StateGranted:
			granted = append(granted, code)
		case planned.State.Pending():
			pending = append(pending, code)
		default:
			refused = append(refused, code)
		}
	}
	enough := len(granted) > 0
	if m.PriorAll {
		enough = enough && len(pending) == 0 && len(refused) == 0 && !ended
	}
	switch {
	case enough:
		return w.priorSettled(granted), true
	case m.PriorAll && len(refused) > 0:
		return w.awaits(ReasonPriorRefused, refused), true
	case len(pending) > 0:
		return w.awaits(ReasonPriorPending, pending), true
	case len(refused) > 0:
		return w.awaits(ReasonPriorRefused, refused), true
	}
	if len(w.attempts) == 0 {
		w.note(Attempt{Mode: catalog.ModePrior, Result: NotFound, Detail: "no earlier matter of this case gives it"})
	}
	return Settlement{}, false
}

// isFor reports whether the result of a matter is this party's: it names no
// party, or this one.
func (w *walk) isFor(matter string) bool {
	whose := w.s.Results[matter].Party
	return whose == "" || w.r.Party == nil || whose == w.r.Party.ID
}

// ended reports whether the result of a matter is no longer valid.
func (w *walk) ended(matter string) bool {
	until := w.s.Results[matter].ValidUntil
	return until != "" && until < w.s.Today.Format(time.DateOnly)
}

func (w *walk) awaits(reason ReasonCode, matters []string) Settlement {
	return w.end(AwaitingPrior, "", reason, func(out *Settlement) { out.Prior = matters })
}

func (w *walk) priorSettled(matters []string) Settlement {
	var evidence []Evidence
	for _, code := range matters {
		matter := w.s.Plan.Matter(code).Matter
		reported := w.s.Results[code]
		issued, _ := time.Parse(time.DateOnly, reported.IssuedOn)
		evidence = append(evidence, Evidence{
			Dataset: matter.Result.Dataset, Department: matter.Department, Source: "prior:" + code,
			Reference: reported.Number, AsOf: issued, FetchedAt: reported.ReportedAt,
			ValidUntil: reported.ValidUntil, Fields: reported.Fields,
		})
	}
	return w.settled(catalog.ModePrior, ReasonPriorResult, evidence...)
}

// history reuses a paper that the same party handed in before.
func (w *walk) history(step *catalog.Step) (Settlement, bool) {
	oldest := w.s.Today.AddDate(0, -step.Months, 0)
	for _, handed := range w.s.Handed {
		if handed.On.Before(oldest) || !w.isSamePaper(handed) {
			continue
		}
		return w.settled(catalog.ModeHistory, ReasonReused, Evidence{
			Source: "history", Reference: handed.Digest, AsOf: handed.On, FetchedAt: handed.On,
		}), true
	}
	w.note(Attempt{Mode: catalog.ModeHistory, Result: NotFound, Detail: "nothing was handed in before"})
	return Settlement{}, false
}

func (w *walk) isSamePaper(handed Handed) bool {
	party := ""
	if w.r.Party != nil {
		party = w.r.Party.ID
	}
	if handed.Party != party {
		return false
	}
	if w.r.StandardMaterial != "" && handed.StandardMaterial == w.r.StandardMaterial {
		return true
	}
	return slices.Contains(w.r.UsedBy(), handed.Material)
}

// whyUpload says why nothing before the upload worked.
func (w *walk) whyUpload() ReasonCode {
	switch {
	case w.last != "":
		return w.last
	case w.r.Material().Origin == "applicant":
		return ReasonApplicantOnly
	default:
		return ReasonNoSource
	}
}

// exhausted ends a chain that has no upload: a person looks at it, or the
// source is asked again. It never becomes a burden on the applicant.
func (w *walk) exhausted() Settlement {
	if out, waits := w.waitUntil(w.s.since().Add(longestWait)); waits {
		return out
	}
	return w.end(Verifying, "", ReasonManualCheck)
}
