package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// caseBody is what a case row keeps as JSON.
type caseBody struct {
	Parties []catalog.Party `json:"parties"`
	// Salt is there in a case from before case_keys.
	Salt []byte `json:"salt,omitempty"`
}

// The places of what is sealed of a case. A version of it opens as that version
// alone.
func casePlace(id string, version int, column string) []byte {
	return place("cases", id, version, column)
}
func resultPlace(id, matter string) []byte { return place("case_results", id, matter, "body") }

func cases() things { return things{code: "case", name: "办件"} }

// OpenCase stores a new case with its consents and its entries. When the
// department already has a case of that number it stores nothing and returns the
// earlier one.
func (s *Store) OpenCase(ctx context.Context, c *exchange.Case, entries ...ledger.Entry) (*exchange.Case, error) {
	key, keyRow, err := s.newCaseKey(ctx, c.ID, c.Salt)
	if err != nil {
		return nil, err
	}
	row, err := caseToRow(c, key, c.Version)
	if err != nil {
		return nil, err
	}
	keyRow.Created = row.Created
	taken := false
	err = s.transact(ctx, func(tx *gorm.DB) error {
		ignore := clause.OnConflict{Columns: []clause.Column{{Name: "department"}, {Name: "number"}}, DoNothing: true}
		created := tx.Clauses(ignore).Create(&row)
		if created.Error != nil {
			return translate(created.Error, "open a case", cases())
		}
		if taken = created.RowsAffected == 0; taken {
			return nil
		}
		if err := table[caseKeyRow](tx).Create(ctx, keyRow); err != nil {
			return translate(err, "keep the key of a case", cases())
		}
		if err := saveConsents(ctx, tx, c, key); err != nil {
			return err
		}
		return s.appendEntries(ctx, tx, entries)
	})
	if err != nil {
		return nil, err
	}
	if taken {
		return s.CaseByNumber(ctx, c.Department, c.Number)
	}
	return c, nil
}

// Case gives a department's case with its results, or fault.NotFound; one that was
// destroyed is a fault.Gone.
func (s *Store) Case(ctx context.Context, department, id string) (*exchange.Case, error) {
	return s.readCase(ctx, s.caseQueries.ofDepartment, id, department)
}

// CaseByNumber gives a department's case by its own number, as Case does.
func (s *Store) CaseByNumber(ctx context.Context, department, number string) (*exchange.Case, error) {
	return s.readCase(ctx, s.caseQueries.byNumber, department, number)
}

// UpdateCase stores changed facts, parties, consents and new results with their
// entries. It is a fault.Conflict when the case has been changed since it was
// read.
func (s *Store) UpdateCase(ctx context.Context, c *exchange.Case, entries ...ledger.Entry) error {
	return s.updateCase(ctx, c, entries, func(*gorm.DB) error { return nil })
}

