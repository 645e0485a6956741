package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// sequence is a random sequence of what people do, with the model beside it.
type sequence struct {
	t      *testing.T
	store  *Store
	desk   *draft.Desk
	random *rand.Rand
	// revisions are the models by number from 1, kept the files as they were saved.
	revisions []plainCatalog
	kept      []map[string][]byte
	drafts    []*plainDraft // that are open
	done      map[string]int
	n         int
}

func newSequence(t *testing.T, s *Store, seed uint64) *sequence {
	t.Helper()
	q := &sequence{t: t, store: s, random: rand.New(rand.NewPCG(seed, seed)), done: map[string]int{}}
	q.desk = testDesk(s)
	if seed%2 == 0 { // a catalog that is held in part goes other ways
		q.desk = deskOver(s, NewCatalogsHolding(s, 1))
	}
	if _, err := s.SaveRevision(t.Context(), smallDraftable(), RevisionMeta{Title: "小目录", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	q.revisions = append(q.revisions, q.thingsOf(1))
	q.kept = append(q.kept, q.files(1))
	return q
}

func (q *sequence) head() plainCatalog { return q.revisions[len(q.revisions)-1] }

func (q *sequence) person(duty policies.Duty, n int) policies.Caller {
	return policies.Caller{Person: fmt.Sprintf("p%d", q.random.IntN(n)), Department: "SL", Duties: []policies.Duty{policies.DutyPolicyEditor, duty}}
}

// step does something at random. What is refused is a failure with a text for
// people, and changes nothing.
func (q *sequence) step() {
	acts := []struct {
		name string
		do   func() error
	}{
		{"create", q.create}, {"create", q.create}, {"put", q.put}, {"put", q.put}, {"merge", q.merge}, {"merge", q.merge}, {"publish", q.publish},
		{"publish", q.publish}, {"publish", q.publish}, {"publish", q.publish}, {"roll back by draft", q.rollBack}, {"roll back at once", q.rollBackAtOnce}, {"load", q.load},
	}
	a := acts[q.random.IntN(len(acts))]
	err := a.do()
	switch failed := fault.As(err); {
	case err == nil:
		q.done[a.name]++
	case failed == nil || failed.Message == "":
		q.t.Fatalf("%s: %v", a.name, err)
	default:
		q.done[a.name+" refused: "+failed.Code]++
	}
}

func (q *sequence) pick() *plainDraft {
	if len(q.drafts) == 0 {
		return nil
	}
	return q.drafts[q.random.IntN(len(q.drafts))]
}

// change gives a random change of a thing of the present catalog, or a new thing.
func (q *sequence) change() (draft.Thing, map[string]any) {
	q.n++
	head := q.head()
	things := slices.SortedFunc(maps.Keys(head), compareThings)
	things = slices.DeleteFunc(things, func(t draft.Thing) bool { return t.Kind == catalog.ThingDepartment || t.Kind == catalog.ThingRole })
	t := things[q.random.IntN(len(things))]
	switch q.random.IntN(10) {
	case 0: // something new, beside it
		value := maps.Clone(head[t])
		t.Code = t.Code[:len(t.Code)-1] + string(rune('c'+q.random.IntN(8)))
		if t.Kind != catalog.ThingMaterial && t.Kind != catalog.ThingFact {
			t.Kind, t.Code = catalog.ThingFact, fmt.Sprintf("fact_%c", rune('a'+q.random.IntN(8)))
			value = map[string]any{"type": "bool", "ask": "问题"}
		}
		value["code"] = t.Code
		return t, value
	case 1:
		if t.Kind != catalog.ThingCommonMaterial {
			return t, nil
		}
	}
	value := maps.Clone(head[t])
	for range 1 + q.random.IntN(2) {
		key := map[catalog.ThingKind][]string{
			catalog.ThingOneThing: {"name", "consent"}, catalog.ThingMatter: {"name", "days"}, catalog.ThingMaterial: {"name", "note", "basis"},
			catalog.ThingCommonMaterial: {"name", "note"}, catalog.ThingFact: {"ask"}, catalog.ThingDataset: {"name", "terms", "fields"},
		}[t.Kind]
		switch k := key[q.random.IntN(len(key))]; k {
		case "fields":
			value[k] = []any{
				map[string]any{"code": "name", "name": fmt.Sprintf("姓名%d", q.random.IntN(100)), "type": "string"},
				map[string]any{"code": "address", "name": fmt.Sprintf("住址%d", q.random.IntN(100)), "type": "string"},
			}
		case "days":
			value[k] = float64(1 + q.random.IntN(30))
		case "basis":
			value[k] = []any{fmt.Sprintf("规定第%d条", q.random.IntN(100))}
		default:
			value[k] = fmt.Sprintf("写法%d", q.n)
		}
	}
	return t, value
}

func editOf(t draft.Thing, value map[string]any) catalog.Edit {
	e := catalog.Edit{Kind: t.Kind, Code: t.Code}
	if t.Kind == catalog.ThingDataset {
		e.In = "SL"
	}
	if value != nil {
		e.Value, _ = json.Marshal(value)
	}
	return e
}

func (q *sequence) create() error {
	by := q.person(policies.DutyPolicyEditor, 3)
	d := &plainDraft{writers: map[string]bool{by.Person: true}, base: len(q.revisions), edits: map[draft.Thing]map[string]any{}}
	in := draft.Opening{Title: "改", Why: "因故"}
	for range 1 + q.random.IntN(3) {
		t, value := q.change()
		if _, twice := d.edits[t]; !twice {
			d.edits[t] = value
			in.Edits = append(in.Edits, editOf(t, value))
		}
	}
	v, err := q.desk.Create(q.t.Context(), by, in)
	if err != nil {
		return err
	}
	d.id = v.ID
	q.drafts = append(q.drafts, d)
	return nil
}

func (q *sequence) put() error {
	d := q.pick()
	if d == nil {
		return nil
	}
	by := q.person(policies.DutyPolicyEditor, 3)
	t, value := q.change()
	if q.random.IntN(4) == 0 {
		if t, ok := q.editedIn(d); ok {
			if _, err := q.desk.Remove(q.t.Context(), by, d.id, 0, t); err != nil {
				return err
			}
			delete(d.edits, t)
			d.writers[by.Person] = true
			return nil
		}
	}
	if _, err := q.desk.Put(q.t.Context(), by, d.id, 0, editOf(t, value)); err != nil {
		return err
	}
	d.edits[t], d.writers[by.Person] = value, true
	return nil
}

// editedIn gives a random thing that a draft edits.
func (q *sequence) editedIn(d *plainDraft) (draft.Thing, bool) {
	all := slices.SortedFunc(maps.Keys(d.edits), compareThings)
	if len(all) == 0 {
		return draft.Thing{}, false
	}
	return all[q.random.IntN(len(all))], true
}

func compareThings(a, b draft.Thing) int {
	return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Code, b.Code))
}

