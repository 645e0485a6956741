package catalog

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// object is what stands behind a name with fields in a check: a record, the
// subject, or the parameters of a one-thing.
type object struct {
	owner  string // how a missing field is reported: the dataset's code, or the name in the check
	fields map[string]any
}

// missingField says that an object lacks a field that a check reads. A value
// of another type than the dataset promises counts as lacking: it is no ground
// to settle anything on.
type missingField struct{ owner, field string }

// Error names the field, never its value.
func (m *missingField) Error() string { return "missing field " + m.name() }

func (m *missingField) name() string { return m.owner + "." + m.field }

// objectTypes gives CEL the types of the objects, so that an unknown field is
// found when the catalog is loaded.
type objectTypes struct {
	*types.Registry
	fields map[string]map[string]*types.FieldType // by type name, by field
	around *objectTypes                           // those that are known besides; nil for none
}

// beside gives types that can be added to, and know these.
func (o *objectTypes) beside() *objectTypes {
	return &objectTypes{Registry: o.Registry, fields: map[string]map[string]*types.FieldType{}, around: o}
}

func (o *objectTypes) find(name string) (map[string]*types.FieldType, bool) {
	fields, ok := o.fields[name]
	if !ok && o.around != nil {
		return o.around.find(name)
	}
	return fields, ok
}

func newObjectTypes() (*objectTypes, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("make type registry: %w", err)
	}
	return &objectTypes{Registry: registry, fields: map[string]map[string]*types.FieldType{}}, nil
}

// FindStructType knows the objects besides CEL's own types.
func (o *objectTypes) FindStructType(name string) (*types.Type, bool) {
	if _, ok := o.find(name); ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return o.Registry.FindStructType(name)
}

// FindStructFieldNames lists the fields of an object.
func (o *objectTypes) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := o.find(name)
	if !ok {
		return o.Registry.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(fields))
	for field := range fields {
		names = append(names, field)
	}
	return names, true
}

// FindStructFieldType gives a field of an object.
func (o *objectTypes) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := o.find(name)
	if !ok {
		return o.Registry.FindStructFieldType(name, field)
	}
	found, ok := fields[field]
	return found, ok
}

// declare adds an object type and returns it. Type names carry a capital
// prefix, so that they can clash with no variable.
func (o *objectTypes) declare(name string, fields map[string]FieldType) *cel.Type {
	declared := make(map[string]*types.FieldType, len(fields))
	for code, kind := range fields {
		declared[code] = &types.FieldType{
			Type:    celType(kind),
			IsSet:   func(target any) bool { _, err := get(target, code, kind); return err == nil },
			GetFrom: func(target any) (any, error) { return get(target, code, kind) },
		}
	}
	o.fields[name] = declared
	return cel.ObjectType(name)
}

func get(target any, code string, kind FieldType) (any, error) {
	from, ok := target.(*object)
	if !ok {
		return nil, fmt.Errorf("not an object of the catalog")
	}
	value, ok := typed(from.fields[code], kind)
	if !ok {
		return nil, &missingField{owner: from.owner, field: code}
	}
	return value, nil
}

func celType(kind FieldType) *cel.Type {
	switch kind {
	case FieldString:
		return cel.StringType
	case FieldNumber:
		return cel.DoubleType
	case FieldBool:
		return cel.BoolType
	case FieldDate:
		return cel.TimestampType
	case FieldList:
		return cel.ListType(cel.StringType)
	default:
		// The schema has reported the unknown type already.
		return cel.DynType
	}
}

// typed converts a field's value to what CEL reads, and reports whether it is
// of that type.
func typed(value any, kind FieldType) (any, bool) {
	switch kind {
	case FieldString:
		v, ok := value.(string)
		return v, ok
	case FieldNumber:
		return number(value)
	case FieldBool:
		v, ok := value.(bool)
		return v, ok
	case FieldDate:
		s, _ := value.(string)
		day, err := time.Parse(time.DateOnly, s)
		return day, err == nil
	case FieldList:
		return stringList(value)
	default:
		return nil, false
	}
}

func number(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	default:
		return 0, false
	}
}

func stringList(value any) ([]string, bool) {
	switch v := value.(type) {
	case []string:
		return v, true
	case []any:
		list := make([]string, len(v))
		for i, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			list[i] = s
		}
		return list, true
	default:
		return nil, false
	}
}
