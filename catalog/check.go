package catalog

import (
	"errors"
	"fmt"
	"time"

	"cel.dev/cel-go/interpreter"
)

// CheckInput is what a check is held against.
type CheckInput struct {
	// Records are by dataset code, their values typed as connectors.Record.Fields.
	Records map[string]map[string]any
	Subject Party
	Facts   Facts
	Params  map[string]any // of the one-thing
	Today   time.Time      // midnight UTC of the date in Shanghai
}

// CheckResult is what a check says.
type CheckResult struct {
	Truth Truth
	Facts []string // the unknown facts that it needs, when Truth is Unknown
	// MissingField is the field that the record lacks, such as
	// "D-GA01.valid_to", when that is why the check does not hold.
	MissingField string
}

// Holds tells whether the records prove what the material needs. A check that
// cannot be worked out on a record, because a field is missing or a value is
// not what it should be, does not hold. The error is for an input that is not
// the caller's to give, and for a check that costs too much; it is no
// statement about the records.
func (p *Proof) Holds(in CheckInput) (CheckResult, error) {
	if p.check == nil {
		if p.Check != "" {
			return CheckResult{}, fmt.Errorf("the check is not compiled")
		}
		return CheckResult{Truth: True}, nil
	}
	vars, err := p.check.variables(in)
	if err != nil {
		return CheckResult{}, err
	}
	truth, unknown, err := p.check.run(vars, in.Facts)
	if err == nil {
		return CheckResult{Truth: truth, Facts: unknown}, nil
	}
	var missing *missingField
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &missing):
		return CheckResult{Truth: False, MissingField: missing.name()}, nil
	case errors.As(err, &cancelled), errors.Is(err, errNotTruth):
		return CheckResult{}, fmt.Errorf("evaluate check %q: %w", p.Check, err)
	default:
		return CheckResult{Truth: False}, nil
	}
}

// variables names the records, the subject and the rest as a check sees them.
func (c *Condition) variables(in CheckInput) (map[string]any, error) {
	vars := make(map[string]any, len(in.Facts)+len(c.reads)+3)
	for code, value := range in.Facts {
		vars[code] = value
	}
	for dataset := range c.reads {
		fields, ok := in.Records[dataset]
		if !ok {
			return nil, fmt.Errorf("the check needs the record of %s", dataset)
		}
		vars[Alias(dataset)] = &object{owner: dataset, fields: fields}
	}
	vars[nameSubject] = &object{owner: nameSubject, fields: map[string]any{
		"name": in.Subject.Name, "number": in.Subject.Number, "kind": string(in.Subject.Kind),
	}}
	vars[nameParams] = &object{owner: nameParams, fields: in.Params}
	vars[nameToday] = in.Today
	return vars, nil
}

// FieldsChecked are the fields of a dataset that the proof's check reads,
// sorted.
func (p *Proof) FieldsChecked(dataset string) []string {
	if p.check == nil {
		return nil
	}
	return p.check.reads[dataset]
}
