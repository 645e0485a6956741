package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

// print shows a question and its answer with all identities masked, and no
// value.
func (t *trial) print(w io.Writer, r *reached) {
	fmt.Fprintf(w, "数源　%s（%s，%s）\n", r.source.Code, r.dataset.Name, r.source.Kind)
	if r.source.Kind != catalog.SourceSnapshot {
		fmt.Fprintf(w, "地址　%s（%s）\n", r.address, networkName(r.network))
	}
	fmt.Fprintf(w, "密钥　%s\n\n问\n%s\n", r.secretsText(), indent(t.maskedRequest()))
	fmt.Fprintf(w, "答\n  用时 %d 毫秒（时限 %d 毫秒），%d 字节\n", t.took.Milliseconds(), r.deadline.Milliseconds(), t.size)
	for i, page := range t.pages {
		if len(t.pages) > 1 {
			fmt.Fprintf(w, "  第 %d 页\n", i+1)
		}
		fmt.Fprintf(w, "  HTTP 状态 %d\n", page.status)
		printRows(w, []string{"记录", "要找的", "位置", "结果", "说明"}, stepRows(page.steps))
	}
	if len(t.pages) == 0 && len(t.reply.Records) > 0 {
		printRows(w, []string{"记录", "字段", "代码", "结果", "类型"}, recordRows(r.dataset, t.query.Fields, t.reply.Records))
	}
	fmt.Fprintf(w, "\n结论　%s\n", strings.ReplaceAll(t.masked(t.verdict.text), "\n", "\n　　　"))
}

// maskedRequest is the request; what the mapping has masked is masked again, in
// case an identity stands where the catalog has put it as a text.
func (t *trial) maskedRequest() string { return t.masked(printableLines(t.request)) }

// masked takes the asked identity out of a text.
func (t *trial) masked(text string) string {
	s := t.query.Subject
	if s.Number != "" {
		text = strings.ReplaceAll(text, s.Number, mapping.MaskNumber(s.Number))
	}
	if s.Name != "" {
		text = strings.ReplaceAll(text, s.Name, mapping.MaskName(s.Name))
	}
	return text
}

// secretsText names the secrets that the source needs, and those that are not
// there.
func (r *reached) secretsText() string {
	refs := r.source.SecretRefs()
	if len(refs) == 0 {
		return "不需要"
	}
	names := make([]string, len(refs))
	for i, named := range refs {
		names[i] = string(named.Ref)
		if _, err := r.secrets.Secret(named.Ref); err != nil {
			names[i] = missingText(named.Ref, err)
		}
	}
	return strings.Join(names, "，")
}

// stepRows are the steps without the conclusion and the status, which are shown
// by themselves.
func stepRows(steps []mapping.Step) [][]string {
	var rows [][]string
	for _, s := range steps[1:max(1, len(steps)-1)] {
		name := s.Name
		if s.Field != "" {
			name += "（" + s.Field + "）"
		}
		pointer := s.Pointer
		if pointer == "" {
			pointer = "（整个答复）"
			if s.Record > 0 {
				pointer = "（整条记录）"
			}
		}
		rows = append(rows, []string{recordNumber(s.Record), name, pointer, stepResult(s), printable(s.Text)})
	}
	return rows
}

func recordNumber(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// stepResult uses the words of docs/connect-a-department.md.
func stepResult(s mapping.Step) string {
	switch {
	case !s.Found && s.OK:
		return "absent 没有"
	case !s.Found:
		return "absent 没有（必须有）"
	case s.OK:
		return "found 找到"
	case s.Field != "":
		return "wrong type 类型不符"
	default:
		return "wrong 不符"
	}
}

// recordRows say of each asked field whether the records have it.
func recordRows(d *catalog.Dataset, asked []string, records []connectors.Record) [][]string {
	var rows [][]string
	for i, record := range records {
		for _, f := range d.Fields {
			if !slices.Contains(asked, f.Code) {
				continue
			}
			result := "absent 没有"
			if _, found := record.Fields[f.Code]; found {
				result = "found 找到"
			}
			rows = append(rows, []string{recordNumber(i + 1), f.Name, f.Code, result, string(f.Type)})
		}
	}
	return rows
}

// printValues shows what the records hold, for the test subject.
func (t *trial) printValues(w io.Writer, d *catalog.Dataset) {
	var rows [][]string
	for i, record := range t.reply.Records {
		if !record.AsOf.IsZero() {
			rows = append(rows, []string{recordNumber(i + 1), "数据时间", chinaTime(record.AsOf)})
		}
		for _, f := range d.Fields {
			if value, found := record.Fields[f.Code]; found {
				rows = append(rows, []string{recordNumber(i + 1), f.Name, printable(fmt.Sprint(value))})
			}
		}
	}
	printRows(w, []string{"记录", "字段", "值"}, rows)
}

// chinaTime is a moment as people in China read it.
func chinaTime(t time.Time) string { return t.In(catalog.TimeZone()).Format("2006-01-02 15:04:05") }

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
