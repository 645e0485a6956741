package exchange

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// render makes the resolution of the settlements. It is pure.
func (run *resolving) render(settlements []policies.Settlement) (*Resolution, error) {
	c, s := run.c, run.s
	r := &Resolution{
		ID: run.id, Case: c.ID, CaseNumber: c.Number, Revision: c.Revision, CaseVersion: c.Version, Ruleset: policies.Ruleset,
		Matters: []MatterState{}, Materials: []MaterialResult{}, Upload: []string{}, Papers: []Paper{}, Questions: []Question{},
		ResolvedAt: s.Now, StartedAt: s.Now, Version: 1,
	}
	if run.before != nil {
		r.StartedAt, r.Version = run.before.StartedAt, run.before.Version+1
	}
	if s.Plan.OneThing != nil {
		r.OneThing = s.Plan.OneThing.Code
	}
	for _, m := range s.Plan.Matters {
		r.Matters = append(r.Matters, MatterState{Code: m.Matter.Code, Name: m.Matter.Name, State: m.State, After: orEmpty(m.After)})
		if m.State != catalog.StateSkipped {
			r.Summary.Matters++
		}
	}
	for i, requirement := range s.Plan.Requirements {
		if kept := run.kept[identityOf(requirement)]; kept != nil {
			r.Materials = append(r.Materials, *kept)
			continue
		}
		m, err := renderMaterial(s, c.Salt, requirement, settlements[i])
		if err != nil {
			return nil, err
		}
		if content := settlements[i].Content; content != "" {
			m.Preview = previewID(c, requirement.Material().Code, requirement.Party.ID, content)
		}
		if settlements[i].Waits {
			m.RetryAt = at(nextTry(s.Now, r.Version, settlements[i].RetryAt, settlements[i].WaitUntil))
		}
		r.Materials = append(r.Materials, m)
	}
	r.gatherUploads(s.Plan.Requirements)
	r.gatherQuestions()
	r.gatherRetries()
	r.count(s.Plan.Requirements)
	r.Status = r.status()
	return r, nil
}

// gatherRetries finds when the resolution goes on by itself: when a source is
// asked again, or an officer's time is up.
func (r *Resolution) gatherRetries() {
	for _, m := range r.Materials {
		for _, at := range []*time.Time{m.RetryAt, m.DueAt} {
			if at != nil && at.After(r.ResolvedAt) && (r.RetryAt == nil || at.Before(*r.RetryAt)) {
				r.RetryAt = at
			}
		}
	}
}

func renderMaterial(s *policies.Situation, salt []byte, r *catalog.Requirement, settled policies.Settlement) (MaterialResult, error) {
	material := r.Material()
	m := MaterialResult{
		Code: material.Code, UsedBy: r.UsedBy(), Name: material.Name, StandardMaterial: r.StandardMaterial,
		SamePaper: r.SamePaper, Outcome: settled.Outcome, Mode: settled.Mode, Prior: settled.Prior,
		Department: settled.Department, DueDays: settled.DueDays, Task: settled.Task, DueAt: at(settled.DueAt),
		Reason:   Reason{Code: settled.Reason, Text: reasonText(s, r, settled)},
		Attempts: make([]Attempt, len(settled.Attempts)), Questions: questionsFor(s.Catalog, settled.Questions),
	}
	if m.StandardMaterial == "" {
		m.StandardMaterial = material.StandardMaterial
	}
	if r.Role != "" {
		m.Subject = &SubjectRef{Role: r.Role}
		if r.Party != nil {
			m.Subject.Party = r.Party.ID
		}
	}
	for i, a := range settled.Attempts {
		m.Attempts[i] = Attempt(a)
	}
	for i, e := range settled.Evidence {
		rendered, err := renderEvidence(e, settled.Mode, evidenceNonce(salt, identityOf(r), i))
		if err != nil {
			return m, err
		}
		if i == 0 {
			m.Evidence = &rendered
			continue
		}
		m.Supporting = append(m.Supporting, rendered)
	}
	return m, nil
}

// canonical gives the JSON of a value with sorted keys, unescaped, so that
// anyone can compute the same digest. The value is made of what JSON knows.
func canonical(value any) string {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return ""
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// questionsFor turns codes of facts into questions.
func questionsFor(rev *catalog.Revision, codes []string) []Question {
	questions := make([]Question, 0, len(codes))
	for _, code := range codes {
		fact := rev.Fact(code)
		questions = append(questions, Question{Fact: code, Ask: fact.Ask, Type: fact.Type, Options: fact.Options})
	}
	return questions
}

// gatherUploads lists each paper once, however many entries ask for it.
func (r *Resolution) gatherUploads(requirements []*catalog.Requirement) {
	asked := map[string]bool{} // keys of papers that are on the list
	for i, m := range r.Materials {
		if m.Outcome != policies.Upload {
			continue
		}
		key := requirements[i].Key()
		if first := requirements[i].SamePaper; first != "" {
			key = first
		}
		if asked[key] {
			continue
		}
		asked[key] = true
		paper := Paper{Code: m.Code, Name: m.Name}
		if m.Subject != nil {
			paper.Party = m.Subject.Party
		}
		r.Papers = append(r.Papers, paper)
		if !slices.Contains(r.Upload, m.Code) {
			r.Upload = append(r.Upload, m.Code)
		}
	}
}

// gatherQuestions lists each question once, sorted by fact.
func (r *Resolution) gatherQuestions() {
	for _, m := range r.Materials {
		for _, q := range m.Questions {
			at, found := slices.BinarySearchFunc(r.Questions, q.Fact, func(have Question, fact string) int {
				return bytes.Compare([]byte(have.Fact), []byte(fact))
			})
			if !found {
				r.Questions = slices.Insert(r.Questions, at, q)
			}
		}
	}
}

func (r *Resolution) count(requirements []*catalog.Requirement) {
	by := map[policies.Outcome]*int{
		policies.Settled: &r.Summary.Settled, policies.Committed: &r.Summary.Committed, policies.Deferred: &r.Summary.Deferred,
		policies.Verifying: &r.Summary.Verifying, policies.AwaitingPrior: &r.Summary.AwaitingPrior,
		policies.NeedsConsent: &r.Summary.NeedsConsent, policies.NeedsFact: &r.Summary.NeedsFact, policies.NotApplicable: &r.Summary.NotApplicable,
	}
	r.Summary.Upload = len(r.Papers)
	for i, m := range r.Materials {
		if n := by[m.Outcome]; n != nil {
			*n++
		}
		if requirements[i].Applies == catalog.True && m.Outcome != policies.NotApplicable {
			r.Summary.Applicable++
			r.Summary.Asked += len(m.UsedBy)
		}
	}
}

func (r *Resolution) status() Status {
	switch {
	case r.Summary.NeedsFact+r.Summary.NeedsConsent > 0:
		return StatusNeedsInput
	case r.Summary.Verifying+r.Summary.AwaitingPrior > 0:
		return StatusPending
	default:
		return StatusComplete
	}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
