package policies

// operations says whose each operation is. docs/duties.md shows it, and a test
// holds it against the OpenAPI document: an operation that needs a caller and
// stands here in no line is refused to everybody.
func operations() map[string][]Duty {
	staff := []Duty{
		DutySystem, DutyClerk, DutySharingOfficer, DutyPolicyEditor, DutyPolicyReviewer, DutyDepartmentAdmin, DutyAuditor, DutyOperator,
	}
	everybody := append([]Duty{DutyCitizen}, staff...)
	return map[string][]Duty{
		"list-departments": everybody, "read-department": everybody,
		"list-matters": everybody, "read-matter": everybody,
		"list-one-things": everybody, "read-one-thing": everybody,
		"list-materials": everybody, "read-material": everybody,
		"list-facts":    everybody,
		"list-datasets": staff, "read-dataset": staff,

		"open-case": {DutySystem}, "hand-in": {DutySystem}, "report-result": {DutySystem}, "change-case": {DutySystem},
		"read-case": {DutySystem, DutyClerk}, "resolve-case": {DutySystem, DutyClerk},
		"read-resolution": {DutySystem, DutyClerk}, "stream-resolution": {DutySystem, DutyClerk},

		"list-assist-tasks": {DutySystem, DutySharingOfficer}, "read-assist-task": {DutySystem, DutySharingOfficer},
		"answer-assist-task": {DutySystem, DutySharingOfficer},
		"load-snapshot":      {DutySystem, DutySharingOfficer},

		"list-stops": {DutyOperator, DutyAuditor, DutySharingOfficer, DutyDepartmentAdmin},
		"add-stop":   {DutyOperator, DutySharingOfficer, DutyDepartmentAdmin}, "lift-stop": {DutyOperator, DutySharingOfficer, DutyDepartmentAdmin},
		"read-quota": {DutyOperator, DutyAuditor}, "set-quota": {DutyOperator},
		"list-alarms": {DutyOperator, DutyAuditor, DutyDepartmentAdmin}, "acknowledge-alarm": {DutyOperator, DutyDepartmentAdmin},
	}
}
