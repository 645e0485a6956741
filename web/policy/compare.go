package policy

import (
	"strconv"

	"mianti/catalog"
	"mianti/web/frame"
)

// comparison is two revisions with how they differ; it is kept, because the next
// part of it is likely to be asked for.
type comparison struct {
	earlier, later *catalog.Revision
	changes        []catalog.ThingChange
}

// keptComparisons is how many are kept.
const keptComparisons = 2

func (s *section) changesBetween(earlier, later *catalog.Revision) ([]catalog.ThingChange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.changes {
		if known.earlier == earlier && known.later == later {
			return known.changes, nil
		}
	}
	changes, err := catalog.Compare(earlier, later)
	if err != nil {
		return nil, err
	}
	s.changes = append([]comparison{{earlier, later, changes}}, s.changes...)
	s.changes = s.changes[:min(len(s.changes), keptComparisons)]
	return changes, nil
}

// compareView is two revisions side by side.
type compareView struct {
	base
	Form      *frame.Form
	Earlier   int
	Later     int
	Revisions []frame.Option
	Kinds     []frame.Option
	Counts    []countView
	Rows      []changeView
	Total     int
	Pager     frame.Pager
}

type countView struct {
	Kind                    catalog.ThingKind
	Name                    string
	Added, Removed, Changed int
}

// changeView is a thing that was changed.
type changeView struct {
	catalog.ThingChange
	KindName, ChangeName, Chip string
	Link                       string
	Fields                     []fieldChangeView
}

// fieldChangeView is a place with what stood there and what stands there now; a
// condition in words too.
type fieldChangeView struct{ Place, Name, Old, New, OldWords, NewWords string }

// changesPage is how many changed things are shown at a time.
const changesPage = 20

func (s *section) compare(v *frame.Visit) (frame.Answer, error) {
	_, b, err := s.at(v, "revisions")
	if err != nil {
		return frame.Answer{}, err
	}
	number, err := strconv.Atoi(v.Param("number"))
	if err != nil {
		return frame.Answer{}, missing("no-such-revision", "修订")
	}
	later, err := s.numbered(v, number)
	if err != nil {
		return frame.Answer{}, err
	}
	view := &compareView{base: b, Later: number, Earlier: v.Number("since", 1, 1<<30, max(number-1, 1)), Form: frame.NewForm(v, "since", "kind", "q")}
	view.Form.Set("since", strconv.Itoa(view.Earlier))
	if view.Revisions, err = s.revisionOptions(v); err != nil {
		return frame.Answer{}, err
	}
	earlier, err := s.numbered(v, view.Earlier)
	if err != nil {
		return frame.Answer{}, err
	}
	changes, err := s.changesBetween(earlier, later)
	if err != nil {
		return frame.Answer{}, err
	}
	view.fill(v, changes, earlier, later)
	return frame.Show("compare.html", "修订比较", view), nil
}

func (c *compareView) fill(v *frame.Visit, changes []catalog.ThingChange, earlier, later *catalog.Revision) {
	counts := map[catalog.ThingKind]*countView{}
	for _, change := range changes {
		one := counts[change.Kind]
		if one == nil {
			one = &countView{Kind: change.Kind, Name: change.Kind.Name()}
			counts[change.Kind] = one
		}
		switch change.Change {
		case catalog.ThingAdded:
			one.Added++
		case catalog.ThingRemoved:
			one.Removed++
		case catalog.ThingChanged:
			one.Changed++
		}
	}
	c.Kinds = options(v, "", "全部类别")
	for _, kind := range catalog.ThingKinds() {
		if one := counts[kind]; one != nil {
			c.Counts = append(c.Counts, *one)
			c.Kinds = append(c.Kinds, frame.Option{Value: string(kind), Title: v.T(one.Name)})
		}
	}
	matches, page := matcher(v), v.Number("page", 1, 1<<20, 1)
	for _, change := range changes {
		if !is(v.Query("kind"), string(change.Kind)) || !matches(lower(change.Code, change.Name)) {
			continue
		}
		if c.Total++; c.Total > (page-1)*changesPage && len(c.Rows) < changesPage {
			c.Rows = append(c.Rows, changeOf(change, earlier, later, c.Later))
		}
	}
	c.Pager = pager(v, c.Total, page, changesPage)
}

func changeOf(change catalog.ThingChange, earlier, later *catalog.Revision, number int) changeView {
	out := changeView{
		ThingChange: change, KindName: change.Kind.Name(), ChangeName: changeName(change.Change), Chip: changeChip(change.Change),
	}
	folder := map[catalog.ThingKind]string{
		catalog.ThingOneThing: "one-things", catalog.ThingMatter: "matters", catalog.ThingMaterial: "materials", catalog.ThingDataset: "datasets",
	}[change.Kind]
	if folder != "" && change.Change != catalog.ThingRemoved {
		out.Link = "/catalog/" + folder + "/" + change.Code + "?rev=" + strconv.Itoa(number)
	}
	for _, f := range change.Fields {
		one := fieldChangeView{Place: f.Place, Name: placeName(f.Place), Old: valueName(f.Place, showValue(f.Old)), New: valueName(f.Place, showValue(f.New))}
		if f.Place == "when" {
			one.OldWords, one.NewWords = inWords(earlier, one.Old), inWords(later, one.New)
		}
		out.Fields = append(out.Fields, one)
	}
	return out
}

func changeName(kind catalog.ChangeKind) string {
	return map[catalog.ChangeKind]string{catalog.ThingAdded: "新增", catalog.ThingRemoved: "删除", catalog.ThingChanged: "更改"}[kind]
}

func changeChip(kind catalog.ChangeKind) string {
	return map[catalog.ChangeKind]string{catalog.ThingAdded: "good", catalog.ThingRemoved: "bad", catalog.ThingChanged: "ask"}[kind]
}

func inWords(rev *catalog.Revision, condition string) string {
	if rev == nil {
		return ""
	}
	words, faults := rev.TryCondition(condition)
	if len(faults) > 0 || !words.Exact {
		return ""
	}
	return words.Text
}
