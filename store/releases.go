package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/policies"
)

// releasesOf are the writes of a round that store a resolution.
func releasesOf(round []*write) []*write {
	var out []*write
	for _, w := range round {
		if w.release != nil {
			out = append(out, w)
		}
	}
	return out
}

// storeReleases stores the resolutions of a round, of a case each, in a dozen
// statements whatever their number. What must hold for each is looked at first, and
// those of which it does not are refused.
func (s *Store) storeReleases(ctx context.Context, tx *gorm.DB, round []*write) error {
	if len(round) == 0 {
		return nil
	}
	keys, err := s.admitReleases(ctx, tx, round)
	if err != nil {
		return err
	}
	if err := s.saveResolutions(ctx, tx, round, keys); err != nil {
		return err
	}
	if err := s.saveFollowUps(ctx, tx, round); err != nil {
		return err
	}
	if err := s.addInputs(ctx, tx, round, keys); err != nil {
		return err
	}
	var following []jobs.Job
	for _, w := range round {
		if err := savePreviews(ctx, tx, w.release.Previews, keys[w.caseID()]); err != nil {
			return err
		}
		answered, err := anyAnswered(tx, w.release.Awaits)
		if err != nil {
			return err
		}
		following = append(following, w.release.Jobs...)
		if answered {
			following = append(following, w.release.Answered)
		}
	}
	if err := s.enqueue(ctx, tx, following); err != nil {
		return err
	}
	return s.completeKeys(ctx, tx, round)
}

// admitReleases locks the cases and looks whether each resolution may be stored: its
// case is as it was and not destroyed, what it rests on is in force, and nothing of
// it is stopped. It gives the keys of the cases.
func (s *Store) admitReleases(ctx context.Context, tx *gorm.DB, round []*write) (map[string]*caseKey, error) {
	// The cases' rows are locked: two resolutions of one count one after the other,
	// and one that was made from an older version is not kept.
	current, err := s.noteStates(ctx, tx, round)
	if err != nil {
		return nil, err
	}
	refused := refusals{}
	keys, err := s.keysToWrite(ctx, tx, round, refused)
	if err != nil {
		return nil, err
	}
	if err := s.checkRights(ctx, tx, round, refused); err != nil {
		return nil, err
	}
	for _, w := range round {
		if !current[w.caseID()] {
			refused.refuse(w, caseChanged())
		}
	}
	if err := s.refuseStopped(ctx, tx, round, refused); err != nil {
		return nil, err
	}
	return keys, refused.orNil()
}

// noteStates locks the rows of the cases, in the order of their ids, and notes what
// the resolutions make of those that are still at the version that they were made
// from, which it gives.
func (s *Store) noteStates(ctx context.Context, tx *gorm.DB, round []*write) (map[string]bool, error) {
	const doing = "note where a case stands"
	sorted := slices.SortedFunc(slices.Values(round), func(a, b *write) int { return strings.Compare(a.caseID(), b.caseID()) })
	ids, states, resolutions := make([]string, len(sorted)), make([]string, len(sorted)), make([]string, len(sorted))
	versions, settled, checking, toSubmit := make([]int64, len(sorted)), make([]int64, len(sorted)), make([]int64, len(sorted)), make([]int64, len(sorted))
	for i, w := range sorted {
		r := w.release.Resolution
		state, err := exchange.CaseStateOf(r.Status)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		counts := exchange.CountsOf(&r.Summary)
		ids[i], states[i], resolutions[i], versions[i] = r.Case, string(state), r.ID, int64(r.CaseVersion)
		settled[i], checking[i], toSubmit[i] = int64(counts.Settled), int64(counts.Checking), int64(counts.ToSubmit)
	}
	if err := s.lockCases(ctx, tx, ids); err != nil {
		return nil, translate(err, doing, cases())
	}
	const note = `UPDATE cases SET state = CASE WHEN cases.closed_at IS NULL THEN v.state ELSE cases.state END, resolution_id = v.resolution_id,
settled = v.settled, checking = v.checking, to_submit = v.to_submit FROM v WHERE cases.id = v.id AND cases.version = v.version RETURNING cases.id`
	current := map[string]bool{}
	err := s.query(ctx, tx, note, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		current[id] = true
		return err
	}, texts("id", ids), ints("version", versions), texts("state", states), texts("resolution_id", resolutions),
		ints("settled", settled), ints("checking", checking), ints("to_submit", toSubmit))
	return current, translate(err, doing, cases())
}

