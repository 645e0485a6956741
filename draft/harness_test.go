package draft_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// smallCatalog has two one-things, with a common material and a fact.
func smallCatalog() map[string][]byte {
	head := "format: mianti-catalog/1\nkind: "
	material := func(code, name string) string {
		return "      - {code: " + code + ", name: " + name + ", kind: proof, need: required, basis: [规定第1条], origin: applicant, chain: [{mode: upload}]}\n"
	}
	oneThing := func(code string) string {
		return head + "one_thing\none_thing: {code: " + code + ", name: 办" + code + ", handling: serial, lead: SL}\nmatters:\n" +
			"  - code: " + code + ".M1\n    name: 事项一\n    basic_code: \"370199001000\"\n    level: 3\n    department: SL\n    days: 1\n    result: {name: 决定书}\n    materials:\n" +
			material(code+".M1.a", "甲") + material(code+".M1.b", "乙")
	}
	return map[string][]byte{
		"catalog.yaml":          []byte(head + "catalog\ntitle: 小目录\nversion: \"1\"\n"),
		"roles.yaml":            []byte(head + "roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n"),
		"facts.yaml":            []byte(head + "facts\nfacts:\n  - {code: employs, type: bool, ask: 有没有雇员}\n"),
		"common-materials.yaml": []byte(head + "common_materials\nmaterials:\n  - {code: C1, name: 身份证, kind: certificate, need: required, basis: [规定第2条], origin: government, chain: [{mode: upload}]}\n"),
		"departments/SL.yaml":   []byte(head + "department\ndepartment: {code: SL, name: 受理局, credit_code: 11370199MB9K00806D}\ndatasets: []\n"),
		"one-things/K01.yaml":   []byte(oneThing("K01")),
		"one-things/K02.yaml":   []byte(oneThing("K02")),
	}
}

// memory keeps revisions and drafts as a database would.
type memory struct {
	mu        sync.Mutex
	revisions []map[string][]byte
	drafts    map[string]draft.Draft
	entries   []ledger.Entry
	jobs      []jobs.Job
	// before runs when a publication is about to be stored, as if somebody else came
	// first.
	before func()
}

func newMemory() *memory {
	return &memory{revisions: []map[string][]byte{smallCatalog()}, drafts: map[string]draft.Draft{}}
}

func (m *memory) files(number int) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number < 1 || number > len(m.revisions) {
		return nil, fault.New(fault.NotFound, "unknown-revision", "没有")
	}
	return m.revisions[number-1], nil
}

func load(files map[string][]byte) (*catalog.Revision, error) {
	var parts []catalog.Part
	for path, content := range files {
		parts = append(parts, catalog.Part{Path: path, Content: content})
	}
	return catalog.LoadParts(parts)
}

func (m *memory) Revision(_ context.Context, number int, _ ...string) (*catalog.Revision, error) {
	files, err := m.files(number)
	if err != nil {
		return nil, err
	}
	return load(files)
}

func (m *memory) Drafted(_ context.Context, base int, edits []catalog.Edit, _ ...string) (*catalog.Drafted, error) {
	files, err := m.files(base)
	if err != nil {
		return nil, err
	}
	parts, faults := catalog.Apply(files, edits)
	if len(faults) > 0 {
		return nil, faults
	}
	rev, err := load(with(files, parts))
	if err != nil {
		return nil, err
	}
	return &catalog.Drafted{Revision: rev, Parts: parts}, nil
}

func (m *memory) EditedFiles(_ context.Context, number int, _ []catalog.Edit) (map[string][]byte, error) {
	files, err := m.files(number)
	return maps.Clone(files), err
}

func with(files map[string][]byte, parts []catalog.Part) map[string][]byte {
	next := maps.Clone(files)
	for _, p := range parts {
		if next[p.Path] = p.Content; p.Content == nil {
			delete(next, p.Path)
		}
	}
	return next
}

func (m *memory) Thing(_ context.Context, number int, kind catalog.ThingKind, code string) (catalog.Edit, error) {
	files, err := m.files(number)
	if err != nil {
		return catalog.Edit{}, err
	}
	things, _ := catalog.Things(files)
	for _, e := range things {
		if e.Kind == kind && e.Code == code {
			return e, nil
		}
	}
	return catalog.Edit{Kind: kind, Code: code}, nil
}

func (m *memory) LatestRevision(context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.revisions), nil
}

func (m *memory) ChangedBetween(context.Context, int, int) ([]string, error) { return nil, nil }

func (m *memory) PublishDraft(_ context.Context, c draft.Commit, p draft.Publication) (int, error) {
	if m.before != nil {
		first := m.before
		m.before = nil
		first()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.revisions) != p.Base {
		return 0, fault.New(fault.Conflict, "revision-moved", "目录刚刚更新")
	}
	c.Draft.Revision = p.Base + 1
	if err := m.save(c); err != nil {
		return 0, err
	}
	m.revisions = append(m.revisions, with(m.revisions[p.Base-1], p.Parts))
	return p.Base + 1, nil
}

// publish makes another revision as somebody else would.
func (m *memory) publish(t testing.TB, edits ...catalog.Edit) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	parts, faults := catalog.Apply(m.revisions[len(m.revisions)-1], edits)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	m.revisions = append(m.revisions, with(m.revisions[len(m.revisions)-1], parts))
}

