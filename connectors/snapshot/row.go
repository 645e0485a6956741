package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/identifier"
)

// Row is one record of a file.
type Row struct {
	Subject connectors.Subject
	// Fields are by field code; one whose cell is empty is absent.
	Fields  map[string]any
	Revoked bool
}

// normal is a number as rows are stored and looked up by.
func normal(number string) string { return identifier.Normalize(number) }

// content is what is encrypted of a row.
type content struct {
	Name    string `json:"name"`
	Number  string `json:"number"`
	Revoked bool   `json:"revoked,omitempty"`
	// Fields names every field that was read, with null for an empty cell: one
	// that the catalog got later is not to be taken for an empty one.
	Fields map[string]json.RawMessage `json:"fields"`
}

func (r *Row) encode(d *catalog.Dataset) ([]byte, error) {
	out := content{
		Name: r.Subject.Name, Number: r.Subject.Number, Revoked: r.Revoked,
		Fields: make(map[string]json.RawMessage, len(d.Fields)),
	}
	for _, field := range d.Fields {
		value, err := json.Marshal(r.Fields[field.Code])
		if err != nil {
			return nil, fmt.Errorf("encode field %s of a row: %w", field.Code, err)
		}
		out.Fields[field.Code] = value
	}
	return json.Marshal(out)
}

// recordOf reads a stored row and keeps what was asked for. The catalog may
// have changed since the file was loaded.
func recordOf(plain []byte, q *connectors.Query) (connectors.Record, error) {
	var in content
	if err := json.Unmarshal(plain, &in); err != nil {
		return connectors.Record{}, fail(connectors.FaultMalformed, "a stored row cannot be read")
	}
	record := connectors.Record{
		Subject: connectors.Subject{Kind: q.Subject.Kind, Name: in.Name, Number: in.Number},
		Fields:  make(map[string]any, len(q.Fields)), Revoked: in.Revoked,
	}
	for _, field := range q.Dataset.Fields {
		if !slices.Contains(q.Fields, field.Code) {
			continue
		}
		raw, read := in.Fields[field.Code]
		if !read {
			return connectors.Record{}, fail(connectors.FaultMisset, "the snapshot was loaded without field "+field.Code+"; load it again")
		}
		if string(raw) == "null" {
			continue
		}
		value, ok := stored(field.Type, raw)
		if !ok {
			return connectors.Record{}, fail(connectors.FaultMisset, "the snapshot was loaded with another type of field "+field.Code+"; load it again")
		}
		record.Fields[field.Code] = value
	}
	return record, nil
}

// stored reads a value in the one spelling that encode has for its type.
func stored(kind catalog.FieldType, raw json.RawMessage) (value any, ok bool) {
	switch kind {
	case catalog.FieldString, catalog.FieldDate:
		return as[string](raw)
	case catalog.FieldNumber:
		return as[float64](raw)
	case catalog.FieldBool:
		return as[bool](raw)
	case catalog.FieldList:
		return as[[]string](raw)
	default:
		return nil, false
	}
}

func as[T any](raw json.RawMessage) (any, bool) {
	var value T
	err := json.Unmarshal(raw, &value)
	return value, err == nil
}
