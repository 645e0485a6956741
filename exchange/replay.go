package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

// Archive (存档) gives what was kept of resolutions.
type Archive interface {
	// ResolutionVersion gives a version of a resolution as it was answered; 0 is the
	// last one.
	ResolutionVersion(ctx context.Context, id string, version int) (*Resolution, error)
	// InputsOf gives what it followed from; fault.NotFound when it was made before
	// they were kept.
	InputsOf(ctx context.Context, id string, version int) (*Inputs, error)
	// EntriesOfResolution gives its entries, in their order.
	EntriesOfResolution(ctx context.Context, id string) ([]ledger.Entry, error)
}

// Replayer (重算) works past resolutions out again. It asks nobody and stores
// nothing.
type Replayer struct {
	Catalogs Catalogs
	Cases    Cases
	Archive  Archive
}

// Replay (重算结果) is what came of it.
type Replay struct {
	Recorded *Resolution
	Again    *Resolution
	// Ruleset is the version of the rules with which it was worked out again. Where
	// it is not that of Recorded, a difference may come from the rules.
	Ruleset string
	// Differences are empty when both are the same, byte for byte.
	Differences []Difference
	// Answered reports whether Recorded is what was answered: whether its digest is
	// that of its entry in the ledger.
	Answered bool
}

// Verdict is nil when the resolution is what was answered and what comes out
// again, and else says what is not so.
func (r *Replay) Verdict() error {
	switch {
	case !r.Answered:
		return errors.New("保存的核验结果与存证中的摘要不一致")
	case len(r.Differences) > 0:
		return fmt.Errorf("重算的结果有 %d 处与当时不同", len(r.Differences))
	}
	return nil
}

// Difference is a place in which two resolutions differ, in JSON.
type Difference struct {
	Place    string // such as "materials[SFZ].outcome"
	Recorded string
	Again    string
}

// Replay works a version of a resolution out again, from the recorded inputs, at
// the revision of the catalog at which it was made and with the present rules. 0
// is the last version.
func (p *Replayer) Replay(ctx context.Context, id string, version int) (*Replay, error) {
	recorded, err := p.Archive.ResolutionVersion(ctx, id, version)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if recorded.Destroyed != nil {
		return nil, fmt.Errorf("replay: %w", CaseDestroyed(*recorded.Destroyed))
	}
	in, err := p.Archive.InputsOf(ctx, id, recorded.Version)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	c, err := p.Cases.Case(ctx, in.Department, in.Case)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	rev, err := p.Catalogs.Revision(ctx, recorded.Revision, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	var prior *Resolution
	if in.Prior != nil {
		if prior, err = p.Archive.ResolutionVersion(ctx, in.Prior.Resolution, in.Prior.Version); err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
	}
	again, wishes, err := replay(rev, in.caseThen(c), in, prior)
	if err != nil {
		return nil, err
	}
	answered, err := p.answered(ctx, c, recorded)
	if err != nil {
		return nil, err
	}
	out := &Replay{Recorded: recorded, Again: again, Ruleset: policies.Ruleset, Answered: answered}
	out.Differences, err = differences(recorded, again)
	for _, w := range wishes {
		out.Differences = append(out.Differences, Difference{Place: "question", Recorded: "", Again: string(w.Mode) + " " + w.Dataset + " " + w.Party})
	}
	return out, err
}

// answered reports whether an entry has the digest of a resolution.
func (p *Replayer) answered(ctx context.Context, c *Case, r *Resolution) (bool, error) {
	entries, err := p.Archive.EntriesOfResolution(ctx, r.ID)
	if err != nil {
		return false, fmt.Errorf("replay: %w", err)
	}
	digest := ledger.Digest(c.Salt, canonical(r))
	return slices.ContainsFunc(entries, func(e ledger.Entry) bool {
		return e.Kind == ledger.Resolved && e.Version == r.Version && e.Digest == digest
	}), nil
}

// caseThen is a case as it was when the resolution was made.
func (in *Inputs) caseThen(c *Case) *Case {
	then := *c
	then.Version, then.Parties, then.Facts, then.Results = in.CaseVersion, in.Parties, in.Facts, in.Results
	return &then
}

// replay is pure. It gives besides what it would have asked and was not asked
// then: nothing, where it comes out the same.
func replay(rev *catalog.Revision, c *Case, in *Inputs, prior *Resolution) (*Resolution, []policies.Wish, error) {
	plan, err := rev.Plan(catalog.PlanInput{Subject: c.Subject, Facts: c.Facts, Parties: c.Parties, Verdicts: c.verdicts()})
	if err != nil {
		return nil, nil, fmt.Errorf("replay: plan: %w", err)
	}
	s := newSituation(rev, plan, c, held{NewGrantSet(in.Grants), NewStopSet(in.Stops)}, in.Handed, in.Permissions, in.Now)
	s.System, s.Since, s.Previews = in.System, in.Since, in.Previews
	for _, a := range in.Answers {
		s.Answers[a.Ask] = a.Answers
	}
	run := resolving{c: c, s: s, id: in.Resolution, kept: map[string]*MaterialResult{}}
	if in.Prior != nil && in.Prior.GoesOn {
		run.before = prior
	} else if prior != nil {
		run.kept = keepDecided(plan, prior)
	}
	for _, kept := range in.Kept {
		run.kept[identity(kept.Code, kept.party(), kept.UsedBy)] = kept
	}
	s.Plan = separate(s, run.before, run.kept)
	settlements, wishes, err := run.walk()
	if err != nil {
		return nil, nil, err
	}
	r, err := run.render(settlements)
	if err != nil {
		return nil, nil, err
	}
	for i := range r.Materials {
		m := &r.Materials[i]
		m.Disputed = in.Disputed[identity(m.Code, m.party(), m.UsedBy)]
	}
	return r, wishes, nil
}

// differences compares two resolutions by their JSON: materials by their code,
// all else by name.
func differences(recorded, again *Resolution) ([]Difference, error) {
	a, err := tree(recorded)
	if err != nil {
		return nil, err
	}
	b, err := tree(again)
	if err != nil {
		return nil, err
	}
	var out []Difference
	compare(&out, "", a, b)
	return out, nil
}

func tree(value any) (any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("replay: encode: %w", err)
	}
	var out any
	err = json.Unmarshal(text, &out)
	return out, err
}

func compare(out *[]Difference, place string, a, b any) {
	objectA, isA := a.(map[string]any)
	objectB, isB := b.(map[string]any)
	if isA && isB {
		names := maps.Clone(objectA)
		maps.Copy(names, objectB)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			compare(out, join(place, name), objectA[name], objectB[name])
		}
		return
	}
	listA, isA := a.([]any)
	listB, isB := b.([]any)
	if isA && isB && len(listA) == len(listB) {
		for i := range listA {
			compare(out, fmt.Sprintf("%s[%s]", place, nameIn(listA[i], i)), listA[i], listB[i])
		}
		return
	}
	textA, _ := json.Marshal(a) // both came from JSON
	textB, _ := json.Marshal(b)
	if !bytes.Equal(textA, textB) {
		*out = append(*out, Difference{Place: place, Recorded: string(textA), Again: string(textB)})
	}
}

func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}

// nameIn is the code of what stands in a list, or else its number.
func nameIn(item any, i int) string {
	if object, ok := item.(map[string]any); ok {
		if code, ok := object["code"].(string); ok {
			return code
		}
	}
	return fmt.Sprint(i)
}
