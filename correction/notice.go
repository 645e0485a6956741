package correction

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"mianti/exchange"
	"mianti/internal/jobs"
)

// JobNotice is the kind of job that tells about a correction.
const JobNotice = "correction_notice"

// The notices: that it was opened, that its time runs out, that it is up, and that
// its state has changed.
const (
	noticeOpened   = "opened"
	noticeReminder = "reminder"
	noticeOverdue  = "overdue"
	noticeChanged  = "changed"
)

type notice struct {
	Correction string `json:"correction"`
	Notice     string `json:"notice"`
	// Due is the deadline that a reminder is about: another one has its own.
	Due time.Time `json:"due"`
}

// notices are the jobs of a deadline that has just begun: the reminder comes when
// half of the time is gone, the last word when all of it is.
func (c *Correction) notices() ([]jobs.Job, error) {
	if c.Deadline == nil {
		return nil, nil
	}
	now, due := c.OpenedAt, c.Deadline.DueAt
	if len(c.History) > 0 {
		now = c.History[len(c.History)-1].At
	}
	var out []jobs.Job
	for _, n := range []struct {
		what string
		at   time.Time
	}{{noticeOpened, now}, {noticeReminder, now.Add(due.Sub(now) / 2)}, {noticeOverdue, due}} {
		job, err := c.notice(n.what, due, n.at)
		if err != nil {
			return nil, err
		}
		out = append(out, job)
	}
	return out, nil
}

func (c *Correction) notice(what string, due, at time.Time) (jobs.Job, error) {
	payload, err := json.Marshal(notice{c.ID, what, due})
	if err != nil {
		return jobs.Job{}, fmt.Errorf("encode a notice: %w", err)
	}
	return jobs.Job{Kind: JobNotice, Key: fmt.Sprintf("%s:%d:%s", c.ID, c.Version, what), Payload: string(payload), RunAt: at}, nil
}

// following are the jobs that follow from an act.
func (c *Correction) following(e Event, now time.Time) ([]jobs.Job, error) {
	changed, err := c.notice(noticeChanged, time.Time{}, now)
	if err != nil {
		return nil, err
	}
	out := []jobs.Job{changed}
	if c.State == Corrected {
		again, err := exchange.Reflow(c.ID, c.RecordRef, now)
		if err != nil {
			return nil, err
		}
		out = append(out, again)
	}
	if e.Act == PassOn || c.State == Ordered {
		more, err := c.notices()
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// NoticeJob is the work of a job of kind JobNotice: the systems of the department
// that has to act are told, and those of the case when something came of it. What
// they are told holds no personal data. A deadline that is no more needs no notice.
func (d *Desk) NoticeJob(ctx context.Context, job jobs.Job) error {
	var n notice
	if err := json.Unmarshal([]byte(job.Payload), &n); err != nil {
		return fmt.Errorf("decode a notice: %w", err)
	}
	c, err := d.Corrections.Correction(ctx, n.Correction)
	if err != nil {
		return fmt.Errorf("tell about a correction: %w", err)
	}
	data := map[string]any{"correction": c.ID, "dataset": c.Dataset, "state": string(c.State), "step": c.Step}
	if n.Notice == noticeChanged {
		data["case"], data["case_number"], data["material"] = c.Case, c.CaseNumber, c.Material
		return d.Exchange.Tell(ctx, c.Receiver, "correction.changed", job.Key, data)
	}
	if c.Deadline == nil || !c.Deadline.DueAt.Equal(n.Due) {
		return nil
	}
	data["due_at"] = c.Deadline.DueAt
	return d.Exchange.Tell(ctx, c.Provider, "correction."+n.Notice, job.Key, data)
}
