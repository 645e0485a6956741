package connectors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// FaultKind says what is wrong with a source.
type FaultKind string

// The fault kinds of a source.
const (
	FaultDown         FaultKind = "down"          // no connection, 5xx, an in-body error
	FaultTimeout      FaultKind = "timeout"       // no answer within the deadline
	FaultRefused      FaultKind = "refused"       // 401, 403: our credential or our right
	FaultMalformed    FaultKind = "malformed"     // not what the interface promises
	FaultWrongSubject FaultKind = "wrong_subject" // a record of somebody else
)

// The fault kinds of a source that was not asked, or that has yet to answer.
const (
	FaultBusy        FaultKind = "busy"        // its quota, or ours for it, is used up
	FaultPaused      FaultKind = "paused"      // it failed too often and is left alone for a while
	FaultMaintenance FaultKind = "maintenance" // its maintenance window
	FaultMisset      FaultKind = "misset"      // its configuration here is at fault: a secret is missing
	FaultPending     FaultKind = "pending"     // a person has been asked and has not answered yet
)

// Fault is a source that could not be asked or not be believed. It is no
// statement about the subject.
type Fault struct {
	Kind  FaultKind
	Cause error // holds no personal data
	// RetryAt is when asking again makes sense; zero if unsaid.
	RetryAt time.Time
	// Pending is the task that was opened, when Kind is FaultPending.
	Pending Pending
}

// Pending is a question that a person has been asked (协查).
type Pending struct {
	Task  string    // its id
	DueAt time.Time // until when it is to be answered
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

// RetryAt gives when asking again makes sense; zero if err does not say.
func RetryAt(err error) time.Time {
	var f *Fault
	if errors.As(err, &f) {
		return f.RetryAt
	}
	return time.Time{}
}

// PendingOf gives the task that err speaks of; the zero value if it does not.
func PendingOf(err error) Pending {
	var f *Fault
	if errors.As(err, &f) {
		return f.Pending
	}
	return Pending{}
}
