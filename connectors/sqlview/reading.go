package sqlview

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"mianti/connectors"
)

// maxRecords is more than anyone can choose from.
const maxRecords = 100

// reading is one question under way.
type reading struct {
	pool   *pool
	wanted *selection
	limit  time.Duration
	now    time.Time

	session *session // that it was last put on
	size    int64    // bytes of values so far
}

// run puts the question on a connection. The connection is kept only after an
// answer without fault: no state of a broken one is worth guessing at.
func (r *reading) run(ctx context.Context) (connectors.Reply, error) {
	conn, err := r.begin(ctx)
	if err != nil {
		return connectors.Reply{}, err
	}
	reply, err := r.read(ctx, conn)
	if err == nil {
		r.giveBack(ctx, conn)
		return reply, nil
	}
	discard(conn)
	if r.pool.dialect.abandon != nil && ctx.Err() != nil {
		r.pool.dialect.abandon(ctx, r.pool.db, r.session)
	}
	return connectors.Reply{}, err
}

// giveBack ends the transaction, which has nothing to keep. The answer is here
// already, whatever becomes of its connection.
func (r *reading) giveBack(ctx context.Context, conn *sql.Conn) {
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		discard(conn)
		return
	}
	_ = conn.Close() // it only gives it back
}

// begin gives a connection in a transaction that can only read. Connections
// that died while they waited, as all do when the server is started again, are
// thrown away until there is one that lives or a new one fails.
func (r *reading) begin(ctx context.Context) (*sql.Conn, error) {
	for {
		conn, err := r.pool.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		fresh := true
		if r.session, err = sessionOf(conn); err == nil {
			fresh = r.session.fresh
			r.session.fresh = false
			err = r.pool.dialect.begin(ctx, conn, r.session, r.limit)
		}
		if err == nil {
			return conn, nil
		}
		discard(conn)
		if fresh || ctx.Err() != nil {
			return nil, err
		}
	}
}

// read asks and reads the records.
func (r *reading) read(ctx context.Context, conn *sql.Conn) (connectors.Reply, error) {
	// Leaving the answer unread has to end the statement, not to wait for it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := conn.QueryContext(ctx, r.pool.dialect.statement(r.wanted), r.wanted.query.Subject.Number)
	if err != nil {
		return connectors.Reply{}, err
	}
	reply, err := r.records(rows)
	if err != nil {
		cancel()
	}
	return reply, errors.Join(err, rows.Close())
}

func (r *reading) records(rows *sql.Rows) (connectors.Reply, error) {
	kinds, err := columnKinds(rows)
	if err != nil {
		return connectors.Reply{}, err
	}
	var reply connectors.Reply
	texts := make([]sql.RawBytes, len(kinds))
	into := make([]any, len(kinds))
	for i := range texts {
		into[i] = &texts[i]
	}
	for rows.Next() {
		if len(reply.Records) == maxRecords {
			return connectors.Reply{}, malformed("the answer has too many records")
		}
		if err := rows.Scan(into...); err != nil {
			return connectors.Reply{}, err
		}
		record, err := r.record(kinds, texts)
		if err != nil {
			return connectors.Reply{}, err
		}
		reply.Records = append(reply.Records, record)
	}
	reply.Size = r.size
	return reply, rows.Err()
}

func columnKinds(rows *sql.Rows) ([]columnKind, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	kinds := make([]columnKind, len(types))
	for i, t := range types {
		kinds[i] = kindOf(t.DatabaseTypeName())
	}
	return kinds, nil
}

// record reads one row.
func (r *reading) record(kinds []columnKind, texts []sql.RawBytes) (connectors.Record, error) {
	cells := make([]cell, len(texts))
	for i, text := range texts {
		r.size += int64(len(text))
		if text != nil {
			cells[i] = cell{kind: kinds[i], text: string(text), sent: true}
		}
	}
	if r.size > maxAnswer {
		return connectors.Record{}, malformed("the answer is larger than 1 MiB")
	}
	s := r.wanted
	// Whose it is comes before anything else of it.
	name, isName := cells[0].plain()
	number, isNumber := cells[1].plain()
	if !isName || !isNumber || name == "" || number == "" {
		return connectors.Record{}, malformed("a record does not say whose it is")
	}
	if !strings.EqualFold(number, s.query.Subject.Number) {
		return connectors.Record{}, &connectors.Fault{Kind: connectors.FaultWrongSubject}
	}
	record := connectors.Record{
		Subject: connectors.Subject{Kind: s.query.Subject.Kind, Name: name, Number: number},
		Fields:  make(map[string]any, len(s.fields)),
	}
	if err := r.circumstances(&record, cells); err != nil {
		return connectors.Record{}, err
	}
	for i, field := range s.fields {
		value, present, ok := cells[s.first+i].value(field.Type)
		if !ok {
			return connectors.Record{}, malformed("field " + field.Code + " is not a " + string(field.Type))
		}
		if present {
			record.Fields[field.Code] = value
		}
	}
	return record, nil
}

// maxSkew is how far the source's clock may be ahead of ours.
const maxSkew = 5 * time.Minute

// circumstances reads how old a record is and whether it is in force.
func (r *reading) circumstances(record *connectors.Record, cells []cell) error {
	if i := r.wanted.asOf; i >= 0 && cells[i].sent {
		at, ok := cells[i].moment()
		if !ok {
			return malformed("as_of is not a time")
		}
		if at.After(r.now.Add(maxSkew)) {
			return malformed("as_of is in the future")
		}
		record.AsOf = at.UTC()
	}
	if i := r.wanted.revoked; i >= 0 {
		revoked, ok := cells[i].truth()
		if !ok {
			return malformed("revoked is neither true nor false")
		}
		record.Revoked = revoked
	}
	return nil
}
