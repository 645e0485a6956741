package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/internal/jobs"
)

// The states of a job. One that is done is gone.
const (
	jobWaiting = "waiting"
	jobRunning = "running"
	jobFailed  = "failed"
)

// jobRow is a piece of work (后台任务).
type jobRow struct {
	ID        string    `gorm:"column:id;primaryKey"`
	Kind      string    `gorm:"column:kind"`
	Key       string    `gorm:"column:key"` // may be empty
	Payload   string    `gorm:"column:payload"`
	State     string    `gorm:"column:state"`
	RunAt     Timestamp `gorm:"column:run_at"`
	Claimable Timestamp `gorm:"column:claimable_at"` // when anybody may take it
	Owner     string    `gorm:"column:owner"`        // while it runs
	Attempts  int       `gorm:"column:attempts"`
	Reason    string    `gorm:"column:reason"` // why the last attempt failed
	Created   Timestamp `gorm:"column:created_at"`
	Ended     Timestamp `gorm:"column:ended_at"` // when it failed for good; else 0
}

// TableName names the table.
func (jobRow) TableName() string { return "jobs" }

func jobThings() things { return things{code: "job", name: "后台任务"} }

// Enqueue adds jobs, all of them or none.
func (s *Store) Enqueue(ctx context.Context, more ...jobs.Job) error {
	return s.transact(ctx, func(tx *gorm.DB) error { return s.enqueue(ctx, tx, more) })
}

// enqueue adds jobs in the caller's transaction. Of a key that waits already
// the row stays, at the earlier time and with the newer payload; what was tried
// with the older one says nothing about it, so that its attempts begin anew.
func (s *Store) enqueue(ctx context.Context, tx *gorm.DB, more []jobs.Job) error {
	if len(more) == 0 {
		return nil
	}
	now := At(s.now())
	rows := make([]jobRow, len(more))
	for i, job := range more {
		rows[i] = newJobRow(job, now)
	}
	// Two transactions that add the same keys in another order would wait for
	// each other; a stable sort keeps the order of those of one key.
	slices.SortStableFunc(rows, func(a, b jobRow) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	// One statement each: PostgreSQL does not let one touch the same row twice.
	for i := range rows {
		err := table[jobRow](tx, onWaitingKey("payload", "attempts", "reason")).Create(ctx, &rows[i])
		if err != nil {
			return translate(err, "enqueue a job", jobThings())
		}
	}
	return nil
}

func newJobRow(job jobs.Job, now Timestamp) jobRow {
	row := jobRow{
		ID: job.ID, Kind: job.Kind, Key: job.Key, Payload: job.Payload, State: jobWaiting, RunAt: now, Created: now,
	}
	if row.ID == "" {
		row.ID = rand.Text()
	}
	if !job.RunAt.IsZero() {
		row.RunAt = At(job.RunAt)
	}
	row.Claimable = row.RunAt
	return row
}

// onWaitingKey says what happens where a job of the same kind and key waits
// already: it keeps the earlier time, and takes these columns from the new row.
func onWaitingKey(columns ...string) clause.OnConflict {
	const earlier = "CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END"
	updates := append(clause.AssignmentColumns(columns), clause.Assignments(map[string]any{
		"run_at": gorm.Expr(earlier), "claimable_at": gorm.Expr(earlier),
	})...)
	return clause.OnConflict{
		Columns:     []clause.Column{{Name: "kind"}, {Name: "key"}},
		TargetWhere: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "state = 'waiting' AND key <> ''"}}},
		DoUpdates:   updates,
	}
}

// Claim takes up to limit jobs of these kinds whose time has come, or whose
// lease has run out, those that have waited longest first.
func (s *Store) Claim(ctx context.Context, owner string, kinds []string, limit int, lease time.Duration) ([]jobs.Job, error) {
	if len(kinds) == 0 || limit <= 0 {
		return nil, nil
	}
	now := s.now()
	var rows []jobRow
	err := s.db.WithContext(ctx).Raw(s.claimStatement(),
		At(now), kinds, limit, owner, At(now.Add(lease))).Scan(&rows).Error
	if err != nil {
		return nil, translate(err, "claim jobs", jobThings())
	}
	// RETURNING keeps no order.
	slices.SortFunc(rows, func(a, b jobRow) int {
		return cmp.Or(cmp.Compare(a.RunAt, b.RunAt), cmp.Compare(a.ID, b.ID))
	})
	out := make([]jobs.Job, len(rows))
	for i, row := range rows {
		out[i] = row.job()
	}
	return out, nil
}

