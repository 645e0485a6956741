package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// JobPublish is the kind of job that publishes a draft at its date.
const JobPublish = "draft_publish"

// mostTries is how often a publication begins anew because somebody else published
// in between.
const mostTries = 5

// publishing is what a job knows: another version is another decision.
type publishing struct {
	Draft   string `json:"draft"`
	Version int    `json:"version"`
}

func (d *Draft) publishJob() jobs.Job {
	payload, _ := json.Marshal(publishing{d.ID, d.Version}) // a text and a number: always JSON
	return jobs.Job{Kind: JobPublish, Key: fmt.Sprintf("%s:%d", d.ID, d.Version), Payload: string(payload), RunAt: *d.PublishAt}
}

// Publish makes an approved draft the current revision, at once. It does not if
// others have changed since what the draft changes, if it has faults, or if the
// linter forbids it.
func (d *Desk) Publish(ctx context.Context, by policies.Caller, id string, version int) (*Dossier, error) {
	draft, err := d.at(ctx, id, version)
	if err != nil {
		return nil, err
	}
	next, err := d.publish(ctx, draft, by, "")
	if err != nil {
		return nil, err
	}
	return d.view(ctx, by, next)
}

// publish makes a draft the next revision. Who loses a race against another
// publication looks at the catalog anew.
func (d *Desk) publish(ctx context.Context, draft *Draft, by policies.Caller, why string) (*Draft, error) {
	next, err := d.Apply(draft, Event{Act: Publish, Why: why}, by, d.Now())
	if err != nil {
		return nil, err
	}
	return d.release(ctx, &next, Commit{Entries: next.entries(Publish, strings.TrimSpace(why), by, next.UpdatedAt)})
}

// release stores the revision that a published draft makes.
func (d *Desk) release(ctx context.Context, next *Draft, c Commit) (*Draft, error) {
	for try := 1; ; try++ {
		head, err := d.Publisher.LatestRevision(ctx)
		if err != nil {
			return nil, fmt.Errorf("publish a draft: %w", err)
		}
		drafted, err := d.drafted(ctx, next, head)
		if err != nil {
			return nil, err
		}
		if len(drafted.Parts) == 0 {
			return nil, fault.New(fault.Conflict, "draft-changes-nothing", "草案和现行目录没有不同，没有可以发布的。")
		}
		c.Draft = next
		p := Publication{Base: head, Parts: drafted.Parts, Title: drafted.Revision.Title, Version: drafted.Revision.Version}
		next.Revision, err = d.Publisher.PublishDraft(ctx, c, p)
		if err == nil {
			return next, nil
		}
		if failed := fault.As(err); failed == nil || failed.Code != "revision-moved" || try == mostTries {
			return nil, fmt.Errorf("publish a draft: %w", err)
		}
	}
}

// Schedule has an approved draft published at the beginning of a day.
func (d *Desk) Schedule(ctx context.Context, by policies.Caller, id string, version int, on time.Time) (*Dossier, error) {
	return d.Act(ctx, by, id, version, Event{Act: Schedule, On: on})
}

// PublishJob is the work of a job of kind JobPublish. What stands in the way sends
// the draft back to its writers, with the reason; a draft that was recalled or
// given another date needs nothing of it.
func (d *Desk) PublishJob(ctx context.Context, job jobs.Job) error {
	var p publishing
	if err := json.Unmarshal([]byte(job.Payload), &p); err != nil {
		return jobs.Never(fmt.Errorf("decode a publication: %w", err))
	}
	draft, err := d.Drafts.Draft(ctx, p.Draft)
	if err != nil {
		return fmt.Errorf("publish a draft: %w", err)
	}
	if draft.State != Scheduled || draft.Version != p.Version {
		return nil
	}
	reviewer := policies.Caller{Person: draft.Reviewer, Department: draft.scheduledFor(), Duties: []policies.Duty{policies.DutyPolicyReviewer}}
	_, err = d.publish(ctx, draft, reviewer, "按期发布")
	if !stands(err) {
		return err
	}
	return d.block(ctx, draft, err)
}

// scheduledFor is the department for which the reviewer gave the date.
func (d *Draft) scheduledFor() string {
	for i := len(d.History) - 1; i >= 0; i-- {
		if d.History[i].Act == Schedule {
			return d.History[i].Department
		}
	}
	return ""
}

// stands reports whether trying again cannot help: it is for the writers.
func stands(err error) bool {
	failed := fault.As(err)
	if failed == nil {
		return false
	}
	switch failed.Code {
	case "draft-behind", "draft-faulty", "lint-errors", "draft-changes-nothing":
		return true
	default:
		return false
	}
}

func (d *Desk) block(ctx context.Context, draft *Draft, because error) error {
	why, now := fault.As(because).Message, d.Now().UTC()
	next, err := d.Apply(draft, Event{Act: Block, Why: why}, policies.Caller{}, now)
	if err != nil {
		return err
	}
	entries := next.entries(Block, why, policies.Caller{Person: ledger.Operator}, now)
	err = d.Drafts.SaveDraft(ctx, Commit{Draft: &next, Entries: entries})
	if errors.Is(err, fault.Conflict) { // somebody has done something about it meanwhile
		return nil
	}
	return err
}
