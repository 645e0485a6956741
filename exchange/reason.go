package exchange

import (
	"fmt"
	"strings"

	"mianti/catalog"
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
		return "查询需要本人（未满十四周岁的由监护人）同意，尚未得到答复。同意后自动核验；不同意则自行提交。"
	case policies.NeedsFact:
		return "还需要回答：" + strings.Join(asks(s.Catalog, settled.Questions), "；") + "。"
	case policies.NotApplicable:
		return "按所填情形不需要。"
	default:
		return because(s, settled) + uploadText(r, settled)
	}
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
		return fmt.Sprintf("%s由经办人员向%s发起协查（%d 个工作日），申请人无需提交。",
			because(s, settled), departmentName(s.Catalog, settled.Department), settled.DueDays)
	case policies.ReasonSourceRetry:
		return because(s, settled) + "请经办人员稍后重新核验，申请人无需提交。"
	default:
		return because(s, settled) + "由经办人员核实，申请人无需提交。"
	}
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
	for i := len(settled.Attempts) - 1; i >= 0; i-- {
		a := settled.Attempts[i]
		if a.Result == policies.OK || a.Dataset == "" {
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

func failureText(department, dataset string, a policies.Attempt) string {
	record := department + "《" + dataset + "》"
	if a.Detail == policies.DetailNoNumber {
		return "当事人没有可供查询的登记号码，未向" + department + "查询。"
	}
	switch a.Result {
	case policies.NotFound:
		return record + "未查到记录（数据可能尚未归集）。"
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
		return "办理部门尚未取得" + record + "的共享授权。"
	case policies.NoConsent:
		return "本人不同意查询" + record + "。"
	case policies.Stale:
		return record + "的数据已超过允许的时效。"
	case policies.SourceDown:
		if a.Detail == "down" || a.Detail == "timeout" {
			return department + "的接口暂时没有应答，这不代表没有记录。"
		}
		return department + "的接口应答异常（已记录告警），这不代表没有记录。"
	default:
		return record + "未能核验。"
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
