// Package policies decides: may a look-up be made, and what does an answer
// settle. It is pure: the same inputs give the same result, it asks nobody and
// reads no clock. The rules are written down in docs/resolution-rules.md.
package policies

// Result is how an attempt to settle a material ended (核验尝试).
type Result string

// The results; docs/resolution-rules.md §5. Only ok settles.
const (
	OK         Result = "ok"
	NotFound   Result = "not_found"
	Expired    Result = "expired"
	Mismatch   Result = "mismatch"
	Multiple   Result = "multiple"
	NoGrant    Result = "no_grant"
	NoConsent  Result = "no_consent"
	SourceDown Result = "source_down"
	Stale      Result = "stale"
	// Pending is a person at the department who was asked and has not answered.
	Pending Result = "pending"
)

// Outcome is the conclusion for one material (结论).
type Outcome string

// The outcomes.
const (
	Settled       Outcome = "settled"
	Committed     Outcome = "committed"
	Deferred      Outcome = "deferred"
	Verifying     Outcome = "verifying"
	AwaitingPrior Outcome = "awaiting_prior"
	NeedsConsent  Outcome = "needs_consent"
	NeedsFact     Outcome = "needs_fact"
	Upload        Outcome = "upload"
	NotApplicable Outcome = "not_applicable"
)

// ReasonCode is the stable name of why an outcome is what it is; the codes of
// failed attempts are those of Result.
type ReasonCode string

// The reasons; docs/resolution-rules.md §5–6.
const (
	ReasonGenerated      ReasonCode = "generated"
	ReasonPriorResult    ReasonCode = "prior_result"
	ReasonLicenceValid   ReasonCode = "licence_valid"
	ReasonRecordMatches  ReasonCode = "record_matches"
	ReasonReused         ReasonCode = "reused"
	ReasonCancelled      ReasonCode = "cancelled"
	ReasonCommitment     ReasonCode = "commitment"
	ReasonMayFollow      ReasonCode = "may_follow"
	ReasonAssist         ReasonCode = "assist"
	ReasonConfirmed      ReasonCode = "officer_confirmed"
	ReasonManualCheck    ReasonCode = "manual_check"
	ReasonSourceRetry    ReasonCode = "source_retry"
	ReasonPriorPending   ReasonCode = "prior_pending"
	ReasonPriorRefused   ReasonCode = "prior_refused"
	ReasonConsentMissing ReasonCode = "consent_missing"
	ReasonPreviewAwaited ReasonCode = "preview_awaited"
	ReasonChosePaper     ReasonCode = "chose_paper"
	ReasonConsentRefused ReasonCode = "consent_refused"
	ReasonFactMissing    ReasonCode = "fact_missing"
	ReasonConditionFalse ReasonCode = "condition_false"
	ReasonMatterDecided  ReasonCode = "matter_decided"
	ReasonNoSource       ReasonCode = "no_source"
	ReasonApplicantOnly  ReasonCode = "applicant_only"
)
