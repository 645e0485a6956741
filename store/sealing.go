package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/ledger"
)

// sealCase gives a case from before there were keys its key, and seals all that is
// kept of it, in the caller's transaction. Of two who do so at once, the second
// finds it done.
func (s *Store) sealCase(ctx context.Context, tx *gorm.DB, caseID string) (*caseKey, error) {
	if err := s.lockCase(tx, caseID); err != nil {
		return nil, err
	}
	if key, err := s.keyOf(ctx, tx, caseID); err != nil || !key.clear {
		return key, err
	}
	row, err := table[caseRow](tx).Where("id = ?", caseID).Take(ctx)
	if err != nil {
		return nil, translate(err, "seal a case", cases())
	}
	var body caseBody
	if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
		return nil, fmt.Errorf("decode case %s: %w", row.ID, err)
	}
	key, keyRow, err := s.newCaseKey(ctx, caseID, body.Salt)
	if err != nil {
		return nil, err
	}
	keyRow.Created, keyRow.Done = row.Created, row.ClosedAt
	if err := table[caseKeyRow](tx).Create(ctx, keyRow); err != nil {
		return nil, translate(err, "seal a case", cases())
	}
	if err := sealCaseRow(tx, row, body, key); err != nil {
		return nil, err
	}
	for _, seal := range []func(context.Context, *gorm.DB, *caseKey) error{sealResults, sealResolutions, sealVersions, sealInputs, sealAssists, sealConsents, dropLinks} {
		if err := seal(ctx, tx, key); err != nil {
			return nil, err
		}
	}
	return key, nil
}

func sealCaseRow(tx *gorm.DB, row caseRow, body caseBody, key *caseKey) error {
	plain, err := json.Marshal(caseBody{Parties: body.Parties})
	if err != nil {
		return fmt.Errorf("encode a case: %w", err)
	}
	sealedBody, err := key.seal(plain, casePlace(row.ID, row.Version, "body"))
	if err != nil {
		return err
	}
	facts, err := key.seal([]byte(row.Facts), casePlace(row.ID, row.Version, "facts"))
	if err != nil {
		return err
	}
	return update(tx, &caseRow{}, "id = ?", []any{row.ID}, map[string]any{
		"body": sealedBody, "facts": facts, "body_digest": ledger.Digest(key.salt, row.BodyDigest),
	})
}

// update changes one row.
func update(tx *gorm.DB, of any, where string, id []any, values map[string]any) error {
	changed := tx.Model(of).Where(where, id...).Updates(values)
	if changed.Error == nil && changed.RowsAffected != 1 {
		return errors.New("seal a case: a row was changed at the same time")
	}
	return translate(changed.Error, "seal a case", cases())
}

func sealResults(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[resultRow](tx).Where("case_id = ?", key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), resultPlace(key.caseID, row.Matter))
		if err != nil {
			return err
		}
		if err := update(tx, &resultRow{}, "case_id = ? AND matter = ?", []any{row.CaseID, row.Matter}, map[string]any{"body": body}); err != nil {
			return err
		}
	}
	return nil
}

func sealResolutions(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[resolutionRow](tx).Where("case_id = ?", key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), resolutionPlace(row.ID, row.Version))
		if err != nil {
			return err
		}
		if err := update(tx, &resolutionRow{}, "id = ?", []any{row.ID}, map[string]any{"body": body}); err != nil {
			return err
		}
	}
	return nil
}

// versionsOfCase is the condition that a version is of a resolution of a case.
const versionsOfCase = "resolution_id IN (SELECT id FROM resolutions WHERE case_id = ?)"

func sealVersions(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[versionRow](tx).Where(versionsOfCase, key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), resolutionPlace(row.ResolutionID, row.Version))
		if err != nil {
			return err
		}
		if err := update(tx, &versionRow{}, "resolution_id = ? AND version = ?", []any{row.ResolutionID, row.Version}, map[string]any{"body": body}); err != nil {
			return err
		}
	}
	return nil
}

func sealInputs(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[inputsRow](tx).Where("case_id = ?", key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), inputsPlace(row.ResolutionID, row.Version))
		if err != nil {
			return err
		}
		if err := update(tx, &inputsRow{}, "resolution_id = ? AND version = ?", []any{row.ResolutionID, row.Version}, map[string]any{"body": body}); err != nil {
			return err
		}
	}
	return nil
}

func sealAssists(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[assistRow](tx).Where("case_id = ?", key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), assistPlace(row.ID, "body"))
		if err != nil {
			return err
		}
		answer := ""
		if row.Answer != "" {
			if answer, err = key.seal([]byte(row.Answer), assistPlace(row.ID, "answer")); err != nil {
				return err
			}
		}
		if err := update(tx, &assistRow{}, "id = ?", []any{row.ID}, map[string]any{"body": body, "answer": answer}); err != nil {
			return err
		}
	}
	return nil
}

func sealConsents(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	rows, err := table[consentRow](tx).Where("case_id = ?", key.caseID).Find(ctx)
	if err != nil {
		return translate(err, "seal a case", cases())
	}
	for _, row := range rows {
		body, err := key.seal([]byte(row.Body), consentPlace(row.ID))
		if err != nil {
			return err
		}
		if err := update(tx, &consentRow{}, "id = ?", []any{row.ID}, map[string]any{"body": body}); err != nil {
			return err
		}
	}
	return nil
}

