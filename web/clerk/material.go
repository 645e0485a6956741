package clerk

import (
	"net/url"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
	"mianti/web/frame"
)

// group is the materials of a case that mean the same to the applicant.
type group struct {
	ID, Title, Text, Kind string
	Items                 []materialView
}

// materialView is a material as the clerk sees it.
type materialView struct {
	Anchor, Code, Party, Name, Whose, UsedBy, Mode, From, Reason string
	Chip                                                         frame.ChipView
	AsOf                                                         *time.Time
	RetryAt, DueAt                                               *time.Time
	Records                                                      []recordView
	Attempts                                                     []attemptView
	Disputed                                                     []string
	Contests                                                     []contestView
	Evidence                                                     string // where its signed evidence is; empty for none
	Masked, Full                                                 bool
	Open                                                         bool // needs to be looked at
	Said                                                         bool // the reason stands in its line
}

type recordView struct {
	Department, Dataset, Valid, Note string
	Class, Reference                 string
	AsOf, FetchedAt                  *time.Time
	Fields                           []fieldView
}

type fieldView struct {
	Name, Value, Filled string
	Chip                *frame.ChipView // how they compare
}

type attemptView struct {
	Mode, Dataset string
	Chip          frame.ChipView
}

// contestView leads to the form by which a record is said to be wrong.
type contestView struct{ Dataset, Path string }

// groups are the materials of a resolution as the applicant sees them grouped.
func (s *screen) groups() []group {
	all := []group{
		{ID: "submit", Title: s.v.T("还要交或补充"), Text: s.v.T("请申请人提交、补充或同意的材料，每一份都写明原因。"), Kind: "bad"},
		{ID: "checking", Title: s.v.T("部门核验中"), Text: s.v.T("正在等部门、协查或前序事项，不用申请人做什么。"), Kind: "wait"},
		{ID: "settled", Title: s.v.T("不用交"), Text: s.v.T("已由部门数据、电子证照、前序结果或承诺解决。"), Kind: "good"},
		{ID: "none", Title: s.v.T("不适用"), Text: s.v.T("按本办件的情形不需要，不计入免提交。"), Kind: "none"},
	}
	for i := range s.r.Materials {
		m := &s.r.Materials[i]
		at := 0
		switch m.Outcome {
		case policies.Verifying, policies.AwaitingPrior:
			at = 1
		case policies.Settled, policies.Committed:
			at = 2
		case policies.NotApplicable:
			at = 3
		case policies.Upload, policies.Deferred, policies.NeedsConsent, policies.NeedsFact:
		}
		all[at].Items = append(all[at].Items, s.material(m))
	}
	return all
}

func partyOf(m *exchange.MaterialResult) string {
	if m.Subject == nil {
		return ""
	}
	return m.Subject.Party
}

func anchorOf(material, party string) string {
	return "m-" + strings.NewReplacer(".", "-").Replace(material) + "-" + party
}

func (s *screen) material(m *exchange.MaterialResult) materialView {
	party := partyOf(m)
	view := materialView{
		Anchor: anchorOf(m.Code, party), Code: m.Code, Party: party, Name: m.Name, Whose: s.whose(m), Chip: outcomeChip(s.v, m), Mode: modeText(s.v, m.Mode),
		Reason: m.Reason.Text, RetryAt: m.RetryAt, DueAt: m.DueAt, Full: s.shown[[2]string{m.Code, party}],
		Open: len(m.Disputed) > 0 || m.Reason.Code == policies.ReasonManualCheck,
	}
	view.Open = view.Open || view.Full
	view.Said = m.Outcome != policies.Settled && m.Outcome != policies.Committed
	var used []string
	for _, code := range m.UsedBy {
		used = append(used, s.matterOf(code))
	}
	view.UsedBy = strings.Join(used, "、")
	for _, code := range m.Disputed {
		view.Disputed = append(view.Disputed, datasetName(s.rev, code))
	}
	filled := filledIn(s.rev.Material(m.Code), s.c, party)
	var from []string
	for _, e := range m.Evidences() {
		r := s.record(&view, e, filled)
		view.Records = append(view.Records, r)
		if r.Department != "" && (len(from) == 0 || from[len(from)-1] != r.Department) {
			from = append(from, r.Department)
		}
		if view.AsOf == nil {
			view.AsOf = e.AsOf
		}
	}
	if view.From = strings.Join(from, "、"); view.From == "" && m.Department != "" {
		view.From = departmentName(s.rev, m.Department)
	}
	if m.Evidence != nil && m.Evidence.Dataset != "" && m.Evidence.Withheld == "" {
		view.Evidence = "/v1/resolutions/" + s.r.ID + "/evidence/" + url.PathEscape(m.Code)
		if party != "" {
			view.Evidence += "?" + url.Values{"party": {party}}.Encode()
		}
	}
	s.attempts(&view, m)
	return view
}

