package exchange

import (
	"context"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/evidence"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// EvidenceSigner signs what settled a material.
type EvidenceSigner interface {
	// SignEvidence gives the envelope of a statement. It names the issuer.
	SignEvidence(ctx context.Context, s evidence.Statement) (string, error)
}

// Issue (凭据出具) is the evidence of a resolution in its last version.
type Issue struct {
	Resolution string
	Version    int
	Items      []IssuedEvidence
}

// IssuedEvidence (已出具凭据) is one record that settled a material, signed; or a
// settled material that needs none.
type IssuedEvidence struct {
	Material *MaterialResult
	Evidence *Evidence // nil where a material is settled without a record
	// Token is the signed envelope; empty where Evidence is nil, withheld or removed.
	Token string
}

func evidenceWithheld() error {
	return fault.New(fault.Conflict, "evidence-withheld", "这项材料的凭据所依据的共享授权或授权同意已不再有效，因此不再出具。此前出具的凭据仍可核对；需要新的，请重新核验。")
}

func evidenceRemoved() error {
	return fault.New(fault.Conflict, "evidence-removed", "事项已办结，这份凭据的数据项已经移除，不能再出具。请使用办结前出具的凭据。")
}

func evidenceUnsigned() error {
	return fault.New(fault.Conflict, "evidence-unsigned", "这份核验结果产生于凭据可以签名之前，没有可以出具的凭据。请重新核验。")
}

func noEvidence() error {
	return fault.New(fault.Conflict, "no-evidence", "这项材料没有凭据：它没有由部门记录核实。请查看核验结果中的结论。")
}

func evidenceAltered() error {
	return fault.New(fault.Conflict, "evidence-altered", "保存的凭据与其摘要不符，没有出具。请联系运维人员核对存证。")
}

// IssueEvidence signs what settled the materials of a resolution, for the archive
// of the department whose case it is (国务院令第716号, art. 12). It is recorded
// before it is given. What rests on a right that has ended is not issued, nor
// what is not what its digest says.
func (x *Exchange) IssueEvidence(ctx context.Context, by policies.Caller, resolution string) (*Issue, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, resolution)
	if err != nil {
		return nil, fmt.Errorf("issue evidence: %w", err)
	}
	everything := func(*MaterialResult) bool { return true }
	return x.issue(ctx, by, r, "", everything, func(*Issue) error { return nil })
}

// IssueMaterialEvidence does the same for one material of one party; party is
// empty for the case's own. It is a fault when any of it cannot be issued.
func (x *Exchange) IssueMaterialEvidence(ctx context.Context, by policies.Caller, resolution, material, party string) (*Issue, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, resolution)
	if err != nil {
		return nil, fmt.Errorf("issue evidence: %w", err)
	}
	wanted := func(m *MaterialResult) bool { return m.party() == party && slices.Contains(m.UsedBy, material) }
	if !slices.ContainsFunc(r.Materials, func(m MaterialResult) bool { return wanted(&m) }) {
		return nil, fault.New(fault.NotFound, "unknown-material", "这份核验结果里没有这项材料，或它不是这个当事人的。")
	}
	return x.issue(ctx, by, r, material, wanted, (*Issue).whole)
}

// whole refuses an issue of which any part cannot be given.
func (i *Issue) whole() error {
	for _, item := range i.Items {
		switch e := item.Evidence; {
		case e == nil:
			return noEvidence()
		case e.Withheld != "":
			return evidenceWithheld()
		case e.Removed:
			return evidenceRemoved()
		case e.Nonce == "":
			return evidenceUnsigned()
		}
	}
	if len(i.Items) == 0 {
		return noEvidence()
	}
	return nil
}

