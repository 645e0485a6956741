// Package snapshot serves the files that a department sends now and then
// (文件下载): CSV or XLSX, with one record on each row.
//
// A file is loaded as a whole or not at all; until then the one before it is
// served. A record is found by its subject's number alone. What is stored says
// nothing without the key of the exchange: rows are found by a keyed digest of
// the number, and their content is encrypted under a key that the number is
// needed for.
package snapshot

import (
	"context"
	"errors"
	"iter"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

// Kind is the name of this connector in a catalog's sources.
const Kind = catalog.SourceSnapshot

// Header is what is known of a snapshot without its rows.
type Header struct {
	Source   string
	AsOf     time.Time // the moment from which the file is
	LoadedAt time.Time
	Rows     int
	// Digest is of the file's content and of how the catalog reads it.
	Digest string
	// KeyID tells which key the rows are stored under; it is no secret.
	KeyID string
	// Seq counts the snapshots of the source, from 1.
	Seq int64
}

// Sealed is a row as it is stored.
type Sealed struct {
	Key  []byte // by which it is found
	Body []byte // encrypted
}

// Rows keeps the present snapshot of each source.
type Rows interface {
	// Snapshot gives the header of a source's snapshot, or nil when none has been
	// loaded.
	Snapshot(ctx context.Context, source string) (*Header, error)
	// SnapshotRows gives the same header together with the bodies of up to limit
	// rows under key, in the order of the file. Both are of one moment.
	SnapshotRows(ctx context.Context, source string, key []byte, limit int) (*Header, [][]byte, error)
	// ReplaceSnapshot stores a snapshot in the place of the one before it: all of
	// it or nothing. It is a fault.Conflict unless Seq follows on the one that is
	// there, and an error unless there are as many rows as the header says. An
	// error among the rows comes back as it is.
	ReplaceSnapshot(ctx context.Context, h Header, rows iter.Seq2[Sealed, error]) error
}

// maxRecords is how many records one subject can have before it is more likely
// that something is wrong with the file.
const maxRecords = 100

// Connector keeps the contract of connectors.Connector. It asks nobody: what
// the department sent is here.
type Connector struct {
	rows Rows
	key  []byte
}

// New returns a Connector that reads rows which were stored under key.
func New(rows Rows, key []byte) *Connector { return &Connector{rows: rows, key: key} }

// Ask looks the subject up in the source's snapshot. How old that is stands in
// each record; whether it is too old is not decided here.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	s := q.Source.Snapshot
	if s == nil {
		return connectors.Reply{}, fail(connectors.FaultMisset, "the source does not say how its file is read")
	}
	if s.SubjectKind != q.Subject.Kind {
		return connectors.Reply{}, fail(connectors.FaultMisset, "the file holds records of another kind of party")
	}
	v, err := newVault(c.key)
	if err != nil {
		return connectors.Reply{}, fail(connectors.FaultMisset, "the key for snapshots is missing or too short")
	}
	ctx, cancel := within(ctx, q.Source.TimeoutMillis)
	defer cancel()
	who := owner{source: q.Source.Code, kind: q.Subject.Kind, number: normal(q.Subject.Number)}
	header, bodies, err := c.rows.SnapshotRows(ctx, who.source, v.lookup(who), maxRecords+1)
	if err != nil {
		return connectors.Reply{}, storeFault(ctx, err)
	}
	if err := checkHeader(header, v); err != nil {
		return connectors.Reply{}, err
	}
	if len(bodies) > maxRecords {
		return connectors.Reply{}, fail(connectors.FaultMalformed, "the file holds too many records of one subject")
	}
	return open(v, who, header, bodies, &q)
}

// checkHeader refuses a snapshot that is not there or cannot be read. That
// there is none says nothing about the subject.
func checkHeader(h *Header, v *vault) error {
	switch {
	case h == nil:
		return fail(connectors.FaultDown, "no snapshot has been loaded")
	case h.KeyID != v.id():
		return fail(connectors.FaultMisset, "the snapshot was stored under another key; load it again")
	default:
		return nil
	}
}

func open(v *vault, who owner, h *Header, bodies [][]byte, q *connectors.Query) (connectors.Reply, error) {
	var reply connectors.Reply
	for _, body := range bodies {
		plain, err := v.open(who, h, body)
		if err != nil {
			return connectors.Reply{}, fail(connectors.FaultMalformed, "a stored row was changed")
		}
		record, err := recordOf(plain, q)
		if err != nil {
			return connectors.Reply{}, err
		}
		if record.Subject.Number != who.number {
			return connectors.Reply{}, fail(connectors.FaultWrongSubject, "a stored row is of another subject")
		}
		record.AsOf = h.AsOf
		reply.Records = append(reply.Records, record)
		reply.Size += int64(len(body))
	}
	return reply, nil
}

// within shortens ctx to a source's own time limit, if it has one.
func within(ctx context.Context, millis int) (context.Context, context.CancelFunc) {
	if millis <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(millis)*time.Millisecond)
}

// storeFault is a reading that did not succeed. Its own text is dropped: it may
// hold values of the statement.
func storeFault(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &connectors.Fault{Kind: connectors.FaultTimeout, Cause: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &connectors.Fault{Kind: connectors.FaultDown, Cause: ctx.Err()}
	default:
		return fail(connectors.FaultDown, "the snapshots cannot be read at the moment")
	}
}

func fail(kind connectors.FaultKind, reason string) *connectors.Fault {
	return &connectors.Fault{Kind: kind, Cause: errors.New(reason)}
}