// dropLinks drops the links to files of a case: they live for ten minutes, and are
// asked for again.
func dropLinks(ctx context.Context, tx *gorm.DB, key *caseKey) error {
	_, err := table[fileLinkRow](tx).Where("case_id = ?", key.caseID).Delete(ctx)
	return translate(err, "drop the file links of a case", fileLinks())
}

// Rewrapping says how far the move to the present key-encryption key has come.
type Rewrapping struct {
	Sealed  int // cases from before there were keys, sealed now
	Wrapped int // cases and batches whose keys were put under the present key now
	Left    int // those that still need either
}

// Rewrap seals some of the cases that lie in clear, and puts the keys of some that
// are under an earlier key-encryption key under the present one. Call it until
// nothing is left. Everything can be read and written meanwhile.
func (s *Store) Rewrap(ctx context.Context, limit int) (Rewrapping, error) {
	var r Rewrapping
	if s.keys == nil {
		return r, keysMissing()
	}
	probe, err := s.keys.Wrap(ctx, []byte("probe"), place("probe"))
	if err != nil {
		return r, fmt.Errorf("rewrap: %w", err)
	}
	if r.Sealed, err = s.sealSome(ctx, limit); err != nil {
		return r, err
	}
	if r.Wrapped, err = s.rewrapSome(ctx, probe.KEK, limit); err != nil {
		return r, err
	}
	batches, err := s.rewrapBatches(ctx, probe.KEK, limit)
	if err != nil {
		return r, err
	}
	r.Wrapped += batches
	r.Left, err = s.toRewrap(ctx, probe.KEK)
	return r, err
}

// inClear is the condition that a case has no key yet.
const inClear = "NOT EXISTS (SELECT 1 FROM case_keys WHERE case_keys.case_id = cases.id)"

// earlierKEK is the condition that the keys of a case are under another key than
// this one.
const earlierKEK = "kek <> ? AND salt_destroyed_at IS NULL"

func (s *Store) toRewrap(ctx context.Context, kek string) (int, error) {
	clear, err := table[caseRow](s.db).Where(inClear).Count(ctx, "id")
	if err != nil {
		return 0, translate(err, "count the cases in clear", things{})
	}
	earlier, err := table[caseKeyRow](s.db).Where(earlierKEK, kek).Count(ctx, "case_id")
	if err != nil {
		return 0, translate(err, "count the keys to rewrap", things{})
	}
	batches, err := table[batchKeyRow](s.db).Where(earlierBatchKEK, kek).Count(ctx, "batch_id")
	return int(clear + earlier + batches), translate(err, "count the keys to rewrap", things{})
}

// sealSome seals cases that lie in clear.
func (s *Store) sealSome(ctx context.Context, limit int) (int, error) {
	rows, err := table[caseRow](s.db).Select("id").Where(inClear).Order("id").Limit(limit).Find(ctx)
	if err != nil {
		return 0, translate(err, "look for cases in clear", things{})
	}
	for n, row := range rows {
		err := s.transact(ctx, func(tx *gorm.DB) error {
			_, err := s.sealCase(ctx, tx, row.ID)
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return len(rows), nil
}

func (s *Store) rewrapSome(ctx context.Context, kek string, limit int) (int, error) {
	rows, err := table[caseKeyRow](s.db).Where(earlierKEK, kek).Order("case_id").Limit(limit).Find(ctx)
	if err != nil {
		return 0, translate(err, "look for keys to rewrap", things{})
	}
	n := 0
	for i := range rows {
		done, err := s.rewrapCase(ctx, rows[i])
		if err != nil {
			return n, err
		}
		n += done
	}
	return n, nil
}

// rewrapCase puts what is left of a case's keys under the present key. A key that
// was destroyed or rewrapped meanwhile stays as it is: nothing comes back.
func (s *Store) rewrapCase(ctx context.Context, row caseKeyRow) (int, error) {
	key, err := s.unwrapCase(ctx, &row)
	if err != nil {
		return 0, err
	}
	where, before := "payload_key IS NOT NULL", row.KEK
	if key.destroyed != nil {
		where = "payload_key IS NULL"
		if key.salt, err = s.unwrapSalt(ctx, &row); err != nil {
			return 0, err
		}
	}
	if err := s.wrapCase(ctx, key, &row); err != nil {
		return 0, err
	}
	changed := s.db.WithContext(ctx).Model(&caseKeyRow{}).Where("case_id = ? AND kek = ? AND salt IS NOT NULL AND "+where, row.CaseID, before).
		Updates(map[string]any{"kek": row.KEK, "payload_key": orNull(row.PayloadKey), "salt": row.Salt})
	return int(changed.RowsAffected), translate(changed.Error, "rewrap the keys of a case", things{})
}

// orNull is null for no bytes.
func orNull(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// outlineOf gives what remains of a resolution, as JSON. Of one that cannot be read
// any more, what its row says remains: a broken row does not outlive its case.
func outlineOf(row resolutionRow, version int, body string, key *caseKey, d exchange.Destruction) (string, error) {
	r := &exchange.Resolution{
		ID: row.ID, Case: row.CaseID, Revision: row.Revision, Status: exchange.Status(row.Status), Version: version,
		ResolvedAt: row.Created.Time(), StartedAt: row.Created.Time(),
	}
	if plain, err := key.open(body, resolutionPlace(row.ID, version)); err == nil {
		if read, err := decodeResolution(row.ID, plain); err == nil {
			r = read
		}
	}
	outline, err := json.Marshal(r.Outline(key.salt, d))
	if err != nil {
		return "", fmt.Errorf("encode an outline: %w", err)
	}
	return string(outline), nil
}
