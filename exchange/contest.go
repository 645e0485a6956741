package exchange

import (
	"context"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Records finds what rests on a department's record, across cases.
type Records interface {
	// CaseByID gives a case of whichever department; fault.NotFound for none.
	CaseByID(ctx context.Context, id string) (*Case, error)
	// CasesAbout gives the open cases in which anything was asked about a subject
	// (SubjectOf), by id, after the one of that id.
	CasesAbout(ctx context.Context, subject, after string, limit int) ([]CaseRef, error)
	// OpenCorrections gives the records of these subjects whose correction is open.
	OpenCorrections(ctx context.Context, subjects []string) ([]RecordRef, error)
}

// CaseRef (办件索引) names a case and whose it is.
type CaseRef struct {
	Department string
	Case       string
}

// RecordRef (记录索引) names a department's record: of which dataset, and of whom,
// as a keyed digest (SubjectOf).
type RecordRef struct {
	Dataset string `json:"dataset"`
	Subject string `json:"subject,omitempty"`
}

// ContestRef (异议指向) says which record of which case somebody means.
type ContestRef struct {
	Case     string
	Material string
	Party    string // whose material it is; empty for the case's own
	Dataset  string
}

// Contested (有异议的记录) is what a case knows of a record that somebody says is
// wrong. It holds no value of the record.
type Contested struct {
	CaseRef
	CaseNumber string
	System     string // that opened the case
	Revision   int
	Matter     string
	Material   string
	// Party is whose record it is, by id in the case; Subject is his keyed digest.
	Party   string
	Subject string
	Dataset *catalog.Dataset
	// Finding is how the last look-up ended, and Evidence the digest of what
	// settled the material; empty where nothing did.
	Finding  policies.Result
	Evidence string
	// Salt keys what the ledger says of the case.
	Salt []byte
}

// Contest finds the record that the caller says is wrong: a department that of a
// case of its own, a citizen his own or that of a child for whom he consents. What
// is not there and what is not his look the same.
func (x *Exchange) Contest(ctx context.Context, by policies.Caller, ref ContestRef) (*Contested, error) {
	c, err := x.contestedCase(ctx, by, ref.Case)
	if err != nil {
		return nil, err
	}
	if !c.ClosedAt.IsZero() && by.Department != "" {
		return nil, caseClosed()
	}
	rev, err := x.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("contest a record: %w", err)
	}
	last, err := x.Resolutions.LastResolution(ctx, c.Department, c.ID)
	if err != nil {
		return nil, unknownRecord(err)
	}
	for i := range last.Materials {
		m := &last.Materials[i]
		if m.Code != ref.Material && !slices.Contains(m.UsedBy, ref.Material) || m.party() != ref.Party {
			continue
		}
		if found := x.contested(c, rev, m, ref.Dataset); found != nil && x.mayContest(by, c, found.Party) {
			return found, nil
		}
	}
	return nil, unknownRecord(nil)
}

func (x *Exchange) contestedCase(ctx context.Context, by policies.Caller, id string) (*Case, error) {
	if by.Department != "" {
		c, err := x.Cases.Case(ctx, by.Department, id)
		if err != nil {
			return nil, fmt.Errorf("contest a record: %w", err)
		}
		return c, nil
	}
	c, err := x.Records.CaseByID(ctx, id)
	if err != nil {
		return nil, unknownRecord(err)
	}
	return c, nil
}

// unknownRecord is one answer for all that is not the caller's to contest. What
// went wrong otherwise stays what it was.
func unknownRecord(cause error) error {
	if f := fault.As(cause); cause != nil && (f == nil || f.Kind != fault.NotFound) {
		return fmt.Errorf("contest a record: %w", cause)
	}
	return fault.New(fault.NotFound, "unknown-record", "本办件没有向部门查过这样的记录，或者它不是您的。请对照核验结果中的材料、当事人和数据资源。")
}

// contested gives what a material knows of a record; nil when it was never asked
// for.
func (x *Exchange) contested(c *Case, rev *catalog.Revision, m *MaterialResult, dataset string) *Contested {
	d, material := rev.Dataset(dataset), rev.Material(m.Code)
	if d == nil || material == nil {
		return nil
	}
	out := &Contested{
		CaseRef: CaseRef{c.Department, c.ID}, CaseNumber: c.Number, System: c.System, Revision: c.Revision, Material: m.Code, Dataset: d, Salt: c.Salt,
	}
	if matter := rev.MatterOf(m.Code); matter != nil {
		out.Matter = matter.Code
	}
	out.Finding, out.Evidence = m.finding(dataset)
	for _, party := range recordParties(c, rev, m, dataset) {
		if party.Number != "" && out.Finding != "" {
			out.Party, out.Subject = party.ID, x.SubjectOf(party.Kind, party.Number)
			return out
		}
	}
	return nil
}

