package policy

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/internal/fault"
	"mianti/policies"
	"mianti/web/frame"
)

// Suggestions is the mapping assistant.
type Suggestions interface {
	// Suggest says what each name means; fault.Invalid for a list that cannot be.
	Suggest(ctx context.Context, names []string) ([]suggest.Suggestion, error)
	// RecordAll keeps what somebody says of names.
	RecordAll(ctx context.Context, by policies.Caller, verdicts []suggest.Verdict) ([]suggest.MappingDecision, error)
	// Known gives what names may mean.
	Known(ctx context.Context) ([]suggest.Candidate, error)
}

// maxList bounds a list of names as it is sent.
const maxList = 8 << 20

// suggestView is a list of names with what each means. The list is in the form alone:
// nothing of it is kept but what is decided.
type suggestView struct {
	base
	Form        *frame.Form
	Asked       bool
	Known       []suggest.Candidate
	Rows        []suggestRow
	Names       int
	Total       int // rows on all pages
	Decided     int
	Unmapped    int // materials that a draft of what was confirmed would change
	Page, Pages int
}

// suggestRow is one paper that a name of the list asks for.
type suggestRow struct {
	suggest.NamedPaper
	Number int    // from 1, over all pages
	Name   string // as the list has it
	State  string
	Chip   string
	Open   bool // may be accepted or rejected
	Roles  []string
	Same   []*catalog.Material // materials of the catalog that are called so
	Typed  string              // the code that somebody wrote
	Fault  string
}

// Value is what the buttons of a row send: what is decided about.
func (r suggestRow) Value() string {
	return string(r.Match.Kind) + "|" + r.Match.Code + "|" + r.Text
}

// suggest shows the form, and for a list what its names mean.
func (s *section) suggest(v *frame.Visit) (frame.Answer, error) {
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := &suggestView{base: base{Number: rev.Number, Version: rev.Version, Tab: "suggest"}, Form: frame.NewForm(v, "list", "file")}
	show := frame.Show("suggest.html", "材料映射助手", view)
	if v.Request().Method != http.MethodPost {
		return show, nil
	}
	names, err := view.names(v)
	if err != nil {
		return frame.Answer{}, err
	}
	if !view.Form.OK() {
		return show.Status(http.StatusUnprocessableEntity), nil
	}
	wrong, err := s.decide(v, view)
	if err != nil {
		return frame.Answer{}, err
	}
	found, err := s.Suggestions.Suggest(v.Context(), names)
	if err != nil {
		if view.refused(v, err) {
			return show.Status(http.StatusUnprocessableEntity), nil
		}
		return frame.Answer{}, err
	}
	rows := rowsOfSuggestions(v, rev, found)
	switch v.Form("do") {
	case "export":
		return exported(v, rows)
	case "draft":
		return s.draftMappings(v, rev.Number, rows)
	}
	if view.Known, err = s.Suggestions.Known(v.Context()); err != nil {
		return frame.Answer{}, err
	}
	view.fill(v, names, rows, wrong)
	if wrong != nil {
		show = show.Status(http.StatusUnprocessableEntity)
	}
	return show, nil
}

// names reads the list: the file, where one was sent, or what was typed.
func (w *suggestView) names(v *frame.Visit) ([]string, error) {
	data, _, err := sentFile(v)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		names := suggest.NamesOf(w.Form.Value("list"))
		if len(names) == 0 {
			w.Form.Fail("list", v.T("请粘贴材料名称，每行一个，或选择一份名单文件。"))
		}
		return names, nil
	}
	names, err := suggest.NamesIn(data)
	if err != nil && !w.refused(v, err) {
		return nil, err
	}
	return names, nil
}

// refused puts what is wrong with a list at its field.
func (w *suggestView) refused(v *frame.Visit, err error) bool {
	f := fault.As(err)
	if f == nil || f.Kind != fault.Invalid && f.Kind != fault.TooLarge {
		return false
	}
	if len(f.Details) == 0 {
		w.Form.Fail("list", v.T(f.Message))
	}
	for _, d := range f.Details {
		field := "list"
		if d.Location == "file" {
			field = "file"
		}
		w.Form.Fail(field, v.T(d.Message))
	}
	return true
}

// wrongRow is a row whose decision was refused.
type wrongRow struct {
	number         int
	typed, message string
}

// decide keeps what a button says: "accept|kind|code|text", "reject|kind|code|text", or
// "assign|row|text" with the code in the field of the row.
func (s *section) decide(v *frame.Visit, view *suggestView) (*wrongRow, error) {
	do, rest, _ := strings.Cut(v.Form("do"), "|")
	switch do {
	case "accept", "reject":
		return nil, s.record(v, do == "accept", rest)
	case "accept-all":
		return nil, s.record(v, true, v.Forms("sure")...)
	case "assign":
		number, text, _ := strings.Cut(rest, "|")
		return s.assign(v, number, text)
	}
	return nil, nil
}

// record keeps what is said of rows, each as Value gives it.
func (s *section) record(v *frame.Visit, accepted bool, values ...string) error {
	var verdicts []suggest.Verdict
	for _, value := range values {
		if parts := strings.SplitN(value, "|", 3); len(parts) == 3 {
			verdicts = append(verdicts, suggest.Verdict{Name: parts[2], Kind: catalog.ThingKind(parts[0]), Code: parts[1], Accepted: accepted})
		}
	}
	_, err := s.Suggestions.RecordAll(v.Context(), v.Caller, verdicts)
	return err
}

