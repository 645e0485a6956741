package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"mianti/connectors"
)

// advice says what a fault of a source means, and what to do about it.
func advice(kind connectors.FaultKind) (means, todo string) {
	switch kind {
	case connectors.FaultDown:
		return "数源连不上，或自报故障", "核对地址和端口；请部门查看其接口是否在运行"
	case connectors.FaultTimeout:
		return "在时限内没有答复", "问部门一次答复需要多久；timeout_millis 可以放宽，整个办件只有 8 秒"
	case connectors.FaultRefused:
		return "数源拒绝：凭证或权限不对", "向部门申请权限；核对密钥文件的内容是否是最新的"
	case connectors.FaultMalformed:
		return "答复与接口描述不符，不予采信", "对照部门的接口文档，核对目录中 http.answer 的位置和 values"
	case connectors.FaultWrongSubject:
		return "记录是别人的，整个答复不予采信", "停止接入。部门把人弄混了，请立即联系部门"
	case connectors.FaultBusy:
		return "对方或本方的调用额度用完了", "向部门申请提高额度，再改 limits"
	case connectors.FaultPaused:
		return "连续出错，暂停询问", "用 mianti source calls 查看之前的调用"
	case connectors.FaultMaintenance:
		return "在维护时段内", "等维护结束，或核对 maintenance"
	case connectors.FaultMisset:
		return "本方配置有误", "按下面的详情改正：缺密钥、地址不在所允许的网络内，或描述有误"
	case connectors.FaultPending:
		return "已派给部门人员，尚未答复", "等答复"
	default:
		return "未知的故障", "查看详情"
	}
}

// verdict is what a question came to.
type verdict struct {
	fault connectors.FaultKind // empty for an answer
	text  string               // may have several lines
}

// judge says what an answer would be worth in a case.
func (r *reached) judge(q connectors.Query, reply connectors.Reply, err error, now time.Time) verdict {
	if err != nil {
		kind := connectors.KindOf(err)
		means, todo := advice(kind)
		return verdict{kind, fmt.Sprintf("%s（%s）\n怎么办：%s%s", means, kind, todo, causeText(err))}
	}
	if len(reply.Records) == 0 {
		return verdict{text: "查无记录"}
	}
	lines := []string{fmt.Sprintf("查到 %d 条记录", len(reply.Records))}
	for i, record := range reply.Records {
		lines = append(lines, r.remarks(i+1, q, record, now)...)
	}
	for _, warning := range reply.Warnings {
		lines = append(lines, "提醒："+printable(warning))
	}
	return verdict{text: strings.Join(lines, "\n")}
}

// remarks are why a record would not settle a material as it is.
func (r *reached) remarks(n int, q connectors.Query, record connectors.Record, now time.Time) []string {
	var lines []string
	if record.Subject.Name != q.Subject.Name {
		lines = append(lines, fmt.Sprintf("第 %d 条的姓名或名称与所问的不一致，办件时不作为本人的记录", n))
	}
	if record.Revoked {
		lines = append(lines, fmt.Sprintf("第 %d 条已不再有效", n))
	}
	if r.isStale(record, now) {
		lines = append(lines, fmt.Sprintf("第 %d 条比 fresh_hours（%d 小时）旧，办件时按过时（stale）处理", n, r.source.FreshHours))
	}
	return lines
}

func (r *reached) isStale(record connectors.Record, now time.Time) bool {
	limit := time.Duration(r.source.FreshHours) * time.Hour
	return limit > 0 && !record.AsOf.IsZero() && now.Sub(record.AsOf) > limit
}

// causeText is the program's own word for what went wrong; it holds nothing of
// the source's text.
func causeText(err error) string {
	var fault *connectors.Fault
	if !errors.As(err, &fault) || fault.Cause == nil {
		return ""
	}
	return "\n详情：" + printable(fault.Cause.Error())
}
