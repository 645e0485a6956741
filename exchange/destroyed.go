package exchange

import (
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Destruction (销毁) says when what is kept of a case was destroyed, and why. What
// was concluded, and the ledger, remain.
type Destruction struct {
	At  time.Time    `json:"at" doc:"销毁时间"`
	Why DestroyedFor `json:"why" enum:"purpose_done,term_ended" doc:"purpose_done: 使用目的已经完成; term_ended: 保存期限届满"`
}

// DestroyedFor (销毁原因) is why the content of a case is destroyed.
type DestroyedFor string

// The reasons: what was obtained is disposed of when its purpose is done
// (政务数据共享条例, art. 27), and nothing is kept for ever (个人信息保护法, art. 19).
const (
	PurposeDone DestroyedFor = "purpose_done"
	TermEnded   DestroyedFor = "term_ended"
)

// Text says it in words.
func (d DestroyedFor) Text() string {
	if d == PurposeDone {
		return "使用目的已经完成"
	}
	return "保存期限届满"
}

// CaseDestroyed is the failure of whatever needs the content of a case that was
// destroyed: a fault.Gone.
func CaseDestroyed(d Destruction) error {
	return fault.New(fault.Gone, "case-destroyed",
		"办件的内容已于 %s 按期销毁（%s），不能恢复，也不能再办理。各项材料的结论与使用记录仍可查询；确需继续办理的，请以新的办件编号登记办件。",
		d.At.In(catalog.TimeZone()).Format("2006-01-02 15:04"), d.Why.Text())
}

// Outline (结论概要) is what remains of a resolution whose case was destroyed: what
// was concluded of each material, by whom and on what basis, and no value, number,
// proof or word that came from a record. A digest of a record could be guessed
// from; it is kept as a digest under the case's salt.
func (r *Resolution) Outline(salt []byte, d Destruction) *Resolution {
	out := *r
	out.RetryAt, out.Destroyed, out.Questions = nil, &d, []Question{}
	out.Materials = make([]MaterialResult, len(r.Materials))
	for i := range r.Materials {
		out.Materials[i] = r.Materials[i].outline(salt)
	}
	return &out
}

func (m *MaterialResult) outline(salt []byte) MaterialResult {
	out := MaterialResult{
		Code: m.Code, UsedBy: m.UsedBy, Name: m.Name, StandardMaterial: m.StandardMaterial, Subject: m.Subject, SamePaper: m.SamePaper,
		Outcome: m.Outcome, Mode: m.Mode, Reason: Reason{Code: m.Reason.Code}, Attempts: make([]Attempt, len(m.Attempts)), Questions: []Question{},
		Prior: m.Prior, Department: m.Department,
	}
	for i, a := range m.Attempts {
		out.Attempts[i] = Attempt{Mode: a.Mode, Dataset: a.Dataset, Result: a.Result, Millis: a.Millis, Detail: a.codes()}
	}
	for i, e := range m.Evidences() {
		outlined := e.outline(salt)
		if i == 0 && m.Evidence != nil {
			out.Evidence = &outlined
			continue
		}
		out.Supporting = append(out.Supporting, outlined)
	}
	return out
}

// codes is the detail of an attempt that was denied: the reasons of a decision.
// Any other may name what was compared.
func (a Attempt) codes() string {
	if a.Result == policies.NoGrant || a.Result == policies.NoConsent {
		return a.Detail
	}
	return ""
}

func (e *Evidence) outline(salt []byte) Evidence {
	out := Evidence{
		Dataset: e.Dataset, Department: e.Department, Source: e.Source, AsOf: e.AsOf, FetchedAt: e.FetchedAt, YesNo: e.YesNo,
		Grant: e.Grant, Consent: e.Consent, Basis: e.Basis, Withheld: WithheldDestroyed,
	}
	if e.Digest != "" {
		out.Digest = ledger.Digest(salt, e.Digest)
	}
	return out
}
