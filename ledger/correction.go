package ledger

// The kinds of what is done about corrections (校核). Why is a code: what was said
// in words may be about a person, and is kept with the correction.
const (
	CorrectionOpened    Kind = "correction_opened"
	CorrectionTaken     Kind = "correction_taken"
	CorrectionAnswered  Kind = "correction_answered"
	CorrectionPassedOn  Kind = "correction_passed_on"
	CorrectionEscalated Kind = "correction_escalated"
	CorrectionMediated  Kind = "correction_mediated"
	CorrectionDecided   Kind = "correction_decided"
	CorrectionWithdrawn Kind = "correction_withdrawn"
	CorrectionRead      Kind = "correction_read"
)
