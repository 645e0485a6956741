package draft

import (
	"context"
	"fmt"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Meeting (合并情况) is what comes of merging a draft into the current revision.
type Meeting struct {
	Base      int        `json:"base"`
	Head      int        `json:"head" doc:"现行目录修订"`
	Moved     []Thing    `json:"moved" doc:"别人改过的"`
	Conflicts []Conflict `json:"conflicts" doc:"双方改得不一样, 要取舍的"`
	merged    []catalog.Edit
}

// Meet tells what merging a draft would come upon, with the choices made so far.
// Nothing is stored.
func (d *Desk) Meet(ctx context.Context, id string, choices []Choice) (*Meeting, error) {
	draft, err := d.at(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	return d.meet(ctx, draft, choices)
}

func (d *Desk) meet(ctx context.Context, draft *Draft, choices []Choice) (*Meeting, error) {
	head, err := d.Publisher.LatestRevision(ctx)
	if err != nil {
		return nil, fmt.Errorf("merge a draft: %w", err)
	}
	all, err := d.triples(ctx, draft, head)
	if err != nil {
		return nil, err
	}
	out := &Meeting{Base: draft.Base, Head: head, Moved: moved(all), Conflicts: []Conflict{}, merged: draft.Edits}
	if draft.Base == head {
		return out, nil
	}
	merged, err := MergeAll(all, choices)
	out.Conflicts, out.merged = merged.Conflicts, merged.Edits
	return out, err
}

// Merge puts a draft on top of the current revision. Where both sides have changed
// the same to different values, a choice must say what stands; else nothing is
// stored.
func (d *Desk) Merge(ctx context.Context, by policies.Caller, id string, version int, choices []Choice) (*Dossier, error) {
	draft, err := d.at(ctx, id, version)
	if err != nil {
		return nil, err
	}
	next, err := d.Apply(draft, Event{Act: Rebase}, by, d.Now())
	if err != nil {
		return nil, err
	}
	found, err := d.meet(ctx, draft, choices)
	if err != nil {
		return nil, err
	}
	if len(found.Conflicts) > 0 {
		return nil, conflicting(found.Conflicts)
	}
	next.Base = found.Head
	return d.rewrite(ctx, by, draft, next, found.merged)
}

func conflicting(all []Conflict) error {
	err := fault.New(fault.Conflict, "merge-conflict", "有 %d 处双方改得不一样。请逐处选择保留哪一个，或者另写。", len(all))
	for _, c := range all[:min(len(all), mostDetails)] {
		at := "choices." + string(c.Kind) + "." + c.Code
		if c.Place != "" {
			at += "." + c.Place
		}
		err = err.With(fault.Detail{Location: at, Code: "merge-conflict", Message: c.Kind.Name() + " " + c.Code + " 的这一处，现行目录和草案改得不一样。"})
	}
	return err
}

// Changes says what a draft changes, thing by thing and key by key, against the
// revision that it was written on.
func (d *Desk) Changes(ctx context.Context, id string) ([]catalog.ThingChange, error) {
	draft, err := d.at(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	was, err := d.things(ctx, draft.Base, draft.Edits)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.ThingChange, 0, len(draft.Edits))
	for i, e := range draft.Edits {
		change, differs, err := catalog.CompareEdits(was[i], e)
		if err != nil {
			return nil, err
		}
		if differs {
			out = append(out, change)
		}
	}
	return out, nil
}
