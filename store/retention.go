package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/ledger"
	"mianti/retention"
)

// dueRow is a case something of which is due.
type dueRow struct {
	CaseID     string `gorm:"column:case_id"`
	Department string `gorm:"column:department"`
	Revision   int    `gorm:"column:revision"`
}

// The conditions that something of a case is due.
const (
	purposeDue = "destroyed_at IS NULL AND done_at IS NOT NULL AND done_at <= ?"
	openDue    = "destroyed_at IS NULL AND done_at IS NULL AND case_keys.created_at <= ?"
	saltDue    = "destroyed_at IS NOT NULL AND salt_destroyed_at IS NULL AND destroyed_at <= ?"
)

// dueKind is one of the ways in which something can be due.
type dueKind struct {
	condition string
	cutoff    Timestamp
	order     string
	salt      bool
	why       exchange.DestroyedFor
}

func dueKinds(c retention.Cutoffs) []dueKind {
	return []dueKind{
		{condition: purposeDue, cutoff: At(c.Done), order: "done_at, case_id", why: exchange.PurposeDone},
		{condition: openDue, cutoff: At(c.Opened), order: "case_keys.created_at, case_id", why: exchange.TermEnded},
		{condition: saltDue, cutoff: At(c.Destroyed), order: "destroyed_at, case_id", salt: true, why: exchange.TermEnded},
	}
}

// Due gives some of what is due, the oldest of each kind first. Cases from before
// there were keys are sealed first.
func (s *Store) Due(ctx context.Context, c retention.Cutoffs, limit int) ([]retention.Due, error) {
	for sealed := limit; sealed == limit; {
		var err error
		if sealed, err = s.sealSome(ctx, limit); err != nil {
			return nil, err
		}
	}
	var out []retention.Due
	for _, kind := range dueKinds(c) {
		var rows []dueRow
		err := s.db.WithContext(ctx).Table("case_keys").Select("case_keys.case_id, cases.department, cases.revision").
			Joins("JOIN cases ON cases.id = case_keys.case_id").Where(kind.condition, kind.cutoff).Order(kind.order).Limit(limit).Scan(&rows).Error
		if err != nil {
			return nil, translate(err, "look for what is due", cases())
		}
		for _, row := range rows {
			out = append(out, retention.Due{Case: row.CaseID, Department: row.Department, Revision: row.Revision, Salt: kind.salt, Why: kind.why})
		}
	}
	return out, nil
}

// Destroy destroys what is due of a case, with its entry, in one transaction. It
// does nothing when it is not due any more, or was destroyed already.
func (s *Store) Destroy(ctx context.Context, d retention.Due, c retention.Cutoffs, entry func(retention.Counts) ledger.Entry) (bool, error) {
	done := false
	err := s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.lockCase(tx, d.Case); err != nil {
			return err
		}
		at := slices.IndexFunc(dueKinds(c), func(k dueKind) bool { return k.salt == d.Salt && k.why == d.Why })
		kind := dueKinds(c)[at]
		row, err := table[caseKeyRow](tx).Where("case_id = ?", d.Case).Where(kind.condition, kind.cutoff).Limit(1).Find(ctx)
		if err != nil || len(row) == 0 {
			return translate(err, "read the key of a case", cases())
		}
		destroy := s.destroyContent
		if d.Salt {
			destroy = s.destroySalt
		}
		counts, err := destroy(ctx, tx, &row[0], d.Why)
		if err != nil {
			return err
		}
		e := entry(counts)
		if err := tx.Model(&accessRow{}).Where("case_id = ?", d.Case).Distinct().Order("subject").Pluck("subject", &e.Concerns).Error; err != nil {
			return translate(err, "look for whom a case is about", cases())
		}
		done = true
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
	if done = done && err == nil; done {
		s.destroyed.Store(true)
	}
	return done, err
}