// finding says what was found in a dataset: the evidence, or how the last attempt
// to get it ended. Empty where nobody was asked.
func (m *MaterialResult) finding(dataset string) (policies.Result, string) {
	for _, e := range m.Evidences() {
		if e.Dataset == dataset {
			return policies.OK, e.Digest
		}
	}
	for i := len(m.Attempts) - 1; i >= 0; i-- {
		a := m.Attempts[i]
		if a.Dataset != dataset {
			continue
		}
		switch a.Result {
		case policies.NotFound, policies.Mismatch, policies.Expired, policies.Multiple, policies.Stale, policies.OK:
			return a.Result, ""
		}
	}
	return "", ""
}

// recordParties are whose records of a dataset a material rests on.
func recordParties(c *Case, rev *catalog.Revision, m *MaterialResult, dataset string) []*catalog.Party {
	var out []*catalog.Party
	for _, code := range m.UsedBy {
		material := rev.Material(code)
		if material == nil {
			continue
		}
		for i := range material.Proofs {
			for _, l := range material.Proofs[i].Lookups {
				party := c.party(m.party())
				if l.Subject != "" {
					party = catalog.PartyIn(c.Parties, l.Subject)
				}
				if l.Dataset == dataset && party != nil && !slices.Contains(out, party) {
					out = append(out, party)
				}
			}
		}
	}
	return out
}

// mayContest reports whether a record is the caller's to contest: any of a case of
// his department, his own, or that of a child of his.
func (x *Exchange) mayContest(by policies.Caller, c *Case, party string) bool {
	if by.Department != "" {
		return true
	}
	p := c.party(party)
	if p == nil || by.Subject == "" {
		return false
	}
	if x.subjectDigest(p) == by.Subject {
		return true
	}
	return slices.ContainsFunc(deciders(c, p, x.Now()), func(d *catalog.Party) bool { return x.subjectDigest(d) == by.Subject })
}

// ContestedParty (记录主体) gives whom a contested record is about, for the
// department that holds it; the zero value when the case knows him no more.
func (x *Exchange) ContestedParty(ctx context.Context, ref CaseRef, party, subject string) (AssistSubject, error) {
	c, err := x.Cases.Case(ctx, ref.Department, ref.Case)
	if err != nil {
		return AssistSubject{}, fmt.Errorf("read whom a record is about: %w", err)
	}
	p := c.party(party)
	if p == nil || x.subjectDigest(p) != subject {
		return AssistSubject{}, nil
	}
	return subjectOf(p), nil
}

// markDisputed marks what rests on a record whose correction is open. It settles
// all the same: docs/decisions/0019-corrections-and-previews.md.
func (x *Exchange) markDisputed(ctx context.Context, c *Case, rev *catalog.Revision, r *Resolution) error {
	if x.Records == nil {
		return nil
	}
	var subjects []string
	for i := range c.Parties {
		if digest := x.subjectDigest(&c.Parties[i]); digest != "" {
			subjects = append(subjects, digest)
		}
	}
	open, err := x.Records.OpenCorrections(ctx, subjects)
	if err != nil {
		return fmt.Errorf("read open corrections: %w", err)
	}
	for m := range r.each {
		m.Disputed = nil
		for _, ref := range open {
			if x.restsOn(c, rev, m, ref) && !slices.Contains(m.Disputed, ref.Dataset) {
				m.Disputed = append(m.Disputed, ref.Dataset)
			}
		}
		slices.Sort(m.Disputed)
	}
	return nil
}

// restsOn reports whether a material rests on a record, or on its not having been
// found.
func (x *Exchange) restsOn(c *Case, rev *catalog.Revision, m *MaterialResult, ref RecordRef) bool {
	if result, _ := m.finding(ref.Dataset); result == "" {
		return false
	}
	return slices.ContainsFunc(recordParties(c, rev, m, ref.Dataset), func(p *catalog.Party) bool { return x.subjectDigest(p) == ref.Subject })
}
