package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"mianti/ledger"
	"mianti/safeguard"
)

// usageRow is what a meter has come to in a window (用量).
type usageRow struct {
	Kind     string    `gorm:"column:kind;primaryKey"`
	ID       string    `gorm:"column:id;primaryKey"`
	Span     string    `gorm:"column:span;primaryKey"`
	Start    Timestamp `gorm:"column:start_at;primaryKey"`
	Calls    int64     `gorm:"column:calls"`
	Subjects int64     `gorm:"column:subjects"`
	Outcomes int64     `gorm:"column:outcomes"`
	Unknown  int64     `gorm:"column:unknown"`
}

// TableName names the table.
func (usageRow) TableName() string { return "usage_totals" }

// subjectRow says that a meter has asked about a subject in a window.
type subjectRow struct {
	Kind    string    `gorm:"column:kind;primaryKey"`
	ID      string    `gorm:"column:id;primaryKey"`
	Span    string    `gorm:"column:span;primaryKey"`
	Start   Timestamp `gorm:"column:start_at;primaryKey"`
	Subject string    `gorm:"column:subject;primaryKey"` // keyed digest
}

// TableName names the table.
func (subjectRow) TableName() string { return "usage_subjects" }

// AppendIntents adds the intents of a round to the ledger and counts them, in
// one transaction: what is asked was counted. Over a quota it does neither and
// is a fault.Exhausted. subjects are whom each intent is about, by keyed digest.
func (s *Store) AppendIntents(ctx context.Context, intents []ledger.Entry, subjects []string) error {
	if len(intents) == 0 {
		return nil
	}
	w, err := newWrite(intents)
	if err != nil {
		return err
	}
	w.tallies, w.questions = safeguard.CountIntents(intents, subjects), true
	if w.limits, err = s.Overrides(ctx, metersOf(w.tallies)...); err != nil {
		return err
	}
	if err = s.store(ctx, w); w.excess != nil {
		return s.exceeded(ctx, w.excess, intents[0].Department, intents[0].At)
	}
	return err
}

// exceeded raises the alarm of a quota, after what exceeded it was undone.
func (s *Store) exceeded(ctx context.Context, excess *safeguard.Excess, department string, now time.Time) error {
	alarm := excess.Alarm()
	alarm.Department, alarm.FirstAt, alarm.LastAt = department, now, now
	var alarms []safeguard.Alarm
	err := s.transact(ctx, func(tx *gorm.DB) (err error) {
		alarms, err = raise(tx, []safeguard.Alarm{alarm})
		return err
	})
	s.tell(ctx, err, alarms)
	if err != nil { // refused all the same: an alarm changes no answer
		return excess.Fault(now).Because(err)
	}
	return excess.Fault(now)
}

// tell hands new alarms to whoever wants to know, once they are stored.
func (s *Store) tell(ctx context.Context, err error, alarms []safeguard.Alarm) {
	if err != nil || s.alarmed == nil {
		return
	}
	for i := range alarms {
		s.alarmed(ctx, alarms[i])
	}
}

func metersOf(tallies []safeguard.Tally) []safeguard.Meter {
	meters := make([]safeguard.Meter, len(tallies))
	for i := range tallies {
		meters[i] = tallies[i].Meter
	}
	return slices.Compact(meters) // they are in order
}

// count adds tallies and gives what each meter has come to. The subjects come
// first, the rows that everybody writes last, both in the order of the tallies:
// the wait for one another is short, and never in a ring.
func count(tx *gorm.DB, tallies []safeguard.Tally) ([]safeguard.Total, error) {
	fresh, err := addSubjects(tx, tallies)
	if err != nil {
		return nil, translate(err, "count subjects", things{})
	}
	totals := make([]safeguard.Total, 0, len(tallies))
	for part := range slices.Chunk(tallies, entryBatch) {
		added, err := addUsage(tx, part, fresh)
		if err != nil {
			return nil, translate(err, "count uses", things{})
		}
		totals = append(totals, added...)
	}
	return totals, nil
}

// usageKey is where something is counted.
type usageKey struct {
	kind, id, span string
	start          int64
}

func keyOf(m safeguard.Meter, w safeguard.Window) usageKey {
	return usageKey{string(m.Kind), m.ID, string(w.Span), int64(At(w.Start))}
}

