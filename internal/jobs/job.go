// Package jobs runs work that must survive a restart: it is stored together
// with what it follows from, claimed by one process at a time under a lease,
// and tried again until it is done.
//
// A job runs at least once. Its handler MUST be able to run twice, and beside
// another job of its kind and key: one that was added while it ran.
package jobs

import (
	"context"
	"time"
)

// Job (后台任务) is one piece of work.
type Job struct {
	ID   string // made by the queue when it is empty
	Kind string // names the handler
	// Key tells jobs of a kind apart: of those that wait there is one for each
	// key, and adding another moves it to the earlier time and gives it the newer
	// payload. Empty means unique.
	Key     string
	Payload string // JSON; no personal data
	// RunAt is when it is to run; zero means now.
	RunAt time.Time
	// Attempts counts the runs that have begun, this one included.
	Attempts int
}

// Queue is where jobs are put. The store implements it on both databases.
type Queue interface {
	// Enqueue adds jobs, durably: all of them or none.
	Enqueue(ctx context.Context, jobs ...Job) error
}

// Backlog (待办队列) is where jobs are taken from. The store implements it on both
// databases. A job that was claimed is given by value: its ID and Attempts
// together name the claim, so that a claim that was lost ends nothing.
type Backlog interface {
	// Claim takes up to limit jobs of these kinds whose time has come, for as long
	// as lease. A job whose lease has run out is anybody's again.
	Claim(ctx context.Context, owner string, kinds []string, limit int, lease time.Duration) ([]Job, error)
	// Extend makes the lease end that long from now. It reports false when the
	// lease was lost.
	Extend(ctx context.Context, owner string, job Job, lease time.Duration) (bool, error)
	// Finish removes a job that is done. It reports false when the lease was lost.
	Finish(ctx context.Context, owner string, job Job) (bool, error)
	// Retry gives a job back, to be run again at a time; reason says why, without
	// personal data. A zero time means never: it is kept, as failed, for the
	// operator. Where another job of its key waits by now, that one runs instead, at
	// the earlier time. It does nothing when the lease was lost.
	Retry(ctx context.Context, owner string, job Job, at time.Time, reason string) error
}

// Failed (失败任务) is a job that was given up, kept for the operator.
type Failed struct {
	Job
	Reason string
	At     time.Time // when it was given up
}
