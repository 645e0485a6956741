package citizen

import (
	"slices"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
)

// what says in words what an entry records.
func what(e *ledger.Entry) string {
	if e.Kind == ledger.Read && e.Task != "" {
		return "读取协查任务（含您的姓名和号码）"
	}
	if e.Mode == string(catalog.ModeAssist) && e.Kind == ledger.Intent {
		return "请部门人员协查"
	}
	if text, known := kindTexts()[e.Kind]; known {
		return text
	}
	return "其他（" + string(e.Kind) + "）"
}

func kindTexts() map[ledger.Kind]string {
	return map[ledger.Kind]string{
		ledger.CaseOpened:     "登记办件，您是当事人",
		ledger.FactsChanged:   "更改办件的情形或当事人",
		ledger.ResultReported: "登记事项的办理结果",
		ledger.CaseClosed:     "关闭办件",
		ledger.PaperHandedIn:  "登记您提交的材料",
		ledger.Intent:         "查询您的数据",
		ledger.Outcome:        "查询的结果",
		ledger.Denied:         "要查询您的数据，未获允许，没有查询",
		ledger.Resolved:       "得出核验结果",
		ledger.Read:           "读取核验结果",
		ledger.Unmasked:       "查看被遮盖的姓名、号码或数据项",
		ledger.AssistAnswered: "部门人员答复协查",
		ledger.FileLinked:     "申请调取您的电子证照文件",
		ledger.FileFetched:    "调取您的电子证照文件",

		ledger.ConsentRequested: "征求您的授权同意",
		ledger.ConsentGiven:     "同意查询",
		ledger.ConsentRefused:   "不同意查询",
		ledger.ConsentWithdrawn: "撤回同意",

		ledger.EvidenceIssued: "出具核验凭据，存入办件档案",
		ledger.SheetIssued:    "打印核验单",
		ledger.CaseDestroyed:  "按期销毁办件内容",
		ledger.SaltDestroyed:  "按期销毁办件的存证密钥",

		ledger.CorrectionOpened:    "提出记录有误，申请核实更正",
		ledger.CorrectionTaken:     "开始核实您的记录",
		ledger.CorrectionAnswered:  "答复记录是否有误",
		ledger.CorrectionPassedOn:  "把核实转给另一部门",
		ledger.CorrectionEscalated: "提请上一级处理记录有误",
		ledger.CorrectionMediated:  "主管部门协调记录有误",
		ledger.CorrectionDecided:   "登记政府对记录有误的决定",
		ledger.CorrectionWithdrawn: "撤回记录有误的申请",
		ledger.CorrectionRead:      "读取记录有误的申请（含您的姓名和号码）",

		ledger.PreviewRead:     "先看查到的内容",
		ledger.PreviewReleased: "同意使用查到的内容",
		ledger.PaperChosen:     "选择自己提交材料",

		ledger.AccessListRead:  "查看谁查阅过我的数据",
		ledger.AccessKeyRead:   "取得查阅密钥",
		ledger.OwnCasesRead:    "查看我的办件",
		ledger.OwnDataExported: "导出我的全部记录",
	}
}

// outcomeText says in words what came of it.
func outcomeText(kind ledger.Kind, result string, unfinished bool) string {
	switch {
	case unfinished:
		return "没有记录到结果：查询没有做完，也没有给出结果"
	case result == "":
		return "已完成"
	case kind == ledger.Denied:
		return "未查询：" + textOf(lookUpTexts(), result)
	case kind == ledger.Intent, kind == ledger.Outcome:
		return textOf(lookUpTexts(), result)
	case isConsent(kind):
		return textOf(consentTexts(), result)
	case slices.Contains(aboutCorrections(), kind):
		return textOf(correctionTexts(), result)
	}
	return textOf(caseTexts(), result)
}

func textOf(texts map[string]string, code string) string {
	if text, known := texts[code]; known {
		return text
	}
	return code
}

// lookUpTexts say what came of a look-up.
func lookUpTexts() map[string]string {
	return map[string]string{
		string(policies.OK):                   "查到记录，已核验",
		string(policies.NotFound):             "没有查到记录",
		string(policies.Expired):              "记录已过有效期或已失效",
		string(policies.Mismatch):             "记录与所填不一致",
		string(policies.Multiple):             "查到多条记录，不能确定",
		string(policies.NoGrant):              "没有共享授权",
		string(policies.NoConsent):            "您（或监护人）没有同意",
		string(policies.SourceDown):           "数源没有应答，没有得到数据",
		string(policies.Stale):                "数据已超过时效，未采用",
		string(policies.Pending):              "已发起协查，等待答复",
		string(policies.ReasonConsentMissing): "等待您（或监护人）同意",
	}
}

