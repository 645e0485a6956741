package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"mianti/exchange"
)

// A case is read in one statement with all that belongs to it: its key, its results,
// its consents, and whether anything of it is to be seen first. They were four
// statements, each by the ORM, and a resolution read its case again and again. What
// there can be several of comes as JSON, which both dialects make.

// caseColumns are those of the case and of its key.
const caseColumns = `c.id, c.system, c.department, c.number, c.body_digest, c.revision, c.subject, c.body, c.facts,
 c.created_at, c.updated_at, c.version, c.closed_at, c.closed_for,
 k.kek, k.payload_key, k.salt, k.done_at, k.destroyed_at, k.destroyed_for`

// caseQuery gives the statement that reads the case of a condition on c.
func caseQuery(d dialect, condition string) string {
	list, object := "json_group_array", "json_object"
	if d == dialectPostgres {
		list, object = "json_agg", "json_build_object"
	}
	query := "SELECT " + caseColumns + `,
 (SELECT ` + list + `(` + object + `('matter', r.matter, 'body', r.body)) FROM
  (SELECT matter, body FROM case_results WHERE case_id = c.id ORDER BY reported_at, matter) r),
 (SELECT ` + list + `(` + object + `('id', g.id, 'party', g.party, 'by', g.by_party, 'about', g.about, 'subject', g.subject, 'state', g.state,
   'channel', g.channel, 'requested', g.requested_at, 'body', g.body)) FROM
  (SELECT * FROM consents WHERE case_id = c.id ORDER BY seq) g),
 EXISTS (SELECT 1 FROM releases WHERE case_id = c.id)
FROM cases c LEFT JOIN case_keys k ON k.case_id = c.id WHERE ` + condition
	return withNumbers(d, query)
}

// withNumbers gives the parameters of a statement, each a ?, the dialect's form.
func withNumbers(d dialect, query string) string {
	if d != dialectPostgres {
		return query
	}
	parts := strings.Split(query, "?")
	var out strings.Builder
	for i, part := range parts {
		if i > 0 {
			fmt.Fprintf(&out, "$%d", i)
		}
		out.WriteString(part)
	}
	return out.String()
}

// caseQueries are the statements by which cases are found.
type caseQueries struct{ ofDepartment, byNumber, byID string }

func newCaseQueries(d dialect) caseQueries {
	return caseQueries{
		ofDepartment: caseQuery(d, "c.id = ? AND c.department = ?"),
		byNumber:     caseQuery(d, "c.department = ? AND c.number = ?"),
		byID:         caseQuery(d, "c.id = ?"),
	}
}

// caseRead is a case as it is read.
type caseRead struct {
	row      caseRow
	key      caseKeyRow
	hasKey   bool
	results  []resultRow
	consents []consentRow
	previews bool
}

// readCase reads a case by one of the statements, or gives fault.NotFound; one that was
// destroyed is a fault.Gone.
func (s *Store) readCase(ctx context.Context, query string, args ...any) (*exchange.Case, error) {
	var read caseRead
	if err := read.scan(s.db.Statement.ConnPool.QueryRowContext(ctx, query, args...)); err != nil {
		return nil, translate(err, "read a case", cases())
	}
	key := &caseKey{caseID: read.row.ID, clear: true}
	if read.hasKey {
		var err error
		if key, err = s.unwrapCase(ctx, &read.key); err != nil {
			return nil, err
		}
	}
	return read.open(key)
}

func (r *caseRead) scan(from *sql.Row) error {
	row, key := &r.row, &r.key
	var kek, destroyedFor sql.NullString
	var results, consents []byte
	err := from.Scan(
		&row.ID, &row.System, &row.Department, &row.Number, &row.BodyDigest, &row.Revision, &row.Subject, &row.Body, &row.Facts,
		&row.Created, &row.Updated, &row.Version, &row.ClosedAt, &row.ClosedFor,
		&kek, &key.PayloadKey, &key.Salt, &key.Done, &key.Destroyed, &destroyedFor,
		&results, &consents, &r.previews,
	)
	if err != nil {
		return err
	}
	r.hasKey = kek.Valid
	key.CaseID, key.KEK, key.DestroyedFor = row.ID, kek.String, destroyedFor.String
	if err := r.readResults(results); err != nil {
		return err
	}
	return r.readConsents(consents)
}

func (r *caseRead) readResults(list []byte) error {
	if isEmptyList(list) {
		return nil
	}
	var rows []struct{ Matter, Body string }
	if err := json.Unmarshal(list, &rows); err != nil {
		return fmt.Errorf("decode the results of a case: %w", err)
	}
	for _, row := range rows {
		r.results = append(r.results, resultRow{CaseID: r.row.ID, Matter: row.Matter, Body: row.Body})
	}
	return nil
}

func (r *caseRead) readConsents(list []byte) error {
	if isEmptyList(list) {
		return nil
	}
	var rows []struct {
		ID, Party, By, About, Subject, State, Channel, Body string
		Requested                                           Timestamp
	}
	if err := json.Unmarshal(list, &rows); err != nil {
		return fmt.Errorf("decode the consents of a case: %w", err)
	}
	for _, row := range rows {
		r.consents = append(r.consents, consentRow{
			ID: row.ID, CaseID: r.row.ID, Party: row.Party, By: row.By, About: row.About, Subject: row.Subject,
			State: row.State, Channel: row.Channel, Requested: row.Requested, Body: row.Body,
		})
	}
	return nil
}

// isEmptyList reports a list of nothing, as the dialects write it.
func isEmptyList(list []byte) bool { return len(list) == 0 || string(list) == "[]" }

// open gives the case with what is sealed of it.
func (r *caseRead) open(key *caseKey) (*exchange.Case, error) {
	row := &r.row
	c := &exchange.Case{
		ID: row.ID, Number: row.Number, System: row.System, Department: row.Department, Revision: row.Revision, Subject: row.Subject,
		Opening: row.BodyDigest, OpenedAt: row.Created.Time(), UpdatedAt: row.Updated.Time(), Version: row.Version,
		ClosedFor: exchange.ClosingReason(row.ClosedFor), Previewed: r.previews,
	}
	if row.ClosedAt != nil {
		c.ClosedAt = row.ClosedAt.Time()
	}
	if c.DoneAt = c.ClosedAt; r.key.Done != nil {
		c.DoneAt = r.key.Done.Time()
	}
	if err := openCase(c, *row, key); err != nil {
		return nil, err
	}
	var err error
	if c.Results, err = openResults(r.results, key); err != nil {
		return nil, err
	}
	c.Consents, err = consentsFromRows(r.consents, map[string]*caseKey{row.ID: key})
	return c, err
}
