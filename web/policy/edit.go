package policy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/web/frame"
)

// mostSteps bounds a chain in the form.
const mostSteps = 12

// editView is a material that is being rewritten. Nothing of it is stored: what
// comes of it is a text to take along.
type editView struct {
	base
	*materialLine
	Form     *frame.Form
	When     conditionView
	Steps    []stepField
	Modes    []frame.Option
	Owners   []frame.Option
	Facts    []factField
	YAML     string
	Faults   []catalog.Fault // of the whole, by the lines of YAML
	Changed  []catalog.FieldChange
	Places   []fieldChangeView
	Subject  string
	Rows     []trialRowView // what would come out otherwise
	Same     bool           // nothing was changed
	Moved    int            // the step that a button has just moved; from 1
	Complete bool           // it could be tried
	Drafts   []frame.Option // into which it can be put; none on an earlier revision
}

// conditionView is a condition with what it says, or what is wrong with it.
type conditionView struct {
	Text   string
	Words  catalog.Words
	Faults []catalog.ExpressionFault
}

// stepField is a step in the form.
type stepField struct {
	Number      int // from 1
	Mode        string
	When        conditionView
	Department  string
	Amount      string // days, minutes or months
	Unit        string // what the amount is of; empty for a mode that has none
	First, Last bool
	Assists     bool
}

// edit shows the form, and with what was sent what would come of it.
func (s *section) edit(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "materials")
	if err != nil {
		return frame.Answer{}, err
	}
	row := shelf.material[v.Param("code")]
	if row == nil {
		return frame.Answer{}, missing("unknown-material", "材料")
	}
	view := &editView{base: b, materialLine: lineOf(shelf, row), Subject: row.Matter.OneThing, Owners: shelf.departmentOptions(v), Form: frame.NewForm(v, "name", "when", "basis", "note", "draft")}
	view.Owners[0].Title = v.T("数源部门")
	for _, m := range catalog.Modes() {
		view.Modes = append(view.Modes, frame.Option{Value: string(m), Title: v.T(m.Name())})
	}
	edited := view.read(v, row.Material)
	view.show(v, shelf.rev, &edited)
	text, err := shelf.rev.YAML(&edited)
	if err != nil {
		return frame.Answer{}, err
	}
	view.YAML = string(text)
	if v.Form("do") == "download" {
		return frame.Send("application/yaml; charset=utf-8", row.Code+".yaml", text), nil
	}
	if err := view.try(v, shelf.rev, text); err != nil {
		return frame.Answer{}, err
	}
	if v.Form("do") == "draft" && view.Complete {
		if answer, err := s.draftMaterial(v, view, text); err != nil || view.Form.OK() {
			return answer, err
		}
	}
	if err := view.offerDrafts(v, s); err != nil {
		return frame.Answer{}, err
	}
	answer := frame.Show("edit.html", "改写材料", view)
	if !view.Complete || !view.Form.OK() {
		answer = answer.Status(http.StatusUnprocessableEntity)
	}
	return answer, nil
}

// read gives the material as the form has it; where none was sent, as it is.
func (e *editView) read(v *frame.Visit, m *catalog.Material) catalog.Material {
	edited := *m
	if v.Request().Method != http.MethodPost {
		e.Form.Set("name", m.Name)
		e.Form.Set("when", m.When)
		e.Form.Set("basis", strings.Join(m.Basis, "\n"))
		e.Form.Set("note", m.Note)
		return edited
	}
	edited.Name, edited.When, edited.Note = e.Form.Value("name"), e.Form.Value("when"), e.Form.Value("note")
	edited.Basis = nil
	for line := range strings.Lines(e.Form.Value("basis")) {
		if line = strings.TrimSpace(line); line != "" {
			edited.Basis = append(edited.Basis, line)
		}
	}
	edited.Need = catalog.NeedConditional
	if edited.When == "" {
		edited.Need = catalog.NeedRequired
	}
	edited.Chain = e.readChain(v)
	return edited
}

