package draft_test

import (
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/draft"
	"mianti/policies"
)

func someEdit() catalog.Edit {
	return catalog.Edit{Kind: catalog.ThingMaterial, Code: "K01.M1.a"}
}

// in is a draft of ed in a state.
func in(s draft.State) *draft.Draft {
	return &draft.Draft{ID: "d1", Department: "SL", Writers: []string{"ed"}, State: s, Edits: []catalog.Edit{someEdit()}, Version: 3}
}

func TestApply_LeadsFromStateToStateAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	acts := []draft.Act{draft.Change, draft.Rebase, draft.Submit, draft.Recall, draft.Return, draft.Approve, draft.Schedule, draft.Publish, draft.Withdraw}
	stays := func(s draft.State) map[draft.Act]draft.State {
		return map[draft.Act]draft.State{draft.Change: s, draft.Rebase: s, draft.Submit: draft.Submitted, draft.Withdraw: draft.Withdrawn}
	}
	want := map[draft.State]map[draft.Act]draft.State{
		draft.Editing:   stays(draft.Editing),
		draft.Returned:  stays(draft.Returned),
		draft.Submitted: {draft.Recall: draft.Editing, draft.Return: draft.Returned, draft.Approve: draft.Approved, draft.Withdraw: draft.Withdrawn},
		draft.Approved: {
			draft.Recall: draft.Editing, draft.Return: draft.Returned, draft.Schedule: draft.Scheduled, draft.Publish: draft.Published, draft.Withdraw: draft.Withdrawn,
		},
		draft.Scheduled: {
			draft.Recall: draft.Editing, draft.Return: draft.Returned, draft.Schedule: draft.Scheduled, draft.Publish: draft.Published, draft.Withdraw: draft.Withdrawn,
		},
	}
	for _, state := range draft.States() {
		for _, a := range acts {
			by := editor("ed")
			if a == draft.Return || a == draft.Approve || a == draft.Schedule || a == draft.Publish {
				by = reviewer("rev")
			}
			before := in(state)
			got, err := draft.Procedure{}.Apply(before, draft.Event{Act: a, Why: "因故", On: now.AddDate(0, 0, 3)}, by, now)
			to, allowed := want[state][a]
			switch {
			case allowed && (err != nil || got.State != to || got.Version != 4):
				t.Errorf("%s of a draft that is %s: %s, %v, want %s", a, state, got.State, err, to)
			case !allowed && err == nil:
				t.Errorf("%s of a draft that is %s is done", a, state)
			}
			if before.State != state || before.Version != 3 || len(before.History) > 0 {
				t.Errorf("%s changed the draft that it was called with", a)
			}
		}
	}
}

func TestApply_OnlyAReviewerWhoWroteNothingJudges(t *testing.T) {
	t.Parallel()
	both := reviewer("ed") // who wrote it, and is a reviewer too
	both.Duties = append(both.Duties, policies.DutyPolicyEditor)
	system := policies.Caller{System: "s1", Department: "SL", Duties: []policies.Duty{policies.DutySystem}}
	for name, c := range map[string]struct {
		by   policies.Caller
		act  draft.Act
		from draft.State
		want string
	}{
		"the writer approves":           {both, draft.Approve, draft.Submitted, "own-draft"},
		"the writer publishes":          {both, draft.Publish, draft.Approved, "own-draft"},
		"the writer gives a date":       {both, draft.Schedule, draft.Approved, "own-draft"},
		"the writer returns":            {both, draft.Return, draft.Submitted, "own-draft"},
		"an editor approves":            {editor("other"), draft.Approve, draft.Submitted, "not-your-duty"},
		"another department's staff":    {reviewer("rev"), draft.Change, draft.Editing, "not-the-drafting-department"},
		"a system writes":               {system, draft.Change, draft.Editing, "not-your-duty"},
		"nobody":                        {policies.Caller{}, draft.Submit, draft.Editing, "not-your-duty"},
		"a return without a remark":     {reviewer("rev"), draft.Return, draft.Submitted, "reason-missing"},
		"a number in the remark":        {reviewer("rev"), draft.Return, draft.Submitted, "reason-missing"},
		"a date that is over":           {reviewer("rev"), draft.Schedule, draft.Approved, "invalid-publish-date"},
		"publishing without approval":   {reviewer("rev"), draft.Publish, draft.Submitted, "draft-state"},
		"changing what is under review": {editor("ed"), draft.Change, draft.Submitted, "draft-state"},
		"anything with a published one": {editor("ed"), draft.Withdraw, draft.Published, "draft-published"},
		"anything with a withdrawn one": {editor("ed"), draft.Submit, draft.Withdrawn, "draft-withdrawn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := draft.Event{Act: c.act, On: now}
			if name == "a number in the remark" {
				e.Why = "见 370199199001010011"
			}
			_, err := draft.Procedure{}.Apply(in(c.from), e, c.by, now)
			wantCode(t, err, c.want)
		})
	}
}

func TestApply_WhoeverHadAPartIsAWriter(t *testing.T) {
	t.Parallel()
	got, err := draft.Procedure{}.Apply(in(draft.Editing), draft.Event{Act: draft.Change}, editor("second"), now)
	if err != nil || !got.WrittenBy("second") || !got.WrittenBy("ed") {
		t.Fatalf("writers %v, %v", got.Writers, err)
	}
	second := reviewer("second")
	second.Department = "SL"
	got, _ = draft.Procedure{}.Apply(&got, draft.Event{Act: draft.Submit}, editor("ed"), now)
	_, err = draft.Procedure{}.Apply(&got, draft.Event{Act: draft.Approve}, second, now)
	wantCode(t, err, "own-draft")
}

func TestApply_OfAnEmptyDraftRefusesToSubmit(t *testing.T) {
	t.Parallel()
	d := in(draft.Editing)
	d.Edits = nil
	_, err := draft.Procedure{}.Apply(d, draft.Event{Act: draft.Submit}, editor("ed"), now)
	wantCode(t, err, "draft-empty")
}

// What May offers is done, and what it does not offer is refused.
func TestMay_ListsWhatApplyDoes(t *testing.T) {
	t.Parallel()
	for _, state := range draft.States() {
		for _, by := range []policies.Caller{editor("ed"), editor("other"), reviewer("rev"), reviewer("ed"), operator(), {}} {
			d := in(state)
			may := draft.Procedure{}.May(d, by)
			for _, a := range []draft.Act{draft.Change, draft.Rebase, draft.Submit, draft.Recall, draft.Return, draft.Approve, draft.Schedule, draft.Publish, draft.Withdraw} {
				_, err := draft.Procedure{}.Apply(d, draft.Event{Act: a, Why: "因故", On: now.AddDate(0, 0, 1)}, by, now)
				if slices.Contains(may, a) != (err == nil) {
					t.Errorf("%s of a draft that is %s by %v: offered %v, error %v", a, state, by.Person, slices.Contains(may, a), err)
				}
			}
		}
	}
}

func TestStates_AndActsHaveNames(t *testing.T) {
	t.Parallel()
	for _, s := range draft.States() {
		if s.Name() == "" {
			t.Errorf("%s has no name", s)
		}
	}
}
