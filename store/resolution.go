package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/safeguard"
)

func resolutions() things { return things{code: "resolution", name: "核验结果"} }

// CommitResolution stores a resolution with all that goes with it, in one
// transaction. A later version replaces the one before it, which is kept.
func (s *Store) CommitResolution(ctx context.Context, c exchange.Commit) error {
	w, err := newWrite(c.Entries)
	if err != nil {
		return err
	}
	if w.release, err = newReleased(c); err != nil {
		return err
	}
	w.tallies = safeguard.CountOutcomes(c.Entries)
	return s.store(ctx, w)
}

// resolutionPlace is the place of a version of a resolution. It is the same in both
// tables: a version that is put aside is not sealed anew.
func resolutionPlace(id string, version int) []byte {
	return place("resolutions", id, version, "body")
}

// lastOf gives the number of the last resolution of a case.
func lastOf(ctx context.Context, tx *gorm.DB, caseID string) (last int, err error) {
	err = table[resolutionRow](tx).Select("COALESCE(MAX(seq), 0)").Where("case_id = ?", caseID).Scan(ctx, &last)
	return last, translate(err, "save a resolution", resolutions())
}

// stopEarlier notes that none of the resolutions of a case goes on any more: the
// case has changed, or is resolved again. There may be none.
func stopEarlier(tx *gorm.DB, caseID string) error {
	stopped := tx.Model(&resolutionRow{}).Where("case_id = ? AND retry_at IS NOT NULL", caseID).Update("retry_at", nil)
	return translate(stopped.Error, "stop earlier resolutions", resolutions())
}

// goOn puts the next version of a resolution in the place of the one before it.
func goOn(ctx context.Context, tx *gorm.DB, r *exchange.Resolution, body string) error {
	const doing = "go on with a resolution"
	before, err := table[resolutionRow](tx).Where("id = ?", r.ID).Take(ctx)
	if err != nil {
		return translate(err, doing, resolutions())
	}
	last, err := lastOf(ctx, tx, r.Case)
	if err != nil {
		return err
	}
	if before.Version != r.Version-1 || before.Seq != last {
		return fault.New(fault.Conflict, "resolution-superseded", "核验结果已有更新的版本。")
	}
	kept := versionRow{ResolutionID: before.ID, Version: before.Version, Body: before.Body, Created: before.Created}
	if err := table[versionRow](tx).Create(ctx, &kept); err != nil {
		return translate(err, doing, resolutions())
	}
	changed := tx.Model(&resolutionRow{}).Where("id = ? AND version = ?", r.ID, before.Version).
		Updates(map[string]any{"body": body, "status": string(r.Status), "version": r.Version, "retry_at": atOrNull(r.RetryAt), "created_at": At(r.ResolvedAt)})
	if changed.Error == nil && changed.RowsAffected == 0 {
		return fault.New(fault.Conflict, "resolution-superseded", "核验结果已有更新的版本。")
	}
	return translate(changed.Error, doing, resolutions())
}

// ofDepartment is the condition that a resolution is of a department's case.
const ofDepartment = "case_id IN (SELECT id FROM cases WHERE department = ?)"

// Resolution gives a resolution of a department's case, or fault.NotFound.
func (s *Store) Resolution(ctx context.Context, department, id string) (*exchange.Resolution, error) {
	row, err := table[resolutionRow](s.db).Where("id = ?", id).Where(ofDepartment, department).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a resolution", resolutions())
	}
	return s.resolutionFromRow(ctx, row)
}

// LastResolution gives the last resolution of a department's case, or
// fault.NotFound.
func (s *Store) LastResolution(ctx context.Context, department, caseID string) (*exchange.Resolution, error) {
	row, err := table[resolutionRow](s.db).Where("case_id = ?", caseID).Where(ofDepartment, department).Order("seq DESC").Take(ctx)
	if err != nil {
		return nil, translate(err, "read the last resolution", resolutions())
	}
	return s.resolutionFromRow(ctx, row)
}

// ResolutionState gives how far a resolution is, or fault.NotFound.
func (s *Store) ResolutionState(ctx context.Context, department, id string) (exchange.ResolutionState, error) {
	row, err := table[resolutionRow](s.db).Select("version", "status", "retry_at").Where("id = ?", id).Where(ofDepartment, department).Take(ctx)
	if err != nil {
		return exchange.ResolutionState{}, translate(err, "read the state of a resolution", resolutions())
	}
	return exchange.ResolutionState{Version: row.Version, Status: exchange.Status(row.Status), Continues: row.Retry != nil}, nil
}