// readChain reads the steps, and does what a button says: "up-2", "down-2",
// "remove-2" or "add".
func (e *editView) readChain(v *frame.Visit) []catalog.Step {
	modes, whens, owners, amounts := v.Forms("mode"), v.Forms("step_when"), v.Forms("step_department"), v.Forms("amount")
	var chain []catalog.Step
	for i := range min(len(modes), mostSteps) {
		step := catalog.Step{Mode: catalog.Mode(modes[i]), When: strings.TrimSpace(nth(whens, i))}
		if step.Mode == catalog.ModeAssist {
			step.Department = nth(owners, i)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(nth(amounts, i))); err == nil && n > 0 && n < 100_000 {
			switch step.Mode {
			case catalog.ModeAssist, catalog.ModeDefer:
				step.Days = n
			case catalog.ModeWait:
				step.Minutes = n
			case catalog.ModeHistory:
				step.Months = n
			}
		}
		chain = append(chain, step)
	}
	do, at, _ := strings.Cut(v.Form("do"), "-")
	i, _ := strconv.Atoi(at)
	switch i--; {
	case do == "add" && len(chain) < mostSteps:
		chain = append(chain, catalog.Step{Mode: catalog.ModeUpload})
		e.Moved = len(chain)
	case i < 0 || i >= len(chain):
	case do == "up" && i > 0:
		chain[i-1], chain[i] = chain[i], chain[i-1]
		e.Moved = i
	case do == "down" && i < len(chain)-1:
		chain[i+1], chain[i] = chain[i], chain[i+1]
		e.Moved = i + 2
	case do == "remove":
		chain = slices.Delete(chain, i, i+1)
	}
	return chain
}

func nth(values []string, i int) string {
	if i < len(values) {
		return values[i]
	}
	return ""
}

// show says each condition in words, or what is wrong with it.
func (e *editView) show(v *frame.Visit, rev *catalog.Revision, m *catalog.Material) {
	e.When = tried(rev, m.When)
	for _, f := range e.When.Faults {
		e.Form.Fail("when", placed(v, f))
	}
	for i, step := range m.Chain {
		field := stepField{
			Number: i + 1, Mode: string(step.Mode), When: tried(rev, step.When), Department: step.Department, First: i == 0, Last: i == len(m.Chain)-1,
			Assists: step.Mode == catalog.ModeAssist,
		}
		switch step.Mode {
		case catalog.ModeAssist, catalog.ModeDefer:
			field.Unit, field.Amount = "工作日", amount(step.Days)
		case catalog.ModeWait:
			field.Unit, field.Amount = "分钟", amount(step.Minutes)
		case catalog.ModeHistory:
			field.Unit, field.Amount = "个月", amount(step.Months)
		}
		for _, f := range field.When.Faults {
			e.Form.Fail("step-when-"+strconv.Itoa(i+1), v.T("第 %d 步", i+1)+"，"+placed(v, f))
		}
		e.Steps = append(e.Steps, field)
	}
}

// placed says what is wrong with a condition, after its place.
func placed(v *frame.Visit, f catalog.ExpressionFault) string {
	return v.T("第 %d 行第 %d 个字符：", f.Line, f.Column) + f.Reason
}

func amount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func tried(rev *catalog.Revision, condition string) conditionView {
	words, faults := rev.TryCondition(condition)
	return conditionView{condition, words, faults}
}

// try holds the text against the rules of loading, and if it keeps them shows what
// would come out otherwise.
func (e *editView) try(v *frame.Visit, rev *catalog.Revision, text []byte) error {
	next, material, faults, err := rev.Redraft(text)
	if err != nil {
		return err
	}
	if e.Faults = faults; len(faults) > 0 {
		if e.Form.OK() { // those of a condition are at its field already
			for _, f := range faults {
				e.Form.Fail("", v.T("第 %d 行：%s", f.Line, f.Reason))
			}
		}
		return nil
	}
	e.Complete = true
	changes, err := catalog.Compare(rev, next)
	if err != nil {
		return err
	}
	e.Same = len(changes) == 0
	for _, change := range changes {
		e.Places = append(e.Places, changeOf(change, rev, next, e.Number).Fields...)
	}
	in, facts := readTrial(v, e.Form, rev, e.Subject)
	readFacts(v, e.Form, next, next.FactsOf(e.Subject), in.Facts)
	for _, f := range next.FactsOf(e.Subject) {
		if !slices.Contains(facts, f) && f.Type != catalog.FactText {
			facts = append(facts, f)
		}
	}
	decides := factsOfBoth(rev, e.Material, material)
	facts = slices.DeleteFunc(facts, func(f *catalog.Fact) bool { return !decides[f.Code] })
	for _, f := range facts {
		e.Facts = append(e.Facts, factField{FieldView: fieldOf(v, e.Form, f)})
	}
	before, err := rev.Try(in)
	if err != nil {
		return err
	}
	after, err := next.Try(in)
	if err != nil {
		return err
	}
	for _, row := range catalog.Beside(before, after) {
		if row.Changed || row.Code == e.Code {
			e.Rows = append(e.Rows, rowOf(next, row))
		}
	}
	return nil
}

// factsOfBoth are the facts that decide about a material before or after, and about
// its matter.
func factsOfBoth(rev *catalog.Revision, old, fresh *catalog.Material) map[string]bool {
	out := map[string]bool{}
	for _, code := range slices.Concat(old.FactsNamed(), fresh.FactsNamed(), rev.MatterOf(old.Code).FactsNamed()) {
		out[code] = true
	}
	return out
}
