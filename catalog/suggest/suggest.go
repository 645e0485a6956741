// Package suggest is the mapping assistant (材料映射助手): it takes the free-text
// names of materials from somebody's list and says which standard material, common
// material or dataset of the catalog each of them most likely means, how sure that
// is, and why. It is deterministic and local: words kept as data, an index of
// character pairs, and what staff decided before. There is no model.
//
// It suggests and decides nothing. Where it is not sure it says so instead of
// guessing: a wrong mapping asks the wrong record of somebody.
package suggest

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"mianti/catalog"
)

// Candidate (候选材料) is what of a catalog a name may mean.
type Candidate struct {
	Kind catalog.ThingKind `json:"kind" enum:"standard_material,common_material,dataset" doc:"是目录中的哪一种"`
	Code string            `json:"code"`
	Name string            `json:"name"`
	// Datasets hold the record that stands in for the paper, where the catalog says.
	Datasets []HoldingDataset `json:"datasets,omitempty" doc:"可以代替它的数据资源"`
}

// HoldingDataset (对应数据资源) is a dataset that a candidate's record is in.
type HoldingDataset struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Level (把握) is a score in words.
type Level string

// The levels. There is nothing below possible but none.
const (
	Likely   Level = "likely"
	Possible Level = "possible"
	None     Level = "none"
)

// Name gives a level in Chinese.
func (l Level) Name() string {
	return map[Level]string{Likely: "很可能", Possible: "可能", None: "没有建议"}[l]
}

// Bounds of the levels. On the development lists the share of the suggestions of a
// level that are right is at least its bound, which a test holds.
const (
	likelyFrom   = 0.9
	possibleFrom = 0.75
)

func levelOf(score float64) Level {
	switch {
	case score >= likelyFrom:
		return Likely
	case score >= possibleFrom:
		return Possible
	default:
		return None
	}
}

// Cause (建议依据) says by what a paper was recognised, or why it was not.
type Cause string

// The causes.
const (
	CauseDecided   Cause = "decided"   // staff accepted this very name
	CauseSame      Cause = "same"      // the name is the candidate's
	CauseSynonym   Cause = "synonym"   // another name of the same paper
	CauseKindOf    Cause = "kind_of"   // a kind of what the candidate is
	CauseAlike     Cause = "alike"     // nearly the same characters
	CauseRejected  Cause = "rejected"  // staff rejected what would be suggested
	CauseVague     Cause = "vague"     // the name does not say which paper
	CauseOther     Cause = "other"     // a known paper that the catalog does not have
	CauseAmbiguous Cause = "ambiguous" // two candidates are equally alike
	CauseUnknown   Cause = "unknown"   // nothing is alike enough
)

// Suggestion (映射建议) is what the assistant says of one name.
type Suggestion struct {
	Name string `json:"name" doc:"名单中的原文"`
	// Papers are the papers that the name asks for: one, as a rule; more where it
	// joins several (身份证及户口簿).
	Papers []NamedPaper `json:"papers" doc:"名称所指的各份材料; 一般是一份"`
}

// NamedPaper (名称所指的材料) is one paper that a name asks for, and what it most likely is.
type NamedPaper struct {
	Text string `json:"text" doc:"名称中所指的这一份, 去掉了备注"`
	// Roles are hints for whose paper it is, as codes: 法定代表人身份证 is the legal
	// representative's.
	Roles   []string   `json:"roles,omitempty" doc:"是谁的材料, 角色提示"`
	Remarks []string   `json:"remarks,omitempty" doc:"份数、原件等备注"`
	Match   *Candidate `json:"match,omitempty" doc:"建议; 没有建议则不写"`
	Score   float64    `json:"score" minimum:"0" maximum:"1" doc:"把握, 1 为确认过"`
	Level   Level      `json:"level" enum:"likely,possible,none"`
	Cause   Cause      `json:"cause" enum:"decided,same,synonym,kind_of,alike,rejected,vague,other,ambiguous,unknown"`
	Reason  string     `json:"reason" doc:"理由, 白话"`
}

// MaxName bounds a name, in characters.
const MaxName = 300

// Assistant (映射助手) suggests for one revision and the decisions made so far. It
// never changes once it is made, and may be used by many at once.
type Assistant struct {
	words      *words
	candidates []Candidate
	// byKey finds a candidate by its own name, and by the name of the paper that it is.
	byKey   map[string]int
	byPaper map[string]int
	papers  []string // by candidate; empty where it is no paper that is known
	index   *index
	learnt  learnt
}

// New makes an assistant that knows candidates, in the order in which they are
// preferred where several are the same paper.
func New(candidates []Candidate, decisions []MappingDecision) (*Assistant, error) {
	known, err := loadWords()
	if err != nil {
		return nil, err
	}
	return newAssistant(known, candidates, decisions), nil
}

