package exchange

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/evidence"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Versions reads what resolutions said, whosever they are.
type Versions interface {
	// SheetVersion gives a resolution as it was in a version, with the department
	// whose case it is and the number of its last version; fault.NotFound when there
	// is no such version.
	SheetVersion(ctx context.Context, id string, version int) (r *Resolution, department string, last int, err error)
}

// Sheet (核验单) is what is printed for a case's file: what was settled without
// paper, by whose records, and how that is checked. It shows no field of any
// record, and no number of anybody in full.
type Sheet struct {
	Number     string // of the sheet: the resolution and its version
	Code       string // by which anybody can check it
	Digest     string // of all that it says was settled
	IssuedAt   time.Time
	ResolvedAt time.Time
	CaseNumber string
	Subject    string // name of the one-thing or matter
	Department string // name of the one whose case it is
	Revision   int
	Ruleset    string
	Status     Status
	Parties    []SheetParty
	Materials  []SheetMaterial
}

// SheetParty (核验单当事人) is a party with a masked number.
type SheetParty struct{ ID, Name, Roles, Number string }

// SheetMaterial (核验单材料) is one material on the sheet.
type SheetMaterial struct {
	Code, Name, Party string
	Outcome           policies.Outcome
	Mode              catalog.Mode
	Reason            string
	Records           []SheetRecord
}

// SheetRecord (核验单记录) is one record that settled a material.
type SheetRecord struct {
	Department, Dataset string // names
	AsOf                *time.Time
	Digest              string
	Withheld            bool // a right on which it rests has ended since
}

// SheetCheck (核验单核对) is what anybody is told who has a sheet's code: nothing
// of what the case is about.
type SheetCheck struct {
	Number      string
	Digest      string // empty once the content of the case was destroyed
	ResolvedAt  time.Time
	Department  string   // name of the one whose case it is
	Departments []string // names of those whose records settled materials
	Records     int
	Withheld    int // of the records, those whose rights have ended since
	// Later is the last version, when that is a later one.
	Later int
}

func unknownSheet() error {
	return fault.New(fault.NotFound, "unknown-sheet", "没有这份核验单。请核对二维码或编号；若打印的编号与此一致，请联系出具部门。")
}