// lockCases locks the rows of cases, so that two rounds of which each has cases of
// the other do not wait for each other. One alone is locked by what is done to it.
func (s *Store) lockCases(ctx context.Context, tx *gorm.DB, ids []string) error {
	if s.dialect != dialectPostgres || len(ids) < 2 {
		return nil
	}
	return s.query(ctx, tx, "SELECT 1 FROM cases WHERE id IN (SELECT id FROM v) ORDER BY id FOR NO KEY UPDATE", func(*sql.Rows) error { return nil }, texts("id", ids))
}

// keysToWrite gives the keys of the cases of a round, and refuses what is of one that
// was destroyed. A case from before there were keys gets its key now.
func (s *Store) keysToWrite(ctx context.Context, tx *gorm.DB, round []*write, refused refusals) (map[string]*caseKey, error) {
	ids := make([]string, len(round))
	for i, w := range round {
		ids[i] = w.caseID()
	}
	keys, err := s.keysOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, w := range round {
		key := keys[w.caseID()]
		if key.destroyed != nil {
			refused.refuse(w, exchange.CaseDestroyed(*key.destroyed))
		}
		if !key.clear {
			continue
		}
		if keys[w.caseID()], err = s.sealCase(ctx, tx, w.caseID()); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// saveResolutions stores first versions together, and later ones one by one.
func (s *Store) saveResolutions(ctx context.Context, tx *gorm.DB, round []*write, keys map[string]*caseKey) error {
	const doing = "save a resolution"
	var ids, caseIDs, states, bodies []string
	var revisions, created []int64
	var retries []*int64
	for _, w := range round {
		r := w.release.Resolution
		body, err := keys[r.Case].seal(w.release.body, resolutionPlace(r.ID, r.Version))
		if err != nil {
			return err
		}
		if r.Version > 1 {
			if err := goOn(ctx, tx, r, body); err != nil {
				return refusedOr(w, err)
			}
			continue
		}
		ids, caseIDs, states, bodies = append(ids, r.ID), append(caseIDs, r.Case), append(states, string(r.Status)), append(bodies, body)
		revisions, created, retries = append(revisions, int64(r.Revision)), append(created, int64(At(r.ResolvedAt))), append(retries, (*int64)(atOrNull(r.RetryAt)))
	}
	if len(ids) == 0 {
		return nil
	}
	// None of the earlier ones goes on any more: their cases are resolved again.
	err := s.exec(ctx, tx, "UPDATE resolutions SET retry_at = NULL WHERE case_id IN (SELECT case_id FROM v) AND retry_at IS NOT NULL", texts("case_id", caseIDs))
	if err != nil {
		return translate(err, doing, resolutions())
	}
	err = s.exec(ctx, tx, `INSERT INTO resolutions (id, case_id, revision, status, body, created_at, seq, version, retry_at)
SELECT id, case_id, revision, status, body, created_at, COALESCE((SELECT MAX(seq) FROM resolutions AS r WHERE r.case_id = v.case_id), 0) + 1, 1, retry_at FROM v`,
		texts("id", ids), texts("case_id", caseIDs), ints("revision", revisions), texts("status", states), texts("body", bodies),
		ints("created_at", created), maybeInts("retry_at", retries))
	return translate(err, doing, resolutions())
}

// refusedOr makes a fault a refusal of that write alone: its caller can act on it.
func refusedOr(w *write, err error) error {
	if errors.Is(err, fault.Conflict) {
		return refusals{w: err}
	}
	return err
}

// addInputs stores what the resolutions of a round followed from.
func (s *Store) addInputs(ctx context.Context, tx *gorm.DB, round []*write, keys map[string]*caseKey) error {
	var resolutionIDs, caseIDs, bodies []string
	var versions []int64
	for _, w := range round {
		in := w.release.Inputs
		if in == nil {
			continue
		}
		body, err := keys[in.Case].seal(w.release.inputs, inputsPlace(in.Resolution, in.Version))
		if err != nil {
			return err
		}
		resolutionIDs, caseIDs, bodies, versions = append(resolutionIDs, in.Resolution), append(caseIDs, in.Case), append(bodies, body), append(versions, int64(in.Version))
	}
	err := s.insertAll(ctx, tx, "resolution_inputs", "", texts("resolution_id", resolutionIDs), ints("version", versions), texts("case_id", caseIDs), texts("body", bodies))
	return translate(err, "save the inputs of a resolution", resolutions())
}

// saveFollowUps makes those of a round the papers of their cases that may follow
// later. One that is there already keeps its day.
func (s *Store) saveFollowUps(ctx context.Context, tx *gorm.DB, round []*write) error {
	const doing = "save what may follow later"
	var of, caseIDs, materials, parties, departments []string
	var since, due []Timestamp
	for _, w := range round {
		of = append(of, w.caseID())
		for _, f := range w.release.FollowUps {
			caseIDs, materials, parties, departments = append(caseIDs, w.caseID()), append(materials, f.Material), append(parties, f.Party), append(departments, f.Department)
			since, due = append(since, At(f.Since)), append(due, At(f.DueAt))
		}
	}
	if err := s.forgetOthers(ctx, tx, of, caseIDs, materials, parties); err != nil {
		return translate(err, doing, things{})
	}
	err := s.insertAll(ctx, tx, "follow_ups", "ON CONFLICT DO NOTHING", texts("case_id", caseIDs), texts("material", materials), texts("party", parties),
		texts("department", departments), ints("since", since), ints("due_at", due))
	return translate(err, doing, things{})
}

// forgetOthers deletes the papers of these cases that are not among the wanted ones.
func (s *Store) forgetOthers(ctx context.Context, tx *gorm.DB, of, caseIDs, materials, parties []string) error {
	there := map[[3]string]bool{}
	err := s.query(ctx, tx, "SELECT case_id, material, party FROM follow_ups WHERE case_id IN (SELECT of_case FROM v)", func(rows *sql.Rows) error {
		var paper [3]string
		err := rows.Scan(&paper[0], &paper[1], &paper[2])
		there[paper] = true
		return err
	}, texts("of_case", of))
	if err != nil {
		return err
	}
	for i := range caseIDs {
		delete(there, [3]string{caseIDs[i], materials[i], parties[i]})
	}
	for paper := range there {
		if _, err := table[followUpRow](tx).Where("case_id = ? AND material = ? AND party = ?", paper[0], paper[1], paper[2]).Delete(ctx); err != nil {
			return err
		}
	}
	return nil
}

// completeKeys notes what the idempotency keys of a round stand for. A key that
// another request has taken over refuses its write.
func (s *Store) completeKeys(ctx context.Context, tx *gorm.DB, round []*write) error {
	refused := refusals{}
	for _, w := range round {
		err := completeKey(ctx, tx, w.release.Key, w.release.Resolution.ID)
		if errors.Is(err, fault.Conflict) {
			refused.refuse(w, err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return refused.orNil()
}

// checkRights refuses what rests on a grant or a consent that has ended. The rows
// are locked until tx ends: who ends one of them waits, and nothing is released
// after he has. They are locked in the order of their ids, consents after grants,
// and both after the case.
func (s *Store) checkRights(ctx context.Context, tx *gorm.DB, round []*write, refused refusals) error {
	kinds := []struct {
		table, holds string
		of           func(exchange.Rights) []string
	}{
		{"grants", "state = '" + string(policies.GrantActive) + "'", func(r exchange.Rights) []string { return r.Grants }},
		{"consents", "state NOT IN ('" + string(exchange.ConsentRefused) + "', '" + string(exchange.ConsentWithdrawn) + "')", func(r exchange.Rights) []string { return r.Consents }},
		{"releases", "state = '" + string(policies.PreviewReleased) + "'", func(r exchange.Rights) []string { return r.Previews }},
	}
	for _, kind := range kinds {
		var ids []string
		for _, w := range round {
			ids = append(ids, kind.of(w.release.Rights)...)
		}
		held, err := s.stillHold(ctx, tx, kind.table, kind.holds, ids)
		if err != nil {
			return translate(err, "read what a release rests on", things{})
		}
		for _, w := range round {
			if !holdsAll(held, kind.of(w.release.Rights)) {
				refused.refuse(w, rightsEnded())
			}
		}
	}
	return nil
}

func holdsAll(held map[string]bool, ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !held[id] })
}
