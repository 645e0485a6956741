package policy

import (
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/web/frame"
)

// matterView is one matter.
type matterView struct {
	base
	*matterRow
	When      catalog.Words
	LevelName string
	Handling  string
	Before    []*catalog.Matter // that must be granted first
	Feeds     []feed            // who uses its result
	Result    *catalog.Dataset
	Rows      []*materialLine
	Others    []*catalog.Matter // the same matter in other one-things
}

// materialLine is a material in the list of its matter.
type materialLine struct {
	*materialRow
	Steps []stepView
	Words catalog.Words
	Basis []clause
	From  []*catalog.Dataset
}

func (s *section) matter(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "matters")
	if err != nil {
		return frame.Answer{}, err
	}
	at := slices.IndexFunc(shelf.matters, func(m *matterRow) bool { return m.Code == v.Param("code") })
	if at < 0 {
		return frame.Answer{}, missing("unknown-matter", "事项")
	}
	row := shelf.matters[at]
	view := &matterView{base: b, matterRow: row, When: row.WhenInWords(), LevelName: levelName(row.Level), Result: shelf.rev.Dataset(row.Matter.Result.Dataset)}
	for _, code := range row.After {
		view.Before = append(view.Before, shelf.rev.Matter(code))
	}
	if thing := shelf.rev.OneThing(row.OneThing); thing != nil {
		view.Feeds, view.Handling = feedsOf(thing, row.Matter), handlingName(thing.Handling)
	}
	for _, other := range shelf.rev.MattersByImplementationCode(row.ImplementationCode) {
		if other != row.Matter {
			view.Others = append(view.Others, other)
		}
	}
	for i := range row.Materials {
		view.Rows = append(view.Rows, lineOf(shelf, shelf.material[row.Materials[i].Code]))
	}
	return frame.Show("matter.html", row.Name, view), nil
}

func lineOf(shelf *shelf, m *materialRow) *materialLine {
	line := &materialLine{materialRow: m, Steps: stepsOf(shelf.rev, m.Material), Words: m.WhenInWords(), Basis: clauses(m.Material.Basis)}
	for _, code := range m.Datasets {
		if d := shelf.rev.Dataset(code); d != nil {
			line.From = append(line.From, d)
		}
	}
	return line
}

func levelName(level int) string {
	return map[int]string{1: "国家级", 2: "省级", 3: "市级", 4: "县级", 5: "乡级", 6: "村级"}[level]
}

// feed is somebody who uses the result of a matter.
type feed struct {
	Matter    *catalog.Matter
	Materials []*catalog.Material // that it stands for
}

// feedsOf finds the matters of the one-thing for which a matter's result is a
// material: one that names it as prior, or that is looked up where it is
// registered.
func feedsOf(thing *catalog.OneThing, from *catalog.Matter) []feed {
	var out []feed
	for i := range thing.Matters {
		to := &thing.Matters[i]
		if to == from {
			continue
		}
		one := feed{Matter: to}
		for j := range to.Materials {
			if slices.Contains(to.Materials[j].Prior, from.Code) {
				one.Materials = append(one.Materials, &to.Materials[j])
			}
		}
		if len(one.Materials) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// clause is one provision that a material rests on.
type clause struct {
	Law, Place string
	Unverified bool // the catalog itself says so
}

// clauses takes citations apart: "条例16(1)" is the law and its place.
func clauses(citations []string) []clause {
	out := make([]clause, len(citations))
	for i, text := range citations {
		c := &out[i]
		if bare, marked := strings.CutSuffix(text, "（待核）"); marked {
			c.Unverified, text = true, bare
		}
		c.Law = text
		if at := strings.IndexAny(text, "0123456789"); at > 0 {
			c.Law, c.Place = strings.TrimSpace(text[:at]), text[at:]
		}
	}
	return out
}