// assign keeps a candidate that somebody named himself.
func (s *section) assign(v *frame.Visit, number, text string) (*wrongRow, error) {
	typed := strings.TrimSpace(v.Form("code-" + number))
	code, _, _ := strings.Cut(typed, " ")
	n, _ := strconv.Atoi(number)
	known, err := s.Suggestions.Known(v.Context())
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(known, func(c suggest.Candidate) bool { return c.Code == code })
	if at < 0 {
		return &wrongRow{n, typed, v.T("目录中没有这个代码。请从列表中选择，或填写标准材料、通用材料、数据资源的代码。")}, nil
	}
	err = s.record(v, true, string(known[at].Kind)+"|"+known[at].Code+"|"+text)
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid && len(f.Details) > 0 {
		return &wrongRow{n, typed, v.T(f.Details[0].Message)}, nil
	}
	return nil, err
}

// rowsOfSuggestions has a row for each paper of each name.
func rowsOfSuggestions(v *frame.Visit, rev *catalog.Revision, found []suggest.Suggestion) []suggestRow {
	called := map[string][]*catalog.Material{}
	for _, m := range rev.Materials() {
		called[m.Name] = append(called[m.Name], m)
	}
	var out []suggestRow
	for _, one := range found {
		for _, p := range one.Papers {
			row := suggestRow{NamedPaper: p, Number: len(out) + 1, Name: one.Name, Same: called[p.Text], Open: p.Match != nil}
			row.State, row.Chip = v.T(p.Level.Name()), map[suggest.Level]string{suggest.Likely: "good", suggest.Possible: "ask", suggest.None: "none"}[p.Level]
			switch p.Cause {
			case suggest.CauseDecided:
				row.State, row.Chip, row.Open = v.T("已确认"), "good", false
			case suggest.CauseRejected:
				row.State, row.Chip, row.Open = v.T("已否定"), "bad", false
			}
			for _, code := range p.Roles {
				if role := rev.Role(code); role != nil {
					row.Roles = append(row.Roles, role.Name)
				}
			}
			out = append(out, row)
		}
	}
	return out
}

// Settled reports whether somebody has decided about a row.
func (r suggestRow) Settled() bool {
	return r.Cause == suggest.CauseDecided || r.Cause == suggest.CauseRejected
}

// Sure reports whether a row may be accepted together with others.
func (r suggestRow) Sure() bool { return r.Open && r.Level == suggest.Likely }

// fill shows one page of the rows. The page is the one with the row whose button was
// used, since the form holds all.
func (w *suggestView) fill(v *frame.Visit, names []string, rows []suggestRow, wrong *wrongRow) {
	w.Asked, w.Names, w.Total, w.Unmapped = true, len(names), len(rows), unmapped(rows)
	w.Form.Set("list", strings.Join(names, "\n"))
	for i, row := range rows {
		if row.Settled() {
			w.Decided++
		}
		if wrong != nil && wrong.number == row.Number {
			rows[i].Typed, rows[i].Fault = wrong.typed, wrong.message
			w.Form.Fail("code-"+strconv.Itoa(row.Number), v.T("第 %d 项：", row.Number)+wrong.message)
		}
	}
	w.Pages = max(1, (len(rows)+pageSize-1)/pageSize)
	at := v.Form("page")
	if to, ok := strings.CutPrefix(v.Form("do"), "page|"); ok {
		at = to
	}
	w.Page, _ = strconv.Atoi(at)
	w.Page = min(max(w.Page, 1), w.Pages)
	w.Rows = rows[(w.Page-1)*pageSize : min(w.Page*pageSize, len(rows))]
}

// SureRows counts the rows of the page that may be accepted together.
func (w *suggestView) SureRows() int {
	n := 0
	for _, row := range w.Rows {
		if row.Sure() {
			n++
		}
	}
	return n
}

// Prev and Next are the numbers of the pages beside this one; 0 for none.
func (w *suggestView) Prev() int { return w.Page - 1 }

// Next is the number of the page after this one; 0 for none.
func (w *suggestView) Next() int {
	if w.Page >= w.Pages {
		return 0
	}
	return w.Page + 1
}

// exported sends the list with what is decided and suggested, as CSV with the mark that
// spreadsheet programs look for.
func exported(v *frame.Visit, rows []suggestRow) (frame.Answer, error) {
	out := bytes.NewBufferString("\ufeff")
	file := csv.NewWriter(out)
	heading := []string{"材料名称", "所指材料", "结论", "种类", "代码", "对应", "数据资源", "理由"}
	for i := range heading {
		heading[i] = v.T(heading[i])
	}
	_ = file.Write(heading) // Error says it
	for _, row := range rows {
		line := []string{row.Name, row.Text, row.State, "", "", "", "", row.Reason}
		if row.Match != nil {
			var held []string
			for _, h := range row.Match.Datasets {
				held = append(held, h.Code)
			}
			line[3], line[4], line[5], line[6] = v.T(row.Match.Kind.Name()), row.Match.Code, row.Match.Name, strings.Join(held, " ")
		}
		for i := range line {
			line[i] = suggest.Inert(line[i])
		}
		_ = file.Write(line)
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return frame.Answer{}, fmt.Errorf("write the list: %w", err)
	}
	return frame.Send("text/csv; charset=utf-8", v.T("映射结果")+".csv", out.Bytes()), nil
}