func newAssistant(known *words, candidates []Candidate, decisions []MappingDecision) *Assistant {
	a := &Assistant{
		words: known, candidates: slices.Clone(candidates), byKey: map[string]int{}, byPaper: map[string]int{}, papers: make([]string, len(candidates)),
	}
	a.learn(decisions)
	a.addNames()
	a.fillHoldings()
	return a
}

// addNames makes the candidates findable by their names, and puts all names into the
// index: those of the candidates, those of known papers, and those that staff accepted.
func (a *Assistant) addNames() {
	var names []indexed
	read := make([]asked, len(a.candidates))
	for i, c := range a.candidates {
		read[i] = a.words.read(c.Name)
		for n, form := range read[i].forms {
			key := a.words.key(form)
			if key == "" || n > 0 && a.words.paper(key) == nil { // 执业证书 is not 医师执业证书
				continue
			}
			if _, taken := a.byKey[key]; !taken {
				a.byKey[key] = i
			}
			a.nameAfter(i, a.words.paper(key))
			names = append(names, indexed{key: key, candidate: i})
		}
	}
	for i := range a.candidates {
		a.nameParts(i, read[i])
	}
	for key, paper := range a.words.papers {
		if len(paper.Both) == 0 {
			names = append(names, indexed{key: key, candidate: a.candidateOf(paper), paper: paper.Name})
		}
	}
	names = append(names, a.learnt.names()...)
	a.index = newIndex(names)
	for _, n := range a.index.names {
		a.index.terms = append(a.index.terms, a.term(n.key))
	}
	for i := range a.learnt.near {
		a.learnt.near[i].term = a.term(a.learnt.near[i].key)
	}
}

// nameParts makes a candidate findable by each known paper that its name joins, unless
// another is named so: 中标通知书、直接发包信息.
func (a *Assistant) nameParts(candidate int, whole asked) {
	if !whole.joined() || a.papers[candidate] != "" {
		return
	}
	for _, part := range a.words.split(whole) {
		for _, form := range part.forms {
			if p := a.words.paper(a.words.key(form)); p != nil {
				if _, taken := a.byPaper[p.Name]; !taken {
					a.byPaper[p.Name] = candidate
				}
			}
		}
	}
}

// nameAfter notes that a candidate is a known paper.
func (a *Assistant) nameAfter(candidate int, p *paper) {
	if p == nil {
		return
	}
	if a.papers[candidate] == "" {
		a.papers[candidate] = p.Name
	}
	if _, taken := a.byPaper[p.Name]; !taken {
		a.byPaper[p.Name] = candidate
	}
}

// candidateOf gives the candidate that is a paper, or that it is a kind of; -1 for none.
func (a *Assistant) candidateOf(p *paper) int {
	for at := p; at != nil; at = a.words.named[at.Is] {
		if i, ok := a.byPaper[at.Name]; ok {
			return i
		}
	}
	return -1
}

// Suggest says what a name means.
func (a *Assistant) Suggest(name string) Suggestion {
	out := Suggestion{Name: name}
	if utf8.RuneCountInString(name) > MaxName {
		p := a.nothing(asked{}, CauseVague)
		p.Reason = fmt.Sprintf("超过 %d 个字，多半不是材料名称。", MaxName)
		out.Papers = []NamedPaper{p}
		return out
	}
	whole := a.words.read(name)
	if papers, ok := a.exact(whole); ok && len(whole.also) == 0 {
		out.Papers = papers
		return out
	}
	if whole.joined() {
		out.Papers = a.parts(whole)
	}
	if out.Papers == nil {
		out.Papers = []NamedPaper{a.paper(whole)}
	}
	return out
}

// parts suggests for each of the names that a name joins; nil where it does not look
// like several papers.
func (a *Assistant) parts(whole asked) []NamedPaper {
	var out []NamedPaper
	found := 0
	for _, part := range a.words.split(whole) {
		papers, ok := a.exact(part)
		if !ok {
			papers = []NamedPaper{a.paper(part)}
		}
		for _, p := range papers {
			if p.Match != nil {
				found++
			} else if p.Cause == CauseVague || len([]rune(p.Text)) < 4 {
				return nil // a fragment: the parts do not stand alone
			}
		}
		out = append(out, papers...)
	}
	if found == 0 {
		return nil
	}
	return distinct(out)
}

// distinct drops a paper that is suggested twice: 身份证（法人、股东）.
func distinct(papers []NamedPaper) []NamedPaper {
	var out []NamedPaper
	for _, p := range papers {
		twice := false
		for i := range out {
			if p.Match != nil && out[i].Match != nil && p.Match.Code == out[i].Match.Code {
				out[i].Roles = appendNew(out[i].Roles, p.Roles...)
				twice = true
			}
		}
		if !twice {
			out = append(out, p)
		}
	}
	return out
}
