package ledger

// The kinds of what is done about drafts of the catalog (目录草案). Digest is that of
// the draft's changes: what was approved is what was published. The publication is
// recorded as CatalogLoaded.
const (
	DraftCreated   Kind = "draft_created"
	DraftSubmitted Kind = "draft_submitted"
	DraftRecalled  Kind = "draft_recalled"
	DraftReturned  Kind = "draft_returned"
	DraftApproved  Kind = "draft_approved"
	DraftScheduled Kind = "draft_scheduled"
	// DraftBlocked: its day has come, and it could not be published.
	DraftBlocked   Kind = "draft_blocked"
	DraftWithdrawn Kind = "draft_withdrawn"
)
