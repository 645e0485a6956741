package lint_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/lint"
)

// TestDrafted_AnswersForWhatTheChangeTouches holds a draft to its own findings.
func TestDrafted_AnswersForWhatTheChangeTouches(t *testing.T) {
	t.Parallel()
	const old = "name: 相关材料"
	base := small(t, matter("M1", "", material("M1.a", old), material("M1.b", "name: 有关合同"), material("M1.c", "")))
	for name, c := range map[string]struct {
		old, by string
		want    []string
	}{
		"what was there before stays out":  {"name: 材料M1.c", "name: 合同", nil},
		"what is new":                      {"name: 材料M1.c", "name: 其他合同", []string{"S01.M1.c name"}},
		"what is touched and was not seen": {old + "}", old + ", note: 补充说明}", []string{"S01.M1.a name"}},
		"what is put right":                {old, "name: 合同", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drafted := fstest.MapFS{}
			for name, file := range base {
				drafted[name] = file
			}
			replace(t, drafted, "one-things/S01.yaml", c.old, c.by)
			var got []string
			for _, f := range lint.Errors(lint.Drafted(load(t, base), load(t, drafted), []catalog.Part{{Path: "one-things/S01.yaml"}}, lint.Config{})) {
				got = append(got, f.Code+" "+f.Key)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestDrafted_OfTheGroundLooksAtEveryOneThing: a fact that loses an option leaves a
// gap where nobody edited anything, and a file of another one-thing does not.
func TestDrafted_OfTheGroundLooksAtEveryOneThing(t *testing.T) {
	t.Parallel()
	base := small(t, matter("M1", "", material("M1.a", when+"\"kind == 'person'\""), material("M1.b", when+"\"kind == 'company'\"")))
	drafted := fstest.MapFS{}
	for name, file := range base {
		drafted[name] = file
	}
	replace(t, base, "facts.yaml", ", {value: social, label: 社会组织}", "")
	for path, want := range map[string]int{"facts.yaml": 1, "one-things/S02.yaml": 0} {
		if got := lint.Drafted(load(t, base), load(t, drafted), []catalog.Part{{Path: path}}, lint.Config{}); len(got) != want {
			t.Errorf("%s: %+v, want %d", path, got, want)
		}
	}
}
