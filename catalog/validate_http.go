package catalog

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var headerToken = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// callVariables are what the texts of a call may hold.
func callVariables() []string {
	return []string{"id", "name", "number", "kind", "purpose", "fields", "field_codes", "timestamp", "date", "time", "page"}
}

// template checks a text with variables and gives their names.
func (s sourceScope) template(at spot, text string, known []string) []string {
	names, err := Variables(text)
	if err != nil {
		s.report(at, "bad-template", "变量写作 ${名称}，名称用小写字母、数字、下划线；文本中的 ${ 请写作 $${")
		return nil
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			s.report(at, "unknown-variable", "没有变量 ${%s}，此处可用：%s", name, strings.Join(known, "、"))
		}
	}
	return names
}

// publicTemplate checks a text that is not kept from the logs on the way.
func (s sourceScope) publicTemplate(at spot, text string) []string {
	names := s.template(at, text, callVariables())
	if slices.Contains(names, "name") || slices.Contains(names, "number") {
		s.report(at, "identity-in-address", "地址与 HTTP 头中不能有 ${name}、${number}：它们会留在沿途的日志里，请写到 body 中；接口只收 query 时，与对方商定后写 identity_in_query: true")
	}
	return names
}

// validateHTTP checks the description of a JSON interface.
func (s sourceScope) validateHTTP() {
	call, at := s.source.HTTP, s.at.in("http")
	var used []string
	for name, text := range call.Query {
		check := s.publicTemplate
		if call.IdentityInQuery {
			check = func(at spot, text string) []string { return s.template(at, text, callVariables()) }
		}
		used = append(used, check(at.in("query", name), text)...)
		s.validateName(at.in("query", name), name)
	}
	used = append(used, s.validateHeaders(at.in("headers"), call.Headers)...)
	used = append(used, s.validateBody(at, call)...)
	s.validateSubject(at, call, used)
	for kind := range call.Kinds {
		s.validateKind(at.in("kinds", string(kind)), kind)
	}
	switch asksPage := slices.Contains(used, "page"); {
	case asksPage && call.Paging == nil:
		s.report(at, "page-without-paging", "用了 ${page} 就要写 paging")
	case !asksPage && call.Paging != nil:
		s.report(at.in("paging"), "paging-without-page", "写了 paging，请在 query、headers 或 body 中用 ${page}")
	}
	s.validateAnswer(at.in("answer"), &call.Answer)
}

// validateHeaders checks headers that are sent with every call.
func (s sourceScope) validateHeaders(at spot, headers map[string]string) []string {
	var used []string
	seen := map[string]string{}
	// In order, so that of two spellings the same one is reported each time.
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		text := headers[name]
		where, canonical := at.in(name), http.CanonicalHeaderKey(name)
		used = append(used, s.publicTemplate(where, text)...)
		switch {
		case !headerToken.MatchString(name) || hasControl(text):
			s.report(where, "bad-header", "HTTP 头的名称应为 ASCII 字母、数字、连字符，值中不能有换行等控制字符")
		case canonical == "Authorization" || canonical == "Cookie":
			s.report(where, "reserved-header", "HTTP 头 %s 是凭证，目录中不能写密钥，请写到 auth 中", name)
		case s.reservedHeader(name):
			s.report(where, "reserved-header", "HTTP 头 %s 由程序自己写，请删去", name)
		case seen[canonical] != "":
			s.report(where, "duplicate-header", "HTTP 头 %s 写了两次（大小写不同）", canonical)
		}
		seen[canonical] = name
	}
	return used
}

// validateName reports a variable in the place of a name: only values hold
// variables.
func (s sourceScope) validateName(at spot, name string) {
	if strings.Contains(name, "${") || name == "" || hasControl(name) {
		s.report(at, "bad-template", "键不能为空，也不能有变量；变量只能写在值中")
	}
}

// validateBody checks what is sent, and that it says who is asked about.
func (s sourceScope) validateBody(at spot, call *HTTPCall) []string {
	used := s.bodyVariables(at.in("body"), call.Body)
	if call.Method == http.MethodGet {
		if call.Body != nil || call.Form {
			s.report(at.in("method"), "body-with-get", "GET 不能有 body、form，请改用 POST")
		}
		return used
	}
	if call.Form {
		s.validateForm(at.in("body"), call.Body)
	}
	return used
}

// validateSubject checks that the source is told who is asked about, and that
// the name agrees with what it holds: it is sent, or comes back.
func (s sourceScope) validateSubject(at spot, call *HTTPCall, used []string) {
	if !slices.Contains(used, "number") && !slices.Contains(used, "name") {
		s.report(at, "subject-not-asked", "body（或 identity_in_query 时的 query）中要有 ${number} 或 ${name}，否则数源不知道查的是谁")
	}
	if call.Answer.SubjectName == "" && !slices.Contains(used, "name") {
		s.report(at.in("answer"), "name-not-compared", "姓名既没有发出也没有返回，无法核对是不是本人：请发送 ${name}，或写 answer.subject_name")
	}
}

// bodyVariables checks every text of a body and gives the variables in it.
func (s sourceScope) bodyVariables(at spot, body any) []string {
	var used []string
	switch v := body.(type) {
	case string:
		return s.template(at, v, callVariables())
	case []any:
		for i, item := range v {
			used = append(used, s.bodyVariables(at.in(i), item)...)
		}
	case map[string]any:
		for key, item := range v {
			s.validateName(at.in(key), key)
			used = append(used, s.bodyVariables(at.in(key), item)...)
		}
	}
	return used
}

