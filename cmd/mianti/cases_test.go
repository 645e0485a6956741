package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/store"
)

// expectation is what a case file expects: derived by hand from the scenario
// list and docs/resolution-rules.md, never from what the program said.
type expectation struct {
	Status    string                      `yaml:"status"`
	Matters   map[string]string           `yaml:"matters"`
	Materials map[string]expectedMaterial `yaml:"materials"`
	Upload    []string                    `yaml:"upload"`
	Questions []string                    `yaml:"questions"`
}

type expectedMaterial struct {
	Outcome string   `yaml:"outcome"`
	Mode    string   `yaml:"mode"`
	Reason  string   `yaml:"reason"`
	UsedBy  []string `yaml:"used_by"`
}

// TestCases_ResolveAsDerivedByHand runs every case of examples/jinan/cases over
// HTTP, against stand-in departments that answer over HTTP, and works each out
// again from what was recorded.
func TestCases_ResolveAsDerivedByHand(t *testing.T) {
	d, err := startDemo(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "cases.db"), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	cases, err := readCases(jinan.Files, "cases")
	if err != nil {
		t.Fatal(err)
	}
	checkSpread(t, d.catalog, cases)
	replayer := exchange.Replayer{Catalogs: store.NewCatalogs(d.node.store), Cases: d.node.store, Archive: d.node.store}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(file.Name, ".yaml"), func(t *testing.T) {
			r, err := d.resolve(t.Context(), file.caseFile)
			if err != nil {
				t.Fatal(err)
			}
			want := readExpectation(t, file.Expect)
			if diff := cmp.Diff(want, seen(r, want)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			again, err := replayer.Replay(t.Context(), r.ID, r.Version)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Verdict(); err != nil {
				t.Errorf("worked out again: %v, the first in %+v", err, again.Differences[:min(1, len(again.Differences))])
			}
			wantRerunAs(t, d, r)
			for _, m := range r.Materials {
				if m.Reason.Code == "" || m.Reason.Text == "" {
					t.Errorf("%s has no reason", m.Code)
				}
			}
		})
	}
}

// checkSpread wants at least forty cases, two for every one-thing.
func checkSpread(t *testing.T, rev *catalog.Revision, cases []namedCase) {
	t.Helper()
	if len(cases) < 40 {
		t.Errorf("%d cases, want at least 40", len(cases))
	}
	count := map[any]int{}
	for _, file := range cases {
		count[file.Case["one_thing"]]++
	}
	for _, thing := range rev.OneThings() {
		if count[thing.Code] < 2 {
			t.Errorf("%s has %d cases, want at least 2", thing.Code, count[thing.Code])
		}
	}
}

func readExpectation(t *testing.T, from any) expectation {
	t.Helper()
	text, err := yaml.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	var want expectation
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("expect: %v", err)
	}
	if want.Upload == nil {
		want.Upload = []string{}
	}
	if want.Questions == nil {
		want.Questions = []string{}
	}
	return want
}

// seen renders a resolution as an expectation. What the case file does not say
// of a material (its reason, its uses) is left out, but every material and
// every matter is there.
func seen(r *exchange.Resolution, want expectation) expectation {
	got := expectation{
		Status: string(r.Status), Matters: map[string]string{}, Materials: map[string]expectedMaterial{}, Upload: r.Upload, Questions: []string{},
	}
	for _, m := range r.Matters {
		got.Matters[m.Code] = string(m.State)
	}
	codes := slices.Collect(maps.Keys(want.Materials))
	for _, m := range r.Materials {
		key := m.Code
		if m.Subject != nil && m.Subject.Party != "" && !slices.Contains(codes, m.Code) {
			key = fmt.Sprintf("%s@%s", m.Code, m.Subject.Party)
		}
		expected := want.Materials[key]
		one := expectedMaterial{Outcome: string(m.Outcome)}
		if expected.Mode != "" {
			one.Mode = string(m.Mode)
		}
		if expected.Reason != "" {
			one.Reason = string(m.Reason.Code)
		}
		if expected.UsedBy != nil {
			one.UsedBy = m.UsedBy
		}
		got.Materials[key] = one
	}
	for _, q := range r.Questions {
		got.Questions = append(got.Questions, q.Fact)
	}
	return got
}
