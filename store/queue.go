package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
)

// briefRow is what the queue reads of a case: nothing that is sealed.
type briefRow struct {
	ID         string     `gorm:"column:id"`
	Number     string     `gorm:"column:number"`
	Subject    string     `gorm:"column:subject"`
	Revision   int        `gorm:"column:revision"`
	Created    Timestamp  `gorm:"column:created_at"`
	Updated    Timestamp  `gorm:"column:updated_at"`
	ClosedAt   *Timestamp `gorm:"column:closed_at"`
	ClosedFor  string     `gorm:"column:closed_for"`
	State      string     `gorm:"column:state"`
	Resolution string     `gorm:"column:resolution_id"`
	Settled    *int       `gorm:"column:settled"`
	Checking   *int       `gorm:"column:checking"`
	ToSubmit   *int       `gorm:"column:to_submit"`
	Destroyed  bool       `gorm:"column:destroyed"`
}

const briefColumns = "id, number, subject, revision, created_at, updated_at, closed_at, closed_for, state, resolution_id, settled, checking, to_submit, body = '' AS destroyed"

// CaseBriefs lists cases of a department, as far as a page goes.
func (s *Store) CaseBriefs(ctx context.Context, f exchange.CaseFilter) (*exchange.CasePage, error) {
	return read(ctx, s, func(s *Store) (*exchange.CasePage, error) {
		const doing = "list cases"
		q, err := s.queue(ctx, f)
		if err != nil {
			return nil, err
		}
		var rows []briefRow
		if err := q.Select(briefColumns).Limit(f.Limit + 1).Find(&rows).Error; err != nil {
			return nil, translate(err, doing, cases())
		}
		more := len(rows) > f.Limit
		if more {
			rows = rows[:f.Limit]
		}
		back := f.Before != ""
		if back {
			slices.Reverse(rows)
		}
		page := &exchange.CasePage{Items: make([]exchange.CaseBrief, len(rows))}
		for i := range rows {
			page.Items[i] = rows[i].brief()
		}
		if len(rows) > 0 {
			if more || back {
				page.Next = rows[len(rows)-1].ID
			}
			if (more && back) || f.After != "" {
				page.Prev = rows[0].ID
			}
		}
		return page, nil
	})
}

// queue narrows the cases down to those of a filter, from where its page begins,
// in the order in which the page is read.
func (s *Store) queue(ctx context.Context, f exchange.CaseFilter) (*gorm.DB, error) {
	q := s.db.WithContext(ctx).Table("cases").Where("department = ?", f.Department)
	switch f.State {
	case exchange.CaseAny:
	case exchange.CaseOpen:
		q = q.Where("closed_at IS NULL")
	default:
		q = q.Where("state = ?", string(f.State))
	}
	if f.Subject != "" {
		q = q.Where("subject = ?", f.Subject)
	}
	number := s.numberColumn()
	columns := "created_at, id"
	if f.Number != "" {
		columns = number
		q = q.Where(number+" >= ? AND "+number+" < ?", f.Number, f.Number+string(rune(0x10FFFF)))
	}
	back := f.Before != ""
	order, compare := "DESC", "<"
	if f.Oldest != back {
		order, compare = "ASC", ">"
	}
	if edge := f.After + f.Before; edge != "" {
		from, err := table[caseRow](s.db).Select("id", "number", "created_at").Where("id = ? AND department = ?", edge, f.Department).Take(ctx)
		if err != nil {
			return nil, translate(err, "find where a page begins", cases())
		}
		if f.Number != "" {
			q = q.Where(number+" "+compare+" ?", from.Number)
		} else {
			q = q.Where("(created_at, id) "+compare+" (?, ?)", from.Created, from.ID)
		}
	}
	return q.Order(strings.ReplaceAll(columns, ",", " "+order+",") + " " + order), nil
}

// numberColumn compares the numbers of cases byte by byte on both dialects.
func (s *Store) numberColumn() string {
	if s.dialect == dialectPostgres {
		return `number COLLATE "C"`
	}
	return "number"
}

func (row *briefRow) brief() exchange.CaseBrief {
	b := exchange.CaseBrief{
		ID: row.ID, Number: row.Number, Subject: row.Subject, Revision: row.Revision, State: exchange.CaseState(row.State), Resolution: row.Resolution,
		OpenedAt: row.Created.Time(), UpdatedAt: row.Updated.Time(), ClosedFor: exchange.ClosingReason(row.ClosedFor), Destroyed: row.Destroyed,
	}
	if row.ClosedAt != nil {
		closed := row.ClosedAt.Time()
		b.ClosedAt = &closed
	}
	if row.Settled != nil && row.Checking != nil && row.ToSubmit != nil {
		b.Counts = &exchange.CaseCounts{Settled: *row.Settled, Checking: *row.Checking, ToSubmit: *row.ToSubmit}
	}
	return b
}

// CaseStateCounts counts the cases of a department by state, each up to a limit.
func (s *Store) CaseStateCounts(ctx context.Context, department string, limit int) (map[exchange.CaseState]int, error) {
	return read(ctx, s, func(s *Store) (map[exchange.CaseState]int, error) {
		var parts []string
		var args []any
		for _, state := range exchange.CaseStates() {
			parts = append(parts, "SELECT '"+string(state)+"' AS state, COUNT(*) AS n FROM (SELECT 1 FROM cases WHERE department = ? AND state = '"+string(state)+"' LIMIT ?) AS few")
			args = append(args, department, limit)
		}
		var rows []struct {
			State string
			N     int
		}
		if err := s.db.WithContext(ctx).Raw(strings.Join(parts, " UNION ALL "), args...).Scan(&rows).Error; err != nil {
			return nil, translate(err, "count cases", cases())
		}
		counts := make(map[exchange.CaseState]int, len(rows))
		for _, row := range rows {
			counts[exchange.CaseState(row.State)] = row.N
		}
		return counts, nil
	})
}

// noteClosed notes that a case which was closed waits for nothing any more.
func noteClosed(ctx context.Context, tx *gorm.DB, c *exchange.Case) error {
	if c.ClosedAt.IsZero() {
		return nil
	}
	if _, err := table[caseRow](tx).Where("id = ?", c.ID).Update(ctx, "state", string(exchange.CaseClosed)); err != nil {
		return translate(err, "note that a case is closed", cases())
	}
	return forgetFollowUps(ctx, tx, c.ID)
}

// badPage is the fault of a page that begins at what is not in the list.
func badPage() error {
	return fault.New(fault.Invalid, "bad-cursor", "翻页标记无效，请从第一页重新查询。").
		With(fault.Detail{Location: "query.cursor", Code: "bad-cursor", Message: "请从第一页重新查询。"})
}
