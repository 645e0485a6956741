// Package exchange holds the use cases: open a case, tell it facts and results,
// and resolve it — plan, decide, record the intent, ask the departments in
// parallel, judge, and record the outcome together with the answer.
//
// Two invariants: nothing is asked before the intent to ask is recorded, and
// nothing is answered before the answer is recorded.
package exchange

import (
	"context"
	"log/slog"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Catalogs gives revisions of the catalog. A revision never changes.
type Catalogs interface {
	// Current is the revision for new cases. About are the codes that the caller will
	// look at; of a catalog that is too large to be held whole, nothing else is there.
	Current(ctx context.Context, about ...string) (*catalog.Revision, error)
	// Revision is an earlier one, by number; about as in Current.
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
}

// Cases keeps cases. Every change is stored together with its entries or not at
// all.
type Cases interface {
	// OpenCase stores a new case. When the department already has a case of that
	// number it stores nothing and returns the earlier one.
	OpenCase(ctx context.Context, c *Case, entries ...ledger.Entry) (*Case, error)
	// Case gives a department's case; fault.NotFound when it has none of that id.
	Case(ctx context.Context, department, id string) (*Case, error)
	// UpdateCase stores changed facts, parties, results and consents. It is a
	// fault.Conflict when the case is no longer at the version it was read at.
	UpdateCase(ctx context.Context, c *Case, entries ...ledger.Entry) error
	// CaseByNumber finds a case by the department's own number.
	CaseByNumber(ctx context.Context, department, number string) (*Case, error)
}

// Resolutions keeps resolutions.
type Resolutions interface {
	// CommitResolution stores a resolution with all that goes with it, in one
	// transaction. A later version of one replaces the version before it, which
	// is kept; it is a fault.Conflict when that is not the last one of its case, and
	// when anything that it rests on has been stopped since it was begun.
	CommitResolution(ctx context.Context, c Commit) error
	// Resolution gives a resolution of a department's case, in its last version.
	Resolution(ctx context.Context, department, id string) (*Resolution, error)
	// LastResolution gives the last resolution of a department's case.
	LastResolution(ctx context.Context, department, caseID string) (*Resolution, error)
	// ResolutionState gives how far a resolution is.
	ResolutionState(ctx context.Context, department, id string) (ResolutionState, error)
}

// Commit is a resolution with what is stored together with it.
type Commit struct {
	Resolution *Resolution
	Inputs     *Inputs // what it follows from
	Entries    []ledger.Entry
	// Rights are what its release rests on. It is a fault.Conflict
	// (AuthorizationChanged) when one of them has ended.
	Rights Rights
	// Previews are what was found and is not shown. One that is there already keeps
	// what was said of it, and takes the answers.
	Previews []HeldPreview
	// FollowUps are the papers that may follow later, all of them.
	FollowUps []FollowUp
	Key       *Key // that is completed; nil for none
	Jobs      []jobs.Job
	// Awaits are the assist tasks whose answers it waits for. Answered is one job
	// more if any of them has been answered by now: the job of that answer may have
	// found nothing to go on with.
	Awaits   []string
	Answered jobs.Job
}

// Keys keeps the idempotency keys of systems.
type Keys interface {
	// ReserveKey takes an idempotency key. It returns the resolution that the key
	// stands for, or "" when the key is now the caller's to use; a key that is in
	// use by a request under way is a fault.Conflict, and so is one that was used
	// for another request.
	ReserveKey(ctx context.Context, key *Key) (string, error)
	// ReleaseKey gives up a reserved key whose request came to nothing.
	ReleaseKey(ctx context.Context, key *Key) error
}

// Journal appends entries to the ledger, durably, before it returns.
type Journal interface {
	Append(ctx context.Context, entries []ledger.Entry) error
	// AppendIntents appends the intents of a round and counts them for the quotas:
	// what is asked was counted. subjects are whom each is about (SubjectOf), empty
	// for nobody. It is a fault.Exhausted when a quota would be exceeded; then
	// nothing is appended and nothing counted.
	AppendIntents(ctx context.Context, intents []ledger.Entry, subjects []string) error
	// ConcernsOf are whom the entries of a resolution concern.
	ConcernsOf(ctx context.Context, resolution string) ([]string, error)
}

// Systems gives the systems of a department.
type Systems interface {
	SystemsOf(ctx context.Context, department string) ([]string, error)
}

// Grants gives the grants that departments hold for matters, and what is
// stopped.
type Grants interface {
	// InForce gives the grants for these matters and what is stopped. What was changed
	// elsewhere is known within two seconds; what rests on them is looked at again when
	// it is stored (Rights).
	InForce(ctx context.Context, matters []string) (*GrantSet, *StopSet, error)
	// Outdated says that what InForce gave was found to be out of date.
	Outdated()
	// GrantStates gives the states of these grants as they are now, by id.
	GrantStates(ctx context.Context, ids []string) (map[string]policies.GrantState, error)
	// Stops gives what is stopped now.
	Stops(ctx context.Context) ([]policies.Stop, error)
}

// Submissions keeps the papers that applicants handed in.
type Submissions interface {
	// HandIn records one, with its entry. The same file again for the same
	// material changes nothing and is no new entry.
	HandIn(ctx context.Context, s *Submission, e ledger.Entry) error
	// HandedIn gives those of these subjects, newest first.
	HandedIn(ctx context.Context, subjects []string) ([]Submission, error)
}

// Key is an idempotency key of a system (Idempotency-Key), with what it was
// used for.
type Key struct {
	System  string
	Value   string
	Request string // digest of the request
	At      time.Time
}

// ownedBy puts the key of a person among those of the case's system, apart from
// the system's own and from other people's: a key as it is sent holds no blank.
func (k *Key) ownedBy(by policies.Caller, c *Case) *Key {
	if by.System != "" {
		return k
	}
	return &Key{System: c.System, Value: by.Person + " " + k.Value, Request: k.Request, At: k.At}
}

// Config is what an Exchange is made of. All fields are required, but for the
// durations, which have defaults.
type Config struct {
	Catalogs    Catalogs
	Cases       Cases
	Resolutions Resolutions
	Keys        Keys
	Submissions Submissions
	Journal     Journal
	Ledger      Ledger
	Grants      Grants
	Consents    Consents
	// Previews keeps what was found until it is released; nil where no material of
	// the catalog is to be seen first.
	Previews Previews
	// Records finds what rests on a record; nil where nothing is ever corrected.
	Records Records
	// Inbox lists what a department's people have to do; nil where nobody looks.
	Inbox Inbox
	// Sources puts the questions: the guard, before the connectors of all kinds.
	Sources connectors.Connector
	// Locate gives the address of a department's source, and where that may lead.
	Locate func(department string, s *catalog.Source) (baseURL string, network catalog.Network)
	// Files gets the files of licences, and FileLinks keeps the links to them; nil
	// gives none.
	Files     Files
	FileLinks FileLinks
	// Evidence signs what settled a material. Versions finds what a sheet was made
	// of, and SheetKey keys the codes by which sheets are checked: at least 32 bytes.
	Evidence EvidenceSigner
	Versions Versions
	SheetKey []byte
	// Desk opens assist tasks.
	Desk *Desk
	// Snapshots loads files; nil refuses them.
	Snapshots Snapshots
	// Queue keeps what is done later; Systems says whom a department is told by.
	Queue   jobs.Queue
	Systems Systems
	// SubjectKey keys the digests by which a later case finds the papers of the
	// same subject. At least 32 bytes.
	SubjectKey []byte
	Now        func() time.Time
	NewID      func() string
	Log        *slog.Logger
	// Deadline bounds one resolution, SourceDeadline one question. Default 8 s
	// and 3 s.
	Deadline, SourceDeadline time.Duration
	// EvenTime is what an answer that knows nothing of a person takes a multiple
	// of, so that its time does not tell whether the source knows somebody of that
	// number. Zero: as long as it takes.
	EvenTime time.Duration
	// Outside is told that a request waits for others, until back is called; nil for
	// nobody who wants to know.
	Outside func(ctx context.Context) (back func())
}

// Exchange is the core of the program. It is safe for concurrent use.
type Exchange struct {
	Config
}

// New returns an Exchange.
func New(c Config) *Exchange {
	if c.Deadline == 0 {
		c.Deadline = 8 * time.Second
	}
	if c.SourceDeadline == 0 {
		c.SourceDeadline = 3 * time.Second
	}
	if c.Outside == nil {
		c.Outside = func(context.Context) func() { return func() {} }
	}
	return &Exchange{Config: c}
}

// today is midnight UTC of the date in Shanghai.
func today(now time.Time) time.Time {
	y, m, d := now.In(catalog.TimeZone()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
