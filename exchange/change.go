package exchange

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
)

// Change is what becomes known of a case after it was opened.
type Change struct {
	Facts map[string]any
	// Parties are added, or replace those of the same id.
	Parties []catalog.Party
}

// ChangeCase adds or changes facts and parties of a case. Either all of it is
// stored or nothing.
func (x *Exchange) ChangeCase(ctx context.Context, by Caller, id string, in Change) (*Case, error) {
	c, rev, err := x.caseAtRevision(ctx, by, id)
	if err != nil {
		return nil, err
	}
	facts, details := rev.ParseFacts(in.Facts)
	wrong := inBody(details)
	parties := mergeParties(c.Parties, in.Parties)
	if len(in.Parties) > 0 {
		wrong = append(wrong, checkParties(rev, parties)...)
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "invalid-facts", "有 %d 处不符合要求，没有更改任何内容。", len(wrong)).With(wrong...)
	}
	c.Facts = maps.Clone(c.Facts)
	maps.Copy(c.Facts, facts)
	c.Parties = parties
	if _, err := x.plan(rev, c); err != nil {
		return nil, err
	}
	c.UpdatedAt = x.Now().UTC()
	if err := x.Cases.UpdateCase(ctx, c, x.entry(ledger.FactsChanged, by, c)); err != nil {
		return nil, fmt.Errorf("change case: %w", err)
	}
	return c, nil
}

func mergeParties(have, changed []catalog.Party) []catalog.Party {
	merged := slices.Clone(have)
	for _, p := range changed {
		at := slices.IndexFunc(merged, func(q catalog.Party) bool { return q.ID == p.ID })
		if at < 0 {
			merged = append(merged, p)
			continue
		}
		merged[at] = p
	}
	return merged
}

// ReportResult records that a matter of the case was granted or refused. The
// same report again changes nothing; another one for the same matter is a
// conflict.
func (x *Exchange) ReportResult(ctx context.Context, by Caller, id string, in MatterResult) (*Case, error) {
	c, rev, err := x.caseAtRevision(ctx, by, id)
	if err != nil {
		return nil, err
	}
	in.ReportedAt = x.Now().UTC()
	if earlier := c.result(in.Matter); earlier != nil {
		return c, sameReport(*earlier, in)
	}
	if err := x.checkReport(rev, c, in); err != nil {
		return nil, err
	}
	c.Results = append(slices.Clone(c.Results), in)
	if in.Outcome == catalog.Granted && in.HolderNumber != "" {
		c.Parties = registered(c.Parties, in.HolderNumber)
	}
	c.UpdatedAt = in.ReportedAt
	entry := x.entry(ledger.ResultReported, by, c)
	entry.Matter, entry.Result = in.Matter, string(in.Outcome)
	if err := x.Cases.UpdateCase(ctx, c, entry); err != nil {
		return nil, fmt.Errorf("report result: %w", err)
	}
	return c, nil
}

func (c *Case) result(matter string) *MatterResult {
	for i := range c.Results {
		if c.Results[i].Matter == matter {
			return &c.Results[i]
		}
	}
	return nil
}

func sameReport(earlier, in MatterResult) error {
	in.ReportedAt = earlier.ReportedAt
	if reflect.DeepEqual(earlier, in) {
		return nil
	}
	return fault.New(fault.Conflict, "result-conflict", "该事项的办理结果已经登记，且与这次不同。")
}

func (x *Exchange) checkReport(rev *catalog.Revision, c *Case, in MatterResult) error {
	plan, err := x.plan(rev, c)
	if err != nil {
		return err
	}
	planned := plan.Matter(in.Matter)
	if planned == nil {
		return fault.New(fault.Invalid, "unknown-matter", "本办件没有这个事项。").
			With(fault.Detail{Location: "body.matter", Code: "unknown-matter", Message: "本办件没有这个事项代码。"})
	}
	switch planned.State {
	case catalog.StateSkipped:
		return fault.New(fault.Conflict, "matter-not-applicable", "按已知情形，本办件不涉及这个事项。")
	case catalog.StateWaiting, catalog.StateStopped:
		return fault.New(fault.Conflict, "prior-matter-not-granted", "它的前序事项尚未办结，不能先登记结果。")
	}
	return checkReportFields(rev, planned.Matter, in)
}

// checkReportFields holds the reported fields against the dataset in which the
// result is registered.
func checkReportFields(rev *catalog.Revision, m *catalog.Matter, in MatterResult) error {
	if in.HolderNumber != "" {
		p := catalog.Party{Kind: catalog.KindOrganization, Number: in.HolderNumber}
		if wrong := checkNumber("body", &p); len(wrong) > 0 {
			wrong[0].Location = "body.holder_number"
			return fault.New(fault.Invalid, "invalid-result", "统一社会信用代码不正确。").With(wrong...)
		}
	}
	dataset := rev.Dataset(m.Result.Dataset)
	var wrong []fault.Detail
	for _, code := range slices.Sorted(maps.Keys(in.Fields)) {
		if dataset == nil || dataset.Field(code) == nil {
			wrong = append(wrong, fault.Detail{Location: "body.fields." + code, Code: "unknown-field", Message: "结果所登记的数据资源没有这个数据项。"})
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "invalid-result", "办理结果有 %d 处不符合要求。", len(wrong)).With(wrong...)
	}
	return nil
}

// registered gives the applicant that had no number yet the one that the
// result brought.
func registered(parties []catalog.Party, number string) []catalog.Party {
	out := slices.Clone(parties)
	for i := range out {
		if out[i].In("applicant") && out[i].Kind == catalog.KindOrganization && out[i].Number == "" {
			out[i].Number = number
		}
	}
	return out
}

// caseAtRevision loads a case and the revision that it keeps.
func (x *Exchange) caseAtRevision(ctx context.Context, by Caller, id string) (*Case, *catalog.Revision, error) {
	c, err := x.Cases.Case(ctx, by.Department, id)
	if err != nil {
		return nil, nil, fmt.Errorf("load case: %w", err)
	}
	rev, err := x.Catalogs.Revision(ctx, c.Revision)
	if err != nil {
		return nil, nil, fmt.Errorf("load case: %w", err)
	}
	return c, rev, nil
}
