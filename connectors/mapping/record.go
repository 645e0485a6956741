package mapping

import (
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/wire"
	"mianti/internal/identifier"
)

// checkSubjects wants every record to be the asked subject's, before anything
// else of any is looked at. A record of somebody else counts for more than one
// of nobody.
func (m *Mapping) checkSubjects(q connectors.Query, items []any) error {
	anonymous := false
	for _, item := range items {
		number := m.subjectNumber(item)
		switch {
		case number == "":
			anonymous = true
		case !isSameNumber(number, q.Subject.Number):
			return &connectors.Fault{Kind: connectors.FaultWrongSubject}
		}
	}
	if anonymous {
		return wire.Malformed("a record does not say whose it is")
	}
	return nil
}

// subjectNumber is the number that a record gives; empty when it gives none. A
// JSON number is none: it could have lost its end.
func (m *Mapping) subjectNumber(item any) string {
	at, _ := m.at.subjectNumber.in(item)
	text, _ := at.(string)
	return text
}

// holdsSubject says whether any record gives a number at all.
func (m *Mapping) holdsSubject(items []any) bool {
	return slices.ContainsFunc(items, func(item any) bool { return m.subjectNumber(item) != "" })
}

// isSameNumber compares as numbers are issued: the letters of one may be small.
func isSameNumber(a, b string) bool { return identifier.Normalize(a) == identifier.Normalize(b) }

// record reads one record, whose subject is known to be the asked one.
func (m *Mapping) record(q connectors.Query, item any, now time.Time) (connectors.Record, error) {
	record := connectors.Record{Subject: connectors.Subject{Kind: q.Subject.Kind, Number: m.subjectNumber(item)}}
	var err error
	if record.Subject.Name, err = m.subjectName(q, item); err != nil {
		return connectors.Record{}, err
	}
	if record.AsOf, err = m.asOf(item, now); err != nil {
		return connectors.Record{}, err
	}
	if record.Revoked, err = m.revoked(item); err != nil {
		return connectors.Record{}, err
	}
	content, finding := m.at.content.in(item)
	if _, isObject := content.(map[string]any); !isObject || finding != isThere {
		return connectors.Record{}, wire.Malformed("a record has no content where it should be")
	}
	record.Fields = make(map[string]any, len(q.Fields))
	for i := range m.fields {
		f := &m.fields[i]
		if !slices.Contains(q.Fields, f.Code) {
			continue
		}
		sent, finding := f.at.in(item)
		if finding == isMissing {
			continue
		}
		value, present, ok := f.value(sent)
		if !ok || finding == isBroken {
			return connectors.Record{}, wire.Malformed("field " + f.Code + " is not a " + string(f.Type) + " as it is described")
		}
		if present {
			record.Fields[f.Code] = value
		}
	}
	return record, nil
}

// subjectName is the name that a record gives. A source that gives none was
// asked by name and number, and answers for nobody else.
func (m *Mapping) subjectName(q connectors.Query, item any) (string, error) {
	if m.at.subjectName == nil {
		return q.Subject.Name, nil
	}
	at, _ := m.at.subjectName.in(item)
	name, _ := at.(string)
	if name == "" || !isWithinLimits(name) {
		return "", wire.Malformed("a record does not say whose it is")
	}
	return name, nil
}

// asOf reads when the source last knew a record to be so; zero if it does not
// say. Zero counts as now, so it has to say where the age of a record matters.
func (m *Mapping) asOf(item any, now time.Time) (time.Time, error) {
	if m.at.asOf == nil {
		return time.Time{}, nil
	}
	sent, finding := m.at.asOf.in(item)
	if finding == isMissing || finding == isThere && (sent == nil || sent == "") {
		if m.dated {
			return time.Time{}, wire.Malformed("a record does not say of when it is")
		}
		return time.Time{}, nil
	}
	text, _ := sent.(string)
	at, ok := moment(text)
	switch {
	case !ok || at.Year() < 1900: // a time that stands for none, and would pass for one that was not said
		return time.Time{}, wire.Malformed("as_of is not a time")
	case at.After(now.Add(maxAhead)):
		return time.Time{}, wire.Malformed("as_of is in the future")
	default:
		return at.UTC(), nil
	}
}

func moment(text string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	at, err := time.ParseInLocation(time.DateTime, text, catalog.TimeZone())
	return at, err == nil
}

// revoked reads whether a record is no longer in force. A mark may be left out
// where there is none; a state, of which revoked_in names values, is always
// there.
func (m *Mapping) revoked(item any) (bool, error) {
	if m.at.revoked == nil {
		return false, nil
	}
	sent, finding := m.at.revoked.in(item)
	if finding == isMissing || finding == isThere && sent == nil {
		if len(m.call.Answer.RevokedIn) > 0 {
			return false, wire.Malformed("a record does not say whether it is in force")
		}
		return false, nil
	}
	text, ok := scalar(sent)
	if !ok || finding == isBroken {
		return false, wire.Malformed("what says whether a record is in force is not a text")
	}
	if values := m.call.Answer.RevokedIn; len(values) > 0 {
		return slices.Contains(values, strings.TrimSpace(text)), nil
	}
	truth, ok := wire.ValueOf(catalog.FieldBool, sent)
	if !ok {
		return false, wire.Malformed("what says whether a record is in force is neither yes nor no")
	}
	return truth == true, nil
}
