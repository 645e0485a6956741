package ledger

// The kinds of what is done about sharing requests (共享申请) and grants
// (共享授权).
const (
	SharingRequested       Kind = "sharing_requested"
	SharingCompletionAsked Kind = "sharing_completion_asked"
	SharingCompleted       Kind = "sharing_completed"
	SharingExtensionAsked  Kind = "sharing_extension_asked"
	SharingExtended        Kind = "sharing_extended" // the authority consented
	SharingDecided         Kind = "sharing_decided"
	SharingDelivered       Kind = "sharing_delivered"
	SharingWithdrawn       Kind = "sharing_withdrawn"

	GrantGiven             Kind = "grant_given"
	GrantSuspended         Kind = "grant_suspended"
	GrantCorrectionOrdered Kind = "grant_correction_ordered"
	GrantResumed           Kind = "grant_resumed"
	GrantNarrowed          Kind = "grant_narrowed"
	GrantTerminated        Kind = "grant_terminated"
)
