package store

// The rows of the exchange's tables. A moment's field is not called CreatedAt
// or UpdatedAt: GORM would fill in seconds by itself.

// grantRow is a sharing grant (共享授权).
type grantRow struct {
	ID         string    `gorm:"column:id;primaryKey"`
	Department string    `gorm:"column:department"`
	Matter     string    `gorm:"column:matter"`
	Dataset    string    `gorm:"column:dataset"`
	Fields     string    `gorm:"column:fields"` // JSON: a list of field codes
	Basis      string    `gorm:"column:basis"`
	From       Timestamp `gorm:"column:valid_from"`
	Until      Timestamp `gorm:"column:valid_until"`
	State      string    `gorm:"column:state"`
	Created    Timestamp `gorm:"column:created_at"`
	Request    string    `gorm:"column:request"` // empty: given by command
	Scenario   string    `gorm:"column:scenario"`
	Scope      string    `gorm:"column:scope"`
	Manner     string    `gorm:"column:manner"`
	CorrectBy  string    `gorm:"column:correct_by"` // a date, or empty
	History    string    `gorm:"column:history"`    // JSON
	Version    int       `gorm:"column:version"`    // counts the changes, from 1
}

// TableName names the table.
func (grantRow) TableName() string { return "grants" }

// caseRow is a case (办件).
type caseRow struct {
	ID         string    `gorm:"column:id;primaryKey"`
	System     string    `gorm:"column:system"`
	Department string    `gorm:"column:department"`
	Number     string    `gorm:"column:number"`      // the department's own
	BodyDigest string    `gorm:"column:body_digest"` // under the case's salt
	Revision   int       `gorm:"column:revision"`    // of the catalog, pinned
	Subject    string    `gorm:"column:subject"`
	Body       string    `gorm:"column:body"`  // JSON, sealed; empty once it was destroyed
	Facts      string    `gorm:"column:facts"` // JSON, sealed; empty once it was destroyed
	Created    Timestamp `gorm:"column:created_at"`
	Updated    Timestamp `gorm:"column:updated_at"`
	Version    int       `gorm:"column:version"` // counts the changes, from 1
	// ClosedAt and ClosedFor are null and empty while the case is open.
	ClosedAt  *Timestamp `gorm:"column:closed_at"`
	ClosedFor string     `gorm:"column:closed_for"`
	// State is where it stands, and Resolution its newest resolution, empty for none.
	State      string `gorm:"column:state"`
	Resolution string `gorm:"column:resolution_id"`
	Settled    *int   `gorm:"column:settled"` // null: not counted
	Checking   *int   `gorm:"column:checking"`
	ToSubmit   *int   `gorm:"column:to_submit"`
}

// TableName names the table.
func (caseRow) TableName() string { return "cases" }

// resultRow is the reported result of one matter of a case.
type resultRow struct {
	CaseID   string    `gorm:"column:case_id;primaryKey"`
	Matter   string    `gorm:"column:matter;primaryKey"`
	Outcome  string    `gorm:"column:outcome"`
	Body     string    `gorm:"column:body"` // JSON, sealed; empty once it was destroyed
	Reported Timestamp `gorm:"column:reported_at"`
}

// TableName names the table.
func (resultRow) TableName() string { return "case_results" }

// resolutionRow is a resolution (核验结果).
type resolutionRow struct {
	ID       string     `gorm:"column:id;primaryKey"`
	CaseID   string     `gorm:"column:case_id"`
	Revision int        `gorm:"column:revision"`
	Status   string     `gorm:"column:status"`
	Body     string     `gorm:"column:body"`    // JSON, sealed; empty once it was destroyed
	Outline  string     `gorm:"column:outline"` // JSON; what remains then
	Created  Timestamp  `gorm:"column:created_at"`
	Seq      int        `gorm:"column:seq"` // counts those of the case, from 1
	Version  int        `gorm:"column:version"`
	Retry    *Timestamp `gorm:"column:retry_at"` // when it goes on by itself; null when it does not
}

// TableName names the table.
func (resolutionRow) TableName() string { return "resolutions" }

