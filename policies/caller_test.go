package policies_test

import (
	"testing"

	"mianti/policies"
)

func TestMayDo_IsOnlyForTheDutiesThatAreListed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		operation string
		duties    []policies.Duty
		want      bool
	}{
		{"open-case", []policies.Duty{policies.DutySystem}, true},
		{"open-case", []policies.Duty{policies.DutyClerk, policies.DutyAuditor}, false},
		{"read-case", []policies.Duty{policies.DutyAuditor, policies.DutyClerk}, true},
		{"list-matters", []policies.Duty{policies.DutyCitizen}, true},
		{"list-datasets", []policies.Duty{policies.DutyCitizen}, false},
		{"close-case", []policies.Duty{policies.DutyOperator}, false},
		{"no-such-operation", []policies.Duty{policies.DutySystem, policies.DutyOperator}, false},
		{"open-case", nil, false},
	} {
		if got := policies.MayDo(test.operation, test.duties); got != test.want {
			t.Errorf("%s by %v: %v, want %v", test.operation, test.duties, got, test.want)
		}
	}
	c := policies.Caller{Duties: []policies.Duty{policies.DutyClerk}}
	if !c.Has(policies.DutyClerk) || c.Has(policies.DutySystem) {
		t.Error("a clerk has a clerk's duty, and no other")
	}
}
