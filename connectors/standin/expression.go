package standin

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
)

// expression is a value of records.yaml: a literal, or a text with references
// such as $name, $holder.number, $property.location or $date(+5y).
type expression struct {
	literal any
	parts   []part       // of a text with a reference
	items   []expression // of a list
}

// part is a literal text or a reference: steps from the subject to an entity,
// and what to take of it.
type part struct {
	text      string
	steps     []string
	attribute string
	argument  string
}

// scene is what a reference can refer to.
type scene struct {
	subject  *entity
	dataset  *catalog.Dataset
	property *entity // the one that a record is about, where there is one for each
	ordinal  int
	today    time.Time
}

// parseExpression reads a value. A text without a reference is a literal.
func parseExpression(value any) (expression, error) {
	if list, isList := value.([]any); isList {
		return parseList(list)
	}
	text, isText := value.(string)
	if !isText || !strings.Contains(text, "$") {
		return expression{literal: value}, nil
	}
	reference := regexp.MustCompile(`^\$([a-z_]+(?:\.[a-z_]+)*)(?:\(([^)]*)\))?`)
	var out expression
	for text != "" {
		start := strings.IndexByte(text, '$')
		if start < 0 {
			out.parts = append(out.parts, part{text: text})
			break
		}
		if start > 0 {
			out.parts = append(out.parts, part{text: text[:start]})
		}
		match := reference.FindStringSubmatch(text[start:])
		if match == nil {
			return expression{}, fmt.Errorf("%q has a $ without a reference", value)
		}
		path := strings.Split(match[1], ".")
		last := len(path) - 1
		out.parts = append(out.parts, part{steps: path[:last], attribute: path[last], argument: match[2]})
		text = text[start+len(match[0]):]
	}
	return out, nil
}

func parseList(list []any) (expression, error) {
	out := expression{items: make([]expression, 0, len(list))}
	for _, item := range list {
		x, err := parseExpression(item)
		if err != nil {
			return expression{}, err
		}
		out.items = append(out.items, x)
	}
	return out, nil
}

// value evaluates the expression. A single reference keeps its type; with text
// around it everything becomes text.
func (x expression) value(s scene) (any, error) {
	switch {
	case x.items != nil:
		return x.list(s)
	case len(x.parts) == 0:
		return x.literal, nil
	}
	if len(x.parts) == 1 {
		return x.parts[0].value(s)
	}
	var text strings.Builder
	for _, p := range x.parts {
		value, err := p.value(s)
		if err != nil {
			return nil, err
		}
		fmt.Fprint(&text, value)
	}
	return text.String(), nil
}

func (x expression) list(s scene) (any, error) {
	out := make([]any, 0, len(x.items))
	for _, item := range x.items {
		value, err := item.value(s)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

func (p part) value(s scene) (any, error) {
	if p.attribute == "" {
		return p.text, nil
	}
	if p.attribute == "date" || p.attribute == "month" {
		return s.date(p.attribute, p.argument)
	}
	e := s.subject
	for i, step := range p.steps {
		if i == 0 && step == "property" && s.property != nil {
			e = s.property
			continue
		}
		next, err := e.related(step)
		if err != nil {
			return nil, err
		}
		e = next
	}
	return s.attribute(e, p.attribute)
}

// attribute takes one thing of an entity.
func (s scene) attribute(e *entity, name string) (any, error) {
	switch name {
	case "name", "location":
		return e.name, nil
	case "number":
		return e.number, nil
	case "usage":
		return e.usage, nil
	case "serial":
		return s.serial(e), nil
	case "sequence":
		return fmt.Sprintf("%06d", e.sequence()+1), nil
	case "birthday", "sex", "marriage", "couple", "household", "kinship":
		return personal(e.person(), name), nil
	case "shareholders", "shareholder_numbers", "contributions", "shares":
		return e.organization().shares(name), nil
	}
	return nil, fmt.Errorf("nothing is called %q", name)
}

// personal is what only a person has.
func personal(e *entity, name string) any {
	switch name {
	case "birthday":
		return e.birthday().Format(time.DateOnly)
	case "sex":
		if e.isMan() {
			return "男"
		}
		return "女"
	case "marriage":
		if e.spouse == nil {
			return "未婚"
		}
		return "已婚"
	case "couple":
		if e.spouse == nil {
			return []string{e.name}
		}
		return []string{e.name, e.spouse.name}
	case "household":
		return householdNumber(e)
	default:
		return kinship(e)
	}
}

// shares lists an organisation's shareholders, by name, number, contribution
// or share. All
// have the same share; with no shareholder on record its head has all.
func (e *entity) shares(what string) []string {
	holders := e.shareholders
	if len(holders) == 0 {
		holders = []*entity{e.head()}
	}
	out := make([]string, 0, len(holders))
	for _, h := range holders {
		switch what {
		case "shareholders":
			out = append(out, h.name)
		case "shareholder_numbers":
			out = append(out, h.number)
		case "contributions":
			out = append(out, "100万元")
		default:
			out = append(out, fmt.Sprintf("%.2f%%", 100/float64(len(holders))))
		}
	}
	return out
}

// householdNumber is the same for all who live together.
func householdNumber(e *entity) string {
	if e.household != nil {
		e = e.household
	}
	return fmt.Sprintf("%s%06d", area, e.sequence()+1)
}

// kinship is how a person is related to the first of the household.
func kinship(e *entity) string {
	switch {
	case e.household == nil || e.household == e:
		return "户主"
	case e.household.spouse == e:
		return "配偶"
	case len(e.parents) > 0:
		return "子女"
	default:
		return "亲属"
	}
}

// serial numbers a record: the same for the same dataset, subject and ordinal.
// It holds no part of the subject's number.
func (s scene) serial(e *entity) string {
	return fmt.Sprintf("%s%d%06d%d", strings.ReplaceAll(s.dataset.Code, "-", ""), s.today.Year()-1, e.sequence()+1, s.ordinal)
}

// date shifts today by an argument such as "+5y", "-6m" or "-10d", and gives a
// date, or a month as "2006-01". Nothing happened to a person before birth.
func (s scene) date(kind, argument string) (any, error) {
	if kind == "month" {
		argument += "m"
	}
	day, err := shift(s.today, argument)
	if err != nil {
		return nil, err
	}
	if birthday := s.subject.birthday(); day.Before(birthday) {
		day = birthday
	}
	if kind == "month" {
		return day.Format("2006-01"), nil
	}
	return day.Format(time.DateOnly), nil
}

func shift(day time.Time, argument string) (time.Time, error) {
	if argument == "" {
		return day, nil
	}
	last := len(argument) - 1
	n, err := strconv.Atoi(argument[:last])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no span of time", argument)
	}
	switch argument[last] {
	case 'y':
		return day.AddDate(n, 0, 0), nil
	case 'm':
		return day.AddDate(0, n, 0), nil
	case 'd':
		return day.AddDate(0, 0, n), nil
	}
	return time.Time{}, fmt.Errorf("%q is no span of time", argument)
}
