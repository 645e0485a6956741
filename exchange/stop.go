package exchange

import (
	"context"
	"errors"
	"slices"
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

// restsOnStopped reports whether any of the evidence is of a grant, a dataset or
// a source that is stopped.
func (m *MaterialResult) restsOnStopped(stops policies.Stops) bool {
	return slices.ContainsFunc(m.Evidences(), func(e *Evidence) bool { return stopWithholds(e, stops) != "" })
}

// stopWithholds says what a stop has to say against giving out an evidence.
func stopWithholds(e *Evidence, stops policies.Stops) Withheld {
	switch {
	case stops.Holds(policies.StopGrant, e.Grant):
		return WithheldGrantStopped
	case stops.Holds(policies.StopDataset, e.Dataset):
		return WithheldDatasetStopped
	case stops.Holds(policies.StopSource, e.Source):
		return WithheldSourceStopped
	}
	return ""
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
	case refused.Code == AuthorizationChanged:
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