// sheetDigest covers what a sheet says was settled, in the form that a version
// of a resolution keeps for good.
func sheetDigest(r *Resolution) (string, error) {
	type line struct {
		Material string           `json:"material"`
		Party    string           `json:"party"`
		Outcome  policies.Outcome `json:"outcome"`
		Mode     catalog.Mode     `json:"mode"`
		Evidence []string         `json:"evidence"`
	}
	lines := []line{}
	for i := range r.Materials {
		m := &r.Materials[i]
		l := line{Material: m.Code, Party: m.party(), Outcome: m.Outcome, Mode: m.Mode, Evidence: []string{}}
		for _, e := range m.Evidences() {
			l.Evidence = append(l.Evidence, e.Digest)
		}
		lines = append(lines, l)
	}
	text, err := evidence.Canonical(map[string]any{
		"case_number": r.CaseNumber, "resolution": r.ID, "version": r.Version, "revision": r.Revision, "ruleset": r.Ruleset,
		"resolved_at": evidence.Time(&r.ResolvedAt), "materials": lines,
	})
	if err != nil {
		return "", fmt.Errorf("digest a sheet: %w", err)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// sheetNumber names a version of a resolution.
func sheetNumber(id string, version int) string { return id + "." + strconv.Itoa(version) }

// sheetCode is by what a sheet is found: its number, and a proof that it was
// given out, so that nobody finds one by guessing and no table is needed.
func (x *Exchange) sheetCode(number string) string {
	mac := hmac.New(sha256.New, x.SheetKey)
	mac.Write([]byte(number))
	return number + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Sheet gives the sheet of a resolution in its last version. It is recorded
// before it is given.
func (x *Exchange) Sheet(ctx context.Context, by policies.Caller, resolution string) (*Sheet, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, resolution)
	if err != nil {
		return nil, fmt.Errorf("make a sheet: %w", err)
	}
	c, rev, err := x.caseAtRevision(ctx, by, r.Case)
	if err != nil {
		return nil, err
	}
	number := sheetNumber(r.ID, r.Version)
	digest, err := sheetDigest(r)
	if err != nil {
		return nil, err
	}
	e := x.entry(ledger.SheetIssued, by, c)
	e.Resolution, e.Version, e.Ruleset, e.Digest, e.Concerns = r.ID, r.Version, r.Ruleset, digest, x.everybody(c)
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return nil, notRecorded(err)
	}
	if err := x.withholdNow(ctx, by.Department, r); err != nil {
		return nil, fmt.Errorf("make a sheet: %w", err)
	}
	s := &Sheet{
		Number: number, Code: x.sheetCode(number), Digest: digest, IssuedAt: e.At, ResolvedAt: r.ResolvedAt, CaseNumber: c.Number,
		Subject: subjectName(rev, c.Subject), Department: departmentName(rev, c.Department), Revision: r.Revision, Ruleset: r.Ruleset, Status: r.Status,
	}
	for i := range c.Parties {
		s.Parties = append(s.Parties, sheetParty(rev, &c.Parties[i]))
	}
	for i := range r.Materials {
		if m := &r.Materials[i]; m.Outcome != policies.NotApplicable {
			s.Materials = append(s.Materials, sheetMaterial(rev, m))
		}
	}
	return s, nil
}

func sheetParty(rev *catalog.Revision, p *catalog.Party) SheetParty {
	roles := make([]string, len(p.Roles))
	for i, code := range p.Roles {
		if roles[i] = code; rev.Role(code) != nil {
			roles[i] = rev.Role(code).Name
		}
	}
	return SheetParty{ID: p.ID, Name: p.Name, Roles: strings.Join(roles, "、"), Number: masked(p.Number)}
}

// masked leaves of a number what its holder knows it by: the birthday of a person
// is not in it.
func masked(number string) string {
	const head, tail = 4, 3
	letters := []rune(number)
	if len(letters) <= head+tail {
		return strings.Repeat("*", len(letters))
	}
	return string(letters[:head]) + strings.Repeat("*", len(letters)-head-tail) + string(letters[len(letters)-tail:])
}

func sheetMaterial(rev *catalog.Revision, m *MaterialResult) SheetMaterial {
	out := SheetMaterial{Code: m.Code, Name: m.Name, Party: m.party(), Outcome: m.Outcome, Mode: m.Mode, Reason: m.Reason.Text}
	for _, e := range m.Evidences() {
		out.Records = append(out.Records, SheetRecord{
			Department: departmentName(rev, e.Department), Dataset: datasetName(rev, e.Dataset), AsOf: e.AsOf, Digest: e.Digest, Withheld: e.Withheld != "",
		})
	}
	return out
}

// CheckSheet says whether a sheet of this code was given out, and of what it is.
// It holds no personal data, and needs no caller.
func (x *Exchange) CheckSheet(ctx context.Context, code string) (*SheetCheck, error) {
	number, id, version := x.readCode(code)
	if number == "" {
		return nil, unknownSheet()
	}
	r, department, last, err := x.Versions.SheetVersion(ctx, id, version)
	if errors.Is(err, fault.NotFound) {
		return nil, unknownSheet()
	}
	if err != nil {
		return nil, fmt.Errorf("check a sheet: %w", err)
	}
	rev, err := x.Catalogs.Revision(ctx, r.Revision)
	if err != nil {
		return nil, fmt.Errorf("check a sheet: %w", err)
	}
	out := &SheetCheck{Number: number, ResolvedAt: r.ResolvedAt, Department: departmentName(rev, department)}
	if out.Digest, err = sheetDigest(r); err != nil {
		return nil, err
	}
	if last > version {
		out.Later = last
	}
	if r.Destroyed != nil { // only the outline is left: it has another digest, and all of it is withheld
		out.Digest = ""
	} else {
		if err := x.withholdNow(ctx, department, r); err != nil {
			return nil, fmt.Errorf("check a sheet: %w", err)
		}
	}
	for m := range r.each {
		for _, e := range m.Evidences() {
			out.Records++
			if e.Withheld != "" {
				out.Withheld++
			}
			if name := departmentName(rev, e.Department); name != "" && !slices.Contains(out.Departments, name) {
				out.Departments = append(out.Departments, name)
			}
		}
	}
	return out, nil
}

// readCode gives the number that a code holds, or nothing if it was never given
// out.
func (x *Exchange) readCode(code string) (number, id string, version int) {
	at := strings.LastIndexByte(code, '.')
	if at < 0 || !hmac.Equal([]byte(code), []byte(x.sheetCode(code[:at]))) {
		return "", "", 0
	}
	number = code[:at]
	at = strings.LastIndexByte(number, '.')
	version, err := strconv.Atoi(number[at+1:])
	if at < 0 || err != nil {
		return "", "", 0
	}
	return number, number[:at], version
}
