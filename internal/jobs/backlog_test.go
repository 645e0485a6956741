package jobs_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"mianti/internal/jobs"
)

// returned is one job that was given back.
type returned struct {
	Job    string
	After  time.Duration // from the moment it was given back; 0 with Never
	Never  bool
	Reason string
}

// entry is a job of a memory with its claim.
type entry struct {
	job   jobs.Job
	owner string
	free  time.Time // when anybody may take it
}

// memory is a backlog in memory, on the clock of the test's bubble.
type memory struct {
	mu       sync.Mutex
	entries  map[string]*entry
	away     bool // every call fails
	claims   int
	finished []string
	returned []returned
}

func newMemory(t *testing.T, all ...jobs.Job) *memory {
	t.Helper()
	m := &memory{entries: map[string]*entry{}}
	m.add(all...)
	return m
}

func (m *memory) add(all ...jobs.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, job := range all {
		m.entries[job.ID] = &entry{job: job, free: time.Now()}
	}
}

var errAway = errors.New("the database is away")

func (m *memory) setAway(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

// steal takes a job away from its owner.
func (m *memory) steal(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[id].owner = "thief"
	m.entries[id].job.Attempts++
	m.entries[id].free = time.Now().Add(time.Hour)
}

func (m *memory) Claim(_ context.Context, owner string, kinds []string, limit int, lease time.Duration) ([]jobs.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims++
	if m.away {
		return nil, errAway
	}
	var out []jobs.Job
	for _, e := range m.entries {
		if len(out) == limit || e.free.After(time.Now()) || !slices.Contains(kinds, e.job.Kind) {
			continue
		}
		e.owner, e.free = owner, time.Now().Add(lease)
		e.job.Attempts++
		out = append(out, e.job)
	}
	slices.SortFunc(out, func(a, b jobs.Job) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// held gives the entry that the owner has claimed.
func (m *memory) held(owner string, job jobs.Job) (*entry, error) {
	e := m.entries[job.ID]
	switch {
	case m.away:
		return nil, errAway
	case e == nil || e.owner != owner || e.job.Attempts != job.Attempts:
		return nil, nil
	}
	return e, nil
}

func (m *memory) Extend(ctx context.Context, owner string, job jobs.Job, lease time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.held(owner, job)
	if e == nil || ctx.Err() != nil {
		return false, cmp.Or(err, ctx.Err())
	}
	e.free = time.Now().Add(lease)
	return true, nil
}

func (m *memory) Finish(ctx context.Context, owner string, job jobs.Job) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	e, err := m.held(owner, job)
	if e == nil {
		return false, err
	}
	delete(m.entries, job.ID)
	m.finished = append(m.finished, job.ID)
	return true, nil
}

func (m *memory) Retry(ctx context.Context, owner string, job jobs.Job, at time.Time, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e, err := m.held(owner, job)
	if e == nil {
		return err
	}
	back := returned{Job: job.ID, Never: at.IsZero(), Reason: reason}
	e.owner, e.free = "", at
	if back.Never {
		delete(m.entries, job.ID)
	} else {
		back.After = time.Until(at)
	}
	m.returned = append(m.returned, back)
	return nil
}

// seen gives what has happened so far.
func (m *memory) seen() (finished []string, back []returned) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.finished), slices.Clone(m.returned)
}

func (m *memory) claimsSoFar() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.claims
}