// aboutCorrections are the acts about a wrong record.
func aboutCorrections() []ledger.Kind {
	return []ledger.Kind{
		ledger.CorrectionOpened, ledger.CorrectionTaken, ledger.CorrectionAnswered, ledger.CorrectionPassedOn, ledger.CorrectionEscalated,
		ledger.CorrectionMediated, ledger.CorrectionDecided, ledger.CorrectionWithdrawn, ledger.CorrectionRead,
	}
}

// correctionTexts say how far a correction is; docs/correction.md.
func correctionTexts() map[string]string {
	return map[string]string{
		"open": "等待核实", "taken": "核实中", "corrected": "已更正", "upheld": "部门认为记录无误", "negotiating": "部门协商中",
		"mediating": "主管部门协调中", "referred": "已提请政府决定", "ordered": "应予更正", "withdrawn": "已撤回",
	}
}

func consentTexts() map[string]string {
	return map[string]string{
		string(exchange.ConsentRequested):  "等待决定",
		string(exchange.ConsentGiven):      "已同意",
		string(exchange.ConsentRefused):    "不同意",
		string(exchange.ConsentWithdrawn):  "已撤回",
		string(exchange.ConsentExpired):    "已过期",
		string(exchange.ConsentSuperseded): "已被取代",
	}
}

// caseTexts say how a case, a resolution or an officer's answer ended.
func caseTexts() map[string]string {
	return map[string]string{
		string(exchange.StatusComplete):   "核验完成",
		string(exchange.StatusPending):    "核验尚未完成，会继续",
		string(exchange.StatusNeedsInput): "还需要补充情况或同意",

		string(catalog.Granted): "批准",
		string(catalog.Refused): "不予批准",

		string(exchange.CaseWithdrawn): "撤回",
		string(exchange.CaseFinished):  "办结",

		string(exchange.AssistConfirmed):    "属实",
		string(exchange.AssistNotConfirmed): "与所需不符",
		string(exchange.AssistNotFound):     "没有这样的记录",

		string(policies.PreviewAwaited):  "等待决定",
		string(policies.PreviewReleased): "同意使用",
		string(policies.PreviewPaper):    "自己提交",
	}
}

func modeText(mode catalog.Mode) string {
	switch mode {
	case catalog.ModeForm:
		return "表单自动生成"
	case catalog.ModeElicense:
		return "电子证照"
	case catalog.ModeData:
		return "数据共享"
	case catalog.ModePrior:
		return "前序结果复用"
	case catalog.ModeHistory:
		return "历史材料复用"
	case catalog.ModeWait:
		return "等待数源恢复"
	case catalog.ModeAssist:
		return "部门协查"
	case catalog.ModeCommit:
		return "告知承诺"
	case catalog.ModeDefer:
		return "容缺后补"
	case catalog.ModeCancel:
		return "直接取消"
	case catalog.ModeUpload:
		return "提交"
	}
	return string(mode)
}

// dutyText says as what a person acted. Which person is nobody's business.
func dutyText(e *ledger.Entry) string {
	switch {
	case e.Person == ledger.Operator:
		return "运维人员"
	case e.Department == "":
		return "申请人"
	case e.Kind == ledger.AssistAnswered, e.Kind == ledger.Read && e.Task != "":
		return "政务数据共享工作机构人员"
	case e.System == "" && isConsent(e.Kind) && e.Kind != ledger.ConsentRequested:
		return "本人或监护人"
	}
	return "审批人员"
}

func isConsent(kind ledger.Kind) bool {
	switch kind {
	case ledger.ConsentRequested, ledger.ConsentGiven, ledger.ConsentRefused, ledger.ConsentWithdrawn:
		return true
	}
	return false
}

// withheldText says why a value is not shown.
func withheldText(w exchange.Withheld) string {
	switch w {
	case exchange.WithheldGrantSuspended, exchange.WithheldGrantTerminated, exchange.WithheldGrantStopped:
		return "所依据的共享授权已暂停或终止，不再提供内容"
	case exchange.WithheldConsentWithdrawn, exchange.WithheldConsentRefused, exchange.WithheldConsentSuperseded:
		return "所依据的同意已撤回或不再有效，不再提供内容"
	case exchange.WithheldDatasetStopped, exchange.WithheldSourceStopped:
		return "数据或其接口已停用，不再提供内容"
	}
	return "内容不再提供"
}