func (x *Exchange) issue(ctx context.Context, by policies.Caller, r *Resolution, material string, wanted func(*MaterialResult) bool, check func(*Issue) error) (*Issue, error) {
	c, rev, err := x.caseAtRevision(ctx, by, r.Case)
	if err != nil {
		return nil, err
	}
	if err := x.withholdNow(ctx, by.Department, r); err != nil {
		return nil, fmt.Errorf("issue evidence: %w", err)
	}
	out := settledOf(r, wanted)
	if err := check(out); err != nil {
		return nil, err
	}
	if err := x.recordIssue(ctx, by, c, r, material, out); err != nil {
		return nil, err
	}
	// Once more, and last: what ended meanwhile is not given out.
	if err := x.withholdNow(ctx, by.Department, r); err != nil {
		return nil, fmt.Errorf("issue evidence: %w", err)
	}
	if err := check(out); err != nil {
		return nil, err
	}
	for i := range out.Items {
		item := &out.Items[i]
		if item.Evidence == nil || !item.Evidence.issuable() {
			continue
		}
		if item.Token, err = x.sign(ctx, c, rev, r, item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settledOf lists the records that settled the wanted materials.
func settledOf(r *Resolution, wanted func(*MaterialResult) bool) *Issue {
	out := &Issue{Resolution: r.ID, Version: r.Version}
	for i := range r.Materials {
		m := &r.Materials[i]
		if m.Outcome != policies.Settled || !wanted(m) {
			continue
		}
		evidences := m.Evidences()
		if len(evidences) == 0 {
			out.Items = append(out.Items, IssuedEvidence{Material: m})
		}
		for _, e := range evidences {
			out.Items = append(out.Items, IssuedEvidence{Material: m, Evidence: e})
		}
	}
	return out
}

// party is whose the first item is; empty for the case's own.
func (i *Issue) party() string {
	if len(i.Items) == 0 {
		return ""
	}
	return i.Items[0].Material.party()
}

func (x *Exchange) recordIssue(ctx context.Context, by policies.Caller, c *Case, r *Resolution, material string, out *Issue) error {
	e := x.entry(ledger.EvidenceIssued, by, c)
	e.Resolution, e.Version, e.Ruleset, e.Material = r.ID, r.Version, r.Ruleset, material
	e.Concerns = x.everybody(c)
	if party := c.party(out.party()); material != "" && party != nil {
		x.about(&e, c, party)
	}
	for _, item := range out.Items {
		if item.Evidence != nil && item.Evidence.issuable() {
			e.Evidence = append(e.Evidence, item.Evidence.Digest)
		}
	}
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return notRecorded(err)
	}
	return nil
}

// sign signs one record, if it is what its digest says.
func (x *Exchange) sign(ctx context.Context, c *Case, rev *catalog.Revision, r *Resolution, item *IssuedEvidence) (string, error) {
	m, record := item.Material, item.Evidence.record()
	digest, err := record.Digest()
	if err != nil {
		return "", fmt.Errorf("issue evidence: %w", err)
	}
	if digest != item.Evidence.Digest {
		x.Log.ErrorContext(ctx, "an evidence is not what its digest says", "resolution", r.ID, "material", m.Code)
		return "", evidenceAltered()
	}
	s := evidence.Statement{
		IssuedAt: x.Now().Unix(), Department: c.Department, Case: c.ID, CaseNumber: c.Number, Matters: mattersOf(rev, m.UsedBy), Materials: m.UsedBy,
		Name: m.Name, Party: m.party(), Mode: string(m.Mode), Resolution: r.ID, Version: r.Version, ResolvedAt: evidence.Time(&r.ResolvedAt),
		Revision: r.Revision, Ruleset: r.Ruleset, Evidence: *record, Digest: digest,
	}
	if m.Subject != nil {
		s.Role = m.Subject.Role
	}
	token, err := x.Evidence.SignEvidence(ctx, s)
	if err != nil {
		return "", fmt.Errorf("issue evidence: %w", err)
	}
	return token, nil
}

// mattersOf are the matters that materials belong to, each once.
func mattersOf(rev *catalog.Revision, materials []string) []string {
	out := []string{}
	for _, code := range materials {
		if m := rev.MatterOf(code); m != nil && !slices.Contains(out, m.Code) {
			out = append(out, m.Code)
		}
	}
	return out
}