func (s sourceScope) validateForm(at spot, body any) {
	pairs, ok := body.(map[string]any)
	if !ok {
		s.report(at, "bad-form", "form 的 body 应为一层的文本对")
		return
	}
	for key, value := range pairs {
		if _, text := value.(string); !text {
			s.report(at.in(key), "bad-form", "form 的值应为文本；数字请加引号")
		}
	}
}

// validateAnswer checks where things are in an answer.
func (s sourceScope) validateAnswer(at spot, a *HTTPAnswer) {
	for i, status := range a.NotFoundStatus {
		if slices.Contains([]int{401, 403, 407, 408, 421, 425, 429}, status) || 300 <= status && status < 400 {
			s.report(at.in("not_found_status", i), "wrong-status", "状态码 %d 另有含义，不能表示查无此人", status)
		}
	}
	for _, place := range []struct{ key, pointer string }{
		{"code", a.Code}, {"records", a.Records}, {"reference", a.Reference}, {"subject_name", a.SubjectName}, {"subject_number", a.SubjectNumber},
		{"as_of", a.AsOf}, {"revoked", a.Revoked}, {"record", a.Record},
	} {
		s.validatePointer(at.in(place.key), place.pointer)
	}
	s.validateStatusCodes(at, a)
	if len(a.RevokedIn) > 0 && a.Revoked == "" {
		s.report(at.in("revoked_in"), "revoked-missing", "写了 revoked_in 就要写 revoked：在记录的何处")
	}
	for code, pointer := range a.Fields {
		s.validateField(at.in("fields", code), code)
		s.validatePointer(at.in("fields", code), pointer)
	}
	for code, value := range a.Values {
		if field := s.validateField(at.in("values", code), code); field != nil {
			s.validateValueOf(at.in("values", code), field, value)
		}
	}
}

// validatePointer checks the escapes of a JSON Pointer; the schema has seen to
// its beginning.
func (s sourceScope) validatePointer(at spot, pointer string) {
	for i, c := range pointer {
		if c == '~' && (i+1 == len(pointer) || pointer[i+1] != '0' && pointer[i+1] != '1') {
			s.report(at, "bad-pointer", "JSON 指针中的 ~ 要写作 ~0，键中的 / 要写作 ~1")
			return
		}
	}
}

// validateStatusCodes checks that every value of the source's own status means
// one thing.
func (s sourceScope) validateStatusCodes(at spot, a *HTTPAnswer) {
	if a.Code != "" && len(a.OK) == 0 {
		s.report(at.in("code"), "status-without-ok", "写了 code 就要写 ok：哪些值表示成功")
	}
	meaning := map[string]string{}
	for _, list := range []struct {
		key    string
		values []string
	}{{"ok", a.OK}, {"not_found", a.NotFound}, {"refused", a.Refused}, {"busy", a.Busy}} {
		if a.Code == "" && len(list.values) > 0 {
			s.report(at.in(list.key), "status-without-code", "写了 %s 就要写 code：状态在应答的何处", list.key)
		}
		for i, value := range list.values {
			if other := meaning[value]; other != "" && other != list.key {
				s.report(at.in(list.key, i), "status-twice", "状态值 %s 已在 %s 中，一个值只能有一个含义", strconv.Quote(value), other)
			}
			meaning[value] = list.key
		}
	}
}

// validateValueOf checks how a source writes a field's values.
func (s sourceScope) validateValueOf(at spot, field *Field, value ValueOf) {
	if value.Date != "" && field.Type != FieldDate {
		s.report(at.in("date"), "wrong-field-type", "数据项 %s 是 %s，date 只用于 date 类型", field.Code, field.Type)
	}
	if value.Date != "" && !isDateLayout(value.Date) {
		s.report(at.in("date"), "bad-layout", "日期的写法要有 YYYY、MM、DD 各一次，如 YYYYMMDD、YYYY年MM月DD日")
	}
	if value.Split != "" && field.Type != FieldList {
		s.report(at.in("split"), "wrong-field-type", "数据项 %s 是 %s，split 只用于 list 类型", field.Code, field.Type)
	}
	if len(value.Codes) == 0 {
		return
	}
	switch field.Type {
	case FieldString, FieldList:
	case FieldBool:
		for written, meaning := range value.Codes {
			if meaning != "true" && meaning != "false" {
				s.report(at.in("codes", written), "wrong-field-type", "数据项 %s 是 bool，代码只能代表 \"true\" 或 \"false\"", field.Code)
			}
		}
	default:
		s.report(at.in("codes"), "wrong-field-type", "数据项 %s 是 %s，codes 只用于 string、list、bool 类型", field.Code, field.Type)
	}
}

// isDateLayout reports whether a layout names year, month and day, each once,
// with nothing between them that could be read as another part of a time.
func isDateLayout(layout string) bool {
	rest := layout
	for _, part := range []string{"YYYY", "MM", "DD"} {
		if strings.Count(rest, part) != 1 {
			return false
		}
		rest = strings.Replace(rest, part, "", 1)
	}
	return !strings.ContainsFunc(rest, func(r rune) bool {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r < ' '
	})
}