// claimStatement chooses and takes in one statement. The choice is materialized:
// PostgreSQL may run a subquery several times, and each time skip what it has
// locked itself, which takes more than the limit.
func (s *Store) claimStatement() string {
	locking := "" // SQLite has one writer at a time
	if s.dialect == dialectPostgres {
		locking = "FOR UPDATE SKIP LOCKED"
	}
	return `WITH next AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state IN ('waiting', 'running') AND claimable_at <= ? AND kind IN ?
    ORDER BY claimable_at, id LIMIT ? ` + locking + `
)
UPDATE jobs SET state = 'running', owner = ?, claimable_at = ?, attempts = attempts + 1
WHERE id IN (SELECT id FROM next)
RETURNING id, kind, key, payload, run_at, attempts`
}

func (row jobRow) job() jobs.Job {
	return jobs.Job{
		ID: row.ID, Kind: row.Kind, Key: row.Key, Payload: row.Payload, RunAt: row.RunAt.Time(), Attempts: row.Attempts,
	}
}

// claimed chooses the job under the claim that the owner was given. The attempts
// tell it from a later claim of the same owner.
func claimed(tx *gorm.DB, owner string, job jobs.Job) tableOf[jobRow] {
	return table[jobRow](tx).Where("id = ? AND state = ? AND owner = ? AND attempts = ?", job.ID, jobRunning, owner, job.Attempts)
}

// Extend makes the lease end that long from now. A lease that has run out and
// was taken by nobody is still the owner's.
func (s *Store) Extend(ctx context.Context, owner string, job jobs.Job, lease time.Duration) (bool, error) {
	n, err := claimed(s.db, owner, job).Update(ctx, "claimable_at", At(s.now().Add(lease)))
	return n > 0, translate(err, "extend a lease", jobThings())
}

// Finish removes a job that is done.
func (s *Store) Finish(ctx context.Context, owner string, job jobs.Job) (bool, error) {
	n, err := claimed(s.db, owner, job).Delete(ctx)
	return n > 0, translate(err, "finish a job", jobThings())
}

// Retry gives a job back, or keeps it as failed when at is zero.
func (s *Store) Retry(ctx context.Context, owner string, job jobs.Job, at time.Time, reason string) error {
	reason = operatorText(reason)
	if at.IsZero() {
		failed := clause.Assignments(map[string]any{"state": jobFailed, "owner": "", "reason": reason, "ended_at": At(s.now())})
		_, err := claimed(s.db, owner, job).Set(ctx, failed)
		return translate(err, "give a job up", jobThings())
	}
	return s.transact(ctx, func(tx *gorm.DB) error { return giveBack(ctx, tx, owner, job, at, reason) })
}

// giveBack takes the row out and puts it in again, because another of its key
// may wait by now. That one holds the newer payload and stays.
func giveBack(ctx context.Context, tx *gorm.DB, owner string, job jobs.Job, at time.Time, reason string) error {
	const doing = "give a job back"
	row, err := claimed(tx, owner, job).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil // the lease was lost
	}
	if err != nil {
		return translate(err, doing, jobThings())
	}
	n, err := claimed(tx, owner, job).Delete(ctx)
	if err != nil {
		return translate(err, doing, jobThings())
	}
	if n == 0 {
		return nil // and lost between the two statements
	}
	row.State, row.Owner, row.Reason, row.RunAt, row.Claimable = jobWaiting, "", reason, At(at), At(at)
	return translate(table[jobRow](tx, onWaitingKey()).Create(ctx, &row), doing, jobThings())
}

// FailedJobs gives jobs that were given up, the newest first.
func (s *Store) FailedJobs(ctx context.Context, limit int) ([]jobs.Failed, error) {
	rows, err := table[jobRow](s.db).Where("state = ?", jobFailed).Order("ended_at DESC, id").Limit(limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "list failed jobs", jobThings())
	}
	out := make([]jobs.Failed, len(rows))
	for i, row := range rows {
		out[i] = jobs.Failed{Job: row.job(), Reason: row.Reason, At: row.Ended.Time()}
	}
	return out, nil
}

// longestReason bounds what is kept of a reason, in bytes.
const longestReason = 1000

// operatorText makes a text one that both databases can keep: a failure that
// cannot be stored would be tried for ever.
func operatorText(text string) string {
	if len(text) > longestReason {
		text = text[:longestReason]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
