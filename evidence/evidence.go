// Package evidence is the envelope (凭据) of what settled a material: a signed
// statement that an approval system can keep in its archive and check years
// later, offline, with the published keys (国务院令第716号, art. 12).
//
// It is pure: no I/O, no clock. docs/evidence.md describes the formats for those
// who check them with other programs.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Class (来源类别) says whose word a value is.
type Class string

// The classes.
const (
	Government Class = "government" // 政务数据: a department's record
	Officer    Class = "officer"    // 人工协查: a department's officer said so
	Result     Class = "result"     // 审批结果: of an earlier matter of the same case
	Applicant  Class = "applicant"  // 申请人提交: a paper that he handed in before
)

// Field (凭据数据项) is one field, in the manner of Singapore's Myinfo: a value
// with where it is from and of when, or why there is none.
type Field struct {
	Value any    `json:"value,omitempty"`
	Class Class  `json:"class,omitempty"`
	AsOf  string `json:"as_of,omitempty"`
	// Unavailable is why no value is given: yes_no_only, withheld, not_released or
	// no_value.
	Unavailable string `json:"unavailable,omitempty"`
}

// Record (凭据内容) is what settles a material, as the digest covers it. Times are
// RFC 3339 in UTC.
type Record struct {
	Dataset    string `json:"dataset,omitempty"`
	Department string `json:"department,omitempty"`
	Source     string `json:"source"`
	Class      Class  `json:"class"`
	// Reference is the identifier of the record, or of the answer, there.
	Reference string `json:"reference,omitempty"`
	// SourceProof is what binds the source's answer to the question, or signs it,
	// kept as it was received.
	SourceProof string           `json:"source_proof,omitempty"`
	AsOf        string           `json:"as_of,omitempty"`
	FetchedAt   string           `json:"fetched_at,omitempty"`
	ValidUntil  string           `json:"valid_until,omitempty"`
	YesNo       bool             `json:"yes_no,omitempty"`
	Fields      map[string]Field `json:"fields,omitempty"`
	Grant       string           `json:"grant,omitempty"`
	Consent     string           `json:"consent,omitempty"`
	Basis       []string         `json:"basis,omitempty"`
	// Nonce is drawn from the case's salt, so that the digest tells nothing to
	// whoever guesses the values.
	Nonce string `json:"nonce"`
}

// Digest gives the digest of the record: SHA-256 over its canonical JSON.
func (r *Record) Digest() (string, error) {
	text, err := r.canonical()
	if err != nil {
		return "", fmt.Errorf("digest an evidence: %w", err)
	}
	return digest(text), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Statement (凭据声明) says of a record what it was used for: it is what is
// signed.
type Statement struct {
	Issuer   string `json:"iss"`
	IssuedAt int64  `json:"iat"` // seconds since 1970

	// Department is whose case it is; Case and CaseNumber name it.
	Department string `json:"department"`
	Case       string `json:"case"`
	CaseNumber string `json:"case_number"`
	// Matters and Materials are short codes: one paper can serve several.
	Matters   []string `json:"matters"`
	Materials []string `json:"materials"`
	Name      string   `json:"name"` // of the material
	Party     string   `json:"party,omitempty"`
	Role      string   `json:"role,omitempty"`
	Mode      string   `json:"mode"`
	// Resolution, in this version, released it, under these rules.
	Resolution string `json:"resolution"`
	Version    int    `json:"version"`
	ResolvedAt string `json:"resolved_at"`
	Revision   int    `json:"revision"` // of the catalog
	Ruleset    string `json:"ruleset"`

	Evidence Record `json:"evidence"`
	Digest   string `json:"digest"` // of Evidence
}

// Time renders a moment as records hold it; nothing for none.
func Time(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
