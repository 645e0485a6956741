package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorded reads a log as --log writes it.
func recorded(t *testing.T) (Log, Record) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "clean.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Log    Log
		Record Record
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Log.Answers) < 3 || len(all.Record.Trails) < 3 {
		t.Fatal("the recorded log is empty")
	}
	return all.Log, all.Record
}

func TestCheck_FindsNothingInACleanLog(t *testing.T) {
	t.Parallel()
	f := check(recorded(t))
	if len(f.Lost)+len(f.Unrecorded)+len(f.Doubled) > 0 {
		t.Errorf("found %+v", f)
	}
	if f.Orphans != 1 || f.Later != 1 {
		t.Errorf("orphans %d, later %d; want 1 and 1", f.Orphans, f.Later)
	}
}

func TestCheck_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	lost, unrecorded, doubled := func(f Findings) []string { return f.Lost }, func(f Findings) []string { return f.Unrecorded }, func(f Findings) []string { return f.Doubled }
	for name, test := range map[string]struct {
		spoil func(l *Log, r Record)
		in    func(Findings) []string
		says  string
	}{
		"an answer is lost":    {func(_ *Log, r Record) { delete(r.Resolutions, "r1") }, lost, "resolution r1 was answered and cannot be read"},
		"it cannot be read":    {func(_ *Log, r Record) { alter(r, "r1", func(s *Stored) { s.Digest = "" }) }, lost, "resolution r1 was answered and cannot be read"},
		"it says another":      {func(_ *Log, r Record) { alter(r, "r1", func(s *Stored) { s.Digest = "ff" }) }, lost, "resolution r1 says something else"},
		"of another case":      {func(_ *Log, r Record) { alter(r, "r1", func(s *Stored) { s.Case = "c9" }) }, lost, "stored for c9"},
		"a version is lost":    {func(_ *Log, r Record) { alter(r, "r2", func(s *Stored) { s.Versions = nil }) }, lost, "version 1 of resolution r2"},
		"no entry of it":       {func(_ *Log, r Record) { delete(r.Trails["r1"].Resolved, 1) }, unrecorded, "version 1 of resolution r1 was answered without an entry"},
		"no trail at all":      {func(_ *Log, r Record) { delete(r.Trails, "r1") }, unrecorded, "version 1 of resolution r1 was answered without an entry"},
		"no outcome":           {func(_ *Log, r Record) { delete(r.Trails["r1"].Outcomes, "a1") }, unrecorded, "resolution r1 was answered, and look-up a1 has no outcome"},
		"no intent":            {func(_ *Log, r Record) { delete(r.Trails["r1"].Intents, "a1") }, unrecorded, "look-up a1 came to an end without an intent"},
		"an intent too late":   {func(_ *Log, r Record) { r.Trails["r1"].Intents["a1"] = 99 }, unrecorded, "look-up a1 came to an end without an intent"},
		"unlabeled":            {func(_ *Log, r Record) { r.Trails["r1"].Unlabeled = 2 }, unrecorded, "2 look-ups do not say which they are"},
		"a reading":            {func(l *Log, _ Record) { l.Reads["r1"] = 3 }, unrecorded, "resolution r1 was given out 3 times"},
		"a case":               {func(_ *Log, r Record) { delete(r.Opened, "c1") }, unrecorded, "case c1 was opened, with 0 entries"},
		"two answers of a key": {func(l *Log, _ Record) { l.Answers[1].Key = l.Answers[0].Key }, doubled, "was answered with r1 and with r2"},
		"kept for another":     {func(_ *Log, r Record) { r.Keys["k1"] = "r2" }, doubled, `key k1 was answered with r1 and is kept for "r2"`},
		"one without a key":    {func(_ *Log, r Record) { r.Resolutions["r9"] = Stored{Case: "c1", Version: 1} }, doubled, "resolution r9 is that of 0 keys"},
		"one without an entry": {func(_ *Log, r Record) { r.Resolutions["r9"] = Stored{Case: "c1", Version: 1} }, unrecorded, "resolution r9 is stored without an entry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, r := recorded(t)
			test.spoil(&l, r)
			found := test.in(check(l, r))
			if !strings.Contains(strings.Join(found, "\n"), test.says) {
				t.Errorf("found %q, want %q", found, test.says)
			}
		})
	}
}