// updateCase is UpdateCase, with more to be done in the same transaction.
func (s *Store) updateCase(ctx context.Context, c *exchange.Case, entries []ledger.Entry, more func(tx *gorm.DB) error) error {
	err := s.transact(ctx, func(tx *gorm.DB) error {
		key, err := s.keyToWrite(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		row, err := caseToRow(c, key, c.Version+1)
		if err != nil {
			return err
		}
		changed := tx.Model(&caseRow{}).Where("id = ? AND version = ?", c.ID, c.Version).Updates(map[string]any{
			"body": row.Body, "facts": row.Facts, "updated_at": row.Updated, "version": c.Version + 1,
			"closed_at": row.ClosedAt, "closed_for": row.ClosedFor,
		})
		if changed.Error != nil {
			return translate(changed.Error, "change a case", cases())
		}
		if changed.RowsAffected == 0 {
			return caseChanged()
		}
		if err := stopEarlier(tx, c.ID); err != nil {
			return err
		}
		if err := noteDone(tx, c); err != nil {
			return err
		}
		if err := noteClosed(ctx, tx, c); err != nil {
			return err
		}
		if err := saveResults(ctx, tx, c, key); err != nil {
			return err
		}
		if err := saveConsents(ctx, tx, c, key); err != nil {
			return err
		}
		if err := s.appendEntries(ctx, tx, entries); err != nil {
			return err
		}
		return more(tx)
	})
	if err == nil {
		c.Version++
	}
	return err
}

// noteDone notes when the purpose of a case was done.
func noteDone(tx *gorm.DB, c *exchange.Case) error {
	var done *Timestamp
	if !c.DoneAt.IsZero() {
		at := At(c.DoneAt)
		done = &at
	}
	noted := tx.Model(&caseKeyRow{}).Where("case_id = ? AND destroyed_at IS NULL", c.ID).Update("done_at", done)
	return translate(noted.Error, "note when a case is done", cases())
}

func caseChanged() error {
	return fault.New(fault.Conflict, "case-changed", "办件刚被另一个请求更改。请重新读取后再试。")
}

// saveResults adds the results that are not stored yet. A stored one never
// changes.
func saveResults(ctx context.Context, tx *gorm.DB, c *exchange.Case, key *caseKey) error {
	for _, result := range c.Results {
		body, err := json.Marshal(result)
		if err != nil {
			return fmt.Errorf("encode a result: %w", err)
		}
		sealed, err := key.seal(body, resultPlace(c.ID, result.Matter))
		if err != nil {
			return err
		}
		row := resultRow{
			CaseID: c.ID, Matter: result.Matter, Outcome: string(result.Outcome), Body: sealed, Reported: At(result.ReportedAt),
		}
		known := clause.OnConflict{Columns: []clause.Column{{Name: "case_id"}, {Name: "matter"}}, DoNothing: true}
		if err := table[resultRow](tx, known).Create(ctx, &row); err != nil {
			return translate(err, "save a result", cases())
		}
	}
	return nil
}

// caseToRow gives the row of a case that becomes this version.
func caseToRow(c *exchange.Case, key *caseKey, version int) (caseRow, error) {
	plainBody, err := json.Marshal(caseBody{Parties: c.Parties})
	if err != nil {
		return caseRow{}, fmt.Errorf("encode a case: %w", err)
	}
	plainFacts, err := json.Marshal(c.Facts)
	if err != nil {
		return caseRow{}, fmt.Errorf("encode the facts of a case: %w", err)
	}
	body, err := key.seal(plainBody, casePlace(c.ID, version, "body"))
	if err != nil {
		return caseRow{}, err
	}
	facts, err := key.seal(plainFacts, casePlace(c.ID, version, "facts"))
	if err != nil {
		return caseRow{}, err
	}
	row := caseRow{
		ID: c.ID, System: c.System, Department: c.Department, Number: c.Number, BodyDigest: c.Opening, Revision: c.Revision,
		Subject: c.Subject, Body: body, Facts: facts, Created: At(c.OpenedAt), Updated: At(c.UpdatedAt), Version: version,
		ClosedFor: string(c.ClosedFor), State: string(exchange.CaseNew),
	}
	if !c.ClosedAt.IsZero() {
		closed := At(c.ClosedAt)
		row.ClosedAt = &closed
	}
	return row, nil
}

// openCase fills in what is sealed of a case.
func openCase(c *exchange.Case, row caseRow, key *caseKey) error {
	plainBody, err := key.open(row.Body, casePlace(row.ID, row.Version, "body"))
	if err != nil {
		return err
	}
	var body caseBody
	if err := json.Unmarshal(plainBody, &body); err != nil {
		return fmt.Errorf("decode case %s: %w", row.ID, err)
	}
	if c.Parties, c.Salt = body.Parties, key.salt; key.clear {
		c.Salt = body.Salt
	}
	plainFacts, err := key.open(row.Facts, casePlace(row.ID, row.Version, "facts"))
	if err != nil {
		return err
	}
	if c.Facts, err = factsFromJSON(plainFacts); err != nil {
		return fmt.Errorf("decode the facts of case %s: %w", row.ID, err)
	}
	return nil
}

// factsFromJSON gives the facts the types that the catalog gave them: a list
// can only be a set's value.
func factsFromJSON(text []byte) (catalog.Facts, error) {
	facts := catalog.Facts{}
	if err := json.Unmarshal(text, &facts); err != nil {
		return nil, err
	}
	return typedFacts(facts), nil
}

// typedFacts turns the lists among facts that came from JSON into sets.
func typedFacts(facts catalog.Facts) catalog.Facts {
	for code, value := range facts {
		list, ok := value.([]any)
		if !ok {
			continue
		}
		set := make([]string, 0, len(list))
		for _, item := range list {
			if text, ok := item.(string); ok {
				set = append(set, text)
			}
		}
		facts[code] = set
	}
	return facts
}

// openResults gives the results of a case.
func openResults(rows []resultRow, key *caseKey) ([]exchange.MatterResult, error) {
	var results []exchange.MatterResult
	for _, row := range rows {
		plain, err := key.open(row.Body, resultPlace(row.CaseID, row.Matter))
		if err != nil {
			return nil, err
		}
		var result exchange.MatterResult
		if err := json.Unmarshal(plain, &result); err != nil {
			return nil, fmt.Errorf("decode a result of case %s: %w", row.CaseID, err)
		}
		results = append(results, result)
	}
	return results, nil
}
