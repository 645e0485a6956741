package exchange

import (
	"fmt"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/policies"
)

// reasonText says in the applicant's language why the outcome is what it is.
// It names departments and records, never a value.
func reasonText(s *policies.Situation, r *catalog.Requirement, settled policies.Settlement) string {
	switch settled.Outcome {
	case policies.Settled:
		return settledText(s, settled)
	case policies.Committed:
		return "由申请人书面承诺代替，不再提交。"
	case policies.Deferred:
		return fmt.Sprintf("%s可容缺受理，请在 %d 个工作日内补交。", because(s, settled), settled.DueDays)
	case policies.Verifying:
		return verifyingText(s, settled)
	case policies.AwaitingPrior:
		return awaitingText(s, settled)
	case policies.NeedsConsent:
		if settled.Reason == policies.ReasonPreviewAwaited {
			return "已查到。本人（未满十四周岁的由监护人）查看并放行之后，审批部门才得到内容；也可以选择自行提交，或到窗口提交纸质材料。"
		}
		return "查询需要本人（未满十四周岁的由监护人）同意，尚未得到答复。同意后自动核验；不同意则自行提交。"
	case policies.NeedsFact:
		return "还需要回答：" + strings.Join(asks(s.Catalog, settled.Questions), "；") + "。"
	case policies.NotApplicable:
		return notApplicableText(settled)
	default:
		return because(s, settled) + uploadText(r, settled)
	}
}

func notApplicableText(settled policies.Settlement) string {
	if settled.Reason == policies.ReasonMatterDecided {
		return "事项已办结，不再核验，也无需提交。"
	}
	return "按所填情形不需要。"
}

// uploadText asks for the paper by name. Where only a source was away, waiting
// is a choice too.
func uploadText(r *catalog.Requirement, settled policies.Settlement) string {
	if settled.Reason == policies.ReasonCode(policies.SourceDown) {
		return "可稍后重新核验，或先上传《" + r.Material().Name + "》。"
	}
	return "请上传《" + r.Material().Name + "》。"
}

func settledText(s *policies.Situation, settled policies.Settlement) string {
	switch settled.Reason {
	case policies.ReasonGenerated:
		return "由在线表单自动生成，无需提交。"
	case policies.ReasonCancelled:
		return "该材料已取消，不再收取。"
	case policies.ReasonConfirmed:
		return "已由" + departmentName(s.Catalog, settled.Evidence[0].Department) + "协查确认，无需提交。"
	case policies.ReasonReused:
		return "沿用此前提交且仍有效的同一材料。"
	case policies.ReasonPriorResult:
		return "由前序事项的办理结果自动取得（" + matterNames(s, settled) + "）。"
	}
	verb := "已核验"
	if settled.Reason == policies.ReasonLicenceValid {
		verb = "已调取电子证照"
	}
	var from []string
	for _, e := range settled.Evidence {
		from = append(from, departmentName(s.Catalog, e.Department)+"《"+datasetName(s.Catalog, e.Dataset)+"》")
	}
	return verb + "：" + strings.Join(from, "、") + "，无需提交。"
}

