package standin

import (
	"fmt"
	"time"

	"mianti/catalog"
)

// Fault is a way in which a department answers badly.
type Fault string

// The faults of a record: what the department holds is not what it should be.
const (
	FaultNotFound    Fault = "not_found"    // no record
	FaultExpired     Fault = "expired"      // a record that is over
	FaultMismatch    Fault = "mismatch"     // the number is right, the name is another
	FaultMultiple    Fault = "multiple"     // two records
	FaultWrongPerson Fault = "wrong_person" // somebody else's record
)

// The faults of the interface.
const (
	FaultSlow        Fault = "slow"         // the answer comes after Delay, 30 s if none is given
	FaultDown        Fault = "down"         // 503 from a data interface, a cut connection from the licence platform
	FaultDenied      Fault = "denied"       // 403
	FaultMalformed   Fault = "malformed"    // not JSON
	FaultTruncated   Fault = "truncated"    // the connection ends within the answer
	FaultHuge        Fault = "huge"         // an answer of several MiB
	FaultExtraFields Fault = "extra_fields" // more fields than were asked for
	FaultHTML        Fault = "html"         // a page with status 200
	FaultRedirect    Fault = "redirect"     // a redirect to an answer that would be good
	FaultMissing     Fault = "missing"      // 404
	FaultBusy        Fault = "busy"         // an error code in an answer with status 200
)

// Rule says how a department answers differently. The latest rule that fits a
// question decides; field values of all that fit are put together.
type Rule struct {
	Dataset string `json:"dataset" yaml:"dataset"` // empty: all
	Subject string `json:"number" yaml:"number"`   // the subject's number; empty: all
	Fault   Fault  `json:"fault" yaml:"fault"`
	// Fields replace values of the record, by field code and of the field's type.
	Fields map[string]any `json:"fields" yaml:"fields"`
	// Delay is how long the answer takes; with FaultSlow, how slow it is.
	Delay time.Duration `json:"-" yaml:"delay"`
}

func (r *Rule) fits(dataset, number string) bool {
	return (r.Dataset == "" || r.Dataset == dataset) && (r.Subject == "" || r.Subject == number)
}

// behaviour is what the rules that fit a question come to.
type behaviour struct {
	fault  Fault
	delay  time.Duration
	fields map[string]any
}

// behaviour puts the fitting rules together. The caller must not change it.
func (s *Server) behaviour(dataset, number string) behaviour {
	rules := s.rules.Load()
	if rules == nil {
		return behaviour{}
	}
	var b behaviour
	for i := range *rules {
		rule := &(*rules)[i]
		if !rule.fits(dataset, number) {
			continue
		}
		if rule.Fault != "" {
			b.fault = rule.Fault
		}
		if rule.Delay > 0 {
			b.delay = rule.Delay
		}
		for code, value := range rule.Fields {
			if b.fields == nil {
				b.fields = map[string]any{}
			}
			b.fields[code] = value
		}
	}
	if b.fault == FaultSlow && b.delay == 0 {
		b.delay = defaultSlow
	}
	return b
}

// checked is the rule with its field values in their types, or why it cannot be.
func (s *Server) checked(rule Rule) (Rule, error) {
	if !rule.Fault.known() {
		return Rule{}, fmt.Errorf("no fault is called %q", rule.Fault)
	}
	if rule.Dataset == "" {
		if len(rule.Fields) > 0 {
			return Rule{}, fmt.Errorf("a rule with fields needs a dataset")
		}
		return rule, nil
	}
	t := s.templates[rule.Dataset]
	if t == nil {
		return Rule{}, fmt.Errorf("no dataset is called %q", rule.Dataset)
	}
	fields := map[string]any{}
	for code, value := range rule.Fields {
		field := fieldOf(t.dataset, code)
		if field == nil {
			return Rule{}, fmt.Errorf("dataset %s has no field %q", rule.Dataset, code)
		}
		typed, ok := convert(field.Type, value)
		if !ok && value != nil { // null leaves the field out
			return Rule{}, fmt.Errorf("field %s of %s is a %s", code, rule.Dataset, field.Type)
		}
		fields[code] = typed
	}
	rule.Fields = fields
	return rule, nil
}

func (f Fault) known() bool {
	switch f {
	case "", FaultNotFound, FaultExpired, FaultMismatch, FaultMultiple, FaultWrongPerson,
		FaultSlow, FaultDown, FaultDenied, FaultMalformed, FaultTruncated, FaultHuge,
		FaultExtraFields, FaultHTML, FaultRedirect, FaultMissing, FaultBusy:
		return true
	default:
		return false
	}
}

func fieldOf(d *catalog.Dataset, code string) *catalog.Field {
	for i := range d.Fields {
		if d.Fields[i].Code == code {
			return &d.Fields[i]
		}
	}
	return nil
}