// destroyContent destroys the key of a case's content, and takes the content out of
// its rows; outlines take its place.
func (s *Store) destroyContent(ctx context.Context, tx *gorm.DB, row *caseKeyRow, why exchange.DestroyedFor) (retention.Counts, error) {
	now := At(s.now())
	d := exchange.Destruction{At: now.Time(), Why: why}
	key, err := s.unwrapCase(ctx, row)
	if err != nil {
		return retention.Counts{}, err
	}
	var counts retention.Counts
	if counts.Resolutions, err = leaveOutlines(ctx, tx, key, d); err != nil {
		return counts, err
	}
	for _, one := range []struct {
		row    any
		values map[string]any
		count  *int
	}{
		{&resultRow{}, map[string]any{"body": ""}, &counts.Results},
		{&assistRow{}, map[string]any{"body": "", "answer": gorm.Expr("CASE answer WHEN '' THEN '' ELSE 'destroyed' END")}, &counts.Assists},
		{&consentRow{}, map[string]any{"body": ""}, &counts.Consents},
		{&releaseRow{}, map[string]any{"body": ""}, new(int)},
		{&correctionRow{}, map[string]any{"body": ""}, new(int)},
	} {
		emptied := tx.Model(one.row).Where("case_id = ?", row.CaseID).Updates(one.values)
		if emptied.Error != nil {
			return counts, translate(emptied.Error, "destroy a case", cases())
		}
		*one.count = int(emptied.RowsAffected)
	}
	if err := dropLinks(ctx, tx, key); err != nil {
		return counts, err
	}
	if err := forgetFollowUps(ctx, tx, row.CaseID); err != nil {
		return counts, err
	}
	if _, err := table[inputsRow](tx).Where("case_id = ?", row.CaseID).Delete(ctx); err != nil {
		return counts, translate(err, "destroy a case", cases())
	}
	// The case becomes another version: what is under way is not stored any more.
	emptied := tx.Model(&caseRow{}).Where("id = ?", row.CaseID).Updates(map[string]any{"body": "", "facts": "", "version": gorm.Expr("version + 1")})
	if emptied.Error != nil {
		return counts, translate(emptied.Error, "destroy a case", cases())
	}
	destroyed := tx.Model(&caseKeyRow{}).Where("case_id = ?", row.CaseID).
		Updates(map[string]any{"payload_key": nil, "destroyed_at": now, "destroyed_for": string(why)})
	return counts, translate(destroyed.Error, "destroy a case", cases())
}

// leaveOutlines puts outlines in the place of a case's resolutions and of their
// earlier versions.
func leaveOutlines(ctx context.Context, tx *gorm.DB, key *caseKey, d exchange.Destruction) (int, error) {
	rows, err := table[resolutionRow](tx).Where("case_id = ?", key.caseID).Order("seq").Find(ctx)
	if err != nil {
		return 0, translate(err, "destroy a case", cases())
	}
	of := make(map[string]resolutionRow, len(rows))
	for _, row := range rows {
		of[row.ID] = row
		outline, err := outlineOf(row, row.Version, row.Body, key, d)
		if err != nil {
			return 0, err
		}
		if err := update(tx, &resolutionRow{}, "id = ?", []any{row.ID}, map[string]any{"body": "", "outline": outline, "retry_at": nil}); err != nil {
			return 0, err
		}
	}
	versions, err := table[versionRow](tx).Where(versionsOfCase, key.caseID).Find(ctx)
	if err != nil {
		return 0, translate(err, "destroy a case", cases())
	}
	for _, row := range versions {
		outline, err := outlineOf(of[row.ResolutionID], row.Version, row.Body, key, d)
		if err != nil {
			return 0, err
		}
		if err := update(tx, &versionRow{}, "resolution_id = ? AND version = ?", []any{row.ResolutionID, row.Version}, map[string]any{"body": "", "outline": outline}); err != nil {
			return 0, err
		}
	}
	return len(rows) + len(versions), nil
}

// destroySalt destroys the salt of a case, and all by which persons are found in
// it: from now on its entries are about nobody.
func (s *Store) destroySalt(ctx context.Context, tx *gorm.DB, row *caseKeyRow, _ exchange.DestroyedFor) (retention.Counts, error) {
	var counts retention.Counts
	unlinked := tx.Model(&consentRow{}).Where("case_id = ?", row.CaseID).Updates(map[string]any{"about": "", "subject": ""})
	if unlinked.Error != nil {
		return counts, translate(unlinked.Error, "destroy a salt", cases())
	}
	counts.Consents = int(unlinked.RowsAffected)
	var err error
	if counts.Submissions, err = table[submissionRow](tx).Where("case_id = ?", row.CaseID).Delete(ctx); err != nil {
		return counts, translate(err, "destroy a salt", cases())
	}
	for _, statement := range []string{
		"DELETE FROM release_viewers WHERE release_id IN (SELECT id FROM releases WHERE case_id = ?)",
		"DELETE FROM corrected_fields WHERE correction_id IN (SELECT id FROM corrections WHERE case_id = ?)",
		"UPDATE corrections SET subject = 'destroyed', opener = '' WHERE case_id = ?",
	} {
		if err := tx.Exec(statement, row.CaseID).Error; err != nil {
			return counts, translate(err, "destroy a salt", cases())
		}
	}
	destroyed := tx.Model(&caseKeyRow{}).Where("case_id = ?", row.CaseID).Updates(map[string]any{"salt": nil, "salt_destroyed_at": At(s.now())})
	return counts, translate(destroyed.Error, "destroy a salt", cases())
}

// dropBatch is how many rows of the index are dropped at a time.
const dropBatch = 500

// Drop drops from the index of accesses what was recorded before a moment, gives how
// many rows, and takes out of the database's files what was destroyed.
func (s *Store) Drop(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		n, err := s.dropAccesses(ctx, before)
		if err != nil {
			return total, err
		}
		total += n
		if n < dropBatch {
			break
		}
	}
	if total > 0 {
		const none = "NOT EXISTS (SELECT 1 FROM accesses WHERE accesses.subject = access_heads.subject)"
		if err := s.db.WithContext(ctx).Exec("DELETE FROM access_heads WHERE " + none).Error; err != nil {
			return total, translate(err, "drop the heads of accesses", things{})
		}
	}
	return total, s.clean(ctx)
}

