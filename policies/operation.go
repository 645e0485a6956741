package policies

// operations says whose each operation is. docs/duties.md shows it, and a test
// holds it against the OpenAPI document: an operation that needs a caller and
// stands here in no line is refused to everybody.
func operations() map[string][]Duty {
	staff := []Duty{
		DutySystem, DutyClerk, DutySharingOfficer, DutyPolicyEditor, DutyPolicyReviewer, DutyDepartmentAdmin, DutyAuditor, DutyOperator,
	}
	policy := []Duty{DutyPolicyEditor, DutyPolicyReviewer}
	everybody := append([]Duty{DutyCitizen}, staff...)
	return map[string][]Duty{
		"list-departments": everybody, "read-department": everybody,
		"list-matters": everybody, "read-matter": everybody,
		"list-one-things": everybody, "read-one-thing": everybody,
		"list-materials": everybody, "read-material": everybody,
		"list-facts": everybody, "guide": everybody,
		"list-datasets": staff, "read-dataset": staff,
		"list-revisions": policy, "read-revision": policy, "compare-revisions": policy, "list-findings": policy,
		"try-rules": policy, "try-condition": policy, "check-catalog": policy,
		"list-drafts": policy, "create-draft": policy, "read-draft": policy, "put-edit": policy, "remove-edit": policy, "compare-draft": policy,
		"preview-merge": policy, "merge-draft": policy, "submit-draft": policy, "recall-draft": policy, "withdraw-draft": policy, "roll-back": policy,
		"return-draft": {DutyPolicyReviewer}, "approve-draft": {DutyPolicyReviewer}, "publish-draft": {DutyPolicyReviewer},
		"draft-effect": policy, "reduction-report": policy,
		"export-catalog": policy, "preview-import": policy,
		"suggest-materials": policy, "record-suggestion": policy,

		"open-case": {DutySystem}, "hand-in": {DutySystem}, "report-result": {DutySystem}, "change-case": {DutySystem},
		"close-case": {DutySystem},
		"list-cases": {DutySystem, DutyClerk}, "list-follow-ups": {DutySystem, DutyClerk}, "list-asked-assist-tasks": {DutySystem, DutyClerk},
		"unmask-party": {DutySystem, DutyClerk}, "list-my-acts": {DutyClerk},
		"read-case": {DutySystem, DutyClerk}, "resolve-case": {DutySystem, DutyClerk},
		"read-resolution": {DutySystem, DutyClerk}, "stream-resolution": {DutySystem, DutyClerk},

		"issue-evidence": {DutySystem, DutyClerk}, "issue-material-evidence": {DutySystem, DutyClerk},
		"read-sheet": {DutySystem, DutyClerk}, "print-sheet": {DutySystem, DutyClerk},
		"read-checkpoint": everybody, "prove-inclusion": everybody, "prove-consistency": everybody,
		"list-log-entries": {DutyAuditor}, "list-case-entries": {DutySystem, DutyClerk},
		"read-entry-receipt": {DutySystem, DutyClerk}, "read-resolution-receipt": {DutySystem, DutyClerk},

		"link-file": {DutySystem, DutyClerk}, "fetch-file": {DutySystem, DutyClerk},
		"read-system": {DutySystem}, "add-system-key": {DutySystem},
		"request-consents": {DutySystem, DutyClerk}, "list-case-consents": {DutySystem, DutyClerk},
		"list-consents": {DutyCitizen}, "read-consent": {DutyCitizen}, "read-consent-receipt": {DutyCitizen},
		"decide-consent": {DutyCitizen}, "withdraw-consent": {DutyCitizen},

		"read-me": {DutyCitizen}, "list-my-cases": {DutyCitizen}, "read-my-case": {DutyCitizen}, "list-my-accesses": {DutyCitizen},
		"read-my-access-key": {DutyCitizen}, "export-my-data": {DutyCitizen}, "print-my-data": {DutyCitizen},
		"find-usage": {DutyCitizen}, "find-usage-of": {DutyCitizen}, "read-usage-period": {DutyCitizen}, "usage-heartbeat": {DutyCitizen},

		"list-assist-tasks": {DutySystem, DutySharingOfficer}, "read-assist-task": {DutySystem, DutySharingOfficer},
		"answer-assist-task": {DutySystem, DutySharingOfficer},
		"load-snapshot":      {DutySystem, DutySharingOfficer},

		"submit-sharing-request": {DutySystem, DutySharingOfficer}, "complete-sharing-request": {DutySystem, DutySharingOfficer},
		"withdraw-sharing-request": {DutySystem, DutySharingOfficer},
		"list-sharing-requests":    {DutySystem, DutySharingOfficer, DutyAuditor}, "read-sharing-request": {DutySystem, DutySharingOfficer, DutyAuditor},
		"count-overdue":      {DutySystem, DutySharingOfficer, DutyAuditor},
		"ask-for-completion": {DutySharingOfficer}, "ask-for-extension": {DutySharingOfficer}, "consent-to-extension": {DutySharingOfficer},
		"decide-sharing-request": {DutySharingOfficer}, "deliver-sharing-request": {DutySharingOfficer},
		"list-previews": {DutyCitizen}, "read-preview": {DutyCitizen}, "release-preview": {DutyCitizen}, "choose-paper": {DutyCitizen},
		"open-correction": {DutySystem, DutyClerk, DutyCitizen}, "withdraw-correction": {DutySystem, DutyClerk, DutyCitizen},
		"list-corrections": {DutySystem, DutyClerk, DutySharingOfficer, DutyCitizen}, "read-correction": {DutySystem, DutyClerk, DutySharingOfficer, DutyCitizen},
		"escalate-correction": {DutySystem, DutyClerk, DutySharingOfficer, DutyCitizen},
		"take-correction":     {DutySharingOfficer}, "answer-correction": {DutySharingOfficer}, "pass-on-correction": {DutySharingOfficer},
		"mediate-correction": {DutySharingOfficer}, "decide-correction": {DutySharingOfficer},
		"read-figures":      {DutySharingOfficer, DutyPolicyEditor, DutyPolicyReviewer, DutyDepartmentAdmin, DutyAuditor, DutyOperator},
		"list-dataset-uses": {DutySharingOfficer, DutyDepartmentAdmin, DutyAuditor}, "list-source-health": {DutySharingOfficer, DutyDepartmentAdmin, DutyAuditor, DutyOperator},
		"list-grants": {DutySystem, DutySharingOfficer, DutyAuditor}, "read-grant": {DutySystem, DutySharingOfficer, DutyAuditor},
		"suspend-grant": {DutySharingOfficer}, "order-correction": {DutySharingOfficer}, "resume-grant": {DutySharingOfficer},
		"terminate-grant": {DutySharingOfficer}, "narrow-grant": {DutySharingOfficer},
		"read-session": {DutyPerson}, "choose-department": {DutyPerson},
		"list-persons": {DutyDepartmentAdmin}, "deactivate-person": {DutyDepartmentAdmin},
		"assign-duty": {DutyDepartmentAdmin}, "remove-duty": {DutyDepartmentAdmin},
		"submit-batch": {DutySystem, DutyClerk}, "list-batches": {DutySystem, DutyClerk}, "read-batch": {DutySystem, DutyClerk},
		"list-batch-rows": {DutySystem, DutyClerk}, "read-batch-errors": {DutySystem, DutyClerk}, "read-batch-template": {DutySystem, DutyClerk},
		"start-batch": {DutySystem, DutyClerk}, "pause-batch": {DutySystem, DutyClerk}, "resume-batch": {DutySystem, DutyClerk},
		"cancel-batch": {DutySystem, DutyClerk}, "read-batch-result": {DutySystem, DutyClerk},
		"list-stops": {DutyOperator, DutyAuditor, DutySharingOfficer, DutyDepartmentAdmin},
		"add-stop":   {DutyOperator, DutySharingOfficer, DutyDepartmentAdmin}, "lift-stop": {DutyOperator, DutySharingOfficer, DutyDepartmentAdmin},
		"read-quota": {DutyOperator, DutyAuditor}, "set-quota": {DutyOperator},
		"list-anchors": everybody,
		"list-alarms":  {DutyOperator, DutyAuditor, DutyDepartmentAdmin}, "acknowledge-alarm": {DutyOperator, DutyDepartmentAdmin},
	}
}
