package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/safeguard"
)

// alarmRow is something unusual that a meter did in a window (告警).
type alarmRow struct {
	ID             int64      `gorm:"column:id;primaryKey;autoIncrement"`
	Kind           string     `gorm:"column:kind"`
	MeterKind      string     `gorm:"column:meter_kind"`
	MeterID        string     `gorm:"column:meter_id"`
	Department     string     `gorm:"column:department"`
	Span           string     `gorm:"column:span"`
	Start          Timestamp  `gorm:"column:start_at"`
	Times          int64      `gorm:"column:times"`
	Value          int64      `gorm:"column:value"`
	Threshold      int64      `gorm:"column:threshold"`
	First          Timestamp  `gorm:"column:first_at"`
	Last           Timestamp  `gorm:"column:last_at"`
	Acknowledged   *Timestamp `gorm:"column:acknowledged_at"`
	AcknowledgedBy string     `gorm:"column:acknowledged_by"`
}

// TableName names the table.
func (alarmRow) TableName() string { return "alarms" }

func alarmThings() things { return things{code: "alarm", name: "告警"} }

// raise stores alarms in the caller's transaction, or counts them up, and gives
// those that are new.
func raise(tx *gorm.DB, alarms []safeguard.Alarm) ([]safeguard.Alarm, error) {
	if len(alarms) == 0 {
		return nil, nil
	}
	slices.SortFunc(alarms, func(a, b safeguard.Alarm) int { return strings.Compare(alarmKey(&a), alarmKey(&b)) })
	var values []any
	for i := range alarms {
		a := &alarms[i]
		values = append(values, string(a.Kind), string(a.Of.Kind), a.Of.ID, a.Department, string(a.Window.Span), int64(At(a.Window.Start)),
			a.Times, a.Value, a.Threshold, int64(At(a.FirstAt)), int64(At(a.LastAt)), "")
	}
	rows, err := tx.Raw("INSERT INTO alarms (kind, meter_kind, meter_id, department, span, start_at, times, value, threshold, first_at,"+
		" last_at, acknowledged_by) VALUES "+placeholders(len(alarms), 12)+
		" ON CONFLICT (kind, meter_kind, meter_id, span, start_at) DO UPDATE SET times = alarms.times + excluded.times, last_at = excluded.last_at,"+
		" value = CASE WHEN excluded.value > alarms.value THEN excluded.value ELSE alarms.value END"+
		" RETURNING id, kind, meter_kind, meter_id, span, times", values...).Rows()
	if err != nil {
		return nil, translate(err, "raise an alarm", alarmThings())
	}
	fresh, err := freshAlarms(rows, alarms)
	return fresh, translate(err, "raise an alarm", alarmThings())
}

// alarmKey tells one alarm of a round from another.
func alarmKey(a *safeguard.Alarm) string {
	return strings.Join([]string{string(a.Kind), string(a.Of.Kind), a.Of.ID, string(a.Window.Span)}, "\x00")
}

func freshAlarms(rows *sql.Rows, alarms []safeguard.Alarm) ([]safeguard.Alarm, error) {
	var fresh []safeguard.Alarm
	for rows.Next() {
		var id, times int64
		var kind, meterKind, meterID, span string
		if err := rows.Scan(&id, &kind, &meterKind, &meterID, &span, &times); err != nil {
			return nil, closing(rows, err)
		}
		key := strings.Join([]string{kind, meterKind, meterID, span}, "\x00")
		for i := range alarms {
			if times == alarms[i].Times && alarmKey(&alarms[i]) == key {
				alarms[i].ID = id
				fresh = append(fresh, alarms[i])
			}
		}
	}
	return fresh, closing(rows, rows.Err())
}

// closing closes rows and keeps the failure that came before.
func closing(rows *sql.Rows, err error) error { return errors.Join(err, rows.Close()) }

// ListAlarms gives alarms, the newest first.
func (s *Store) ListAlarms(ctx context.Context, f safeguard.AlarmFilter) ([]safeguard.Alarm, error) {
	query := s.db.WithContext(ctx)
	if f.Department != "" {
		query = query.Where("department = ?", f.Department)
	}
	if f.Open {
		query = query.Where("acknowledged_at IS NULL")
	}
	if f.Before > 0 {
		query = query.Where("id < ?", f.Before)
	}
	var rows []alarmRow
	if err := query.Order("id DESC").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, translate(err, "list alarms", alarmThings())
	}
	alarms := make([]safeguard.Alarm, len(rows))
	for i := range rows {
		alarms[i] = alarmFromRow(&rows[i])
	}
	return alarms, nil
}

// AcknowledgeAlarm notes who has seen an alarm, with its entry. An empty
// department means any.
func (s *Store) AcknowledgeAlarm(ctx context.Context, id int64, department string, e ledger.Entry) (*safeguard.Alarm, error) {
	var seen safeguard.Alarm
	err := s.transact(ctx, func(tx *gorm.DB) error {
		const doing = "acknowledge an alarm"
		changed := tx.Model(&alarmRow{}).Where("id = ? AND acknowledged_at IS NULL AND (department = ? OR ? = '')", id, department, department).
			Updates(map[string]any{"acknowledged_at": At(e.At), "acknowledged_by": e.Person})
		if changed.Error != nil {
			return translate(changed.Error, doing, alarmThings())
		}
		row, err := table[alarmRow](tx).Where("id = ? AND (department = ? OR ? = '')", id, department, department).Take(ctx)
		if err != nil {
			return translate(err, doing, alarmThings())
		}
		if changed.RowsAffected == 0 {
			return fault.New(fault.Conflict, "alarm-acknowledged", "这个告警已经有人确认。")
		}
		seen = alarmFromRow(&row)
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
	if err != nil {
		return nil, err
	}
	return &seen, nil
}

func alarmFromRow(row *alarmRow) safeguard.Alarm {
	a := safeguard.Alarm{
		ID: row.ID, Kind: safeguard.AlarmKind(row.Kind), Of: safeguard.Meter{Kind: safeguard.Kind(row.MeterKind), ID: row.MeterID},
		Department: row.Department, Window: safeguard.WindowAt(safeguard.Span(row.Span), row.Start.Time()), Times: row.Times,
		Value: row.Value, Threshold: row.Threshold, FirstAt: row.First.Time(), LastAt: row.Last.Time(), AcknowledgedBy: row.AcknowledgedBy,
	}
	if row.Acknowledged != nil {
		at := row.Acknowledged.Time()
		a.AcknowledgedAt = &at
	}
	return a
}