func matterNames(s *policies.Situation, settled policies.Settlement) string {
	var names []string
	for _, e := range settled.Evidence {
		code := strings.TrimPrefix(e.Source, "prior:")
		if m := s.Catalog.Matter(code); m != nil {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, "、")
}

func verifyingText(s *policies.Situation, settled policies.Settlement) string {
	switch settled.Reason {
	case policies.ReasonAssist:
		return because(s, settled) + "已向" + departmentName(s.Catalog, settled.Department) + "发起协查，" + deadlineText(settled) + "申请人无需提交。"
	case policies.ReasonSourceRetry:
		return because(s, settled) + "系统会自动再次核验，申请人无需提交。"
	default:
		return because(s, settled) + "由经办人员核实，申请人无需提交。"
	}
}

// deadlineText says until when an officer has time: the last minute of a
// working day.
func deadlineText(settled policies.Settlement) string {
	if settled.DueAt.IsZero() {
		return ""
	}
	last := settled.DueAt.Add(-time.Second).In(catalog.TimeZone())
	return fmt.Sprintf("最迟 %d 月 %d 日答复，答复后自动继续核验，", last.Month(), last.Day())
}

func awaitingText(s *policies.Situation, settled policies.Settlement) string {
	var names []string
	for _, code := range settled.Prior {
		if m := s.Catalog.Matter(code); m != nil {
			names = append(names, "「"+m.Name+"」")
		}
	}
	if settled.Reason == policies.ReasonPriorRefused {
		return "前序事项" + strings.Join(names, "、") + "未获批准，本项中止，无需提交。"
	}
	return "待前序事项" + strings.Join(names, "、") + "办结后自动取得，无需提交。"
}

// because says what the last attempt that failed found; empty when nothing was
// tried.
func because(s *policies.Situation, settled policies.Settlement) string {
	if settled.Reason == policies.ReasonChosePaper {
		return "本人看过查到的内容，选择自行提交。"
	}
	for i := len(settled.Attempts) - 1; i >= 0; i-- {
		a := settled.Attempts[i]
		if a.Result == policies.OK {
			continue
		}
		if a.Mode == catalog.ModeAssist {
			return assistFailureText(a)
		}
		if a.Dataset == "" {
			continue
		}
		dataset := s.Catalog.Dataset(a.Dataset)
		return failureText(departmentName(s.Catalog, dataset.Department), dataset.Name, a)
	}
	switch settled.Reason {
	case policies.ReasonApplicantOnly:
		return "该材料由申请人自备，没有部门可以提供。"
	case policies.ReasonNoSource:
		return "目前没有部门共享该材料。"
	}
	return ""
}

func assistFailureText(a policies.Attempt) string {
	switch {
	case a.Detail == policies.DetailOverdue:
		return "协查部门未在期限内答复，已催办。"
	case a.Result == policies.NotFound:
		return "协查部门答复没有这样的记录。"
	case a.Result == policies.Mismatch:
		return "协查部门未能确认。"
	default:
		return "协查暂时未能发起。"
	}
}

func failureText(department, dataset string, a policies.Attempt) string {
	record := department + "《" + dataset + "》"
	if a.Detail == policies.DetailNoNumber {
		return "当事人没有可供查询的登记号码，未向" + department + "查询。"
	}
	switch a.Result {
	case policies.NotFound:
		return record + "没有查到姓名或名称与号码都相符的记录（数据可能尚未归集），请先核对所填内容。"
	case policies.Expired:
		return record + "记录已过有效期或已失效。"
	case policies.Mismatch:
		if a.Detail == policies.DetailName {
			return record + "登记的姓名或名称与所填不一致，请核对所填内容。"
		}
		return record + "与所需条件不一致（" + a.Detail + "），需人工确认。"
	case policies.Multiple:
		return record + "查到多条记录，不能确定是哪一条。"
	case policies.NoGrant:
		return denialText(record, a)
	case policies.NoConsent:
		return "本人不同意查询" + record + "。"
	case policies.Stale:
		return record + "的数据已超过允许的时效。"
	case policies.SourceDown:
		return department + sourceText(a.Detail)
	default:
		return record + "未能核验。"
	}
}

// denialText says why nobody was asked.
func denialText(record string, a policies.Attempt) string {
	switch {
	case a.Denied(policies.SystemIsStopped, policies.DatasetIsStopped, policies.GrantIsStopped):
		return record + "的共享已暂停使用，未作查询。"
	case a.Denied(policies.DatasetWithheld, policies.FieldWithheld):
		return record + "依法不予共享，未作查询。"
	case a.Denied(policies.BasisMissing):
		return "查询" + record + "没有法定依据，未作查询。"
	default:
		return "办理部门尚未取得" + record + "的共享授权。"
	}
}

// sourceText says what is the matter with a source. None of it is a statement
// about the subject.
func sourceText(detail string) string {
	switch connectors.FaultKind(detail) {
	case policies.DetailOverdue:
		return "未在期限内答复协查，已催办；这不代表没有记录。"
	case connectors.FaultDown, connectors.FaultTimeout, connectors.FaultPaused:
		return "的接口暂时没有应答，这不代表没有记录。"
	case connectors.FaultBusy:
		return "的接口繁忙，这不代表没有记录。"
	case connectors.FaultMaintenance:
		return "的接口正在维护时段，这不代表没有记录。"
	case connectors.FaultMisset:
		return "的接口配置有误（运维已获知），这不代表没有记录。"
	default:
		return "的接口应答异常（已记录告警），这不代表没有记录。"
	}
}

func departmentName(rev *catalog.Revision, code string) string {
	if d := rev.Department(code); d != nil {
		return d.Name
	}
	return code
}

func datasetName(rev *catalog.Revision, code string) string {
	if d := rev.Dataset(code); d != nil {
		return d.Name
	}
	return code
}

func asks(rev *catalog.Revision, codes []string) []string {
	out := make([]string, len(codes))
	for i, code := range codes {
		out[i] = rev.Fact(code).Ask
	}
	return out
}
