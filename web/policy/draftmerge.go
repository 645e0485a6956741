package policy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"mianti/draft"
	"mianti/web/frame"
)

// mergeView is a draft beside the current revision.
type mergeView struct {
	base
	Form    *frame.Form
	Draft   *draft.Dossier
	Meeting *draft.Meeting
	Rows    []conflictView
	Takings []frame.Option
}

// conflictView is one place that both sides have changed.
type conflictView struct {
	draft.Conflict
	Number                     int // from 1
	PlaceName                  string
	BaseText, TheirsText, Mine string
}

// Take and Text name the fields of the conflict.
func (c conflictView) Take() string { return "take-" + strconv.Itoa(c.Number) }

// Text names the field in which another value is written.
func (c conflictView) Text() string { return "text-" + strconv.Itoa(c.Number) }

// mergeDraft shows what merging comes upon, and merges with the choices made.
func (s *section) mergeDraft(v *frame.Visit) (frame.Answer, error) {
	d, err := s.Drafts.Draft(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return frame.Answer{}, err
	}
	b, err := s.drafting(v)
	if err != nil {
		return frame.Answer{}, err
	}
	meeting, err := s.Drafts.Meet(v.Context(), d.ID, nil)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &mergeView{base: b, Draft: d, Meeting: meeting, Takings: options(v, "theirs", "保留现行目录的", "mine", "用草案的", "value", "另写")}
	names := []string{"version", "head"}
	for i, c := range meeting.Conflicts {
		row := conflictOf(i+1, c)
		view.Rows = append(view.Rows, row)
		names = append(names, row.Take(), row.Text())
	}
	view.Form = frame.NewForm(v, names...)
	show := frame.Show("draftmerge.html", "合并到现行目录", view)
	if v.Request().Method != http.MethodPost {
		for _, row := range view.Rows {
			view.Form.Set(row.Text(), editable(row.Conflict.Mine))
		}
		return show, nil
	}
	if view.Form.Value("head") != strconv.Itoa(meeting.Head) {
		view.Form.Fail("", v.T("目录刚刚又有更新，请重新取舍"))
	}
	choices := view.choices(v)
	version, _ := strconv.Atoi(view.Form.Value("version"))
	if view.Form.OK() {
		_, err := s.Drafts.Merge(v.Context(), v.Caller, d.ID, version, choices)
		if err == nil {
			return frame.GoSaying("/catalog/drafts/"+d.ID, "已合并到现行目录。"), nil
		}
		if !view.Form.Take(err) {
			return frame.Answer{}, err
		}
	}
	return show.Status(http.StatusUnprocessableEntity), nil
}

func conflictOf(number int, c draft.Conflict) conflictView {
	show := func(value any) string { return valueName(c.Place, showValue(value)) }
	return conflictView{
		Conflict: c, Number: number, PlaceName: placeName(c.Place), BaseText: show(c.Base), TheirsText: show(c.Theirs), Mine: show(c.Mine),
	}
}

// editable writes a value to be changed: a text as it is, all else as JSON.
func editable(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	out, err := json.Marshal(value)
	if value == nil || err != nil {
		return ""
	}
	return string(out)
}

// choices reads what stands where.
func (m *mergeView) choices(v *frame.Visit) []draft.Choice {
	var out []draft.Choice
	for _, row := range m.Rows {
		c := draft.Choice{Thing: row.Thing, Place: row.Place, Take: draft.Taking(m.Form.Value(row.Take()))}
		switch c.Take {
		case draft.TakeTheirs, draft.TakeMine:
		case draft.TakeValue:
			value, err := readEditable(row, m.Form.Value(row.Text()))
			if err != nil {
				m.Form.Fail(row.Text(), v.T("请按原来的写法填写，如 %s", editable(row.Theirs)))
			}
			c.Value = value
		default:
			m.Form.Fail(row.Take(), v.T("请选择保留哪一个"))
		}
		out = append(out, c)
	}
	return out
}

// readEditable reads what editable wrote: a text where either side has one.
func readEditable(row conflictView, text string) (json.RawMessage, error) {
	_, theirs := row.Theirs.(string)
	_, mine := row.Conflict.Mine.(string)
	if theirs || mine {
		return json.Marshal(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("not JSON")
	}
	return json.RawMessage(text), nil
}
