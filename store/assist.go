package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
)

func assistTasks() things { return things{code: "assist-task", name: "协查"} }

// OpenAssist stores a task with its jobs. When there is one under its key
// already it stores nothing and returns that one.
func (s *Store) OpenAssist(ctx context.Context, t *exchange.AssistTask, more []jobs.Job) (*exchange.AssistTask, error) {
	taken := false
	err := s.transact(ctx, func(tx *gorm.DB) error {
		key, err := s.keyToWrite(ctx, tx, t.Case)
		if err != nil {
			return err
		}
		row, err := assistToRow(t, key)
		if err != nil {
			return err
		}
		ignore := clause.OnConflict{Columns: []clause.Column{{Name: "task_key"}}, DoNothing: true}
		created := tx.Clauses(ignore).Create(&row)
		if created.Error != nil {
			return translate(created.Error, "open an assist task", assistTasks())
		}
		if taken = created.RowsAffected == 0; taken {
			return nil
		}
		return s.enqueue(ctx, tx, more)
	})
	if err != nil {
		return nil, err
	}
	if !taken {
		return t, nil
	}
	row, err := table[assistRow](s.db).Where("task_key = ?", t.Key).Take(ctx)
	if err != nil {
		return nil, translate(err, "read an assist task", assistTasks())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	return assistFromRow(row, key)
}

// AssistTask gives a task that a department is asked, or fault.NotFound; one of a
// case that was destroyed is a fault.Gone.
func (s *Store) AssistTask(ctx context.Context, department, id string) (*exchange.AssistTask, error) {
	row, err := table[assistRow](s.db).Where("id = ? AND department = ?", id, department).Take(ctx)
	if err != nil {
		return nil, translate(err, "read an assist task", assistTasks())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	return assistFromRow(row, key)
}

// AssistTasks gives the tasks that a department is asked, or that a receiver asks,
// and that are in a state; what is due first comes first. Those of destroyed cases are nobody's to
// answer any more, and not among them.
func (s *Store) AssistTasks(ctx context.Context, f exchange.AssistFilter) ([]exchange.AssistTask, error) {
	side, code := "department", f.Department
	if f.Receiver != "" {
		side, code = "receiver", f.Receiver
	}
	query := table[assistRow](s.db).Where(side+" = ? AND state = ? AND body <> ''", code, string(f.State))
	if f.After != "" {
		after, err := table[assistRow](s.db).Where("id = ? AND "+side+" = ?", f.After, code).Take(ctx)
		if err != nil {
			return nil, translate(err, "read an assist task", assistTasks())
		}
		query = query.Where("(due_at > ? OR (due_at = ? AND id > ?))", after.Due, after.Due, after.ID)
	}
	rows, err := query.Order("due_at, id").Limit(f.Limit).Find(ctx)
	if err != nil {
		return nil, translate(err, "list assist tasks", assistTasks())
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.CaseID
	}
	keys, err := s.keysOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	out := make([]exchange.AssistTask, 0, len(rows))
	for _, row := range rows {
		t, err := assistFromRow(row, keys[row.CaseID])
		if errors.Is(err, fault.Gone) { // destroyed since it was listed
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *t)
	}
	return out, nil
}

// AnswerAssist stores the answer of a task that is open, with its entry and its
// jobs. A task that has been answered meanwhile is a fault.Conflict.
func (s *Store) AnswerAssist(ctx context.Context, c exchange.AssistCommit) error {
	plain, err := json.Marshal(c.Task.Answer)
	if err != nil {
		return fmt.Errorf("encode the answer of an assist task: %w", err)
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		// The case's row is locked: either a resolution that is being stored sees the
		// answer, or the answer's job sees the resolution.
		if err := tx.Exec("UPDATE cases SET version = version WHERE id = ?", c.Task.Case).Error; err != nil {
			return translate(err, "answer an assist task", assistTasks())
		}
		key, err := s.keyToWrite(ctx, tx, c.Task.Case)
		if err != nil {
			return err
		}
		answer, err := key.seal(plain, assistPlace(c.Task.ID, "answer"))
		if err != nil {
			return err
		}
		changed := tx.Model(&assistRow{}).Where("id = ? AND state = ?", c.Task.ID, string(exchange.AssistOpen)).
			Updates(map[string]any{"state": string(exchange.AssistAnswered), "answer": answer})
		if changed.Error != nil {
			return translate(changed.Error, "answer an assist task", assistTasks())
		}
		if changed.RowsAffected == 0 {
			return fault.New(fault.Conflict, "assist-answered", "这个协查已经答复，不能再改。")
		}
		if err := s.appendEntries(ctx, tx, []ledger.Entry{c.Entry}); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, c.Jobs)
	})
}

// anyAnswered reports whether any of these tasks has been answered.
func anyAnswered(tx *gorm.DB, tasks []string) (bool, error) {
	if len(tasks) == 0 {
		return false, nil
	}
	var n int64
	err := tx.Model(&assistRow{}).Where("id IN ? AND state = ?", tasks, string(exchange.AssistAnswered)).Count(&n).Error
	return n > 0, translate(err, "look for answers of assist tasks", assistTasks())
}

func assistPlace(id, column string) []byte { return place("assist_tasks", id, column) }

func assistToRow(t *exchange.AssistTask, key *caseKey) (assistRow, error) {
	unanswered := *t
	unanswered.Answer, unanswered.Subject = nil, nil
	plain, err := json.Marshal(unanswered)
	if err != nil {
		return assistRow{}, fmt.Errorf("encode an assist task: %w", err)
	}
	body, err := key.seal(plain, assistPlace(t.ID, "body"))
	if err != nil {
		return assistRow{}, err
	}
	return assistRow{
		ID: t.ID, Key: t.Key, Department: t.Department, Receiver: t.Receiver, CaseID: t.Case, State: string(t.State),
		Asked: At(t.AskedAt), Due: At(t.DueAt), Body: body,
	}, nil
}

func assistFromRow(row assistRow, key *caseKey) (*exchange.AssistTask, error) {
	body, err := key.open(row.Body, assistPlace(row.ID, "body"))
	if err != nil {
		return nil, err
	}
	var t exchange.AssistTask
	if err := json.Unmarshal(body, &t); err != nil {
		return nil, fmt.Errorf("decode assist task %s: %w", row.ID, err)
	}
	t.State, t.Key = exchange.AssistState(row.State), row.Key
	if row.Answer == "" {
		return &t, nil
	}
	answer, err := key.open(row.Answer, assistPlace(row.ID, "answer"))
	if err != nil {
		return nil, err
	}
	t.Answer = new(exchange.AssistAnswer)
	if err := json.Unmarshal(answer, t.Answer); err != nil {
		return nil, fmt.Errorf("decode the answer of assist task %s: %w", row.ID, err)
	}
	return &t, nil
}
