package exchange

import (
	"context"
	"errors"
	"time"

	"mianti/internal/fault"
	"mianti/policies"
)

// Stopped is the fault of a source that is not asked because it is stopped.
const Stopped = "stopped"

func systemStopped() error {
	return fault.New(fault.Denied, Stopped, "这个接入系统已被停用，在恢复之前不能使用。请联系运维人员。")
}

// withoutStopped answers the questions to sources that are stopped, and gives
// the others. A stop of a source decides nothing about rights: the source counts
// as down. It is not asked, so that there is no intent.
func (run *resolving) withoutStopped(questions []question) []question {
	var open []question
	for _, q := range questions {
		if !run.s.Stops.Holds(policies.StopSource, q.source.Code) {
			open = append(open, q)
			continue
		}
		run.know(q.Ask, policies.Answer{
			Source: q.source.Code, Asked: q.fields, Result: policies.SourceDown, Fault: Stopped, FetchedAt: run.x.Now().UTC(),
		})
	}
	return open
}

// subjectOf is whom a question is about, for the quotas; empty for nobody.
func (run *resolving) subjectOf(q question) string {
	party := run.c.party(q.Party)
	if party == nil || party.Number == "" {
		return ""
	}
	return run.x.SubjectOf(party.Kind, party.Number)
}

// AllEvidence is the evidence that settles the material, whatever there is.
func (m *MaterialResult) AllEvidence() []Evidence {
	if m.Evidence == nil {
		return m.Supporting
	}
	return append([]Evidence{*m.Evidence}, m.Supporting...)
}

// restsOnStopped reports whether any of the evidence is of a grant, a dataset or
// a source that is stopped.
func (m *MaterialResult) restsOnStopped(stops policies.Stops) bool {
	for _, e := range m.AllEvidence() {
		if stops.Holds(policies.StopGrant, e.Grant) || stops.Holds(policies.StopDataset, e.Dataset) || stops.Holds(policies.StopSource, e.Source) {
			return true
		}
	}
	return false
}

// withhold takes out the evidence that rests on anything stopped. What was
// concluded of it stays as it was.
func (r *Resolution) withhold(stops policies.Stops) {
	for i := range r.Materials {
		if m := &r.Materials[i]; m.restsOnStopped(stops) {
			m.Evidence, m.Supporting = nil, nil
		}
	}
}

const (
	// stoppedPause is how long a case of a stopped system rests before it is looked
	// at again.
	stoppedPause = time.Minute
	// changedPause is how long one rests whose authorization has just changed.
	changedPause = 5 * time.Second
)

// putOff says how long a continuation has to rest that was refused for a reason
// that passes by itself; 0 when it has not been.
func putOff(err error) time.Duration {
	refused := fault.As(err)
	switch {
	case refused == nil || errors.Is(err, fault.Unavailable):
		return 0
	case refused.Kind == fault.Exhausted:
		return max(refused.Wait, changedPause)
	case refused.Code == Stopped:
		return stoppedPause
	case refused.Code == "authorization-changed":
		return changedPause
	default:
		return 0
	}
}

// continueLater puts a continuation off. It is a new job, since a job that is
// tried again and again is given up in the end, and a stop may last for days.
func (x *Exchange) continueLater(ctx context.Context, p continuePayload, wait time.Duration) error {
	job, err := x.onward(&Case{ID: p.Case, Department: p.Department}, x.Now().Add(wait))
	if err != nil {
		return err
	}
	return x.Queue.Enqueue(ctx, job)
}
