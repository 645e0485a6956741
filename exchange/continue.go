package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/policies"
)

// JobContinue is the kind of job that goes on with the resolution of a case.
const JobContinue = "continue"

type continuePayload struct {
	Department string `json:"department"`
	Case       string `json:"case"`
}

// onward is the job that goes on with a case. There is one for each case, at
// the earliest time that anybody asked for.
func (x *Exchange) onward(c *Case, at time.Time) (jobs.Job, error) {
	payload, err := json.Marshal(continuePayload{Department: c.Department, Case: c.ID})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode a job: %w", err)
	}
	return jobs.Job{Kind: JobContinue, Key: c.ID, Payload: string(payload), RunAt: at}, nil
}

// ContinueJob is the work of a job of kind JobContinue.
func (x *Exchange) ContinueJob(ctx context.Context, job jobs.Job) error {
	var p continuePayload
	if err := json.Unmarshal([]byte(job.Payload), &p); err != nil {
		return fmt.Errorf("decode a job: %w", err)
	}
	err := x.Continue(ctx, p.Department, p.Case)
	if wait := putOff(err); wait > 0 {
		return x.continueLater(ctx, p, wait)
	}
	if errors.Is(err, fault.Gone) || (errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Unavailable)) {
		return nil // the case or its resolution has moved on, or is no more: this one is not needed
	}
	return err
}

// Continue goes on with the last resolution of a case: what waits for a source
// or an officer is tried again, and all else stays as it was answered. It does
// nothing when nothing waits, or when the case has changed since: then its
// department resolves it anew.
func (x *Exchange) Continue(ctx context.Context, department, caseID string) error {
	_, err := x.afresh(func() (*Resolution, error) { return x.continueOnce(ctx, department, caseID) })
	return err
}

// continueOnce gives the next version; nil when there is nothing to go on with.
func (x *Exchange) continueOnce(ctx context.Context, department, caseID string) (*Resolution, error) {
	before, err := x.Resolutions.LastResolution(ctx, department, caseID)
	if errors.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // there is nothing to go on with
	}
	if err != nil {
		return nil, fmt.Errorf("continue: %w", err)
	}
	if !slices.ContainsFunc(before.Materials, func(m MaterialResult) bool { return m.waits() }) {
		return nil, nil //nolint:nilnil // as above
	}
	by := policies.Caller{Department: department}
	c, rev, err := x.caseAtRevision(ctx, by, caseID)
	if err != nil {
		return nil, fmt.Errorf("continue: %w", err)
	}
	if c.Version != before.CaseVersion {
		return nil, nil //nolint:nilnil // as above
	}
	by.System = c.System
	return x.resolve(ctx, resolving{x: x, by: by, c: c, id: before.ID, before: before}, rev, nil)
}

// pauses are how long is waited before a source that was away is asked again,
// by version of the resolution. The last one goes on.
func pauses() []time.Duration {
	return []time.Duration{
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	}
}

// nextTry is when a source that was away is asked again: not before it said
// itself, and not after the wait is over.
func nextTry(now time.Time, version int, said, until time.Time) time.Time {
	all := pauses()
	next := now.Add(all[min(version, len(all))-1])
	if said.After(next) {
		next = said
	}
	if !until.IsZero() && until.Before(next) {
		next = until
	}
	return next
}

// follow adds what has to happen after a version: go on when the time has come
// or an officer has answered, and tell the system when something changed by
// itself.
func (x *Exchange) follow(c *Case, before *Resolution, commit *Commit) error {
	r := commit.Resolution
	for _, m := range r.Materials {
		if m.Task != "" {
			commit.Awaits = append(commit.Awaits, m.Task)
		}
	}
	var err error
	if commit.Answered, err = x.onward(c, r.ResolvedAt); err != nil {
		return err
	}
	if r.RetryAt != nil {
		job := commit.Answered
		job.RunAt = *r.RetryAt
		commit.Jobs = append(commit.Jobs, job)
	}
	if before == nil || !changed(before, r) {
		return nil
	}
	job, err := Event{
		System: c.System, ID: fmt.Sprintf("%s-%d", r.ID, r.Version), Type: EventResolutionUpdated, At: r.ResolvedAt,
		Data: map[string]any{
			"resolution": r.ID, "version": r.Version, "case": r.Case, "case_number": r.CaseNumber, "status": r.Status, "continues": r.Continues(),
		},
	}.job()
	commit.Jobs = append(commit.Jobs, job)
	return err
}

// changed reports whether the applicant or the clerk would see a difference.
func changed(before, after *Resolution) bool {
	if before.Continues() != after.Continues() || len(before.Materials) != len(after.Materials) {
		return true
	}
	for i := range after.Materials {
		a, b := &before.Materials[i], &after.Materials[i]
		if a.Code != b.Code || a.Outcome != b.Outcome || a.Reason.Code != b.Reason.Code {
			return true
		}
	}
	return false
}
