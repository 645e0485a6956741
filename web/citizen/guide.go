package citizen

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// guideView is the guide to one thing: what is still asked, and the list so far.
type guideView struct {
	Code, Name, Lead, Part string
	Form                   *frame.Form
	// Ask is asked now, Answered was answered before, and Kept carries what was
	// answered along with Ask. More is how many questions come after Ask.
	Ask, Answered []questionView
	Kept          []kept
	More          int
	// Listed says that there is a list: at least once something was answered, or
	// nothing is asked.
	Listed                             bool
	None, Checking, Submit, Open, Rest []line
	Steps                              []step
	Days                               int
	Share                              string
}

// questionView is a question as the form shows it.
type questionView struct {
	Code, Ask, Type, Hint string
	Options               []frame.Option
}

// kept is an answer that the form carries along.
type kept struct{ Code, Value string }

// Answers that are none of the catalog's: "I do not know", and "none of these".
const (
	unsure = "?"
	noneOf = "-"
)

// maxAsked is how many questions stand on one screen.
const maxAsked = 6

// guide asks what can still change the list of materials, and shows the list. The
// answers stand in the address, so that it can be sent to the family; they are of
// a situation, and whatever could be of a person is refused.
func (p *pages) guide(v *frame.Visit) (frame.Answer, error) {
	rev, err := v.Revision(v.Param("code"))
	if err != nil {
		return frame.Answer{}, err
	}
	view, err := newGuide(rev, v.Param("code"))
	if err != nil {
		return frame.Answer{}, err
	}
	sent, doubtful := answersIn(rev, v.Request().URL.Query())
	facts, wrong := rev.ParseAnswers(sent)
	maps.DeleteFunc(sent, func(code string, _ []string) bool { _, right := facts[code]; return !right })
	guidance, err := rev.Guide(view.Code, facts)
	if err != nil {
		return frame.Answer{}, err
	}
	view.Form = frame.NewForm(v, append(doubtful, codesOf(sent)...)...)
	view.ask(v, rev, guidance, sent, doubtful)
	view.tell(v, rev, guidance)
	view.Listed = len(sent)+len(doubtful) > 0 || len(view.Ask) == 0
	answer := frame.Show("guide.html", view.Name, view)
	if len(wrong) > 0 {
		view.refuse(v, rev, wrong)
		return answer.Status(http.StatusUnprocessableEntity), nil
	}
	return answer, nil
}

func newGuide(rev *catalog.Revision, code string) (*guideView, error) {
	if thing := rev.OneThing(code); thing != nil {
		return &guideView{Code: code, Name: thing.Name, Lead: departmentName(rev, thing.Lead)}, nil
	}
	if m := rev.Matter(code); m != nil {
		e := matterEntry(rev, m)
		return &guideView{Code: code, Name: m.Name, Lead: e.By, Part: m.OneThing}, nil
	}
	return nil, fault.New(fault.NotFound, "unknown-matter", "没有这件事。请从首页查找要办的事。")
}

// answersIn takes the answers out of an address: those of the catalog's facts, and
// the facts of which somebody does not know. Anything else is not even kept.
func answersIn(rev *catalog.Revision, query url.Values) (sent map[string][]string, doubtful []string) {
	sent = map[string][]string{}
	for _, fact := range rev.Facts() {
		values := slices.DeleteFunc(slices.Clone(query[fact.Code]), func(s string) bool { return s == "" })
		switch {
		case len(values) == 0:
		case slices.Contains(values, unsure):
			doubtful = append(doubtful, fact.Code)
		default:
			sent[fact.Code] = values
		}
	}
	return sent, doubtful
}

func codesOf(sent map[string][]string) []string {
	var codes []string
	for code := range sent {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// ask chooses the questions of this screen.
func (g *guideView) ask(v *frame.Visit, rev *catalog.Revision, guidance *catalog.Guidance, sent map[string][]string, doubtful []string) {
	for _, q := range guidance.Questions {
		switch {
		case slices.Contains(doubtful, q.Fact.Code), sent[q.Fact.Code] != nil:
		case len(g.Ask) < maxAsked:
			g.Ask = append(g.Ask, newQuestion(v, q.Fact))
		default:
			g.More++
		}
	}
	share := url.Values{}
	for _, fact := range rev.Facts() {
		values := sent[fact.Code]
		if slices.Contains(doubtful, fact.Code) {
			values = []string{unsure}
		}
		if values == nil {
			continue
		}
		g.Answered = append(g.Answered, newQuestion(v, fact))
		for _, value := range values {
			g.Kept = append(g.Kept, kept{fact.Code, value})
			share.Add(fact.Code, value)
		}
	}
	g.Share = (&url.URL{Path: "/guide/" + g.Code, RawQuery: share.Encode()}).String()
}

func newQuestion(v *frame.Visit, fact *catalog.Fact) questionView {
	q := questionView{Code: fact.Code, Ask: fact.Ask, Type: "radio"}
	doubt := frame.Option{Value: unsure, Title: v.T("不清楚")}
	for _, o := range fact.Options {
		q.Options = append(q.Options, frame.Option{Value: o.Value, Title: o.Label})
	}
	switch fact.Type {
	case catalog.FactBool:
		q.Options = []frame.Option{{Value: "true", Title: v.T("是")}, {Value: "false", Title: v.T("不是")}, doubt}
	case catalog.FactEnum:
		q.Options = append(q.Options, doubt)
	case catalog.FactSet:
		q.Type, q.Hint = "checkbox", v.T("可以选几项")
		q.Options = append(q.Options, frame.Option{Value: noneOf, Title: v.T("都不需要")}, doubt)
	case catalog.FactNumber:
		q.Type, q.Options, q.Hint = "text", nil, v.T("只填数字，不清楚的可以空着")
	case catalog.FactRegion:
		q.Type, q.Options, q.Hint = "text", nil, v.T("六位行政区划代码，不清楚的可以空着")
	}
	return q
}

// refuse puts what is wrong with the answers at the questions, in plain words.
func (g *guideView) refuse(v *frame.Visit, rev *catalog.Revision, wrong []fault.Detail) {
	for _, d := range wrong {
		code := strings.TrimPrefix(d.Location, "facts.")
		fact := rev.Fact(code)
		message := v.T("请从列出的几项里选。")
		switch {
		case d.Code == "personal-data":
			message = v.T("这里不收姓名、号码和地址，请不要填写。")
		case fact != nil && fact.Type == catalog.FactNumber:
			message = v.T("请只填数字。")
		case fact != nil && fact.Type == catalog.FactRegion:
			message = v.T("请填六位数字的行政区划代码。")
		}
		g.Form.Fail(code, message)
	}
}
