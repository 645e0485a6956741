package exchange

import (
	"context"
	"fmt"
	"strings"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Handing is a paper that the applicant handed in.
type Handing struct {
	Material string
	Party    string // id in the case; empty for the case's own
	Digest   string // of the file
}

// HandIn records that a paper of the case was handed in after all. Another
// case of the same subject may reuse it, where the catalog allows that.
func (x *Exchange) HandIn(ctx context.Context, by policies.Caller, id string, in Handing) error {
	c, rev, err := x.liveCase(ctx, by, id)
	if err != nil {
		return err
	}
	plan, err := x.plan(rev, c)
	if err != nil {
		return err
	}
	requirement := findRequirement(plan, in)
	if requirement == nil {
		return fault.New(fault.Invalid, "unknown-material", "本办件没有这个当事人的这项材料。").
			With(fault.Detail{Location: "body.material", Code: "unknown-material", Message: "请对照核验结果中的 code 与 subject.party。"})
	}
	entry := x.entry(ledger.PaperHandedIn, by, c)
	entry.Material, entry.Digest = in.Material, ledger.Digest(c.Salt, in.Digest)
	x.about(&entry, c, requirement.Party)
	return x.Submissions.HandIn(ctx, &Submission{
		Case: c.ID, Material: in.Material, StandardMaterial: requirement.StandardMaterial,
		Subject: x.subjectKey(c, requirement.Party), Digest: in.Digest, At: entry.At,
	}, entry)
}

func findRequirement(plan *catalog.Plan, in Handing) *catalog.Requirement {
	for _, r := range plan.Requirements {
		party := ""
		if r.Party != nil {
			party = r.Party.ID
		}
		if party != in.Party || r.Applies != catalog.True {
			continue
		}
		for _, code := range r.UsedBy() {
			if code == in.Material {
				return r
			}
		}
	}
	return nil
}

// handed gives the papers that the subjects of the case handed in before, with
// the ids that they have in this case.
func (x *Exchange) handed(ctx context.Context, c *Case) ([]policies.Handed, error) {
	byKey := map[string]string{x.subjectKey(c, nil): ""}
	keys := []string{x.subjectKey(c, nil)}
	for i := range c.Parties {
		if c.Parties[i].Number == "" {
			continue
		}
		key := x.subjectKey(c, &c.Parties[i])
		byKey[key] = c.Parties[i].ID
		keys = append(keys, key)
	}
	submissions, err := x.Submissions.HandedIn(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read submissions: %w", err)
	}
	out := make([]policies.Handed, 0, len(submissions))
	for _, s := range submissions {
		if s.Case == c.ID { // handed in for this very case: not "before"
			continue
		}
		out = append(out, policies.Handed{
			StandardMaterial: s.StandardMaterial, Material: s.Material, Party: byKey[s.Subject],
			On: today(s.At), Digest: s.Digest,
		})
	}
	return out, nil
}

// subjectKey is the keyed digest by which papers of a party are found again in
// a later case. A case's own papers are its applicant's. It is keyed with the
// exchange's own key, so that the table tells nothing to who reads it.
func (x *Exchange) subjectKey(c *Case, party *catalog.Party) string {
	if party == nil {
		party = catalog.PartyIn(c.Parties, "applicant")
		if party == nil || party.Number == "" {
			return "case:" + c.ID
		}
		return "own:" + x.SubjectOf(party.Kind, party.Number)
	}
	return x.SubjectOf(party.Kind, party.Number)
}

// SubjectOf is the keyed digest by which whatever is kept about a person or body
// across cases is found. Without the exchange's key it tells nothing.
func (x *Exchange) SubjectOf(kind catalog.PartyKind, number string) string {
	return ledger.Digest(x.SubjectKey, string(kind)+"|"+strings.ToUpper(number))
}
