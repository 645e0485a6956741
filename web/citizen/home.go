package citizen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"mianti/catalog"
	"mianti/identity"
	"mianti/policies"
	"mianti/web/frame"
)

// homeView is the entrance.
type homeView struct {
	Asked   string
	Found   []entry
	Things  []entry
	Citizen bool // has signed in as an applicant
	SignIn  string
	Staff   string
}

// entry is something that can be applied for.
type entry struct {
	Code, Name string
	// In is the one-thing that a matter belongs to, and By who takes it.
	In, By  string
	Matters int
	score   int
}

// How much is read of a search, and how much is shown.
const (
	maxSearch = 40
	maxFound  = 20
	maxThings = 24
)

// home is the entrance: what it is, the search, and the one-things.
func (p *pages) home(v *frame.Visit) (frame.Answer, error) {
	rev, err := v.Revision()
	if err != nil {
		return frame.Answer{}, err
	}
	view := &homeView{
		Asked: strings.TrimSpace(v.Query("q")), Citizen: slices.Contains(v.Caller.Duties, policies.DutyCitizen),
		SignIn: "/auth/" + string(identity.Citizen) + "/login?return=%2Fmy", Staff: "/auth/" + string(identity.Staff) + "/login?return=%2Fauth%2F",
	}
	if runes := []rune(view.Asked); len(runes) > maxSearch {
		view.Asked = string(runes[:maxSearch])
	}
	if view.Asked != "" {
		view.Found = p.search(rev, view.Asked)
	}
	for _, thing := range rev.OneThings() {
		if len(view.Things) == maxThings {
			break
		}
		view.Things = append(view.Things, thingEntry(rev, thing))
	}
	return frame.Show("home.html", "办事之前，先看要交什么", view), nil
}

func thingEntry(rev *catalog.Revision, thing *catalog.OneThing) entry {
	return entry{Code: thing.Code, Name: thing.Name, By: departmentName(rev, thing.Lead), Matters: len(thing.Matters)}
}

func matterEntry(rev *catalog.Revision, m *catalog.Matter) entry {
	e := entry{Code: m.Code, Name: m.Name, By: departmentName(rev, m.Department)}
	if thing := rev.OneThing(m.OneThing); thing != nil {
		e.In = thing.Name
	}
	return e
}

func departmentName(rev *catalog.Revision, code string) string {
	if d := rev.Department(code); d != nil {
		return d.Name
	}
	return code
}

// synonyms are words that people use, and those of the catalog that they mean.
type synonyms struct {
	Said  []string `json:"said"`
	Means []string `json:"means"`
}

func readWords() ([]synonyms, error) {
	data, err := files.ReadFile("words.json")
	if err != nil {
		return nil, fmt.Errorf("web/citizen: %w", err)
	}
	var words []synonyms
	if err := json.Unmarshal(data, &words); err != nil {
		return nil, fmt.Errorf("web/citizen: words.json: %w", err)
	}
	return words, nil
}

// meant are the catalog's words for what somebody has typed.
func (p *pages) meant(asked string) []string {
	var out []string
	for _, group := range p.words {
		if slices.ContainsFunc(group.Said, func(said string) bool { return strings.Contains(asked, said) }) {
			out = append(out, group.Means...)
		}
	}
	return out
}

// search finds one-things and matters, the best first.
func (p *pages) search(rev *catalog.Revision, asked string) []entry {
	asked = folded(asked)
	meant := p.meant(asked)
	var found []entry
	for _, thing := range rev.OneThings() {
		var inside strings.Builder
		for i := range thing.Matters {
			inside.WriteString(thing.Matters[i].Name + "\n")
		}
		e := thingEntry(rev, thing)
		if e.score = score(asked, meant, thing.Code, thing.Name, inside.String()); e.score > 0 {
			e.score++ // a whole thing before one of its matters
			found = append(found, e)
		}
	}
	for _, m := range rev.Matters() {
		inside := m.Result.Name + "\n"
		for i := range m.Materials {
			inside += m.Materials[i].Name + "\n"
		}
		e := matterEntry(rev, m)
		if e.score = score(asked, meant, m.Code, m.Name, inside); e.score > 0 {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b entry) int { return b.score - a.score })
	return found[:min(len(found), maxFound)]
}

// score says how well something fits: by its name, by what people call it, by what
// is in it, and by the single characters of its name.
func score(asked string, meant []string, code, name, inside string) int {
	name, inside = folded(name), folded(inside)
	isIn := func(text string) func(string) bool {
		return func(word string) bool { return strings.Contains(text, folded(word)) }
	}
	switch {
	case folded(code) == asked, strings.Contains(name, asked):
		return 100
	case slices.ContainsFunc(meant, isIn(name)):
		return 80
	case slices.ContainsFunc(meant, isIn(inside)):
		return 40
	case strings.Contains(inside, asked):
		return 30
	case len([]rune(asked)) > 1 && hasEach(name, asked):
		return 20
	}
	return 0
}

func hasEach(text, runes string) bool {
	for _, r := range runes {
		if !strings.ContainsRune(text, r) {
			return false
		}
	}
	return true
}

// folded makes texts comparable: no spaces or marks, no capitals.
func folded(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) && r != '\n' || unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
