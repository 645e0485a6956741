package citizen

import (
	"slices"
	"strings"

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