// versionRow is what a resolution said before it went on.
type versionRow struct {
	ResolutionID string    `gorm:"column:resolution_id;primaryKey"`
	Version      int       `gorm:"column:version;primaryKey"`
	Body         string    `gorm:"column:body"`    // JSON, sealed; empty once it was destroyed
	Outline      string    `gorm:"column:outline"` // JSON; what remains then
	Created      Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (versionRow) TableName() string { return "resolution_versions" }

// assistRow is a question to an officer (协查).
type assistRow struct {
	ID         string    `gorm:"column:id;primaryKey"`
	Key        string    `gorm:"column:task_key"`
	Department string    `gorm:"column:department"` // that is asked
	Receiver   string    `gorm:"column:receiver"`   // that asks
	CaseID     string    `gorm:"column:case_id"`
	State      string    `gorm:"column:state"`
	Asked      Timestamp `gorm:"column:asked_at"`
	Due        Timestamp `gorm:"column:due_at"`
	Body       string    `gorm:"column:body"`   // JSON without the answer, sealed; empty once it was destroyed
	Answer     string    `gorm:"column:answer"` // JSON, sealed; empty until there is one
}

// TableName names the table.
func (assistRow) TableName() string { return "assist_tasks" }

// sharingRow is a sharing request (共享申请).
type sharingRow struct {
	ID        string     `gorm:"column:id;primaryKey"`
	Applicant string     `gorm:"column:applicant"`
	Provider  string     `gorm:"column:provider"`
	State     string     `gorm:"column:state"`
	Article   string     `gorm:"column:article"` // of the deadline
	Due       *Timestamp `gorm:"column:due_at"`  // null while nobody is awaited
	Received  Timestamp  `gorm:"column:received_at"`
	Until     Timestamp  `gorm:"column:valid_until"` // end of the term
	Version   int        `gorm:"column:version"`     // counts the changes, from 1
	Body      string     `gorm:"column:body"`        // JSON
}

// TableName names the table.
func (sharingRow) TableName() string { return "sharing_requests" }

// submissionRow is a paper that the applicant handed in.
type submissionRow struct {
	CaseID           string    `gorm:"column:case_id;primaryKey"`
	Material         string    `gorm:"column:material;primaryKey"`
	SubjectDigest    string    `gorm:"column:subject_digest;primaryKey"` // empty: the case's own
	Digest           string    `gorm:"column:digest;primaryKey"`         // of the paper
	StandardMaterial string    `gorm:"column:standard_material"`
	Submitted        Timestamp `gorm:"column:submitted_at"`
}

// TableName names the table.
func (submissionRow) TableName() string { return "submissions" }

// entryRow is a recorded act (存证). The database refuses to change or delete
// one.
type entryRow struct {
	ID           int64     `gorm:"column:id;primaryKey;autoIncrement"`
	Kind         string    `gorm:"column:kind"`
	CaseID       string    `gorm:"column:case_id"`       // may be empty
	ResolutionID string    `gorm:"column:resolution_id"` // may be empty
	At           Timestamp `gorm:"column:at"`
	Body         string    `gorm:"column:body"` // JSON
}

// TableName names the table.
func (entryRow) TableName() string { return "ledger_entries" }

// accessRow says that an entry is about somebody. Nth and Link are given when
// the entry is sealed.
type accessRow struct {
	Subject string `gorm:"column:subject;primaryKey"` // keyed digest
	Entry   int64  `gorm:"column:entry_id;primaryKey;autoIncrement:false"`
	Case    string `gorm:"column:case_id"`
	Nth     *int64 `gorm:"column:nth"`
	Link    string `gorm:"column:link"`
	// What a person's list is filtered and put together by.
	Kind       string    `gorm:"column:kind"`
	Department string    `gorm:"column:department"`
	At         Timestamp `gorm:"column:at"`
	Ask        string    `gorm:"column:ask"` // that an intent and its outcome have in common
}

// TableName names the table.
func (accessRow) TableName() string { return "accesses" }

// accessHeadRow is how many entries are about somebody, and the key of their
// links.
type accessHeadRow struct {
	Subject string `gorm:"column:subject;primaryKey"`
	Key     []byte `gorm:"column:key"`
	Count   int64  `gorm:"column:count"`
}

// TableName names the table.
func (accessHeadRow) TableName() string { return "access_heads" }

// idempotencyRow remembers what a system's request made, by its key.
type idempotencyRow struct {
	System        string    `gorm:"column:system;primaryKey"`
	Key           string    `gorm:"column:key;primaryKey"`
	RequestDigest string    `gorm:"column:request_digest"`
	Resource      string    `gorm:"column:resource"`
	Created       Timestamp `gorm:"column:created_at"`
}

// TableName names the table.
func (idempotencyRow) TableName() string { return "idempotency_keys" }
