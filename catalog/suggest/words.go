package suggest

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

//go:embed words.yaml papers.yaml
var files embed.FS

// paper is a paper by the name that laws and licences use, as papers.yaml has it.
type paper struct {
	Name string   `yaml:"name"`
	Also []string `yaml:"also"`
	// Is names the paper that this one is a kind of.
	Is string `yaml:"is"`
	// Both names the papers that the name asks for together.
	Both []string `yaml:"both"`
}

// wordFile is words.yaml, which explains its parts.
type wordFile struct {
	Traditional  string              `yaml:"traditional"`
	Simplified   string              `yaml:"simplified"`
	Spelling     map[string]string   `yaml:"spelling"`
	Endings      [][2]string         `yaml:"endings"`
	Kinds        map[string][]string `yaml:"kinds"`
	NearKinds    [][2]string         `yaml:"near_kinds"`
	Forms        []string            `yaml:"forms"`
	Remarks      []string            `yaml:"remarks"`
	Roles        map[string][]string `yaml:"roles"`
	Leading      []string            `yaml:"leading"`
	Somebody     []string            `yaml:"somebody"`
	MaybeLeading []string            `yaml:"maybe_leading"`
	Qualifiers   []string            `yaml:"qualifiers"`
	Trailing     []string            `yaml:"trailing"`
	Elliptic     []string            `yaml:"elliptic"`
	Optional     []string            `yaml:"optional"`
	Contrary     [][]string          `yaml:"contrary"`
	Patterns     []struct {
		Match string `yaml:"match"`
		Paper string `yaml:"paper"`
	} `yaml:"patterns"`
	Generic  []string `yaml:"generic"`
	CatchAll []string `yaml:"catch_all"`
}

// words is what is known of names, made ready.
type words struct {
	wordFile
	simplified map[rune]rune
	spelling   *strings.Replacer
	kinds      []ending
	roles      []ending // word and role, the longest first
	handling   []string // words of how a paper is handed in, the longest first
	leading    []string
	qualifiers []string
	trailing   []string
	optional   [][]rune
	contraries []string // all contrary words; no word stands in two groups
	groups     []uint64 // of them, by their places
	generic    map[string]bool
	elliptic   map[string]bool
	papers     map[string]*paper // by the key of each of its names
	named      map[string]*paper
	patterns   []pattern
}

// ending is a word and what it stands for.
type ending struct{ word, means string }

type pattern struct {
	match *regexp.Regexp
	paper string
}

func loadWords() (*words, error) {
	w := &words{papers: map[string]*paper{}, named: map[string]*paper{}, generic: map[string]bool{}, elliptic: map[string]bool{}, simplified: map[rune]rune{}}
	if err := readYAML("words.yaml", &w.wordFile); err != nil {
		return nil, err
	}
	to := []rune(w.Simplified)
	for i, r := range []rune(w.Traditional) {
		w.simplified[r] = to[i]
	}
	w.spelling = replacer(w.Spelling)
	w.kinds, w.roles = longestFirst(w.Kinds), longestFirst(w.Roles)
	w.handling, w.leading = byLength(w.Forms), byLength(w.Leading)
	w.qualifiers, w.trailing = byLength(w.Qualifiers), byLength(w.Trailing)
	for _, word := range w.Optional {
		w.optional = append(w.optional, []rune(word))
	}
	if err := w.loadContraries(); err != nil {
		return nil, err
	}
	for _, name := range w.Generic {
		w.generic[w.key(name)] = true
	}
	for _, name := range w.Elliptic {
		w.elliptic[w.key(name)] = true
	}
	for _, p := range w.Patterns {
		match, err := regexp.Compile(p.Match)
		if err != nil {
			return nil, fmt.Errorf("words.yaml: %w", err)
		}
		w.patterns = append(w.patterns, pattern{match, p.Paper})
	}
	return w, w.loadPapers()
}

// loadContraries numbers the contrary words.
func (w *words) loadContraries() error {
	for _, group := range w.Contrary {
		places := uint64(0)
		for _, word := range group {
			if slices.Contains(w.contraries, word) || len(w.contraries) == 64 {
				return fmt.Errorf("words.yaml: contrary: %s stands twice, or there are more than 64 words", word)
			}
			places |= 1 << len(w.contraries)
			w.contraries = append(w.contraries, word)
		}
		w.groups = append(w.groups, places)
	}
	return nil
}

