package main

import (
	"strings"
	"testing"
)

// run is two rounds of two targets, of which the second round ran on a machine that
// was half as fast.
func run() *results {
	r := &results{Rounds: 2}
	for round, speed := range []float64{1, 0.5} {
		for name, base := range map[string]float64{nameFloor: 1000, nameMianti: 700, nameUsual: 100} {
			r.Turns = append(r.Turns, measured{Round: round, Target: name, Delay: "0ms", Callers: 32, PerSecond: base * speed, Requests: 100, P50: 1, P99: 2, CPU: 100 / speed, DatabaseCPU: 50})
		}
	}
	return r
}

func TestRatio_IsTakenWithinARound(t *testing.T) {
	t.Parallel()
	r, s := run(), setting{"0ms", 32}
	if got := r.ratio(nameMianti, nameFloor, s, perSecond); got != 0.7 {
		t.Errorf("ratio = %g, want 0.7 whatever the machine did", got)
	}
	if got := r.ratio(nameMianti, nameGin, s, perSecond); got != 0 {
		t.Errorf("ratio to what was not measured = %g, want 0", got)
	}
	if c := r.cell(nameMianti, s); c.PerSecond != 350 || c.PerSecondToFloor != 0.7 || c.CPU != 100 || c.DatabaseCPU != 50 {
		t.Errorf("cell = %+v", c)
	}
}

func TestText_SaysWhatWasWantedAndWhatWasNotMeasured(t *testing.T) {
	t.Parallel()
	text := run().text()
	for _, want := range []string{
		"| throughput / floor | 0 ms, 32 callers | 0.70 | ≥ 0.60, met |",
		"| throughput / usual | 0 ms, 32 callers | 7.00 | ≥ 3.50, met |",
		"| CPU / usual | 0 ms, 32 callers | 1.00 | ≤ 0.33, **missed** |",
		"| Mianti, everything on | 350 | 1.00 | 2.00 | 100 | 50 | – | 0.70 | 1.00 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "requests a second:") || strings.Contains(text, "nginx + Lua, merges |") {
		t.Errorf("what was not measured has a line:\n%s", text)
	}
}

func TestText_TakesNoAnswerForNoGoodFigure(t *testing.T) {
	t.Parallel()
	r := run()
	for i := range r.Turns {
		if r.Turns[i].Target == nameMianti {
			r.Turns[i].Requests, r.Turns[i].Failed, r.Turns[i].CPU, r.Turns[i].PerSecond = 0, 10, 0, 0
		}
	}
	text := r.text()
	for _, want := range []string{"| CPU / floor | 0 ms, 32 callers | 0.00 | ≤ 1.60, **missed** |", "| Mianti, everything on (100.0 % refused) |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestCharts_HoldEveryTarget(t *testing.T) {
	t.Parallel()
	charts := run().charts()
	for _, name := range []string{"throughput.svg", "cpu.svg", "latency.svg"} {
		if charts[name] == nil || !strings.Contains(pictures, name) {
			t.Errorf("no chart %s, or it is not shown", name)
		}
	}
	if text := string(charts["throughput.svg"]); !strings.Contains(text, title(nameMianti)) || !strings.Contains(text, title(nameFloor)) {
		t.Errorf("not every target is in the chart:\n%s", text)
	}
}

func TestEvidence_IsPricedWhereThereIsAGoal(t *testing.T) {
	t.Parallel()
	for s, want := range map[setting]bool{{"0ms", 32}: true, {"20ms", 0}: true, {"0ms", 1}: false, {"20ms", 32}: false} {
		if got := s.applies(nameEvidence); got != want || !s.applies(nameMianti) {
			t.Errorf("%+v: %t, want %t", s, got, want)
		}
	}
}
