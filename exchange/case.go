package exchange

import (
	"time"

	"mianti/catalog"
)

// Case (办件) is one application.
type Case struct {
	ID         string
	Number     string // 办件编号, unique within the department
	System     string // that opened it
	Department string
	// Revision of the catalog at which it was opened; it keeps it.
	Revision int
	Subject  string // short code of the matter or one-thing
	Facts    catalog.Facts
	Parties  []catalog.Party
	Results  []MatterResult
	// Consents are those that were asked for or relayed, in that order.
	Consents []Consent
	// Previewed says that something was found that its person sees first (Preview).
	Previewed bool
	// Salt keys the digests of this case in the ledger.
	Salt []byte
	// Opening is the digest, under the salt, of what it was opened with, to tell a
	// repetition from another case under the same number.
	Opening   string
	OpenedAt  time.Time
	UpdatedAt time.Time
	// Version counts the changes; a change names the version that it was made to.
	Version int
	// ClosedAt is when its department closed it, and ClosedFor why; zero and empty
	// while it is open.
	ClosedAt  time.Time
	ClosedFor ClosingReason
	// DoneAt is when its purpose was done: it was closed, or every matter was
	// decided; zero until then. From then on its content is kept for a while only.
	DoneAt time.Time
}

// ClosingReason (办结原因) is why a case is closed.
type ClosingReason string

// The reasons.
const (
	CaseWithdrawn ClosingReason = "withdrawn" // 撤回
	CaseFinished  ClosingReason = "finished"  // 办结
)

// MatterResult (办理结果) is what an authority decided on a matter of a case.
type MatterResult struct {
	Matter  string          `json:"matter" doc:"短码, 如 S01.M1" example:"S01.M1"`
	Outcome catalog.Verdict `json:"outcome" enum:"granted,refused"`
	// Number, IssuedOn and the rest describe the document that was issued.
	Number       string         `json:"number,omitempty" maxLength:"100" doc:"证照或文书编号"`
	IssuedOn     string         `json:"issued_on,omitempty" format:"date"`
	ValidUntil   string         `json:"valid_until,omitempty" format:"date"`
	HolderNumber string         `json:"holder_number,omitempty" maxLength:"18" doc:"新取得的统一社会信用代码; 申请人此前没有代码时填写"`
	Fields       map[string]any `json:"fields,omitempty" doc:"结果所登记的数据项, 按数据项代码"`
	Party        string         `json:"party,omitempty" maxLength:"64" doc:"结果属于哪个当事人; 同一角色有多个当事人、各得各证时填写"`
	ReportedAt   time.Time      `json:"reported_at,omitempty" readOnly:"true"`
}

// Submission (已交材料) is a paper that the applicant handed in after all; the
// file itself stays with the approval system.
type Submission struct {
	Case             string
	Material         string
	StandardMaterial string
	// Subject is the keyed digest by which later cases of the same subject find
	// it, see Exchange.subjectKey.
	Subject string
	Digest  string // of the file, as the approval system computed it
	At      time.Time
}

func (c *Case) party(id string) *catalog.Party {
	for i := range c.Parties {
		if c.Parties[i].ID == id {
			return &c.Parties[i]
		}
	}
	return nil
}