// attempts adds what was tried, and what of it can be said to be wrong.
func (s *screen) attempts(view *materialView, m *exchange.MaterialResult) {
	contested := map[string]bool{}
	for _, a := range m.Attempts {
		if a.Dataset == "" && a.Result == policies.OK {
			continue // nobody was asked
		}
		shown := attemptView{Mode: modeText(s.v, a.Mode), Chip: resultChip(s.v, string(a.Result))}
		if a.Dataset != "" {
			shown.Dataset = datasetName(s.rev, a.Dataset)
		}
		view.Attempts = append(view.Attempts, shown)
		found := a.Result == policies.OK || a.Result == policies.NotFound || a.Result == policies.Mismatch || a.Result == policies.Expired || a.Result == policies.Multiple
		if a.Dataset == "" || !found || contested[a.Dataset] || !s.c.ClosedAt.IsZero() || !s.hasRecords(partyOf(m)) {
			continue
		}
		contested[a.Dataset] = true
		view.Contests = append(view.Contests, contestView{
			Dataset: datasetName(s.rev, a.Dataset),
			Path:    casePath(s.c.ID) + "/correction?" + url.Values{"material": {m.Code}, "party": {partyOf(m)}, "dataset": {a.Dataset}}.Encode(),
		})
	}
}

// hasRecords reports whether a party has a number by which a record of it is found.
func (s *screen) hasRecords(id string) bool {
	for i := range s.c.Parties {
		if p := &s.c.Parties[i]; p.ID == id {
			return p.Number != ""
		}
	}
	return true
}

// record shows what one record said, and holds it against what was filled in.
func (s *screen) record(view *materialView, e *exchange.Evidence, filled map[[2]string]comparison) recordView {
	r := recordView{Valid: e.ValidUntil, AsOf: e.AsOf, FetchedAt: e.FetchedAt, Note: recordNote(s.v, e)}
	if e.Department != "" {
		r.Department = departmentName(s.rev, e.Department)
	}
	if e.Dataset != "" {
		r.Dataset = datasetName(s.rev, e.Dataset)
	}
	if e.Reference != "" {
		r.Reference, _ = s.masking.show(s.v, "", e.Reference, view.Full)
	}
	dataset := s.rev.Dataset(e.Dataset)
	if dataset == nil {
		return r
	}
	for i := range dataset.Fields {
		field := &dataset.Fields[i]
		value, there := e.Fields[field.Code]
		if !there {
			continue
		}
		f := fieldView{Name: field.Name}
		var hidden bool
		f.Value, hidden = s.masking.show(s.v, field.Code, value, view.Full)
		view.Masked = view.Masked || hidden
		if against, compared := filled[[2]string{catalog.Alias(e.Dataset), field.Code}]; compared {
			f.Filled, hidden = s.masking.show(s.v, field.Code, against.filled, view.Full)
			view.Masked = view.Masked || hidden
			chip := frame.ChipView{Kind: "ask", Text: s.v.T("写法不同")}
			if text, _ := value.(string); against.same(text, against.filled) {
				chip = frame.ChipView{Kind: "good", Text: s.v.T("一致")}
			}
			f.Chip = &chip
		}
		r.Fields = append(r.Fields, f)
	}
	return r
}

// recordNote says why a record shows no values.
func recordNote(v *frame.Visit, e *exchange.Evidence) string {
	switch {
	case e.Withheld != "":
		return v.T("所依据的授权或同意已不再有效，不再显示数据项；结论不变。")
	case e.Removed:
		return v.T("事项已办结，数据项已移除。")
	case e.YesNo:
		return v.T("只返回是否相符，不返回数据项。")
	case len(e.Fields) == 0 && e.Dataset != "":
		return v.T("没有可以显示的数据项。")
	}
	return ""
}

// whose says whose material it is: the role, and the party with its name masked.
func (s *screen) whose(m *exchange.MaterialResult) string {
	if m.Subject == nil {
		return ""
	}
	name := m.Subject.Role
	if role := s.rev.Role(m.Subject.Role); role != nil {
		name = role.Name
	}
	for i := range s.c.Parties {
		if p := &s.c.Parties[i]; p.ID == m.Subject.Party {
			if s.full[p.ID] {
				return name + " " + p.Name
			}
			return name + " " + maskedName(p)
		}
	}
	return name
}

// matterOf names the matter that asks for a material.
func (s *screen) matterOf(material string) string {
	for _, m := range s.r.Matters {
		if strings.HasPrefix(material, m.Code+".") {
			return m.Name
		}
	}
	return material
}

func optionLabel(options []catalog.Option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}
