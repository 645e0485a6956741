package standin

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"mianti/catalog"
)

// holding is one record that a department holds.
type holding struct {
	subject   *entity
	name      string // as the department writes it
	number    string // likewise
	anonymous bool   // the department does not say whose it is
	fields    map[string]any
	revoked   bool
	asOf      time.Time
	ordinal   int
}

// held are the records for a question, with the faults of records played.
func (s *Server) held(t *template, subject *entity, b behaviour) ([]holding, error) {
	if subject == nil || b.fault == FaultNotFound {
		return nil, nil
	}
	today := s.today()
	if b.fault == FaultWrongPerson {
		if subject = s.registry.other(subject); subject == nil {
			return nil, nil
		}
	}
	out, err := t.holdings(subject, today)
	if err != nil {
		return nil, err
	}
	if b.fault == FaultMultiple {
		second, err := t.record(subject, len(out)+1, today)
		if err != nil {
			return nil, err
		}
		out = append(out, second)
	}
	if other := s.registry.other(subject); b.fault == FaultTwoSubjects && other != nil {
		second, err := t.record(other, 1, today)
		if err != nil {
			return nil, err
		}
		out = append(out, second)
	}
	for i := range out {
		s.spoil(t, &out[i], b)
	}
	return out, nil
}

// spoil plays a fault on one record and replaces the fields that a rule names.
func (s *Server) spoil(t *template, h *holding, b behaviour) {
	today := s.today()
	h.asOf = today
	switch b.fault {
	case FaultExpired:
		if until := t.dataset.ValidUntil; until != "" {
			h.fields[until] = today.AddDate(0, -1, 0).Format(time.DateOnly)
		} else {
			h.revoked = true
		}
	case FaultRevoked, FaultSuspended, FaultInactive:
		h.revoked = true
	case FaultMismatch:
		h.misname()
	case FaultNoSubject:
		h.anonymous = true
	case FaultLetterCase:
		h.number = strings.ToLower(h.number)
	case FaultStale:
		h.asOf = today.AddDate(0, -1, 0)
	case FaultFuture:
		h.asOf = today.AddDate(10, 0, 0)
	case FaultNumbers:
		for _, field := range t.dataset.Fields {
			if field.Type == catalog.FieldString {
				h.fields[field.Code] = json.Number("370199")
			}
		}
	}
	for code, value := range b.fields {
		if value == nil {
			delete(h.fields, code)
			continue
		}
		h.fields[code] = value
	}
}

// misname writes the subject's name as it is not.
func (h *holding) misname() {
	h.name = "异" + h.subject.name
	for code, value := range h.fields {
		if value == h.subject.name {
			h.fields[code] = h.name
		}
	}
}

// Row is one record as a register keeps it, for the kinds of source that are
// not asked over HTTP.
type Row struct {
	Kind         catalog.PartyKind
	Name, Number string // empty when the register does not say whose it is
	// Fields are by code and typed as the dataset says: string, float64, bool,
	// []string, and "2006-01-02" for a date.
	Fields  map[string]any
	Revoked bool
	AsOf    time.Time
}

// Rows are all records of a dataset, in the order of the population, with the
// faults of records played. A dataset that is not there has none.
func (s *Server) Rows(dataset string) ([]Row, error) {
	t := s.templates[dataset]
	if t == nil {
		return nil, nil
	}
	var out []Row
	for _, kind := range t.dataset.AskedBy {
		for _, e := range s.registry.byKind[kind] {
			if e.number == "" {
				continue
			}
			rows, err := s.rowsOf(t, e)
			if err != nil {
				return nil, err
			}
			out = append(out, rows...)
		}
	}
	return out, nil
}

func (s *Server) rowsOf(t *template, e *entity) ([]Row, error) {
	held, err := s.held(t, e, s.behaviour(t.dataset.Code, e.number))
	if err != nil {
		return nil, err
	}
	return rowsFrom(held), nil
}

func rowsFrom(held []holding) []Row {
	out := make([]Row, 0, len(held))
	for _, h := range held {
		row := Row{Kind: h.subject.kind, Name: h.name, Number: h.number, Fields: maps.Clone(h.fields), Revoked: h.revoked, AsOf: h.asOf}
		if h.anonymous {
			row.Name, row.Number = "", ""
		}
		out = append(out, row)
	}
	return out
}

// Playing is the fault that the rules come to for a question, with none of the
// network's, and how long its answer takes.
func (s *Server) Playing(dataset, number string) (Fault, time.Duration) {
	b := s.behaviour(dataset, number)
	return b.fault, b.delay + s.latency
}
