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
	"mianti/ledger"
)

func resolutions() things { return things{code: "resolution", name: "核验结果"} }

// CommitResolution stores a resolution, its entries and the completion of its
// idempotency key in one transaction.
func (s *Store) CommitResolution(ctx context.Context, r *exchange.Resolution, entries []ledger.Entry, key *exchange.Key) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a resolution: %w", err)
	}
	const doing = "save a resolution"
	return s.transact(ctx, func(tx *gorm.DB) error {
		// The case's row is locked: two resolutions of it count one after the
		// other, and one that was made from an older version is not kept.
		locked := tx.Exec("UPDATE cases SET version = version WHERE id = ? AND version = ?", r.Case, r.CaseVersion)
		if locked.Error != nil {
			return translate(locked.Error, doing, resolutions())
		}
		if locked.RowsAffected == 0 {
			return caseChanged()
		}
		var last int
		err := gorm.G[resolutionRow](tx).Select("COALESCE(MAX(seq), 0)").Where("case_id = ?", r.Case).Scan(ctx, &last)
		if err != nil {
			return translate(err, doing, resolutions())
		}
		row := resolutionRow{
			ID: r.ID, CaseID: r.Case, Revision: r.Revision, Status: string(r.Status), Body: string(body), Created: At(r.ResolvedAt), Seq: last + 1,
		}
		if err := gorm.G[resolutionRow](tx).Create(ctx, &row); err != nil {
			return translate(err, doing, resolutions())
		}
		if err := appendEntries(ctx, tx, entries); err != nil {
			return err
		}
		return completeKey(ctx, tx, key, r.ID)
	})
}

// Resolution gives a resolution of a department's case, or fault.NotFound.
func (s *Store) Resolution(ctx context.Context, department, id string) (*exchange.Resolution, error) {
	row, err := gorm.G[resolutionRow](s.db).
		Where("id = ? AND case_id IN (SELECT id FROM cases WHERE department = ?)", id, department).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a resolution", resolutions())
	}
	var r exchange.Resolution
	if err := json.Unmarshal([]byte(row.Body), &r); err != nil {
		return nil, fmt.Errorf("decode resolution %s: %w", id, err)
	}
	return &r, nil
}

// keyInUse is how long a key that was reserved and never completed keeps
// others away: longer than any request takes, so its process has died.
const keyInUse = time.Minute

// ReserveKey takes an idempotency key, or gives what it stands for.
func (s *Store) ReserveKey(ctx context.Context, key *exchange.Key) (string, error) {
	row := idempotencyRow{System: key.System, Key: key.Value, RequestDigest: key.Request, Created: At(key.At)}
	err := gorm.G[idempotencyRow](s.db).Create(ctx, &row)
	if !errors.Is(err, gorm.ErrDuplicatedKey) {
		return "", translate(err, "reserve an idempotency key", things{})
	}
	stored, err := gorm.G[idempotencyRow](s.db).Where("system = ? AND key = ?", key.System, key.Value).Take(ctx)
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

// takeOver takes a key whose request has died.
func (s *Store) takeOver(ctx context.Context, key *exchange.Key, stored idempotencyRow) error {
	if key.At.Sub(stored.Created.Time()) < keyInUse {
		return keyBusy()
	}
	taken, err := gorm.G[idempotencyRow](s.db).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, stored.Created).
		Update(ctx, "created_at", At(key.At))
	if err != nil {
		return translate(err, "take over an idempotency key", things{})
	}
	if taken == 0 {
		return keyBusy()
	}
	return nil
}

// ReleaseKey gives up a reserved key whose request came to nothing.
func (s *Store) ReleaseKey(ctx context.Context, key *exchange.Key) error {
	_, err := gorm.G[idempotencyRow](s.db).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, At(key.At)).Delete(ctx)
	return translate(err, "release an idempotency key", things{})
}

func completeKey(ctx context.Context, tx *gorm.DB, key *exchange.Key, resource string) error {
	if key == nil {
		return nil
	}
	completed, err := gorm.G[idempotencyRow](tx).
		Where("system = ? AND key = ? AND created_at = ? AND resource = ''", key.System, key.Value, At(key.At)).Update(ctx, "resource", resource)
	if err == nil && completed == 0 { // another request has taken it over
		return keyBusy()
	}
	return translate(err, "complete an idempotency key", things{})
}
