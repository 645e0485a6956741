package guard

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/catalog"
	"mianti/connectors"
)

const (
	mostRecords = 100
	longestText = 4000 // characters
	mostItems   = 1000 // of a list
	longestCode = 64   // of a warning
	mostDigits  = 6    // of a warning
)

// Admit examines a reply, whatever its connector has examined already: whose it
// is, before anything else; how much it is; and whether each value is what the
// dataset says. It gives back what was asked for and nothing besides, and
// changes nothing of what it was given. Every error is a *connectors.Fault
// without a value in it.
func Admit(q connectors.Query, reply connectors.Reply) (connectors.Reply, error) {
	for i := range reply.Records {
		if err := admitSubject(q.Subject, reply.Records[i].Subject); err != nil {
			return connectors.Reply{}, err
		}
	}
	if len(reply.Records) > mostRecords {
		return connectors.Reply{}, malformed("more than %d records", mostRecords)
	}
	if reply.Size < 0 {
		return connectors.Reply{}, malformed("a size below zero")
	}
	for _, text := range []string{reply.Reference, reply.Proof} {
		if err := admitText(text); err != nil {
			return connectors.Reply{}, malformed("reference or proof: %w", err)
		}
	}
	admitted := reply
	admitted.Warnings = codesOf(reply.Warnings)
	admitted.Records = nil
	for _, r := range reply.Records {
		fields, err := admitFields(q, r.Fields)
		if err != nil {
			return connectors.Reply{}, err
		}
		r.Fields = fields
		admitted.Records = append(admitted.Records, r)
	}
	return admitted, nil
}

// admitSubject refuses a record of somebody else, and one of nobody.
func admitSubject(asked, given connectors.Subject) error {
	if given.Number == "" {
		return malformed("a record without the number of its subject")
	}
	if !strings.EqualFold(given.Number, asked.Number) {
		return fail(connectors.FaultWrongSubject, "a record of somebody else")
	}
	if err := admitText(given.Name); err != nil {
		return malformed("the name of its subject: %w", err)
	}
	return nil
}

// admitFields gives the fields that were asked for. What the dataset does not
// have cannot be asked for.
func admitFields(q connectors.Query, given map[string]any) (map[string]any, error) {
	fields := make(map[string]any, len(q.Fields))
	for _, code := range q.Fields {
		value, ok := given[code]
		field := q.Dataset.Field(code)
		if !ok || value == nil || field == nil {
			continue
		}
		if err := admitValue(field.Type, value); err != nil {
			return nil, malformed("field %s: %w", code, err)
		}
		fields[code] = value
	}
	return fields, nil
}

// admitValue holds a value against the type of its field.
func admitValue(kind catalog.FieldType, value any) error {
	switch kind {
	case catalog.FieldString, catalog.FieldDate:
		text, ok := value.(string)
		if !ok {
			return errors.New("not a text")
		}
		if kind == catalog.FieldDate {
			return admitDate(text)
		}
		return admitText(text)
	case catalog.FieldNumber:
		number, ok := value.(float64)
		if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
			return errors.New("not a number")
		}
		return nil
	case catalog.FieldBool:
		if _, ok := value.(bool); !ok {
			return errors.New("not a truth value")
		}
		return nil
	case catalog.FieldList:
		return admitList(value)
	default:
		return errors.New("a type that nobody knows")
	}
}

func admitDate(text string) error {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return errors.New("not a date")
	}
	return nil
}

func admitList(value any) error {
	list, ok := value.([]string)
	if !ok {
		return errors.New("not a list of texts")
	}
	if len(list) > mostItems {
		return fmt.Errorf("a list of more than %d items", mostItems)
	}
	for _, item := range list {
		if err := admitText(item); err != nil {
			return err
		}
	}
	return nil
}

// admitText refuses what cannot be stored or was decoded wrongly. Everything
// else is data, markup and formulas too; who shows it escapes it.
func admitText(text string) error {
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError):
		return errors.New("a text in the wrong encoding")
	case strings.ContainsRune(text, 0):
		return errors.New("a text with a NUL")
	case utf8.RuneCountInString(text) > longestText:
		return fmt.Errorf("a text of more than %d characters", longestText)
	default:
		return nil
	}
}

// codesOf keeps the warnings that are codes: anything else might be a value. A
// code has few digits, so that it is no number of anybody.
func codesOf(warnings []string) []string {
	var codes []string
	for _, w := range warnings {
		if isCode(w) {
			codes = append(codes, w)
		}
	}
	return codes
}

func isCode(text string) bool {
	if text == "" || len(text) > longestCode {
		return false
	}
	digits := 0
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.':
			return false
		}
	}
	return digits <= mostDigits
}

func malformed(format string, values ...any) *connectors.Fault {
	return &connectors.Fault{Kind: connectors.FaultMalformed, Cause: fmt.Errorf(format, values...)}
}