// addSubjects notes the subjects and gives how many are new, by key.
func addSubjects(tx *gorm.DB, tallies []safeguard.Tally) (map[usageKey]int64, error) {
	var rows [][]any
	for i := range tallies {
		t := &tallies[i]
		for _, subject := range t.Subjects {
			rows = append(rows, []any{string(t.Kind), t.ID, string(t.Span), int64(At(t.Start)), subject})
		}
	}
	fresh := map[usageKey]int64{}
	for part := range slices.Chunk(rows, entryBatch) {
		added, err := tx.Raw("INSERT INTO usage_subjects (kind, id, span, start_at, subject) VALUES "+placeholders(len(part), 5)+
			" ON CONFLICT DO NOTHING RETURNING kind, id, span, start_at", slices.Concat(part...)...).Rows()
		if err != nil {
			return nil, err
		}
		for added.Next() {
			var key usageKey
			if err := added.Scan(&key.kind, &key.id, &key.span, &key.start); err != nil {
				return nil, closing(added, err)
			}
			fresh[key]++
		}
		if err := closing(added, added.Err()); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// addUsage adds to the totals and gives them.
func addUsage(tx *gorm.DB, tallies []safeguard.Tally, fresh map[usageKey]int64) ([]safeguard.Total, error) {
	windows := map[usageKey]safeguard.Window{}
	var values []any
	for i := range tallies {
		t := &tallies[i]
		key := keyOf(t.Meter, t.Window)
		windows[key] = t.Window
		values = append(values, key.kind, key.id, key.span, key.start, t.Calls, fresh[key], t.Outcomes, t.Unknown)
	}
	rows, err := tx.Raw("INSERT INTO usage_totals (kind, id, span, start_at, calls, subjects, outcomes, unknown) VALUES "+
		placeholders(len(tallies), 8)+" ON CONFLICT (kind, id, span, start_at) DO UPDATE SET calls = usage_totals.calls + excluded.calls,"+
		" subjects = usage_totals.subjects + excluded.subjects, outcomes = usage_totals.outcomes + excluded.outcomes,"+
		" unknown = usage_totals.unknown + excluded.unknown"+
		" RETURNING kind, id, span, start_at, calls, subjects, outcomes, unknown", values...).Rows()
	if err != nil {
		return nil, err
	}
	var totals []safeguard.Total
	for rows.Next() {
		var key usageKey
		var t safeguard.Total
		if err := rows.Scan(&key.kind, &key.id, &key.span, &key.start, &t.Calls, &t.Subjects, &t.Outcomes, &t.Unknown); err != nil {
			return nil, closing(rows, err)
		}
		t.Meter, t.Window = safeguard.Meter{Kind: safeguard.Kind(key.kind), ID: key.id}, windows[key]
		totals = append(totals, t)
	}
	return totals, closing(rows, rows.Err())
}

// Usage gives what a meter has come to in the windows that a moment is in.
func (s *Store) Usage(ctx context.Context, m safeguard.Meter, at time.Time) ([]safeguard.Total, error) {
	out := make([]safeguard.Total, 0, 2)
	for _, span := range []safeguard.Span{safeguard.SpanHour, safeguard.SpanDay} {
		total := safeguard.Total{Meter: m, Window: safeguard.WindowAt(span, at)}
		rows, err := table[usageRow](s.db).
			Where("kind = ? AND id = ? AND span = ? AND start_at = ?", string(m.Kind), m.ID, string(span), At(total.Start)).Find(ctx)
		if err != nil {
			return nil, translate(err, "read what was counted", things{})
		}
		for _, row := range rows { // one at most
			total.Calls, total.Subjects, total.Outcomes, total.Unknown = row.Calls, row.Subjects, row.Outcomes, row.Unknown
		}
		out = append(out, total)
	}
	return out, nil
}

// PurgeUsage removes what was counted in windows that are over, and failed
// logins that count no more. It says how many rows they were.
func (s *Store) PurgeUsage(ctx context.Context, now time.Time) (int, error) {
	n := 0
	for _, span := range []safeguard.Span{safeguard.SpanHour, safeguard.SpanDay} {
		present := At(safeguard.WindowAt(span, now.Add(-purgeLeeway)).Start)
		subjects, err := table[subjectRow](s.db).Where("span = ? AND start_at < ?", string(span), present).Delete(ctx)
		if err != nil {
			return n, translate(err, "remove old subjects", things{})
		}
		totals, err := table[usageRow](s.db).Where("span = ? AND start_at < ?", string(span), present).Delete(ctx)
		if err != nil {
			return n, translate(err, "remove old counts", things{})
		}
		n += subjects + totals
	}
	logins, err := table[loginRow](s.db).Where("start_at < ?", At(now.Add(-safeguard.LoginWindow-purgeLeeway))).Delete(ctx)
	return n + logins, translate(err, "remove old failed logins", things{})
}

// purgeLeeway keeps what another replica, whose clock is behind, still counts.
const purgeLeeway = 10 * time.Minute
