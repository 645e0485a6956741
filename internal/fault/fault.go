// Package fault names the kinds of failure that cross a package border, and
// keeps the text that a caller may read apart from the cause that only the
// operator may.
//
// A failure is chosen by kind, tested with errors.Is:
//
//	if errors.Is(err, fault.NotFound) { … }
//
// "Not found at the source", "expired" and "does not agree" are results of a
// look-up, never faults.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is a class of failure. Anything that carries no kind is internal.
type Kind string

// The kinds. api/problem.go holds the one table from kind to HTTP status.
const (
	Invalid         Kind = "invalid"         // the caller's input is wrong; Details say where and why
	Unauthenticated Kind = "unauthenticated" // no valid credential
	Denied          Kind = "denied"          // a valid caller may not do this
	NotFound        Kind = "not_found"       // no such thing for this caller
	Conflict        Kind = "conflict"        // the state of the thing forbids it
	TooLarge        Kind = "too_large"       // the input is over its limit
	Unavailable     Kind = "unavailable"     // a part that is needed is away; try again
	Exhausted       Kind = "exhausted"       // a quota is used up; Wait says until when
	Gone            Kind = "gone"            // it was there, and was destroyed for good
)

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// Detail is one thing wrong with an input.
type Detail struct {
	// Location is a path into the input, such as "body.parties[1].number".
	Location string `json:"location"`
	// Code is stable and machine-readable, such as "check-digit".
	Code string `json:"code"`
	// Message says what is wrong and what to do. It holds no personal data.
	Message string `json:"message"`
}

// Error is a failure with a public text.
type Error struct {
	Kind Kind
	// Code is the stable last part of the problem type, such as "unknown-matter".
	Code string
	// Message is for the caller: what is wrong, and the remedy.
	Message string
	Details []Detail
	// Wait is how long to wait before trying again; 0 says nothing.
	Wait time.Duration
	// Cause is for the operator's log alone.
	Cause error
}

// Error gives the public text, and the cause behind it for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", e.Message, e.Cause)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is this failure's Kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// New returns a failure of a kind with a stable code and a public text.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy of the failure that carries the cause.
func (e *Error) Because(cause error) *Error {
	copied := *e
	copied.Cause = cause
	return &copied
}

// After returns a copy of the failure that says how long to wait.
func (e *Error) After(wait time.Duration) *Error {
	copied := *e
	copied.Wait = wait
	return &copied
}

// With returns a copy of the failure that carries these details.
func (e *Error) With(details ...Detail) *Error {
	copied := *e
	copied.Details = append(append([]Detail(nil), e.Details...), details...)
	return &copied
}

// As returns the failure inside err, or nil.
func As(err error) *Error {
	var found *Error
	if errors.As(err, &found) {
		return found
	}
	return nil
}
