package draft

import (
	"context"
	"fmt"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// RollBack begins a draft that brings an earlier revision back: the edits that lead
// there from the current one. It is reviewed and published like any other.
func (d *Desk) RollBack(ctx context.Context, by policies.Caller, number int, why string) (*Dossier, error) {
	in, err := d.leadingBack(ctx, number, why)
	if err != nil {
		return nil, err
	}
	draft, err := d.open(ctx, by, in)
	if err != nil {
		return nil, err
	}
	draft.Restores = number
	commit := Commit{Draft: draft, Put: draft.Edits, Entries: draft.entries(Create, draft.Why, by, draft.CreatedAt)}
	if err := d.Drafts.SaveDraft(ctx, commit); err != nil {
		return nil, fmt.Errorf("roll back: %w", err)
	}
	return d.view(ctx, by, draft)
}

// RollBackAtOnce brings an earlier revision back without a review: for who sits at
// the machine alone, when the current catalog does harm. The ledger says so.
func (d *Desk) RollBackAtOnce(ctx context.Context, by policies.Caller, number int, why string) (*Draft, error) {
	if by.Person != ledger.Operator {
		return nil, fault.New(fault.Denied, "not-your-duty", "立即恢复只能由运维人员在机器上办理。请起草恢复的草案，由其他人员审核。")
	}
	if err := textError("reason-missing", "why", why, true); err != nil {
		return nil, err
	}
	in, err := d.leadingBack(ctx, number, why)
	if err != nil {
		return nil, err
	}
	draft, err := d.open(ctx, by, in)
	if err != nil {
		return nil, err
	}
	draft.Restores, draft.State = number, Published
	draft.History[0].State, draft.History[0].Act = Published, Publish
	draft.History[0].Why = draft.Why
	return d.release(ctx, draft, Commit{Put: draft.Edits, Entries: draft.entries(Publish, draft.Why, by, draft.CreatedAt)})
}

// mostRestored bounds how many one-things a roll-back changes: they are all held in
// memory.
const mostRestored = 2000

// leadingBack gives the edits that lead from the current revision to an earlier one.
func (d *Desk) leadingBack(ctx context.Context, number int, why string) (Opening, error) {
	head, err := d.Publisher.LatestRevision(ctx)
	if err != nil {
		return Opening{}, fmt.Errorf("roll back: %w", err)
	}
	if number < 1 || number > head {
		return Opening{}, fault.New(fault.NotFound, "no-such-revision", "没有编号为 %d 的目录修订。", number)
	}
	about, err := d.Publisher.ChangedBetween(ctx, number, head)
	if err != nil {
		return Opening{}, fmt.Errorf("roll back: %w", err)
	}
	if len(about) > mostRestored {
		return Opening{}, fault.New(fault.TooLarge, "too-much-to-restore", "与修订 %d 不同的有 %d 件事，超过 %d 件。请在机器上载入那时的目录文件。", number, len(about), mostRestored)
	}
	changes, err := d.changesBetween(ctx, head, number, about)
	if err != nil {
		return Opening{}, err
	}
	edits, err := d.editsTo(ctx, head, number, changes)
	if err != nil {
		return Opening{}, err
	}
	if len(edits) == 0 {
		return Opening{}, fault.New(fault.Conflict, "nothing-to-restore", "现行目录和修订 %d 没有不同，不需要恢复。", number)
	}
	return Opening{Title: fmt.Sprintf("恢复到修订 %d", number), Why: why, Base: head, Edits: edits}, nil
}

// editsTo writes changes as edits. What goes with the thing that holds it needs no
// edit of its own; what differs only by what it takes from a common material has
// none.
func (d *Desk) editsTo(ctx context.Context, from, to int, changes []changed) ([]catalog.Edit, error) {
	removed := map[Thing]bool{}
	for _, c := range changes {
		removed[c.Thing] = c.removed
	}
	var wanted []catalog.Edit
	for _, c := range changes {
		if !c.removed || !slices.ContainsFunc(holdersOf(c.edit()), func(t Thing) bool { return removed[t] }) {
			wanted = append(wanted, c.edit())
		}
	}
	was, err := d.things(ctx, from, wanted)
	if err != nil {
		return nil, err
	}
	is, err := d.things(ctx, to, wanted)
	if err != nil {
		return nil, err
	}
	var out []catalog.Edit
	for i, e := range wanted {
		switch {
		case same(was[i].Value, is[i].Value) && was[i].In == is[i].In:
		case is[i].Value == nil:
			out = append(out, catalog.Edit{Kind: e.Kind, Code: e.Code, In: was[i].In})
		default:
			out = append(out, is[i])
		}
	}
	return out, nil
}
