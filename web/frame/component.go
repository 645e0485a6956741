package frame

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"mianti/catalog"
)

// Pager leads from one part of a list to the others. An empty address is a part
// that is not there.
type Pager struct{ First, Prev, Next, Summary string }

// Step is one step of a timeline. Kind is that of a chip.
type Step struct {
	Title, Text, Kind string
	At                time.Time
}

// Option is one value that a field can have.
type Option struct{ Value, Title, Hint string }

// ChipView is a state in one or two words. Kind is one of good, wait, ask, bad, none
// and info.
type ChipView struct{ Kind, Text string }

// FieldView is a field of a form with its label, hint and error.
type FieldView struct {
	Name, Label, Hint, Type, Value, Fault string
	Values                                []string
	Required                              bool
	Options                               []Option
	Autocomplete, Accept                  string
	Rows                                  int
}

// Has reports whether the field has a value.
func (f FieldView) Has(value string) bool { return slices.Contains(f.Values, value) }

// Describedby names what explains the field to whoever hears the page.
func (f FieldView) Describedby() string {
	out := ""
	if f.Hint != "" {
		out = f.Name + "-hint"
	}
	if f.Fault != "" {
		out += " " + f.Name + "-fault"
	}
	return out
}

// DeadlineView is a deadline with the working days that are left of it.
type DeadlineView struct {
	Due        time.Time
	Kind, Text string
}

// functions are what templates may call.
func (s *Site) functions(l *look) template.FuncMap {
	return template.FuncMap{
		"t": l.translate, "date": showDate, "moment": showMoment, "iso": showISO, "percent": showPercent, "number": showNumber,
		"dict": dict, "link": buildLink, "asset": s.assetURL,
		"chip":  func(kind, text string) ChipView { return ChipView{kind, text} },
		"field": newField, "deadline": func(due, now any) DeadlineView { return s.deadline(l, due, now) },
		"add": func(a, b int) int { return a + b },
	}
}

// moments are shown as people in the city read them.
func timeOf(at any) time.Time {
	switch t := at.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

func format(at any, layout string) string {
	t := timeOf(at)
	if t.IsZero() {
		return ""
	}
	return t.In(catalog.TimeZone()).Format(layout)
}

func showDate(at any) string   { return format(at, time.DateOnly) }
func showMoment(at any) string { return format(at, "2006-01-02 15:04") }
func showISO(at any) string    { return format(at, time.RFC3339) }

// showPercent shows a part of one, such as 0.953, as 95.3%.
func showPercent(part float64) string { return strconv.FormatFloat(part*100, 'f', 1, 64) + "%" }

// showNumber groups the digits of a whole number by three.
func showNumber(n any) string {
	text := fmt.Sprint(n)
	sign := ""
	if len(text) > 0 && text[0] == '-' {
		sign, text = "-", text[1:]
	}
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return sign + text
}

// dict makes the values that a component is given, by name.
func dict(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: a name has no value")
	}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// buildLink gives an address with a query; what is empty or zero is left out.
func buildLink(path string, pairs ...any) (string, error) {
	given, err := dict(pairs...)
	if err != nil {
		return "", err
	}
	values := url.Values{}
	for name, value := range given {
		if text := fmt.Sprint(value); text != "" && text != "0" && text != "false" {
			values.Set(name, text)
		}
	}
	if len(values) == 0 {
		return path, nil
	}
	return path + "?" + values.Encode(), nil
}

// newField describes a field: the form, its name and label, and what else is to be
// said of it, by name.
func newField(form *Form, name, label string, pairs ...any) (FieldView, error) {
	more, err := dict(pairs...)
	if err != nil {
		return FieldView{}, err
	}
	f := FieldView{Name: name, Label: label, Type: "text"}
	if form != nil {
		f.Value, f.Values, f.Fault = form.Value(name), form.Values(name), form.Fault(name)
	}
	for key, value := range more {
		switch key {
		case "hint":
			f.Hint = fmt.Sprint(value)
		case "type":
			f.Type = fmt.Sprint(value)
		case "required":
			f.Required, _ = value.(bool)
		case "options":
			f.Options, _ = value.([]Option)
		case "autocomplete":
			f.Autocomplete = fmt.Sprint(value)
		case "accept":
			f.Accept = fmt.Sprint(value)
		case "rows":
			f.Rows, _ = value.(int)
		default:
			return FieldView{}, fmt.Errorf("field %s: nobody knows what %s is", name, key)
		}
	}
	if f.Rows == 0 {
		f.Rows = 4
	}
	return f, nil
}

// deadline says how many working days are left, in words and as a kind of chip.
func (s *Site) deadline(l *look, due, now any) DeadlineView {
	at, from := timeOf(due), timeOf(now)
	d := DeadlineView{Due: at, Kind: "info"}
	if at.IsZero() {
		return d
	}
	if over := s.WorkingDays(at, from); at.Before(from) {
		d.Kind, d.Text = "bad", l.translate("已超期 %d 个工作日", over)
		if over == 0 {
			d.Text = l.translate("刚刚超期")
		}
		return d
	}
	left := s.WorkingDays(from, at)
	switch {
	case left == 0:
		d.Kind, d.Text = "bad", l.translate("今天到期")
	case left <= 2:
		d.Kind, d.Text = "ask", l.translate("还剩 %d 个工作日", left)
	default:
		d.Kind, d.Text = "good", l.translate("还剩 %d 个工作日", left)
	}
	return d
}
