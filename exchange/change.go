package exchange

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Change is what becomes known of a case after it was opened.
type Change struct {
	Facts map[string]any // null makes a fact unknown again
	// Parties are added, or replace those of the same id.
	Parties []catalog.Party
}

// ChangeCase adds or changes facts and parties of a case. Either all of it is
// stored or nothing.
func (x *Exchange) ChangeCase(ctx context.Context, by policies.Caller, id string, in Change) (*Case, error) {
	c, rev, err := x.liveCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	given, unset := splitUnset(in.Facts)
	facts, details := rev.ParseFacts(given)
	for _, code := range unset {
		if rev.Fact(code) == nil {
			details = append(details, fault.Detail{Location: "facts." + code, Code: "unknown-fact", Message: "目录中没有这个情形，请核对情形代码"})
		}
	}
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
	for _, code := range unset {
		delete(c.Facts, code)
	}
	before := x.everybody(c) // a party that is replaced is told that it was
	relayed, err := x.changeParties(ctx, by, c, rev, parties)
	if err != nil {
		return nil, err
	}
	c.UpdatedAt = x.Now().UTC()
	x.noteDone(rev, c)
	changed := x.entry(ledger.FactsChanged, by, c)
	changed.Concerns = append(before, x.everybody(c)...)
	entries := append([]ledger.Entry{changed}, relayed...)
	if err := x.Cases.UpdateCase(ctx, c, entries...); err != nil {
		return nil, fmt.Errorf("change case: %w", err)
	}
	return c, nil
}

// changeParties puts the parties into a case whose facts are changed, with what
// they say of look-ups, and ends the requests for a consent that no longer fit.
func (x *Exchange) changeParties(ctx context.Context, by policies.Caller, c *Case, rev *catalog.Revision, parties []catalog.Party) ([]ledger.Entry, error) {
	before := c.Parties
	c.Parties = parties
	relayed, err := x.relay(by, c, before)
	if err != nil {
		return nil, err
	}
	s, _, err := x.situation(ctx, rev, c)
	if err != nil {
		return nil, err
	}
	return relayed, x.supersede(c, s)
}

// splitUnset takes out the facts that are null: they are unknown again.
func splitUnset(facts map[string]any) (given map[string]any, unset []string) {
	given = map[string]any{}
	for code, value := range facts {
		if value == nil {
			unset = append(unset, code)
			continue
		}
		given[code] = value
	}
	return given, unset
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
func (x *Exchange) ReportResult(ctx context.Context, by policies.Caller, id string, in MatterResult) (*Case, error) {
	c, rev, err := x.liveCase(ctx, by, id)
	if err != nil {
		return nil, err
	}
	in.ReportedAt = x.Now().UTC()
	in.HolderNumber = strings.ToUpper(strings.TrimSpace(in.HolderNumber))
	if len(in.Fields) == 0 {
		in.Fields = nil // none is none, however it was written
	}
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
	x.noteDone(rev, c)
	entry := x.entry(ledger.ResultReported, by, c)
	entry.Matter, entry.Result, entry.Concerns = in.Matter, string(in.Outcome), x.everybody(c)
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
	return fault.New(fault.Conflict, "result-conflict", "该事项的办理结果已经登记，且与这次不同；已登记的结果不能更改。确需更正的，请以新的办件编号重新登记办件。")
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
	case catalog.StateStopped:
		return fault.New(fault.Conflict, "prior-matter-not-granted", "它的前序事项未获批准，本事项已中止，不能登记结果。")
	case catalog.StateWaiting:
		return fault.New(fault.Conflict, "prior-matter-not-granted", "它的前序事项尚未办结，不能先登记结果。")
	}
	if in.Party != "" && c.party(in.Party) == nil {
		return fault.New(fault.Invalid, "invalid-result", "办理结果有 1 处不符合要求，没有登记任何内容。").
			With(fault.Detail{Location: "body.party", Code: "unknown-party", Message: "本办件没有这个 id 的当事人。"})
	}
	if err := checkReportDates(in, today(x.Now())); err != nil {
		return err
	}
	return checkReportFields(rev, planned.Matter, in)
}

// checkReportDates refuses what no document can bear.
func checkReportDates(in MatterResult, today time.Time) error {
	var wrong []fault.Detail
	if in.IssuedOn > today.Format(time.DateOnly) {
		wrong = append(wrong, fault.Detail{Location: "body.issued_on", Code: "future-date", Message: "签发日期不能晚于今天。"})
	}
	if in.ValidUntil != "" && in.ValidUntil < in.IssuedOn {
		wrong = append(wrong, fault.Detail{Location: "body.valid_until", Code: "ends-before-it-begins", Message: "有效期止不能早于签发日期。"})
	}
	if !plain(in.Number) {
		wrong = append(wrong, fault.Detail{Location: "body.number", Code: "invisible-characters", Message: "编号含有不可见字符，请删除。"})
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "invalid-result", "办理结果有 %d 处不符合要求，没有登记任何内容。", len(wrong)).With(wrong...)
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
// result brought. Where several have none it cannot be told whose it is.
func registered(parties []catalog.Party, number string) []catalog.Party {
	out := slices.Clone(parties)
	isNew := func(p catalog.Party) bool {
		return p.In("applicant") && p.Kind == catalog.KindOrganization && p.Number == ""
	}
	at := slices.IndexFunc(out, isNew)
	if at < 0 || slices.ContainsFunc(out[at+1:], isNew) {
		return out
	}
	out[at].Number = number
	return out
}

// caseAtRevision loads a case and the revision that it keeps.
func (x *Exchange) caseAtRevision(ctx context.Context, by policies.Caller, id string) (*Case, *catalog.Revision, error) {
	return x.atRevision(ctx, by, id, nil)
}

// atRevision is caseAtRevision, of a case that has been read already or not.
func (x *Exchange) atRevision(ctx context.Context, by policies.Caller, id string, c *Case) (*Case, *catalog.Revision, error) {
	if c == nil {
		var err error
		if c, err = x.Cases.Case(ctx, by.Department, id); err != nil {
			return nil, nil, fmt.Errorf("load case: %w", err)
		}
	}
	rev, err := x.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, nil, fmt.Errorf("load case: %w", err)
	}
	return c, rev, nil
}
