// Package ledger records every act of the exchange, so that it can be shown
// years later who asked what about whom, why, and what came of it
// (政务数据共享条例, art. 29).
//
// An entry holds no personal data: a person appears as a digest that is keyed
// with the case's salt, a value not at all.
package ledger

import "time"

// Kind is the kind of an act.
type Kind string

// The kinds. An intent comes before the question it announces; if it cannot be
// written, nothing is asked.
const (
	CaseOpened     Kind = "case_opened"
	FactsChanged   Kind = "facts_changed"
	ResultReported Kind = "result_reported"
	CaseClosed     Kind = "case_closed"
	// CaseDestroyed: the content of a case was destroyed. SaltDestroyed: its entries
	// cannot be linked to anybody any more.
	CaseDestroyed  Kind = "case_destroyed"
	SaltDestroyed  Kind = "salt_destroyed"
	PaperHandedIn  Kind = "paper_handed_in"
	Intent         Kind = "intent"
	Outcome        Kind = "outcome"
	Denied         Kind = "denied" // a look-up that may not be made, and so was not
	Resolved       Kind = "resolved"
	Read           Kind = "read"     // an earlier resolution, or an assist task, was given out
	Unmasked       Kind = "unmasked" // what is shown masked was shown in full: who a party is, or values of a record
	AssistAnswered Kind = "assist_answered"
	SnapshotLoaded Kind = "snapshot_loaded"
	FileLinked     Kind = "file_linked"  // a link to a licence's file was given out
	FileFetched    Kind = "file_fetched" // the file is about to be had by it
	// EvidenceIssued: signed evidence was given out; SheetIssued: a sheet of it was.
	EvidenceIssued Kind = "evidence_issued"
	SheetIssued    Kind = "sheet_issued"

	Stopped    Kind = "stopped" // a use was ended at once
	StopLifted Kind = "stop_lifted"
	QuotaSet   Kind = "quota_set"
	// AlarmAcknowledged: somebody has seen an alarm.
	AlarmAcknowledged Kind = "alarm_acknowledged"

	KeyRotated Kind = "key_rotated" // another key of the exchange is the present one

	// Of the register of systems.
	SystemRegistered  Kind = "system_registered"
	CredentialAdded   Kind = "credential_added"
	CredentialRevoked Kind = "credential_revoked"
	SystemRevoked     Kind = "system_revoked"

	// LogRead: entries were read, or a receipt was made of one.
	LogRead Kind = "log_read"
	// LogExported: all entries were written out, to be kept elsewhere.
	LogExported Kind = "log_exported"
	// BackupBegun: the whole database is about to be copied. Restored: it was put back
	// from a copy, and what was done after the copy is not in it.
	BackupBegun Kind = "backup_begun"
	Restored    Kind = "restored"
	// EffectMeasured: recorded cases were opened to see what a change of the catalog
	// would do to them.
	EffectMeasured Kind = "effect_measured"
	// CatalogLoaded: a revision of the catalog is the one for new cases.
	CatalogLoaded Kind = "catalog_loaded"
	// MappingDecided: somebody said what the name of a material means, or does not.
	MappingDecided Kind = "mapping_decided"

	// Of batches. BatchRead: the results of one were given out, as a file;
	// BatchDestroyed: its list and its results were destroyed.
	BatchSubmitted Kind = "batch_submitted"
	BatchStarted   Kind = "batch_started"
	BatchPaused    Kind = "batch_paused"
	BatchResumed   Kind = "batch_resumed"
	BatchCancelled Kind = "batch_cancelled"
	BatchFinished  Kind = "batch_finished"
	BatchRead      Kind = "batch_read"
	BatchDestroyed Kind = "batch_destroyed"

	ConsentRequested Kind = "consent_requested"
	ConsentGiven     Kind = "consent_given"
	ConsentRefused   Kind = "consent_refused"
	ConsentWithdrawn Kind = "consent_withdrawn"
)

// Operator is the Person of an act by command, at the machine itself, where
// nobody signs in. No person and no system can have this identifier.
const Operator = "operator@machine"

// The kinds of what people do as such. Person is who acted, Object whom it was
// done to.
const (
	SignedIn          Kind = "signed_in"
	SignedOut         Kind = "signed_out"
	PersonRegistered  Kind = "person_registered"
	PersonDeactivated Kind = "person_deactivated"
	DutyAssigned      Kind = "duty_assigned"
	DutyRemoved       Kind = "duty_removed"
)

// Entry (存证) is one recorded act.
type Entry struct {
	Kind       Kind      `json:"kind"`
	At         time.Time `json:"at"`
	System     string    `json:"system"`     // who acted
	Department string    `json:"department"` // for which department
	// Person is who acted in person, by an opaque identifier; empty when a system
	// acted by itself.
	Person     string `json:"person,omitempty"`
	Case       string `json:"case"`
	Resolution string `json:"resolution,omitempty"`
	Revision   int    `json:"revision"` // of the catalog
	Ruleset    string `json:"ruleset,omitempty"`
	Version    int    `json:"version,omitempty"` // of the resolution
	Task       string `json:"task,omitempty"`    // the assist task

	// A look-up: for which matter and material, of what and whom, on what basis.
	Matter   string   `json:"matter,omitempty"`
	Material string   `json:"material,omitempty"`
	Mode     string   `json:"mode,omitempty"`
	Dataset  string   `json:"dataset,omitempty"`
	Source   string   `json:"source,omitempty"`
	Subject  string   `json:"subject,omitempty"` // see SubjectDigest
	Fields   []string `json:"fields,omitempty"`  // codes, never values
	Grant    string   `json:"grant,omitempty"`
	Basis    []string `json:"basis,omitempty"`
	Consent  string   `json:"consent,omitempty"` // that it rests on
	// Ask is the id that an intent and its outcome have in common.
	Ask string `json:"ask,omitempty"`
	// Also are the other materials that the same question serves.
	Also []Service `json:"also,omitempty"`

	// An act about something other than a case: which thing, and why.
	Object string `json:"object,omitempty"` // such as "grant:g1"
	Why    string `json:"why,omitempty"`    // the reason given, in words; no personal data

	// What came of it.
	Result string `json:"result,omitempty"`
	Millis int64  `json:"millis,omitempty"`
	// Proof is what binds the source's answer to the question, as the source
	// gave it.
	Proof  string `json:"proof,omitempty"`
	Digest string `json:"digest,omitempty"` // of what was answered, keyed as Subject is
	// Evidence are the digests of the evidence that a resolution released, or that
	// was issued from it. Each holds a nonce from the case's salt.
	Evidence []string `json:"evidence,omitempty"`

	// Concerns are the persons and bodies whom the act is about, by the digests by
	// which they find it (exchange.Exchange.SubjectOf). They stand beside the entry
	// and not in it: who has the log alone cannot tell whom it is about.
	Concerns []string `json:"-"`
}

// Service is one material that a question serves, and what allows it.
type Service struct {
	Matter   string   `json:"matter"`
	Material string   `json:"material"`
	Fields   []string `json:"fields"`
	Grant    string   `json:"grant,omitempty"`
	Basis    []string `json:"basis"`
}

// Digest gives the digest of a value under a case's salt, with the name of the
// algorithm. Without the salt it tells nothing, even of a value that can be
// guessed.
func Digest(salt []byte, value string) string {
	return "hmac-sha256:" + keyedHex(salt, value)
}
