package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/policies"
)

// The kinds of jobs by which a corrected record comes back into the open cases:
// one finds them, and one for each of them asks again.
const (
	JobReflow     = "reflow"
	JobReconsider = "reconsider"
)

// reconsiderPayload is a record, and the case that is to ask for it again.
type reconsiderPayload struct {
	RecordRef
	Department string `json:"department"`
	Case       string `json:"case"`
}

// Reflow (回流) is the job that lets the open cases of a record ask for it again.
// key tells it from others, such as the correction's id.
func Reflow(key string, ref RecordRef, at time.Time) (jobs.Job, error) {
	payload, err := json.Marshal(ref)
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode a job: %w", err)
	}
	return jobs.Job{Kind: JobReflow, Key: key, Payload: string(payload), RunAt: at}, nil
}

// reflowBatch is how many cases are put into the queue at once.
const reflowBatch = 200

// ReflowJob is the work of a job of kind JobReflow: each open case in which the
// subject was asked about gets a job of its own.
func (x *Exchange) ReflowJob(ctx context.Context, job jobs.Job) error {
	var ref RecordRef
	if err := json.Unmarshal([]byte(job.Payload), &ref); err != nil {
		return fmt.Errorf("decode a job: %w", err)
	}
	after := ""
	for {
		found, err := x.Records.CasesAbout(ctx, ref.Subject, after, reflowBatch)
		if err != nil {
			return fmt.Errorf("find the cases of a record: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		all := make([]jobs.Job, len(found))
		for i, of := range found {
			payload, err := json.Marshal(reconsiderPayload{ref, of.Department, of.Case})
			if err != nil {
				return fmt.Errorf("encode a job: %w", err)
			}
			all[i] = jobs.Job{Kind: JobReconsider, Key: job.Key + "|" + of.Case, Payload: string(payload), RunAt: x.Now().UTC()}
		}
		if err := x.Queue.Enqueue(ctx, all...); err != nil {
			return fmt.Errorf("find the cases of a record: %w", err)
		}
		after = found[len(found)-1].Case
	}
}

// ReconsiderJob is the work of a job of kind JobReconsider. Losing against another
// change of the case is a failure here, so that it is tried again: what that one
// kept may rest on the record as it was.
func (x *Exchange) ReconsiderJob(ctx context.Context, job jobs.Job) error {
	var p reconsiderPayload
	if err := json.Unmarshal([]byte(job.Payload), &p); err != nil {
		return fmt.Errorf("decode a job: %w", err)
	}
	err := x.Reconsider(ctx, CaseRef{p.Department, p.Case}, p.RecordRef)
	if wait := putOff(err); wait > 0 {
		job.ID, job.RunAt = "", x.Now().Add(wait)
		return x.Queue.Enqueue(ctx, jobs.Job{Kind: job.Kind, Key: job.Key, Payload: job.Payload, RunAt: job.RunAt})
	}
	return err
}

// Reconsider goes on with the last resolution of a case in which a record has been
// corrected: what rests on it is asked again, and all else stays as it was
// answered. It does nothing when nothing rests on it, when the case is closed, or
// when it has changed since: then its department resolves it anew.
func (x *Exchange) Reconsider(ctx context.Context, of CaseRef, ref RecordRef) error {
	_, err := x.afresh(func() (*Resolution, error) {
		return x.goOn(ctx, of.Department, of.Case, false, func(c *Case, rev *catalog.Revision, m *MaterialResult) bool {
			return x.restsOn(c, rev, m, ref)
		})
	})
	return err
}

// goOn makes the next version of the last resolution of a case: what waits, and
// what again says, is settled anew. Nil when there is nothing to go on with.
func (x *Exchange) goOn(ctx context.Context, department, caseID string, feeds bool, again func(*Case, *catalog.Revision, *MaterialResult) bool) (*Resolution, error) {
	before, err := x.Resolutions.LastResolution(ctx, department, caseID)
	if errors.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // there is nothing to go on with
	}
	if err != nil {
		return nil, fmt.Errorf("continue: %w", err)
	}
	by := policies.Caller{Department: department}
	c, rev, err := x.caseAtRevision(ctx, by, caseID)
	if err != nil {
		return nil, fmt.Errorf("continue: %w", err)
	}
	if c.Version != before.CaseVersion || !c.ClosedAt.IsZero() {
		return nil, nil //nolint:nilnil // as above
	}
	states, err := x.previewStates(ctx, c.ID)
	if err != nil {
		return nil, fmt.Errorf("continue: %w", err)
	}
	anew := func(m *MaterialResult) bool { return m.waits() || previewMoved(states, m) || again(c, rev, m) }
	if !slices.ContainsFunc(before.Materials, func(m MaterialResult) bool { return anew(&m) }) {
		return nil, nil //nolint:nilnil // as above
	}
	by.System = c.System
	return x.resolve(ctx, resolving{x: x, by: by, c: c, id: before.ID, before: before, anew: anew, feeds: feeds}, rev, nil)
}