// merge merges by the model too: key by key, what both have changed by a choice.
func (q *sequence) merge() error {
	d := q.pick()
	if d == nil {
		return nil
	}
	meeting, err := q.desk.Meet(q.t.Context(), d.id, nil)
	if err != nil {
		return err
	}
	q.done["conflicts"] += len(meeting.Conflicts)
	var choices []draft.Choice
	takesTheirs := map[string]bool{}
	for _, c := range meeting.Conflicts {
		choice := draft.Choice{Thing: c.Thing, Place: c.Place, Take: draft.TakeMine}
		if q.random.IntN(2) == 0 {
			choice.Take = draft.TakeTheirs
			takesTheirs[c.Code+" "+c.Place] = true
		}
		choices = append(choices, choice)
	}
	by := q.person(policies.DutyPolicyEditor, 3)
	v, err := q.desk.Merge(q.t.Context(), by, d.id, 0, choices)
	if err != nil {
		return err
	}
	base, head := q.revisions[d.base-1], q.head()
	for t, mine := range d.edits {
		merged := plainMerge(t, base, head, mine, takesTheirs)
		if d.edits[t] = merged; reflect.DeepEqual(merged, head[t]) {
			delete(d.edits, t)
		}
	}
	d.base, d.writers[by.Person] = len(q.revisions), true
	if diff := gocmp.Diff(d.edits, editsOf(q.t, v.Edits)); diff != "" {
		q.t.Fatalf("merged (-model +draft)\n%s", diff)
	}
	return nil
}

// publish takes a draft through its review. One that could not be published goes
// back to its writers.
func (q *sequence) publish() error {
	d := q.pick()
	if d == nil {
		return nil
	}
	by, other := q.person(policies.DutyPolicyEditor, 3), q.person(policies.DutyPolicyReviewer, 5)
	if _, err := q.desk.Act(q.t.Context(), by, d.id, 0, draft.Event{Act: draft.Submit}); err != nil {
		return err
	}
	d.writers[by.Person] = true
	_, err := q.desk.Act(q.t.Context(), other, d.id, 0, draft.Event{Act: draft.Approve})
	if d.writers[other.Person] != (err != nil) {
		q.t.Fatalf("%s, of %v, reviews: %v", other.Person, d.writers, err)
	}
	if err == nil {
		var v *draft.Dossier
		if v, err = q.desk.Publish(q.t.Context(), other, d.id, 0); err == nil {
			q.drafts = slices.DeleteFunc(q.drafts, func(x *plainDraft) bool { return x == d })
			q.published(v.Revision, q.head().with(d.edits))
			return nil
		}
	}
	if _, back := q.desk.Act(q.t.Context(), by, d.id, 0, draft.Event{Act: draft.Recall}); back != nil {
		q.t.Fatal(back)
	}
	return err
}

