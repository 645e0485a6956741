package citizen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"mianti/catalog"
)

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
			for _, word := range group.Means {
				out = append(out, folded(word))
			}
		}
	}
	return out
}

// index is what can be searched of one revision, ready to be compared. It never
// changes.
type index struct {
	rev     *catalog.Revision
	entries []indexed
}

// indexed is an entry with its folded texts; inside is what stands in it.
type indexed struct {
	entry
	code, name, inside string
	whole              bool // a one-thing
}

// indexOf gives the index of a revision. It is made once for each: a search must not
// read through a hundred thousand materials as they are written.
func (p *pages) indexOf(rev *catalog.Revision) *index {
	if made := p.searched.Load(); made != nil && made.rev == rev {
		return made
	}
	made := &index{rev: rev}
	for _, thing := range rev.OneThings() {
		var inside strings.Builder
		for i := range thing.Matters {
			inside.WriteString(thing.Matters[i].Name + "\n")
		}
		made.add(indexed{entry: thingEntry(rev, thing), inside: inside.String(), whole: true})
	}
	for _, m := range rev.Matters() {
		var inside strings.Builder
		inside.WriteString(m.Result.Name + "\n")
		for i := range m.Materials {
			inside.WriteString(m.Materials[i].Name + "\n")
		}
		made.add(indexed{entry: matterEntry(rev, m), inside: inside.String()})
	}
	p.searched.Store(made)
	return made
}

func (x *index) add(e indexed) {
	e.code, e.name, e.inside = folded(e.Code), folded(e.Name), folded(e.inside)
	x.entries = append(x.entries, e)
}

// search finds one-things and matters, the best first.
func (p *pages) search(rev *catalog.Revision, asked string) []entry {
	asked = folded(asked)
	if asked == "" {
		return nil
	}
	meant := p.meant(asked)
	scores := map[string]int{}
	var found []entry
	for _, e := range p.indexOf(rev).entries {
		score := e.score(asked, meant)
		if score == 0 {
			continue
		}
		if e.whole {
			score++ // a whole thing before one of its matters
		}
		scores[e.Code] = score
		found = append(found, e.entry)
	}
	slices.SortStableFunc(found, func(a, b entry) int { return scores[b.Code] - scores[a.Code] })
	return found[:min(len(found), maxFound)]
}

// score says how well something fits: by its name, by what people call it, by what
// is in it, and by the single characters of its name.
func (e *indexed) score(asked string, meant []string) int {
	isIn := func(text string) func(string) bool {
		return func(word string) bool { return strings.Contains(text, word) }
	}
	switch {
	case e.code == asked, strings.Contains(e.name, asked):
		return 100
	case slices.ContainsFunc(meant, isIn(e.name)):
		return 80
	case slices.ContainsFunc(meant, isIn(e.inside)):
		return 40
	case strings.Contains(e.inside, asked):
		return 30
	case len([]rune(asked)) > 1 && hasEach(e.name, asked):
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
