package api

import "net/http"

// ledgerProblems are those of the sealed ledger.
func ledgerProblems() map[string]problemText {
	return map[string]problemText{
		"not-sealed-yet":       {title: "正在封存", explanation: "存证已经记录，约一秒后封存进日志，之后才有证明和凭证。请按 Retry-After 再取。", status: http.StatusServiceUnavailable},
		"unknown-tile":         {title: "日志没有这个瓦片", explanation: "瓦片的序号与宽度由检查点的条数算出，见 c2sp.org/tlog-tiles。"},
		"unknown-ledger-index": {title: "日志没有这么多条", explanation: "序号从 0 起，须小于检查点的条数。"},
		"unknown-entry":        {title: "没有这条存证", explanation: "没有这条存证，或它不属于本部门的办件。"},
		"entry-too-long":       {title: "一条存证记不下", explanation: "一个办件涉及的当事人或数据项太多。没有登记任何内容，请分成几个办件。"},
	}
}