func (m *memory) Draft(_ context.Context, id string) (*draft.Draft, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.drafts[id]
	if !ok {
		return nil, fault.New(fault.NotFound, "unknown-draft", "没有")
	}
	d.Edits, d.History, d.Writers = slices.Clone(d.Edits), slices.Clone(d.History), slices.Clone(d.Writers)
	return &d, nil
}

func (m *memory) Drafts(context.Context, draft.Filter) ([]draft.Outline, error) { return nil, nil }

func (m *memory) DraftsTouching(_ context.Context, edits []catalog.Edit, but string) ([]draft.Overlap, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []draft.Overlap{}
	for _, id := range slices.Sorted(maps.Keys(m.drafts)) {
		d := m.drafts[id]
		o := draft.Overlap{ID: id, Title: d.Title, Writers: d.Writers, State: d.State}
		for _, e := range edits {
			if t := (draft.Thing{Kind: e.Kind, Code: e.Code}); id != but && d.State.Open() && d.Edit(t) != nil {
				o.Things = append(o.Things, t)
			}
		}
		if len(o.Things) > 0 {
			out = append(out, o)
		}
	}
	return out, nil
}

func (m *memory) SaveDraft(_ context.Context, c draft.Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.save(c)
}

func (m *memory) save(c draft.Commit) error {
	if m.drafts[c.Draft.ID].Version != c.Draft.Version-1 {
		return fault.New(fault.Conflict, "draft-changed", "草案刚被改过")
	}
	m.drafts[c.Draft.ID] = *c.Draft
	m.entries = append(m.entries, c.Entries...)
	m.jobs = append(m.jobs, c.Jobs...)
	return nil
}

// desk is a desk over memory, with a clock that stands.
func desk(m *memory) *draft.Desk {
	ids := 0
	return draft.New(draft.Config{
		Drafts: m, Publisher: m, Catalogs: m, Now: func() time.Time { return now },
		NewID: func() string { ids++; return fmt.Sprintf("d%d", ids) },
	})
}

// now is 2026-11-27 16:00 in Jinan.
var now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

func editor(name string) policies.Caller {
	return policies.Caller{Person: name, Department: "SL", Duties: []policies.Duty{policies.DutyPolicyEditor}}
}

func reviewer(name string) policies.Caller {
	return policies.Caller{Person: name, Department: "SJJ", Duties: []policies.Duty{policies.DutyPolicyReviewer}}
}

func operator() policies.Caller {
	return policies.Caller{Person: ledger.Operator, System: "mianti", Duties: []policies.Duty{policies.DutyPolicyEditor, policies.DutyPolicyReviewer}}
}

// edit writes a thing of the present catalog anew with other keys.
func (m *memory) edit(t testing.TB, kind catalog.ThingKind, code string, keys map[string]any) catalog.Edit {
	t.Helper()
	e, err := m.Thing(t.Context(), len(m.revisions), kind, code)
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]any{"code": code}
	if e.Value != nil {
		if err := json.Unmarshal(e.Value, &value); err != nil {
			t.Fatal(err)
		}
	}
	for key, v := range keys {
		if value[key] = v; v == nil {
			delete(value, key)
		}
	}
	if e.Value, err = json.Marshal(value); err != nil {
		t.Fatal(err)
	}
	return e
}

func material(t testing.TB, m *memory, code string, keys map[string]any) catalog.Edit {
	t.Helper()
	return m.edit(t, catalog.ThingMaterial, code, keys)
}

// drafted is a draft of one editor with edits.
func drafted(t testing.TB, d *draft.Desk, by policies.Caller, edits ...catalog.Edit) *draft.Dossier {
	t.Helper()
	v, err := d.Create(t.Context(), by, draft.Opening{Title: "改目录", Why: "依据变了", Edits: edits})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// approved has a draft submitted by its writer and approved by another.
func approved(t testing.TB, d *draft.Desk, id string, by, other policies.Caller) {
	t.Helper()
	act(t, d, by, id, draft.Event{Act: draft.Submit})
	act(t, d, other, id, draft.Event{Act: draft.Approve})
}

func act(t testing.TB, d *draft.Desk, by policies.Caller, id string, e draft.Event) *draft.Dossier {
	t.Helper()
	v, err := d.Act(t.Context(), by, id, 0, e)
	if err != nil {
		t.Fatalf("%s: %v", e.Act, err)
	}
	return v
}

// valueOf gives a key of a thing as it stands now.
func (m *memory) valueOf(t testing.TB, kind catalog.ThingKind, code, key string) any {
	t.Helper()
	e, err := m.Thing(t.Context(), len(m.revisions), kind, code)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if len(e.Value) > 0 {
		if err := json.Unmarshal(e.Value, &value); err != nil {
			t.Fatal(err)
		}
	}
	return value[key]
}

func wantCode(t testing.TB, err error, code string) *fault.Error {
	t.Helper()
	failed := fault.As(err)
	if failed == nil || failed.Code != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	if strings.TrimSpace(failed.Message) == "" {
		t.Errorf("%s says nothing", code)
	}
	return failed
}
