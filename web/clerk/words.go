package clerk

import (
	"mianti/catalog"
	"mianti/exchange"
	"mianti/ledger"
	"mianti/policies"
	"mianti/web/frame"
)

// stateChip says where a case stands.
func stateChip(v *frame.Visit, s exchange.CaseState) frame.ChipView {
	switch s {
	case exchange.CaseNew:
		return frame.ChipView{Kind: "info", Text: v.T("待核验")}
	case exchange.CaseWaiting:
		return frame.ChipView{Kind: "wait", Text: v.T("核验中")}
	case exchange.CaseNeedsInput:
		return frame.ChipView{Kind: "ask", Text: v.T("待补充")}
	case exchange.CaseDone:
		return frame.ChipView{Kind: "good", Text: v.T("已有结论")}
	default:
		return frame.ChipView{Kind: "none", Text: v.T("已关闭")}
	}
}

// outcomeChip says how a material came out.
func outcomeChip(v *frame.Visit, m *exchange.MaterialResult) frame.ChipView {
	kind, text := "none", "不适用"
	switch m.Outcome {
	case policies.Settled:
		kind, text = "good", "已取得"
	case policies.Committed:
		kind, text = "good", "承诺替代"
	case policies.Deferred:
		kind, text = "ask", "可后补"
	case policies.Verifying:
		kind, text = "wait", "核验中"
		if m.Reason.Code == policies.ReasonManualCheck {
			kind, text = "bad", "待人工核对"
		}
	case policies.AwaitingPrior:
		kind, text = "wait", "待前序"
	case policies.NeedsConsent:
		kind, text = "ask", "待本人同意"
	case policies.NeedsFact:
		kind, text = "ask", "待补充情形"
	case policies.Upload:
		kind, text = "bad", "还要交"
	case policies.NotApplicable:
	}
	return frame.ChipView{Kind: kind, Text: v.T(text)}
}

// modeText names the way by which something was settled; "" for none.
func modeText(v *frame.Visit, m catalog.Mode) string {
	text := map[catalog.Mode]string{
		catalog.ModeForm: "表单自动生成", catalog.ModeElicense: "电子证照", catalog.ModeData: "数据共享", catalog.ModePrior: "前序结果复用",
		catalog.ModeHistory: "历史材料复用", catalog.ModeWait: "等待数源恢复", catalog.ModeAssist: "部门协查", catalog.ModeCommit: "告知承诺",
		catalog.ModeDefer: "容缺后补", catalog.ModeCancel: "直接取消", catalog.ModeUpload: "提交",
	}[m]
	if text == "" {
		return ""
	}
	return v.T(text)
}

// resultChip says what came of a look-up.
func resultChip(v *frame.Visit, result string) frame.ChipView {
	kind, text := "none", result
	switch policies.Result(result) {
	case policies.OK:
		kind, text = "good", "查到并相符"
	case policies.NotFound:
		kind, text = "bad", "没有查到"
	case policies.Expired:
		kind, text = "bad", "已过期"
	case policies.Mismatch:
		kind, text = "bad", "不一致"
	case policies.Multiple:
		kind, text = "bad", "查到多条"
	case policies.NoGrant:
		kind, text = "bad", "没有共享授权"
	case policies.NoConsent:
		kind, text = "bad", "本人不同意"
	case policies.SourceDown:
		kind, text = "ask", "数源没有应答"
	case policies.Stale:
		kind, text = "ask", "数据不够新"
	case policies.Pending:
		kind, text = "wait", "等待答复"
	}
	return frame.ChipView{Kind: kind, Text: v.T(text)}
}

// actText says what an act was.
func actText(v *frame.Visit, k ledger.Kind) string {
	text := map[ledger.Kind]string{
		ledger.Intent: "查询", ledger.Denied: "未获准的查询", ledger.Read: "读取核验结果", ledger.Unmasked: "查看遮盖的内容", ledger.SheetIssued: "出具核验单",
		ledger.EvidenceIssued: "出具凭据", ledger.FileLinked: "申请证照文件", ledger.FileFetched: "调取证照文件", ledger.LogRead: "查看存证",
		ledger.ConsentRequested: "征求授权", ledger.CorrectionOpened: "提出校核", ledger.CorrectionRead: "查看校核",
	}[k]
	if text == "" {
		return string(k)
	}
	return v.T(text)
}

func standingChip(v *frame.Visit, s exchange.ConsentStanding) frame.ChipView {
	switch s {
	case exchange.ConsentRequested:
		return frame.ChipView{Kind: "wait", Text: v.T("等待答复")}
	case exchange.ConsentGiven:
		return frame.ChipView{Kind: "good", Text: v.T("已同意")}
	case exchange.ConsentRefused:
		return frame.ChipView{Kind: "bad", Text: v.T("不同意")}
	case exchange.ConsentWithdrawn:
		return frame.ChipView{Kind: "bad", Text: v.T("已撤回")}
	default:
		return frame.ChipView{Kind: "none", Text: v.T("已失效")}
	}
}

func subjectName(rev *catalog.Revision, code string) string {
	if o := rev.OneThing(code); o != nil {
		return o.Name
	}
	if m := rev.Matter(code); m != nil {
		return m.Name
	}
	return code
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
