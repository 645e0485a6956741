// Package httpjson asks departments that answer with plain JSON: one POST, one
// list of records.
//
// The request names whose record is asked for, the fields by their Chinese
// names, and why:
//
//	{"request_id": "…", "subject": {"kind": "person", "name": "…", "number": "…"},
//	 "fields": ["姓名", "有效期止"], "purpose": "…"}
//
// The answer's code is "0" for success, and an empty list says that the source
// holds no record:
//
//	{"code": "0", "message": "成功", "serial": "…", "data": [
//	  {"subject": {"name": "…", "number": "…"}, "as_of": "2026-11-23T09:00:00+08:00",
//	   "revoked": false, "record": {"姓名": "…", "有效期止": "2030-01-01"}}]}
//
// as_of, revoked and serial may be left out.
package httpjson

import (
	"context"
	"encoding/json"
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/wire"
)

// Kind is the name of this connector in a catalog's sources.
const Kind = "httpjson"

const (
	codeOK = "0"
	// maxRecords is more than anyone can choose from.
	maxRecords   = 100
	maxReference = 128
)

// Options are the settings of a Connector. The zero value is ready for use.
type Options struct {
	// DialControl, when set, sees every resolved address before it is connected
	// to, and forbids it by returning an error.
	DialControl func(network, address string, c syscall.RawConn) error
}

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines and shares one connection pool among them.
type Connector struct {
	client *wire.Client
}

// New returns a Connector.
func New(o Options) *Connector {
	return &Connector{client: wire.NewClient(wire.Options{DialControl: o.DialControl})}
}

// Close closes the connections that are not in use. The Connector can be used
// on.
func (c *Connector) Close() { c.client.CloseIdle() }

type request struct {
	RequestID string   `json:"request_id"`
	Subject   subject  `json:"subject"`
	Fields    []string `json:"fields"`
	Purpose   string   `json:"purpose"`
}

type subject struct {
	Kind   catalog.PartyKind `json:"kind,omitempty"`
	Name   string            `json:"name"`
	Number string            `json:"number"`
}

type response struct {
	Code   string  `json:"code"`
	Serial string  `json:"serial"`
	Data   *[]item `json:"data"`
}

type item struct {
	Subject *subject                   `json:"subject"`
	AsOf    string                     `json:"as_of"`
	Revoked bool                       `json:"revoked"`
	Record  map[string]json.RawMessage `json:"record"`
}

// Ask puts the question to the source.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	var answer response
	if err := c.client.Post(ctx, q.BaseURL+q.Source.Path, q.ID, newRequest(q), &answer); err != nil {
		return connectors.Reply{}, err
	}
	return read(q, &answer)
}

func newRequest(q connectors.Query) request {
	names := make([]string, 0, len(q.Fields))
	for _, field := range q.Dataset.Fields {
		if slices.Contains(q.Fields, field.Code) {
			names = append(names, field.Name)
		}
	}
	return request{
		RequestID: q.ID,
		Subject:   subject{Kind: q.Subject.Kind, Name: q.Subject.Name, Number: q.Subject.Number},
		Fields:    names,
		Purpose:   q.Purpose,
	}
}

func read(q connectors.Query, answer *response) (connectors.Reply, error) {
	switch {
	case answer.Code == "":
		return connectors.Reply{}, wire.Malformed("the answer has no code")
	case answer.Code != codeOK:
		return connectors.Reply{}, wire.Down(wire.StatusText(answer.Code))
	case answer.Data == nil:
		return connectors.Reply{}, wire.Malformed("the answer has no data")
	case len(*answer.Data) > maxRecords:
		return connectors.Reply{}, wire.Malformed("the answer has too many records")
	case utf8.RuneCountInString(answer.Serial) > maxReference:
		return connectors.Reply{}, wire.Malformed("the serial is too long")
	}
	reply := connectors.Reply{Reference: answer.Serial}
	for i := range *answer.Data {
		record, err := readItem(q, &(*answer.Data)[i])
		if err != nil {
			return connectors.Reply{}, err
		}
		reply.Records = append(reply.Records, record)
	}
	return reply, nil
}

func readItem(q connectors.Query, sent *item) (connectors.Record, error) {
	if sent.Subject == nil || sent.Record == nil {
		return connectors.Record{}, wire.Malformed("a record lacks its subject or its content")
	}
	// Before anything else of it is looked at.
	if sent.Subject.Number != q.Subject.Number {
		return connectors.Record{}, &connectors.Fault{Kind: connectors.FaultWrongSubject}
	}
	var asOf time.Time
	if sent.AsOf != "" {
		var err error
		if asOf, err = time.Parse(time.RFC3339, sent.AsOf); err != nil {
			return connectors.Record{}, wire.Malformed("as_of is not a time")
		}
	}
	fields, err := wire.Fields(q.Dataset, q.Fields, sent.Record)
	if err != nil {
		return connectors.Record{}, err
	}
	return connectors.Record{
		Subject: connectors.Subject{Kind: q.Subject.Kind, Name: sent.Subject.Name, Number: sent.Subject.Number},
		Fields:  fields,
		Revoked: sent.Revoked,
		AsOf:    asOf.UTC(),
	}, nil
}