func (q *sequence) rollBack() error {
	number := 1 + q.random.IntN(len(q.revisions))
	by := q.person(policies.DutyPolicyEditor, 3)
	v, err := q.desk.RollBack(q.t.Context(), by, number, "改错了")
	if err != nil {
		return err
	}
	edits := editsOf(q.t, v.Edits)
	if diff := gocmp.Diff(q.revisions[number-1], q.head().with(edits)); diff != "" {
		q.t.Fatalf("rolling back from %d to %d (-want +got)\n%s", len(q.revisions), number, diff)
	}
	q.drafts = append(q.drafts, &plainDraft{id: v.ID, writers: map[string]bool{by.Person: true}, base: len(q.revisions), edits: edits})
	return nil
}

func (q *sequence) rollBackAtOnce() error {
	number := 1 + q.random.IntN(len(q.revisions))
	by := policies.Caller{Person: ledger.Operator, Duties: []policies.Duty{policies.DutyPolicyEditor, policies.DutyPolicyReviewer}}
	d, err := q.desk.RollBackAtOnce(q.t.Context(), by, number, "有害")
	if err != nil {
		return err
	}
	q.published(d.Revision, q.revisions[number-1])
	return nil
}

// load loads a whole catalog by command, as it would be with a change.
func (q *sequence) load() error {
	t, value := q.change()
	files := q.files(len(q.revisions))
	parts, faults := catalog.Apply(files, []catalog.Edit{editOf(t, value)})
	if len(faults) > 0 || len(parts) == 0 {
		return nil
	}
	for _, p := range parts {
		if files[p.Path] = p.Content; p.Content == nil {
			delete(files, p.Path)
		}
	}
	if _, err := loadFiles(files); err != nil {
		return nil //nolint:nilerr // nobody could load it
	}
	number, err := q.store.SaveRevision(q.t.Context(), files, RevisionMeta{Title: "小目录", Version: "1"})
	if err != nil {
		return err
	}
	q.published(number, q.head().with(map[draft.Thing]map[string]any{t: value}))
	return nil
}

// published holds the new revision against the model.
func (q *sequence) published(number int, want plainCatalog) {
	q.t.Helper()
	if number != len(q.revisions)+1 {
		q.t.Fatalf("revision %d after %d", number, len(q.revisions))
	}
	q.revisions = append(q.revisions, want)
	q.kept = append(q.kept, q.files(number))
	if diff := gocmp.Diff(want, q.thingsOf(number)); diff != "" {
		q.t.Fatalf("revision %d is not the sum of its changes (-want +got)\n%s", number, diff)
	}
}

func (q *sequence) files(number int) map[string][]byte {
	q.t.Helper()
	files, err := q.store.Files(q.t.Context(), number)
	if err != nil {
		q.t.Fatal(err)
	}
	return files
}

func (q *sequence) thingsOf(number int) plainCatalog {
	q.t.Helper()
	things, faults := catalog.Things(q.files(number))
	if len(faults) > 0 {
		q.t.Fatal(faults)
	}
	return editsOf(q.t, things)
}

// TestRevisions_AnySequenceLeavesTheOldAndSumsUpTheNew: whatever sequence of drafts,
// merges, publications, roll-backs and loads, every old revision stays as it was,
// byte for byte, and the current one is the sum of its changes.
func TestRevisions_AnySequenceLeavesTheOldAndSumsUpTheNew(t *testing.T) {
	seeds := []uint64{1, 2, uint64(time.Now().UnixNano())}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			eachStore(t, func(t *testing.T, s *Store) {
				q := newSequence(t, s, seed)
				for range 80 {
					q.step()
				}
				for i, kept := range q.kept {
					if diff := gocmp.Diff(kept, q.files(i+1)); diff != "" {
						t.Errorf("revision %d has changed (-was +is)\n%s", i+1, diff)
					}
				}
				t.Logf("seed %d: %d revisions; %v", seed, len(q.revisions), q.done)
				if len(q.revisions) < 5 || q.done["publish"] == 0 {
					t.Errorf("the sequence shows little: %v", q.done)
				}
			})
		})
	}
}
