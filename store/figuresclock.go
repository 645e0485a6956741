package store

import (
	"context"
	"slices"
	"time"

	"mianti/correction"
	"mianti/figures"
	"mianti/ledger"
	"mianti/sharing"
)

// mostClocks bounds what is read of requests and corrections for figures.
const mostClocks = 20000

// SharingReceived gives the sharing requests that were received in a time.
func (s *Store) SharingReceived(ctx context.Context, from, until time.Time) ([]sharing.Request, error) {
	return read(ctx, s, func(s *Store) ([]sharing.Request, error) {
		rows, err := table[sharingRow](s.db).Where("received_at >= ? AND received_at < ?", At(from), At(until)).Order("received_at, id").Limit(mostClocks).Find(ctx)
		if err != nil {
			return nil, translate(err, "list sharing requests", sharingRequests())
		}
		out := make([]sharing.Request, 0, len(rows))
		for _, row := range rows {
			r, err := sharingFromRow(row)
			if err != nil {
				return nil, err
			}
			out = append(out, *r)
		}
		return out, nil
	})
}

// CorrectionsOpened gives when the corrections that were opened in a time were
// answered, by the entries of what was done: the corrections themselves stay
// sealed.
func (s *Store) CorrectionsOpened(ctx context.Context, from, until time.Time) ([]figures.Answered, error) {
	return read(ctx, s, func(s *Store) ([]figures.Answered, error) {
		const doing = "read when corrections were answered"
		var rows []correctionRow
		err := s.db.WithContext(ctx).Select("id", "provider", "case_id", "state", "opened_at").
			Where("opened_at >= ? AND opened_at < ?", At(from), At(until)).Order("opened_at, id").Limit(mostClocks).Find(&rows).Error
		if err != nil {
			return nil, translate(err, doing, corrections())
		}
		out, at := make([]figures.Answered, len(rows)), make(map[string]*figures.Answered, len(rows))
		for i, row := range rows {
			out[i] = figures.Answered{Provider: row.Provider, OpenedAt: row.Opened.Time(), Withdrawn: row.State == string(correction.Withdrawn)}
			at["correction:"+row.ID] = &out[i]
		}
		for batch := range slices.Chunk(rows, entryBatch) {
			ids := make([]string, len(batch))
			for i, row := range batch {
				ids[i] = row.CaseID
			}
			kinds := []string{string(ledger.CorrectionPassedOn), string(ledger.CorrectionAnswered)}
			entries, err := entriesOf(table[entryRow](s.db).Where("case_id IN ? AND kind IN ?", ids, kinds).Order("id").Find(ctx))
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				answered := at[e.Object]
				switch {
				case answered == nil || !answered.AnsweredAt.IsZero(): // of another time, or answered again in a dispute
				case e.Kind == ledger.CorrectionPassedOn:
					answered.OpenedAt = e.At
				default:
					answered.AnsweredAt = e.At
				}
			}
		}
		return out, nil
	})
}
