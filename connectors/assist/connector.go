// Package assist asks a person at the department (协查): for departments that
// have no interface at all. The question becomes a task with a deadline in
// working days; until an officer has answered it, asking is FaultPending.
package assist

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors"
)

// Desk puts questions to the officers of departments.
type Desk interface {
	// Task gives the task of a question. The first time it opens one; asking the
	// same again for the same case gives the same task.
	Task(ctx context.Context, q connectors.Query) (Task, error)
}

// Task is what was put to an officer.
type Task struct {
	ID     string
	DueAt  time.Time
	Answer *Answer // nil until there is one
}

// Result is what an officer says of a record.
type Result string

// The results.
const (
	Confirmed    Result = "confirmed"
	NotConfirmed Result = "not_confirmed" // there is one, and it is not in force
	NotFound     Result = "not_found"
)

// Answer is an officer's answer.
type Answer struct {
	Result Result
	// Subject is whom the officer answered about.
	Subject connectors.Subject
	Fields  map[string]any // by field code
	At      time.Time
}

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines.
type Connector struct {
	desk Desk
}

// New returns a Connector.
func New(desk Desk) *Connector { return &Connector{desk: desk} }

// Ask opens the task, or gives the answer that it has.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	task, err := c.desk.Task(ctx, q)
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultTimeout, Cause: ctx.Err()}
	case ctx.Err() != nil:
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
	case err != nil:
		return connectors.Reply{}, fail(connectors.FaultDown, "the question could not be put to an officer")
	case task.ID == "":
		return connectors.Reply{}, fail(connectors.FaultMalformed, "the task has no id")
	case task.Answer == nil:
		return connectors.Reply{}, &connectors.Fault{
			Kind: connectors.FaultPending, RetryAt: task.DueAt, Pending: connectors.Pending{Task: task.ID, DueAt: task.DueAt},
		}
	}
	return reply(q, task)
}

// reply reads an answer. Whom it is about is looked at first.
func reply(q connectors.Query, task Task) (connectors.Reply, error) {
	answer := task.Answer
	if !strings.EqualFold(answer.Subject.Number, q.Subject.Number) || answer.Subject.Kind != q.Subject.Kind {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultWrongSubject}
	}
	out := connectors.Reply{Reference: task.ID}
	switch answer.Result {
	case NotFound:
		return out, nil
	case Confirmed, NotConfirmed:
	default:
		return connectors.Reply{}, fail(connectors.FaultMalformed, "an officer's answer of an unknown kind")
	}
	fields, err := asked(q, answer.Fields)
	if err != nil {
		return connectors.Reply{}, err
	}
	out.Records = []connectors.Record{{Subject: answer.Subject, Fields: fields, Revoked: answer.Result == NotConfirmed, AsOf: answer.At.UTC()}}
	return out, nil
}

// asked keeps the fields that were asked for, if each is of its type.
func asked(q connectors.Query, given map[string]any) (map[string]any, error) {
	fields := map[string]any{}
	for _, code := range q.Fields {
		value, told := given[code]
		if !told || value == nil {
			continue
		}
		field := q.Dataset.Field(code)
		if field == nil || !isOf(field.Type, value) {
			return nil, fail(connectors.FaultMalformed, "field "+code+" is not of its type")
		}
		fields[code] = value
	}
	return fields, nil
}

func isOf(kind catalog.FieldType, value any) bool {
	switch kind {
	case catalog.FieldString:
		text, ok := value.(string)
		return ok && isWhole(text)
	case catalog.FieldDate:
		text, ok := value.(string)
		if !ok {
			return false
		}
		_, err := time.Parse(time.DateOnly, text)
		return err == nil
	case catalog.FieldNumber:
		_, ok := value.(float64)
		return ok
	case catalog.FieldBool:
		_, ok := value.(bool)
		return ok
	case catalog.FieldList:
		items, ok := value.([]string)
		return ok && !slices.ContainsFunc(items, func(item string) bool { return !isWhole(item) })
	default:
		return false
	}
}

// isWhole refuses text that was damaged on the way, and NUL, which PostgreSQL
// cannot store.
func isWhole(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && !strings.ContainsRune(text, 0)
}

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}
