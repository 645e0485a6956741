package standin

import (
	"fmt"
	"time"

	"mianti/catalog"
)

// Rule says how a department answers differently. The latest rule that fits a
// question decides; field values of all that fit are put together. A fault of
// the network concerns all that a Proxy leads to.
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
		if rule.Fault != "" && !rule.Fault.OfNetwork() {
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
	if rule.Fault.OfNetwork() && (rule.Subject != "" || len(s.places) == 0) {
		return Rule{}, fmt.Errorf("fault %s is the network's: it has no subject, and needs a Proxy", rule.Fault)
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

func fieldOf(d *catalog.Dataset, code string) *catalog.Field {
	for i := range d.Fields {
		if d.Fields[i].Code == code {
			return &d.Fields[i]
		}
	}
	return nil
}
