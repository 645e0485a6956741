package frame

import (
	"errors"
	"strings"

	"mianti/internal/fault"
)

// Form is what was sent by a form, and what is wrong with it.
type Form struct {
	values map[string][]string
	// Faults are in the order in which they were found.
	Faults []FormFault
}

// FormFault is one thing wrong with a form; Field is empty for the whole of it.
type FormFault struct{ Field, Message string }

// NewForm reads fields of the form that was sent, or of the address where none was.
// Spaces around a value are left out.
func NewForm(v *Visit, names ...string) *Form {
	f := &Form{values: map[string][]string{}}
	for _, name := range names {
		values := v.Forms(name)
		if len(values) == 0 {
			values = v.c.QueryArray(name)
		}
		f.values[name] = nil // a field that was not filled in is a field
		for _, value := range values {
			f.values[name] = append(f.values[name], strings.TrimSpace(value))
		}
	}
	return f
}

// Set sets a value to begin with.
func (f *Form) Set(name string, values ...string) { f.values[name] = values }

// Value gives the first value of a field; "" for none.
func (f *Form) Value(name string) string {
	if values := f.values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values gives all values of a field.
func (f *Form) Values(name string) []string { return f.values[name] }

// Fail says what is wrong with a field, and the remedy.
func (f *Form) Fail(field, message string) {
	f.Faults = append(f.Faults, FormFault{field, message})
}

// Require fails each field that is empty, with a message.
func (f *Form) Require(message string, names ...string) {
	for _, name := range names {
		if f.Value(name) == "" {
			f.Fail(name, message)
		}
	}
}

// OK reports whether nothing is wrong.
func (f *Form) OK() bool { return len(f.Faults) == 0 }

// Fault gives what is wrong with a field; "" for nothing.
func (f *Form) Fault(field string) string {
	for _, fault := range f.Faults {
		if fault.Field == field {
			return fault.Message
		}
	}
	return ""
}

// Take puts what a use case says of its input at the fields whose names its
// locations end with, and the rest over the form. It takes what is invalid, in
// conflict or exhausted; any other error is not the form's.
func (f *Form) Take(err error) bool {
	refused := fault.As(err)
	if refused == nil || !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.Conflict) && !errors.Is(err, fault.Exhausted) {
		return false
	}
	for _, d := range refused.Details {
		f.Fail(f.fieldOf(d.Location), d.Message)
	}
	if len(refused.Details) == 0 {
		f.Fail("", refused.Message)
	}
	return true
}

// fieldOf finds the field that a location such as "body.number" means.
func (f *Form) fieldOf(location string) string {
	last := location[strings.LastIndexAny(location, ".")+1:]
	if _, known := f.values[last]; known {
		return last
	}
	return ""
}