func alter(r Record, id string, how func(*Stored)) {
	s := r.Resolutions[id]
	how(&s)
	r.Resolutions[id] = s
}

func TestVerdict_FindsAStopThatDidNotHold(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	windows := []stopWindow{{"D-GA01", at, at.Add(10 * time.Second)}, {"D-RS01", at, at.Add(time.Second)}}
	for name, test := range map[string]struct {
		asked lookup
		well  bool
	}{
		"while it spreads":         {lookup{"D-GA01", at.Add(time.Second)}, true},
		"in force":                 {lookup{"D-GA01", at.Add(5 * time.Second)}, false},
		"another dataset":          {lookup{"D-SW01", at.Add(5 * time.Second)}, true},
		"lifted":                   {lookup{"D-GA01", at.Add(11 * time.Second)}, true},
		"a stop that is too short": {lookup{"D-RS01", at.Add(900 * time.Millisecond)}, true},
	} {
		v := &verdict{}
		v.stops(windows, []lookup{test.asked})
		if v.failed() == test.well {
			t.Errorf("%s: well is %v, want %v", name, !v.failed(), test.well)
		}
	}
}

func TestGrowth_JudgesLongLivesAlone(t *testing.T) {
	t.Parallel()
	life := func(span time.Duration, size func(age time.Duration) int64) []sample {
		var out []sample
		for age := time.Duration(0); age <= span; age += time.Second {
			out = append(out, sample{age, size(age)})
		}
		return out
	}
	if _, _, judged := growth(life(time.Minute, func(time.Duration) int64 { return 1 })); judged {
		t.Error("a minute was judged")
	}
	if _, _, judged := growth(nil); judged {
		t.Error("nothing was judged")
	}
	// What a node takes before it is warm is not counted.
	first, last, judged := growth(life(5*time.Minute, func(age time.Duration) int64 {
		if age < warm {
			return 10
		}
		return 100
	}))
	if !judged || last/first != 1 {
		t.Errorf("flat: %g, %g, %v", first, last, judged)
	}
	first, last, judged = growth(life(5*time.Minute, func(age time.Duration) int64 { return 100 + int64(age/time.Second) }))
	if !judged || last <= 1.25*first {
		t.Errorf("growing: %g, %g, %v", first, last, judged)
	}
}

func TestPlan_BringsEverythingAbout(t *testing.T) {
	t.Parallel()
	for _, span := range []time.Duration{30 * time.Second, 90 * time.Second, 10 * time.Minute} {
		counts := map[string]int{}
		for _, a := range newChaos(nil, nil, settings{Duration: span}).plan() {
			if a.at >= span {
				t.Errorf("%s: %s comes after the load", span, a.what)
			}
			counts[a.what]++
		}
		want := 2
		if span == 10*time.Minute {
			want = 9
		}
		if counts["kill"] < want || counts["restart"] != 2 || counts["pooler"] != 1 || counts["cut"] == 0 {
			t.Errorf("%s: %v", span, counts)
		}
	}
}

func TestDigestOf_IsThatOfTheContent(t *testing.T) {
	t.Parallel()
	digest := func(text string) string {
		sum, err := digestOf([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if digest(`{"a":1,"b":2}`) != digest(`{ "b": 2, "a": 1, "$schema": "http://127.0.0.1:1/x" }`) {
		t.Error("the order counts, or the node that answered")
	}
	if digest(`{"a":1}`) == digest(`{"a":2}`) {
		t.Error("the content does not count")
	}
}
