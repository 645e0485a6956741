// Package connectors says how a department is reached: the contract that every
// kind of connector keeps. A sub-folder holds each kind, and the guard stands
// before all of them.
//
// Duties of a connector: keep the deadline; start nothing that outlives the
// call; be safe for many goroutines; put no value of a subject or a record into
// an error; take no fault of a source for an answer; give no field that was not
// asked for; never give a record without saying whose it is.
//
// Duties of the caller: give a deadline; ask only what may be asked; look at
// whose record it is before anything else of it; believe a record only if it is
// the asked subject's; use a Fault as nothing but a statement about the source.
package connectors

import (
	"context"
	"errors"
	"io"
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
	BaseURL string // of the interface, without a trailing slash
	// Network is where BaseURL may lead to.
	Network catalog.Network
	Subject Subject
	// Fields are the codes of the fields that are needed. A source that returns
	// more is cut to these.
	Fields []string
	// Purpose is why it is asked (用证事由): case number, matter and material codes.
	Purpose string
	// Case is the id of the case for which it is asked; empty for a probe.
	// CaseNumber is the department's own number of it.
	Case, CaseNumber string
	// Party is the subject's id in the case.
	Party string
	// Receiver is the code of the department that is answered.
	Receiver string
	// Matter and Material are the codes of the first use; Days is how many working
	// days a person has for the answer (kind assist).
	Matter, Material string
	Days             int
}

// Reply is what a source said.
type Reply struct {
	// Records are those that the source holds of the subject. None: not found.
	// More than one: the applicant has to choose.
	Records []Record
	// Reference is the source's own number of this answer, if it gives one.
	Reference string
	// Proof is what binds the answer to the question where the interface gives
	// such a thing, such as X-Road's request hash; it holds no personal data.
	Proof string
	// Size is how many bytes were received.
	Size int64
	// Warnings are remarks on the quality of the data, by code; no values.
	Warnings []string
}

// File is the file of a licence. Whoever receives it closes it.
type File struct {
	Type string // application/ofd, application/pdf or image/png
	Body io.ReadCloser
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

// Secrets gives what a reference of the catalog stands for. An error names the
// reference and what the operator has to do, never the secret.
type Secrets interface {
	Secret(ref catalog.SecretRef) ([]byte, error)
}

// ByKind asks the connector of a source's kind. It is a Connector itself.
type ByKind map[catalog.SourceKind]Connector

// Ask passes the question on; a kind that nobody speaks is FaultMisset.
func (b ByKind) Ask(ctx context.Context, q Query) (Reply, error) {
	connector := b[q.Source.Kind]
	if connector == nil {
		return Reply{}, &Fault{Kind: FaultMisset, Cause: errors.New("no connector of kind " + string(q.Source.Kind))}
	}
	return connector.Ask(ctx, q)
}
