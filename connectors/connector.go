// Package connectors says how a department is reached: the contract that every
// kind of connector keeps. A sub-folder holds each kind.
//
// The exchange trusts no connector's answer; see Reply.
package connectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mianti/catalog"
)

// Connector speaks one kind of interface.
//
// Ask MUST return within the deadline of ctx, MUST start nothing that outlives
// it, and MUST be safe to call from many goroutines. It MUST NOT put a value
// of the subject or of a record into an error. No records and no error means
// that the source holds none; a source that could not be asked or understood
// is a *Fault, never an empty Reply.
type Connector interface {
	Ask(ctx context.Context, q Query) (Reply, error)
}

// Subject is whom or what a record is about.
type Subject struct {
	Kind   catalog.PartyKind
	Name   string
	Number string
}

// String keeps the identity out of texts.
func (s Subject) String() string { return string(s.Kind) + " (redacted)" }

// LogValue keeps the identity out of logs.
func (s Subject) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Query is one question to one source.
type Query struct {
	ID      string // unique; sent along so that both sides can find the call
	Dataset *catalog.Dataset
	Source  *catalog.Source
	BaseURL string // of the department's interface, without a trailing slash
	Subject Subject
	// Fields are the codes of the fields that are needed. A source that returns
	// more is cut to these.
	Fields []string
	// Purpose is why it is asked (用证事由): case number, matter and material codes.
	Purpose string
}

// Reply is what a source said.
type Reply struct {
	// Records are those that the source holds of the subject. None: not found.
	// More than one: the applicant has to choose.
	Records []Record
	// Reference is the source's own number of this answer, if it gives one.
	Reference string
}

// Record is one record. Whoever receives it checks Subject against the asked
// one before looking at anything else.
type Record struct {
	Subject Subject
	// Fields are by field code and typed as the dataset says: string, float64,
	// bool, []string, and "2006-01-02" for a date. A field that the source left
	// out or sent as null is absent.
	Fields map[string]any
	// Revoked says that the source marks the record as no longer in force
	// (撤销、注销、失效…), whatever its dates say.
	Revoked bool
	AsOf    time.Time // when the source last knew it to be so; zero if unsaid
}

// FaultKind says what is wrong with a source.
type FaultKind string

// The fault kinds.
const (
	FaultDown         FaultKind = "down"          // no connection, 5xx, an in-body error
	FaultTimeout      FaultKind = "timeout"       // no answer within the deadline
	FaultRefused      FaultKind = "refused"       // 401, 403: our credential or our right
	FaultMalformed    FaultKind = "malformed"     // not what the interface promises
	FaultWrongSubject FaultKind = "wrong_subject" // a record of somebody else
)

// Fault is a source that could not be asked or not be believed. It is no
// statement about the subject.
type Fault struct {
	Kind  FaultKind
	Cause error // holds no personal data
}

// Error names the kind and the cause.
func (f *Fault) Error() string {
	if f.Cause == nil {
		return "source " + string(f.Kind)
	}
	return fmt.Sprintf("source %s: %v", f.Kind, f.Cause)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// KindOf gives the fault kind of err; anything unknown counts as down.
func KindOf(err error) FaultKind {
	var f *Fault
	if errors.As(err, &f) {
		return f.Kind
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return FaultTimeout
	}
	return FaultDown
}
