package lint

import (
	"mianti/catalog"
)

// Severity (严重程度) says what a finding means for publishing: an error blocks it.
type Severity string

// The severities. A rule that is off finds nothing.
const (
	Error   Severity = "error"   // 错误
	Warning Severity = "warning" // 警告
	Notice  Severity = "notice"  // 提示
	Off     Severity = "off"     // 不检查
)

// Severities lists those that a finding can have.
func Severities() []Severity { return []Severity{Error, Warning, Notice} }

// Name gives the severity in Chinese.
func (s Severity) Name() string {
	switch s {
	case Error:
		return "错误"
	case Warning:
		return "警告"
	case Notice:
		return "提示"
	default:
		return "不检查"
	}
}

// Finding (体检发现) is one place of a catalog that a rule finds fault with.
type Finding struct {
	Rule     Rule              `json:"rule"`
	Severity Severity          `json:"severity"`
	Kind     catalog.ThingKind `json:"kind,omitempty"`
	Code     string            `json:"code"`
	Name     string            `json:"name"`
	Matter   string            `json:"matter,omitempty"`
	OneThing string            `json:"one_thing,omitempty"`
	// Department is that of the matter, which has to put it right.
	Department string `json:"department,omitempty"`
	// File is the catalog's file in which it stands, and Key the key of the thing
	// that is meant. Line is 0 where it is not known.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Key  string `json:"key"`
	// Reason says what is wrong here, Clause by which provision, and Suggestion
	// what would put it right, in words.
	Reason     string `json:"reason"`
	Clause     string `json:"clause"`
	Suggestion string `json:"suggestion"`
	// Explained says why it stands all the same; nil for an open one.
	Explained *Explanation `json:"explained,omitempty"`
	// Fix is a change that can be put into a draft; nil where only people can tell.
	Fix *catalog.Edit `json:"fix,omitempty"`
}

// Blocks reports whether nothing can be published with the finding.
func (f *Finding) Blocks() bool { return f.Severity == Error && f.Explained == nil }

// Errors gives those findings that block publishing.
func Errors(findings []Finding) []Finding {
	out := []Finding{}
	for i := range findings {
		if findings[i].Blocks() {
			out = append(out, findings[i])
		}
	}
	return out
}

// Explanation (发现的说明) is why a finding stands, and who said so.
type Explanation struct {
	Why string `json:"why"`
	By  string `json:"by"`
	On  string `json:"on,omitempty"`
}

// Count (体检计数) is how many findings a rule has, whether they are kept or not.
type Count struct {
	Rule      Rule     `json:"rule"`
	Severity  Severity `json:"severity"`
	Open      int      `json:"open"`
	Explained int      `json:"explained"`
}

// Report (体检报告) is what a catalog was found to be.
type Report struct {
	Findings []Finding `json:"findings"`
	Counts   []Count   `json:"counts"` // of every rule
	// Unmeasured are the rules that could not look, because their figures were not
	// there.
	Unmeasured                    []Rule `json:"unmeasured"`
	OneThings, Matters, Materials int    `json:"-"`
}

// Open gives how many open findings there are of a severity.
func (r *Report) Open(s Severity) int {
	n := 0
	for _, c := range r.Counts {
		if c.Severity == s {
			n += c.Open
		}
	}
	return n
}