func (w *words) loadPapers() error {
	var file struct {
		Papers []paper `yaml:"papers"`
	}
	if err := readYAML("papers.yaml", &file); err != nil {
		return err
	}
	for i := range file.Papers {
		p := &file.Papers[i]
		w.named[p.Name] = p
		w.papers[w.key(p.Name)] = p
	}
	for i := range file.Papers {
		p := &file.Papers[i]
		for _, name := range p.Also {
			key := w.key(name)
			if other, taken := w.papers[key]; taken && other != p {
				return fmt.Errorf("papers.yaml: %s stands for %s and for %s", name, other.Name, p.Name)
			}
			w.papers[key] = p
		}
	}
	return nil
}

func readYAML(name string, into any) error {
	content, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func replacer(pairs map[string]string) *strings.Replacer {
	var list []string
	for from := range pairs {
		list = append(list, from)
	}
	var args []string
	for _, from := range byLength(list) {
		args = append(args, from, pairs[from])
	}
	return strings.NewReplacer(args...)
}

func byLength(list []string) []string {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return out
}

func longestFirst(groups map[string][]string) []ending {
	var out []ending
	for means, list := range groups {
		for _, word := range list {
			out = append(out, ending{word, means})
		}
	}
	slices.SortFunc(out, func(a, b ending) int {
		if len(a.word) != len(b.word) {
			return len(b.word) - len(a.word)
		}
		return strings.Compare(a.word, b.word)
	})
	return out
}

// plain folds what is only a matter of writing: width, traditional characters, capital
// letters, spaces, quotation marks, and a number before the name.
func (w *words) plain(name string) string {
	name = strings.TrimLeftFunc(name, func(r rune) bool { return unicode.Is(unicode.No, r) || unicode.IsSpace(r) })
	name = norm.NFKC.String(name)
	var out strings.Builder
	for _, r := range name {
		if s, ok := w.simplified[r]; ok {
			r = s
		}
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(`《》〈〉<>“”"'‘’「」『』【】*★●·`, r):
		case r == '[' || r == '{' || r == '〔':
			out.WriteByte('(')
		case r == ']' || r == '}' || r == '〕':
			out.WriteByte(')')
		default:
			out.WriteRune(unicode.ToUpper(r))
		}
	}
	text := numbering.ReplaceAllString(out.String(), "")
	return strings.TrimRight(text, ",，;；。.、:：!！")
}

// numbering is a number before a name: 1. (2) 三、
var numbering = regexp.MustCompile(`^(?:\([0-9一二三四五六七八九十]{1,3}\)[、.:]?|[0-9一二三四五六七八九十]{1,3}[、.:)])`)

// key is a name in the form in which names are compared.
func (w *words) key(name string) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, w.spelling.Replace(name))
	for range 2 {
		text = w.ended(text)
	}
	return text
}

// ended gives a name the plainest of the endings that mean the same.
func (w *words) ended(text string) string {
	for _, e := range w.Endings {
		if rest, ok := strings.CutSuffix(text, e[0]); ok && rest != "" {
			return rest + e[1]
		}
	}
	return text
}

// paper gives the known paper that a key stands for, or nil.
func (w *words) paper(key string) *paper {
	if p := w.papers[key]; p != nil {
		return p
	}
	for _, p := range w.patterns {
		if p.match.MatchString(key) {
			return w.named[p.paper]
		}
	}
	return nil
}

// kind gives the kind of paper that a key ends in; empty where it is not known.
func (w *words) kind(key string) string {
	for _, k := range w.kinds {
		if strings.HasSuffix(key, k.word) {
			return k.means
		}
	}
	return ""
}

// kindsAgree reports whether two kinds may be one paper, and whether they are the same.
func (w *words) kindsAgree(a, b string) (may, same bool) {
	if a == b || a == "" || b == "" {
		return true, a == b
	}
	for _, near := range w.NearKinds {
		if near == [2]string{a, b} || near == [2]string{b, a} {
			return true, false
		}
	}
	return false, false
}

// vague reports whether a name says nothing of which paper is meant.
func (w *words) vague(text string) bool {
	if key := w.key(text); key == "" || w.generic[key] {
		return true
	}
	return slices.ContainsFunc(w.CatchAll, func(word string) bool { return strings.Contains(text, word) })
}
