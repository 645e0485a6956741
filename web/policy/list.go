package policy

import (
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/web/frame"
)

// pageSize is how many entries a list shows at a time.
const pageSize = 50

// listView is what a list shows, whatever is in it.
type listView[T any] struct {
	base
	Form  *frame.Form
	Rows  []T
	Total int
	Pager frame.Pager
	// The choices of the filters.
	Departments, Things, Sorts, Choices, More []frame.Option
	Narrowed                                  bool // something was searched or chosen
}

// listed takes one page of those entries that are kept, in an order.
func listed[T any](v *frame.Visit, b base, rows []T, order []int32, keep func(T) bool, filters ...string) listView[T] {
	view := listView[T]{base: b, Form: frame.NewForm(v, append(filters, "q", "sort")...)}
	page := v.Number("page", 1, 1<<20, 1)
	kept := make([]bool, len(rows)) // found in the order in which they lie in memory, which is quicker by far
	for i, row := range rows {
		if kept[i] = keep(row); kept[i] {
			view.Total++
		}
	}
	skip := (page - 1) * pageSize
	for _, i := range order {
		switch {
		case !kept[i]:
		case skip > 0:
			skip--
		case len(view.Rows) < pageSize:
			view.Rows = append(view.Rows, rows[i])
		}
	}
	for _, name := range append(filters, "q") {
		view.Narrowed = view.Narrowed || view.Form.Value(name) != ""
	}
	view.Pager = pager(v, view.Total, page, pageSize)
	return view
}

// pager leads through a list by the address that it was asked with.
func pager(v *frame.Visit, total, page, size int) frame.Pager {
	at := func(n int) string {
		values := v.Request().URL.Query()
		for name, texts := range values {
			if len(texts) > 0 && texts[0] == "" {
				values.Del(name)
			}
		}
		values.Del("page")
		if n > 1 {
			values.Set("page", strconv.Itoa(n))
		}
		if len(values) == 0 {
			return v.Request().URL.Path
		}
		return v.Request().URL.Path + "?" + values.Encode()
	}
	p := frame.Pager{Summary: v.T("共 %d 项", total)}
	if total > size {
		p.Summary = v.T("第 %d–%d 项，共 %d 项", min((page-1)*size+1, total), min(page*size, total), total)
	}
	if page > 1 {
		p.Prev = at(page - 1)
	}
	if page > 2 {
		p.First = at(1)
	}
	if page*size < total {
		p.Next = at(page + 1)
	}
	return p
}

// order gives the order that a list is asked for in; an unknown one is the
// catalog's own.
func order(v *frame.Visit, orders map[string][]int32) []int32 {
	if known, ok := orders[v.Query("sort")]; ok {
		return known
	}
	return orders[""]
}

// matcher tells whether a text has all the words that are searched for.
func matcher(v *frame.Visit) func(text string) bool {
	words := strings.Fields(strings.ToLower(v.Query("q")))
	return func(text string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
}

// is reports whether a value is the one that is asked for; nothing asked for is
// any.
func is(asked, value string) bool { return asked == "" || asked == value }

// mostOptions is how many one-things can be chosen from; more are named by code.
const mostOptions = 60

func (s *shelf) departmentOptions(v *frame.Visit) []frame.Option {
	out := []frame.Option{{Title: v.T("全部部门")}}
	for _, d := range s.rev.Departments() {
		out = append(out, frame.Option{Value: d.Code, Title: d.Name})
	}
	return out
}

// thingOptions lists the one-things, or nothing where there are too many.
func (s *shelf) thingOptions(v *frame.Visit) []frame.Option {
	if len(s.things) > mostOptions {
		return nil
	}
	out := []frame.Option{{Title: v.T("全部一件事")}}
	for _, t := range s.things {
		out = append(out, frame.Option{Value: t.Code, Title: t.Code + " " + t.Name})
	}
	return out
}

// options translates choices; the first is for all.
func options(v *frame.Visit, pairs ...string) []frame.Option {
	var out []frame.Option
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, frame.Option{Value: pairs[i], Title: v.T(pairs[i+1])})
	}
	return out
}

func modeOptions(v *frame.Visit) []frame.Option {
	out := []frame.Option{{Title: v.T("任何方式")}}
	for _, m := range catalog.Modes() {
		out = append(out, frame.Option{Value: string(m), Title: v.T(m.Name())})
	}
	return out
}

// Plain names of what the catalog writes as codes.

func kindName(kind string) string {
	return named(kind, map[string]string{"form": "申请表", "certificate": "证照", "approval": "批文", "proof": "证明", "other": "其他"})
}

func originName(origin string) string {
	return named(origin, map[string]string{"applicant": "申请人自备", "government": "政府部门核发", "other": "其他来源"})
}

func needName(need catalog.Need) string {
	return named(string(need), map[string]string{"required": "必要", "conditional": "有条件"})
}

func handlingName(h catalog.Handling) string {
	return named(string(h), map[string]string{"serial": "串联", "parallel": "并联", "mixed": "混联"})
}

func sharingName(s catalog.Sharing) string {
	return named(string(s), map[string]string{"unconditional": "无条件共享", "conditional": "有条件共享", "withheld": "不予共享"})
}

func sharingChip(s catalog.Sharing) string {
	return map[catalog.Sharing]string{catalog.SharingUnconditional: "good", catalog.SharingConditional: "ask", catalog.SharingWithheld: "bad"}[s]
}

func updateName(update string) string {
	return named(update, map[string]string{"realtime": "实时", "daily": "每日", "weekly": "每周", "monthly": "每月", "yearly": "每年", "on_demand": "按需"})
}

func typeName(t catalog.FieldType) string {
	return named(string(t), map[string]string{"string": "文本", "number": "数值", "bool": "是否", "date": "日期", "list": "列表"})
}

func sourceName(k catalog.SourceKind) string {
	return named(string(k), map[string]string{"httpjson": "数据接口", "elicense": "电子证照接口", "sqlview": "库表视图", "snapshot": "数据快照", "xroad": "X-Road 服务", "assist": "协查"})
}

func named(code string, names map[string]string) string {
	if name := names[code]; name != "" {
		return name
	}
	return code
}

// modeChip is the kind of chip that a mode has: what the applicant makes of it.
func modeChip(m catalog.Mode) string {
	switch m {
	case catalog.ModeUpload:
		return "bad"
	case catalog.ModeCommit, catalog.ModeDefer:
		return "ask"
	case catalog.ModeAssist, catalog.ModeWait, catalog.ModePrior:
		return "wait"
	default:
		return "good"
	}
}
