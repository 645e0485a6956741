package sqlview

import (
	"slices"
	"strings"
	"unicode"

	"mianti/catalog"
	"mianti/connectors"
)

// selection is what is asked of a view: the columns, and where each of them
// goes.
type selection struct {
	query   *connectors.Query
	view    string
	number  string   // the column that the subject is found by
	columns []string // the subject's name and number, then the others
	// Of columns: where the fields begin, and where the two are that may not be
	// there; -1 for none.
	asOf, revoked, first int
	fields               []*catalog.Field
}

// newSelection takes the needed columns from the settings of the source.
func newSelection(q *connectors.Query) (*selection, error) {
	v := q.Source.View
	if v == nil {
		return nil, fail(connectors.FaultMisset, "the source has no view")
	}
	s := &selection{
		query: q, view: v.Name, number: v.SubjectNumber,
		columns: []string{v.SubjectName, v.SubjectNumber}, asOf: -1, revoked: -1,
	}
	if v.AsOf != "" {
		s.asOf = len(s.columns)
		s.columns = append(s.columns, v.AsOf)
	}
	if v.Revoked != "" {
		s.revoked = len(s.columns)
		s.columns = append(s.columns, v.Revoked)
	}
	s.first = len(s.columns)
	for i := range q.Dataset.Fields {
		field := &q.Dataset.Fields[i]
		if !slices.Contains(q.Fields, field.Code) {
			continue
		}
		column := field.Code
		if named := v.Columns[field.Code]; named != "" {
			column = named
		}
		s.columns, s.fields = append(s.columns, column), append(s.fields, field)
	}
	return s, s.check()
}

// check looks at the names once more, though the catalog has: they are the only
// part of a statement that is not written here.
func (s *selection) check() error {
	parts := strings.Split(s.view, ".")
	if len(parts) > 2 || slices.ContainsFunc(parts, isNoName) {
		return fail(connectors.FaultMisset, "the name of the view is not schema.view")
	}
	if slices.ContainsFunc(s.columns, isNoName) {
		return fail(connectors.FaultMisset, "the name of a column is not a plain name")
	}
	return nil
}

// isNoName finds names that are no letters, digits, "_" and "$", beginning with
// a letter or "_".
func isNoName(name string) bool {
	const longest = 63 // PostgreSQL would cut a longer one, and find another
	if name == "" || len(name) > longest {
		return true
	}
	for i, r := range name {
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (i == 0 || (r != '$' && !unicode.IsDigit(r))) || r == unicode.ReplacementChar {
			return true
		}
	}
	return false
}
