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
	Salt    []byte          `json:"salt"`
}

func cases() things { return things{code: "case", name: "办件"} }

// OpenCase stores a new case with its consents and its entries. When the
// department already has a case of that number it stores nothing and returns the
// earlier one.
func (s *Store) OpenCase(ctx context.Context, c *exchange.Case, entries ...ledger.Entry) (*exchange.Case, error) {
	row, err := caseToRow(c)
	if err != nil {
		return nil, err
	}
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
		if err := saveConsents(ctx, tx, c); err != nil {
			return err
		}
		return appendEntries(ctx, tx, entries)
	})
	if err != nil {
		return nil, err
	}
	if taken {
		return s.CaseByNumber(ctx, c.Department, c.Number)
	}
	return c, nil
}

// Case gives a department's case with its results, or fault.NotFound.
func (s *Store) Case(ctx context.Context, department, id string) (*exchange.Case, error) {
	row, err := gorm.G[caseRow](s.db).Where("id = ? AND department = ?", id, department).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a case", cases())
	}
	return s.caseFromRow(ctx, row)
}

// CaseByNumber gives a department's case by its own number, or fault.NotFound.
func (s *Store) CaseByNumber(ctx context.Context, department, number string) (*exchange.Case, error) {
	row, err := gorm.G[caseRow](s.db).Where("department = ? AND number = ?", department, number).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a case", cases())
	}
	return s.caseFromRow(ctx, row)
}

// UpdateCase stores changed facts, parties, consents and new results with their
// entries. It is a fault.Conflict when the case has been changed since it was
// read.
func (s *Store) UpdateCase(ctx context.Context, c *exchange.Case, entries ...ledger.Entry) error {
	return s.updateCase(ctx, c, entries, func(*gorm.DB) error { return nil })
}

// updateCase is UpdateCase, with more to be done in the same transaction.
func (s *Store) updateCase(ctx context.Context, c *exchange.Case, entries []ledger.Entry, more func(tx *gorm.DB) error) error {
	row, err := caseToRow(c)
	if err != nil {
		return err
	}
	err = s.transact(ctx, func(tx *gorm.DB) error {
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
		if err := saveResults(ctx, tx, c); err != nil {
			return err
		}
		if err := saveConsents(ctx, tx, c); err != nil {
			return err
		}
		if err := appendEntries(ctx, tx, entries); err != nil {
			return err
		}
		return more(tx)
	})
	if err == nil {
		c.Version++
	}
	return err
}

func caseChanged() error {
	return fault.New(fault.Conflict, "case-changed", "办件刚被另一个请求更改。请重新读取后再试。")
}

// saveResults adds the results that are not stored yet. A stored one never
// changes.
func saveResults(ctx context.Context, tx *gorm.DB, c *exchange.Case) error {
	for _, result := range c.Results {
		body, err := json.Marshal(result)
		if err != nil {
			return fmt.Errorf("encode a result: %w", err)
		}
		row := resultRow{
			CaseID: c.ID, Matter: result.Matter, Outcome: string(result.Outcome), Body: string(body), Reported: At(result.ReportedAt),
		}
		known := clause.OnConflict{Columns: []clause.Column{{Name: "case_id"}, {Name: "matter"}}, DoNothing: true}
		if err := gorm.G[resultRow](tx, known).Create(ctx, &row); err != nil {
			return translate(err, "save a result", cases())
		}
	}
	return nil
}

func caseToRow(c *exchange.Case) (caseRow, error) {
	body, err := json.Marshal(caseBody{Parties: c.Parties, Salt: c.Salt})
	if err != nil {
		return caseRow{}, fmt.Errorf("encode a case: %w", err)
	}
	facts, err := json.Marshal(c.Facts)
	if err != nil {
		return caseRow{}, fmt.Errorf("encode the facts of a case: %w", err)
	}
	row := caseRow{
		ID: c.ID, System: c.System, Department: c.Department, Number: c.Number, BodyDigest: c.Opening, Revision: c.Revision,
		Subject: c.Subject, Body: string(body), Facts: string(facts), Created: At(c.OpenedAt), Updated: At(c.UpdatedAt), Version: c.Version,
		ClosedFor: string(c.ClosedFor),
	}
	if !c.ClosedAt.IsZero() {
		closed := At(c.ClosedAt)
		row.ClosedAt = &closed
	}
	return row, nil
}

func (s *Store) caseFromRow(ctx context.Context, row caseRow) (*exchange.Case, error) {
	c := &exchange.Case{
		ID: row.ID, Number: row.Number, System: row.System, Department: row.Department, Revision: row.Revision, Subject: row.Subject,
		Opening: row.BodyDigest, OpenedAt: row.Created.Time(), UpdatedAt: row.Updated.Time(), Version: row.Version,
		ClosedFor: exchange.ClosingReason(row.ClosedFor),
	}
	if row.ClosedAt != nil {
		c.ClosedAt = row.ClosedAt.Time()
	}
	var body caseBody
	if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
		return nil, fmt.Errorf("decode case %s: %w", row.ID, err)
	}
	c.Parties, c.Salt = body.Parties, body.Salt
	facts, err := factsFromJSON(row.Facts)
	if err != nil {
		return nil, fmt.Errorf("decode the facts of case %s: %w", row.ID, err)
	}
	c.Facts = facts
	if c.Results, err = s.results(ctx, row.ID); err != nil {
		return nil, err
	}
	c.Consents, err = s.consentsOf(ctx, row.ID)
	return c, err
}

// factsFromJSON gives the facts the types that the catalog gave them: a list
// can only be a set's value.
func factsFromJSON(text string) (catalog.Facts, error) {
	facts := catalog.Facts{}
	if err := json.Unmarshal([]byte(text), &facts); err != nil {
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

func (s *Store) results(ctx context.Context, id string) ([]exchange.MatterResult, error) {
	rows, err := gorm.G[resultRow](s.db).Where("case_id = ?", id).Order("reported_at, matter").Find(ctx)
	if err != nil {
		return nil, translate(err, "read the results of a case", cases())
	}
	var results []exchange.MatterResult
	for _, row := range rows {
		var result exchange.MatterResult
		if err := json.Unmarshal([]byte(row.Body), &result); err != nil {
			return nil, fmt.Errorf("decode a result of case %s: %w", id, err)
		}
		results = append(results, result)
	}
	return results, nil
}
