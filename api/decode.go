package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"mianti/internal/fault"
)

const (
	// maxDepth bounds how deep arrays and objects may nest.
	maxDepth = 32
	// maxNameShown bounds how much of a caller's own field name is sent back.
	maxNameShown = 64
)

func invalidJSON(location, code, message string) error {
	return fault.New(fault.Invalid, "invalid-json", "请求体不是可以接受的 JSON：%s", message).
		With(fault.Detail{Location: location, Code: code, Message: message})
}

// decodeStrict reads one JSON value. It refuses what two readers could
// understand in two ways: names given twice or differing only in case, broken
// UTF-8, numbers out of range, and anything after the value. Numbers come as
// float64.
func decodeStrict(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, invalidJSON("body", "utf-8", "内容不是 UTF-8 编码。")
	}
	if !json.Valid(data) {
		return nil, invalidJSON("body", "syntax", "语法不正确，或在 JSON 之后还有内容。")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	r := reader{decoder: decoder}
	return r.value()
}

// reader walks the tokens of a document that is known to be valid JSON. It
// writes out where it is only when something is wrong there: a deep document
// would otherwise cost a long text for every number in it.
type reader struct {
	decoder *json.Decoder
	path    []step
}

// step is a name in an object, or a place in an array.
type step struct {
	name  string
	index int // -1 for a name
}

func (r *reader) wrong(code, message string) error {
	at := "body"
	for _, s := range r.path {
		if s.index >= 0 {
			at += "[" + strconv.Itoa(s.index) + "]"
			continue
		}
		at += "." + shown(s.name)
	}
	return invalidJSON(at, code, message)
}

func (r *reader) value() (any, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, r.wrong("syntax", "语法不正确。")
	}
	switch t := token.(type) {
	case json.Delim:
		if len(r.path) == maxDepth {
			return nil, invalidJSON("body", "too-deep", fmt.Sprintf("嵌套超过 %d 层。", maxDepth))
		}
		if t == '{' {
			return r.object()
		}
		return r.array()
	case json.Number:
		n, err := strconv.ParseFloat(string(t), 64)
		if err != nil {
			return nil, r.wrong("number", "数字超出范围。")
		}
		return n, nil
	case string:
		return t, r.checkText(t)
	default:
		return t, nil
	}
}

// checkText refuses text that cannot be kept as it is: NUL, which PostgreSQL
// does not store, and U+FFFD, which stands for something that was lost.
func (r *reader) checkText(text string) error {
	if strings.ContainsRune(text, 0) || strings.ContainsRune(text, utf8.RuneError) {
		return r.wrong("unstorable-text", "文字中含有不能保存的字符。")
	}
	return nil
}

func (r *reader) object() (any, error) {
	members := map[string]any{}
	folded := map[string]bool{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, r.wrong("syntax", "语法不正确。")
		}
		if err := r.checkText(name); err != nil {
			return nil, err
		}
		r.path = append(r.path, step{name: name, index: -1})
		lower := strings.ToLower(name)
		if folded[lower] {
			return nil, r.wrong("duplicate-key", "同一个对象中有重名的字段。")
		}
		folded[lower] = true
		if members[name], err = r.value(); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.decoder.Token()
	return members, err
}

func (r *reader) array() (any, error) {
	items := []any{}
	for r.decoder.More() {
		r.path = append(r.path, step{index: len(items)})
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.decoder.Token()
	return items, err
}

// shown cuts a caller's own name to what may be sent back.
func shown(name string) string {
	runes := []rune(name)
	if len(runes) > maxNameShown {
		runes = append(runes[:maxNameShown], '…')
	}
	return string(runes)
}

// unknownFields says which fields of a value its schema does not have. Names
// are compared exactly: the standard decoder alone would take "Number" for
// "number".
func unknownFields(registry huma.Registry, schema *huma.Schema, value any, at string) []fault.Detail {
	if schema != nil && schema.Ref != "" {
		schema = registry.SchemaFromRef(schema.Ref)
	}
	if schema == nil {
		return nil
	}
	var unknown []fault.Detail
	switch v := value.(type) {
	case []any:
		if schema.Items == nil {
			return nil
		}
		for i, item := range v {
			unknown = append(unknown, unknownFields(registry, schema.Items, item, at+"["+strconv.Itoa(i)+"]")...)
		}
	case map[string]any:
		for _, name := range sortedNames(v) {
			below := at + "." + shown(name)
			if property, ok := schema.Properties[name]; ok {
				unknown = append(unknown, unknownFields(registry, property, v[name], below)...)
				continue
			}
			if allowed, ok := schema.AdditionalProperties.(bool); ok && !allowed {
				unknown = append(unknown, fault.Detail{Location: below, Code: "unknown-field", Message: "接口没有这个字段，请检查拼写与大小写。"})
			}
		}
	}
	return unknown
}

func sortedNames(members map[string]any) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
