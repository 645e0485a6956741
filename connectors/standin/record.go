package standin

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"mianti/catalog"
)

const recordsFormat = "mianti-records/1"

//go:embed records.yaml
var recordsFile string

// recordRules say what stands in the fields of a record. They are data:
// records.yaml describes the form.
type recordRules struct {
	Format string `yaml:"format"`
	// Fields give values by field code, in whichever dataset.
	Fields map[string]any `yaml:"fields"`
	// Datasets give values by dataset code and field code. They come first.
	Datasets map[string]map[string]any `yaml:"datasets"`
	// PerProperty are the datasets that hold one record for each property of
	// their subject.
	PerProperty []string `yaml:"per_property"`
}

// template makes the records of one dataset.
type template struct {
	dataset     *catalog.Dataset
	fields      []templateField
	perProperty bool
}

type templateField struct {
	field *catalog.Field
	value expression
}

func readRecordRules() (*recordRules, error) {
	decoder := yaml.NewDecoder(strings.NewReader(recordsFile))
	decoder.KnownFields(true)
	var rules recordRules
	if err := decoder.Decode(&rules); err != nil {
		return nil, fmt.Errorf("read records.yaml: %w", err)
	}
	if rules.Format != recordsFormat {
		return nil, fmt.Errorf("read records.yaml: the format is not %s", recordsFormat)
	}
	return &rules, nil
}

func (r *recordRules) template(d *catalog.Dataset) (*template, error) {
	out := &template{dataset: d}
	for _, code := range r.PerProperty {
		out.perProperty = out.perProperty || code == d.Code
	}
	for i := range d.Fields {
		field := &d.Fields[i]
		value, err := parseExpression(r.valueOf(d, field))
		if err != nil {
			return nil, fmt.Errorf("records of %s: field %s: %w", d.Code, field.Code, err)
		}
		out.fields = append(out.fields, templateField{field: field, value: value})
	}
	return out, nil
}

// valueOf finds what a field holds: by dataset and code, by code alone, or by
// what its type and name suggest.
func (r *recordRules) valueOf(d *catalog.Dataset, f *catalog.Field) any {
	if value, ok := r.Datasets[d.Code][f.Code]; ok {
		return value
	}
	if value, ok := r.Fields[f.Code]; ok {
		return value
	}
	switch f.Type {
	case catalog.FieldNumber:
		return 1
	case catalog.FieldBool:
		// true says that something is on record: arrears, a limitation, a crime.
		return false
	case catalog.FieldDate:
		if f.Code == d.ValidUntil || strings.HasSuffix(f.Name, "止") {
			return "$date(+3y)"
		}
		return "$date(-2y)"
	case catalog.FieldList:
		return []any{"示例" + f.Name}
	default:
		return "示例" + f.Name
	}
}

// holdings are all records of a subject: one, or one for each of its
// properties.
func (t *template) holdings(subject *entity, today time.Time) ([]holding, error) {
	count := 1
	if t.perProperty && subject.kind != catalog.KindProperty {
		count = max(1, len(subject.properties))
	}
	out := make([]holding, 0, count)
	for ordinal := 1; ordinal <= count; ordinal++ {
		record, err := t.record(subject, ordinal, today)
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	return out, nil
}

func (t *template) record(subject *entity, ordinal int, today time.Time) (holding, error) {
	s := scene{subject: subject, dataset: t.dataset, ordinal: ordinal, today: today}
	if t.perProperty && ordinal <= len(subject.properties) {
		s.property = subject.properties[ordinal-1]
	}
	fields := make(map[string]any, len(t.fields))
	for _, f := range t.fields {
		value, err := f.value.value(s)
		if err != nil {
			return holding{}, fmt.Errorf("records of %s: field %s: %w", t.dataset.Code, f.field.Code, err)
		}
		typed, ok := convert(f.field.Type, value)
		if !ok {
			return holding{}, fmt.Errorf("records of %s: field %s: its value is not a %s", t.dataset.Code, f.field.Code, f.field.Type)
		}
		fields[f.field.Code] = typed
	}
	return holding{subject: subject, name: subject.name, number: subject.number, fields: fields, asOf: today, ordinal: ordinal}, nil
}

// convert gives a value the type of its field.
func convert(kind catalog.FieldType, value any) (any, bool) {
	switch kind {
	case catalog.FieldNumber:
		return toNumber(value)
	case catalog.FieldBool:
		truth, ok := value.(bool)
		return truth, ok
	case catalog.FieldDate:
		return toDate(value)
	case catalog.FieldList:
		return toList(value)
	default:
		if list, isList := value.([]string); isList {
			return strings.Join(list, "、"), true
		}
		if day, isDay := value.(time.Time); isDay {
			return day.Format(time.DateOnly), true
		}
		return fmt.Sprint(value), value != nil
	}
}

func toNumber(value any) (any, bool) {
	switch value := value.(type) {
	case int:
		return float64(value), true
	case float64:
		return value, true
	case string:
		number, err := strconv.ParseFloat(value, 64)
		return number, err == nil
	}
	return nil, false
}

func toDate(value any) (any, bool) {
	switch value := value.(type) {
	case time.Time: // YAML reads an unquoted date as a time
		return value.Format(time.DateOnly), true
	case string:
		_, err := time.Parse(time.DateOnly, value)
		return value, err == nil
	}
	return nil, false
}

func toList(value any) (any, bool) {
	switch value := value.(type) {
	case []string:
		return value, true
	case string:
		return []string{value}, true
	case []any:
		list := make([]string, 0, len(value))
		for _, item := range value {
			list = append(list, fmt.Sprint(item))
		}
		return list, true
	}
	return nil, false
}