// dropAccesses drops some of the oldest rows. Entries are numbered in the order in
// which they were made, so that it looks no further than the first that stays.
func (s *Store) dropAccesses(ctx context.Context, before time.Time) (int, error) {
	var oldest []struct {
		EntryID int64
		At      int64
	}
	err := s.db.WithContext(ctx).Raw(`SELECT accesses.entry_id, ledger_entries.at FROM accesses JOIN ledger_entries ON ledger_entries.id = accesses.entry_id
		ORDER BY accesses.entry_id LIMIT ?`, dropBatch).Scan(&oldest).Error
	if err != nil {
		return 0, translate(err, "look for old accesses", things{})
	}
	var ids []int64
	for _, row := range oldest {
		if row.At >= int64(At(before)) {
			break
		}
		ids = append(ids, row.EntryID)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	dropped, err := table[accessRow](s.db).Where("entry_id IN ?", slices.Compact(ids)).Delete(ctx)
	return dropped, translate(err, "drop old accesses", things{})
}

// clean takes out of the files what was destroyed, as far as the database can: the
// rest of its log, and backups, end with the key-encryption key.
func (s *Store) clean(ctx context.Context) error {
	if !s.destroyed.Swap(false) {
		return nil
	}
	statement := "VACUUM case_keys"
	if s.dialect == dialectSQLite {
		statement = "PRAGMA wal_checkpoint(TRUNCATE)"
	}
	_, err := s.pool.ExecContext(ctx, statement)
	return translate(err, "clean the files of what was destroyed", things{})
}

// holdingRow is what is kept of the cases of a department.
type holdingRow struct {
	Department     string
	Kept           int
	Done           int
	Due            int
	Soon           int
	InClear        int
	PurposeDone    int
	TermEnded      int
	SaltsDue       int
	SaltsDestroyed int
	FirstDone      *int64
	FirstOpened    *int64
}

// Holdings say what is kept and what was destroyed, by department.
func (s *Store) Holdings(ctx context.Context, now, soon retention.Cutoffs, terms retention.Terms) ([]retention.Holdings, error) {
	count := func(condition, name string) string { return "COUNT(CASE WHEN " + condition + " THEN 1 END) AS " + name }
	due := "(" + purposeDue + ") OR (" + openDue + ")"
	columns := []string{
		"cases.department",
		count("destroyed_at IS NULL", "kept"),
		count("destroyed_at IS NULL AND (done_at IS NOT NULL OR (case_keys.case_id IS NULL AND closed_at IS NOT NULL))", "done"),
		count(due, "due"), count(due, "soon"),
		count("case_keys.case_id IS NULL", "in_clear"),
		count("destroyed_for = '"+string(exchange.PurposeDone)+"'", "purpose_done"),
		count("destroyed_for = '"+string(exchange.TermEnded)+"'", "term_ended"),
		count(saltDue, "salts_due"), count("salt_destroyed_at IS NOT NULL", "salts_destroyed"),
		"MIN(CASE WHEN destroyed_at IS NULL THEN done_at END) AS first_done",
		"MIN(CASE WHEN destroyed_at IS NULL AND done_at IS NULL THEN cases.created_at END) AS first_opened",
	}
	var rows []holdingRow
	err := s.db.WithContext(ctx).Raw("SELECT "+strings.Join(columns, ", ")+
		" FROM cases LEFT JOIN case_keys ON case_keys.case_id = cases.id GROUP BY cases.department ORDER BY cases.department",
		At(now.Done), At(now.Opened), At(soon.Done), At(soon.Opened), At(now.Destroyed)).Scan(&rows).Error
	if err != nil {
		return nil, translate(err, "report what is kept", cases())
	}
	out := make([]retention.Holdings, len(rows))
	for i, row := range rows {
		out[i] = retention.Holdings{
			Department: row.Department, Kept: row.Kept, Done: row.Done, Due: row.Due, Soon: row.Soon, InClear: row.InClear,
			PurposeDone: row.PurposeDone, TermEnded: row.TermEnded, SaltsDue: row.SaltsDue, SaltsDestroyed: row.SaltsDestroyed,
			Next: nextDue(row, terms),
		}
	}
	return out, nil
}

// nextDue is when the content of the next case of a department is due.
func nextDue(row holdingRow, terms retention.Terms) *time.Time {
	var next *time.Time
	for _, one := range []struct {
		from *int64
		term retention.Term
	}{{row.FirstDone, terms.Payload}, {row.FirstOpened, terms.Open}} {
		if one.from == nil {
			continue
		}
		at := one.term.After(Timestamp(*one.from).Time())
		if next == nil || at.Before(*next) {
			next = &at
		}
	}
	return next
}
