package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mianti/internal/fault"
)

// detailOf says in our words what huma found. It never repeats the value that
// was sent.
func detailOf(e *huma.ErrorDetail) fault.Detail {
	location, code, message := e.Location, "invalid", "不符合接口说明。"
	if name, ok := between(e.Message, "expected required property ", " to be present"); ok {
		return fault.Detail{Location: location + "." + name, Code: "missing", Message: "缺少必填项。"}
	}
	for _, rule := range validationRules() {
		rest, ok := strings.CutPrefix(e.Message, rule.prefix)
		if !ok {
			continue
		}
		code, message = rule.code, rule.message
		if rule.withRest {
			message += strings.Trim(rest, `"`) + "。"
		}
		break
	}
	return fault.Detail{Location: location, Code: code, Message: message}
}

func between(text, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(text, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// validationRule translates one kind of huma message. withRest appends what
// follows the prefix, which then comes from the schema and never from the
// request.
type validationRule struct {
	prefix   string
	code     string
	message  string
	withRest bool
}

// validationRules are tried in order: a longer prefix comes before a shorter
// one.
func validationRules() []validationRule {
	return []validationRule{
		{prefix: "required ", code: "missing", message: "缺少必填参数。"},
		{prefix: "unknown query parameter", code: "unknown-parameter", message: "接口没有这个查询参数。"},
		{prefix: "unexpected property", code: "unknown-field", message: "接口没有这个字段。"},
		{prefix: "expected value to be one of ", code: "not-allowed", message: "须为以下之一：", withRest: true},
		{prefix: "expected string to be RFC 3339 date-time", code: "format", message: "须为时间，如 2026-11-23T09:00:00Z。"},
		{prefix: "expected string to be RFC 3339 date", code: "format", message: "须为日期，如 2026-11-23。"},
		{prefix: "expected string to ", code: "format", message: "格式不正确，见接口说明。"},
		{prefix: "expected string", code: "wrong-type", message: "须为字符串。"},
		{prefix: "expected number >", code: "out-of-range", message: "数值过小，见接口说明。"},
		{prefix: "expected number <", code: "out-of-range", message: "数值过大，见接口说明。"},
		{prefix: "expected number", code: "wrong-type", message: "须为数字。"},
		{prefix: "expected integer", code: "wrong-type", message: "须为整数。"},
		{prefix: "expected boolean", code: "wrong-type", message: "须为 true 或 false。"},
		{prefix: "expected array length <= ", code: "too-many", message: "项数不能多于 ", withRest: true},
		{prefix: "expected array length >= ", code: "too-few", message: "项数不能少于 ", withRest: true},
		{prefix: "expected array", code: "wrong-type", message: "须为数组。"},
		{prefix: "expected object with at most ", code: "too-many", message: "字段过多，见接口说明。"},
		{prefix: "expected object", code: "wrong-type", message: "须为对象。"},
		{prefix: "expected length <= ", code: "too-long", message: "长度不能超过 ", withRest: true},
		{prefix: "expected length >= ", code: "too-short", message: "长度不能少于 ", withRest: true},
		{prefix: "invalid integer", code: "wrong-type", message: "须为整数。"},
		{prefix: "invalid boolean", code: "wrong-type", message: "须为 true 或 false。"},
	}
}
