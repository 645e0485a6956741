package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"mianti/exchange"
)

// consentRow is what a person was asked and has said (授权同意).
type consentRow struct {
	ID        string    `gorm:"column:id;primaryKey"`
	CaseID    string    `gorm:"column:case_id"`
	Seq       int       `gorm:"column:seq"` // counts those of the case, from 1
	Party     string    `gorm:"column:party"`
	By        string    `gorm:"column:by_party"`
	About     string    `gorm:"column:about"`   // keyed digest of the party
	Subject   string    `gorm:"column:subject"` // keyed digest of who consents
	State     string    `gorm:"column:state"`
	Channel   string    `gorm:"column:channel"`
	Requested Timestamp `gorm:"column:requested_at"`
	Body      string    `gorm:"column:body"` // JSON: the whole of it, sealed; empty once it was destroyed
}

// TableName names the table.
func (consentRow) TableName() string { return "consents" }

func consents() things { return things{code: "consent", name: "授权同意"} }

// CommitConsents stores the changed consents of a case with all that goes with
// them, in one transaction. It is a change of the case.
func (s *Store) CommitConsents(ctx context.Context, c exchange.ConsentCommit) error {
	return s.updateCase(ctx, c.Case, c.Entries, func(tx *gorm.DB) error { return s.enqueue(ctx, tx, c.Jobs) })
}

// Consent gives a consent that somebody has to give, or fault.NotFound.
func (s *Store) Consent(ctx context.Context, subject, id string) (*exchange.Consent, error) {
	row, err := table[consentRow](s.db).Where("id = ? AND subject = ?", id, subject).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a consent", consents())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	return consentFromRow(row, key)
}

// ConsentsOf lists the consents that somebody has to give, newest first.
func (s *Store) ConsentsOf(ctx context.Context, f exchange.ConsentFilter) ([]exchange.Consent, error) {
	query := table[consentRow](s.db).Where("subject = ?", f.Subject)
	if f.After != "" {
		after, err := table[consentRow](s.db).Where("id = ? AND subject = ?", f.After, f.Subject).Take(ctx)
		if err != nil {
			return nil, translate(err, "list consents", consents())
		}
		query = query.Where("(requested_at < ? OR (requested_at = ? AND id < ?))", after.Requested, after.Requested, after.ID)
	}
	rows, err := query.Order("requested_at DESC, id DESC").Limit(f.Limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "list consents", consents())
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.CaseID
	}
	keys, err := s.keysOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	return consentsFromRows(rows, keys)
}

// saveConsents stores the consents of a case: new ones are added, and of one that
// is there only what was decided changes. The case's row is locked. Requests that
// have ended go first, since there is only one for each person.
func saveConsents(ctx context.Context, tx *gorm.DB, c *exchange.Case, key *caseKey) error {
	stored, err := table[consentRow](tx).Select("id", "state").Where("case_id = ?", c.ID).Find(ctx)
	if err != nil {
		return translate(err, "save the consents of a case", consents())
	}
	known := make(map[string]string, len(stored))
	for _, row := range stored {
		known[row.ID] = row.State
	}
	var added []consentRow
	for i := range c.Consents {
		row, err := consentToRow(c, i, key)
		if err != nil {
			return err
		}
		state, there := known[row.ID]
		if !there {
			added = append(added, row)
			continue
		}
		if state == row.State {
			continue
		}
		changed := tx.Model(&consentRow{}).Where("id = ? AND state = ?", row.ID, state).Updates(map[string]any{"state": row.State, "body": row.Body})
		if changed.Error != nil {
			return translate(changed.Error, "change a consent", consents())
		}
		if changed.RowsAffected == 0 {
			return caseChanged()
		}
	}
	if len(added) == 0 {
		return nil
	}
	return translate(table[consentRow](tx).CreateInBatches(ctx, &added, consentBatch), "save the consents of a case", consents())
}

// consentBatch keeps a statement under SQLite's limit of parameters.
const consentBatch = 200

func consentPlace(id string) []byte { return place("consents", id, "body") }

func consentToRow(c *exchange.Case, i int, key *caseKey) (consentRow, error) {
	consent := &c.Consents[i]
	plain, err := json.Marshal(consent)
	if err != nil {
		return consentRow{}, fmt.Errorf("encode a consent: %w", err)
	}
	body, err := key.seal(plain, consentPlace(consent.ID))
	if err != nil {
		return consentRow{}, err
	}
	return consentRow{
		ID: consent.ID, CaseID: c.ID, Seq: i + 1, Party: consent.Party, By: consent.By, About: consent.About, Subject: consent.Subject,
		State: string(consent.State), Channel: string(consent.Channel), Requested: At(consent.RequestedAt), Body: body,
	}, nil
}

func consentsFromRows(rows []consentRow, keys map[string]*caseKey) ([]exchange.Consent, error) {
	var out []exchange.Consent
	for _, row := range rows {
		consent, err := consentFromRow(row, keys[row.CaseID])
		if err != nil {
			return nil, err
		}
		out = append(out, *consent)
	}
	return out, nil
}

// consentFromRow gives a consent; of a case that was destroyed, what its row says
// of it.
func consentFromRow(row consentRow, key *caseKey) (*exchange.Consent, error) {
	consent := exchange.Consent{
		ID: row.ID, Case: row.CaseID, Party: row.Party, By: row.By, Channel: exchange.ConsentChannel(row.Channel),
		RequestedAt: row.Requested.Time(), Destroyed: key.destroyed,
	}
	if key.destroyed == nil {
		plain, err := key.open(row.Body, consentPlace(row.ID))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(plain, &consent); err != nil {
			return nil, fmt.Errorf("decode consent %s: %w", row.ID, err)
		}
	}
	consent.State, consent.About, consent.Subject = exchange.ConsentStanding(row.State), row.About, row.Subject
	return &consent, nil
}