func atOrNull(t *time.Time) *Timestamp {
	if t == nil {
		return nil
	}
	at := At(*t)
	return &at
}

// resolutionFromRow gives a resolution, or its outline once it was destroyed.
func (s *Store) resolutionFromRow(ctx context.Context, row resolutionRow) (*exchange.Resolution, error) {
	plain := []byte(row.Outline)
	if row.Outline == "" {
		key, err := s.keyOf(ctx, s.db, row.CaseID)
		if err != nil {
			return nil, err
		}
		if plain, err = key.open(row.Body, resolutionPlace(row.ID, row.Version)); err != nil {
			return nil, err
		}
	}
	return decodeResolution(row.ID, plain)
}

func decodeResolution(id string, plain []byte) (*exchange.Resolution, error) {
	var r exchange.Resolution
	if err := json.Unmarshal(plain, &r); err != nil {
		return nil, fmt.Errorf("decode resolution %s: %w", id, err)
	}
	if r.Version == 0 { // stored before resolutions had versions
		r.Version, r.StartedAt = 1, r.ResolvedAt
	}
	return &r, nil
}

// keyInUse is how long a key that was reserved and never completed keeps
// others away: longer than any request takes, so its process has died.
const keyInUse = time.Minute

// ReserveKey takes an idempotency key, or gives what it stands for.
func (s *Store) ReserveKey(ctx context.Context, key *exchange.Key) (string, error) {
	row := idempotencyRow{System: key.System, Key: key.Value, RequestDigest: key.Request, Created: At(key.At)}
	err := table[idempotencyRow](s.db).Create(ctx, &row)
	if !errors.Is(err, gorm.ErrDuplicatedKey) {
		if err != nil { // it may have been taken all the same
			s.abandoned.add(reservationOf(key))
		}
		return "", translate(err, "reserve an idempotency key", things{})
	}
	stored, err := table[idempotencyRow](s.db).Where("system = ? AND key = ?", key.System, key.Value).Take(ctx)
	switch {
	case err != nil:
		return "", translate(err, "read an idempotency key", things{})
	case stored.RequestDigest != key.Request:
		return "", fault.New(fault.Conflict, "idempotency-key-reused", "这个 Idempotency-Key 已用于另一个请求。请换一个。")
	case stored.Resource != "":
		return stored.Resource, nil
	}
	return "", s.takeOver(ctx, key, stored)
}

func keyBusy() error {
	return fault.New(fault.Conflict, "request-in-progress", "同一 Idempotency-Key 的请求正在处理。请稍后重试。")
}

// takeOver takes a key whose request has died, or has ended here without giving it up.
func (s *Store) takeOver(ctx context.Context, key *exchange.Key, stored idempotencyRow) error {
	dead := reservation{system: key.System, key: key.Value, at: stored.Created}
	if key.At.Sub(stored.Created.Time()) < keyInUse && !s.abandoned.has(dead) {
		return keyBusy()
	}
	taken, err := table[idempotencyRow](s.db).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, stored.Created).
		Update(ctx, "created_at", At(key.At))
	if err != nil {
		return translate(err, "take over an idempotency key", things{})
	}
	if taken == 0 {
		return keyBusy()
	}
	s.abandoned.drop(dead)
	return nil
}

// ReleaseKey gives up a reserved key whose request came to nothing. When that fails,
// this node takes the key for free all the same.
func (s *Store) ReleaseKey(ctx context.Context, key *exchange.Key) error {
	_, err := table[idempotencyRow](s.db).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, At(key.At)).Delete(ctx)
	if err != nil {
		s.abandoned.add(reservationOf(key))
	}
	return translate(err, "release an idempotency key", things{})
}

func completeKey(ctx context.Context, tx *gorm.DB, key *exchange.Key, resource string) error {
	if key == nil {
		return nil
	}
	completed, err := table[idempotencyRow](tx).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, At(key.At)).Update(ctx, "resource", resource)
	if err == nil && completed == 0 { // another request has taken it over
		return keyBusy()
	}
	return translate(err, "complete an idempotency key", things{})
}
