package main

import (
	"fmt"
	"strings"

	"mianti/bench/load"
)

// cell is a target under a setting: medians over the rounds.
type cell struct {
	Target      string
	Delay       string
	Callers     int
	PerSecond   float64
	P50         float64
	P99         float64
	CPU         float64
	DatabaseCPU float64
	Allocations float64
	Refused     float64 // of all requests, those not answered well; in no other figure
	// To the floor: medians of the ratios within a round.
	PerSecondToFloor, P50ToFloor, P99ToFloor, CPUToFloor float64
}

// of gives the turns of a target under a setting, by round.
func (r *results) of(name string, s setting) []measured {
	var out []measured
	for _, t := range r.Turns {
		if t.Target == name && t.Delay == s.Delay && t.Callers == s.Callers {
			out = append(out, t)
		}
	}
	return out
}

// median leaves out turns without an answer: a latency of none is not a short one.
func median(turns []measured, value func(measured) float64) float64 {
	var all []float64
	for _, t := range turns {
		if t.Requests > 0 {
			all = append(all, value(t))
		}
	}
	return load.Median(all)
}

// refusals is the part of all requests that was not answered well.
func refusals(turns []measured) float64 {
	failed, all := 0, 0
	for _, t := range turns {
		failed, all = failed+t.Failed, all+t.Failed+t.Requests
	}
	return float64(failed) / float64(max(all, 1))
}

// ratio is the median of the ratios of a target to another one in the same round.
func (r *results) ratio(name, to string, s setting, value func(measured) float64) float64 {
	var all []float64
	for _, t := range r.of(name, s) {
		for _, other := range r.of(to, s) {
			if other.Round == t.Round && other.Requests > 0 && t.Requests > 0 && value(other) > 0 {
				all = append(all, value(t)/value(other))
			}
		}
	}
	return load.Median(all)
}

func perSecond(t measured) float64   { return t.PerSecond }
func p50(t measured) float64         { return t.P50 }
func p99(t measured) float64         { return t.P99 }
func cpu(t measured) float64         { return t.CPU }
func allCPU(t measured) float64      { return t.CPU + t.DatabaseCPU }
func databaseCPU(t measured) float64 { return t.DatabaseCPU }
func allocated(t measured) float64   { return t.Allocations }

// summary is the run as medians.
func (r *results) summary() any {
	var cells []cell
	for _, s := range settings() {
		for _, name := range names() {
			if turns := r.of(name, s); len(turns) > 0 {
				cells = append(cells, r.cell(name, s))
			}
		}
	}
	return map[string]any{"machine": r.Machine, "rounds": r.Rounds, "medians": cells}
}

func (r *results) cell(name string, s setting) cell {
	turns := r.of(name, s)
	return cell{
		Target: name, Delay: s.Delay, Callers: s.Callers,
		PerSecond: median(turns, perSecond), P50: median(turns, p50), P99: median(turns, p99), CPU: median(turns, cpu),
		DatabaseCPU: median(turns, databaseCPU), Allocations: median(turns, allocated), Refused: refusals(turns),
		PerSecondToFloor: r.ratio(name, nameFloor, s, perSecond), P50ToFloor: r.ratio(name, nameFloor, s, p50),
		P99ToFloor: r.ratio(name, nameFloor, s, p99), CPUToFloor: r.ratio(name, nameFloor, s, cpu),
	}
}

// goal is a line of what is to be shown.
type goal struct {
	what  string
	name  string
	to    string
	s     setting
	value func(measured) float64
	least float64 // 0: none
	most  float64
}

func goals() []goal {
	at32, at20 := setting{"0ms", 32}, setting{"20ms", 0}
	return []goal{
		{"throughput / floor", nameMianti, nameFloor, at32, perSecond, 0.60, 0},
		{"CPU / floor", nameMianti, nameFloor, at32, cpu, 0, 1.6},
		{"throughput / usual", nameMianti, nameUsual, at32, perSecond, 3.5, 0},
		{"CPU / usual", nameMianti, nameUsual, at32, cpu, 0, 0.33},
		{"throughput / gin", nameMianti, nameGin, at32, perSecond, 0.8, 0},
		{"throughput / nginx", nameMianti, nameNginx, at32, perSecond, 0.35, 0},
		{"p50 / floor", nameMianti, nameFloor, at20, p50, 0, 1.08},
		{"p99 / floor", nameMianti, nameFloor, at20, p99, 0, 1.5},
	}
}

// text is what stands in the page between its markers.
func (r *results) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %d rounds, in each of which every server has its turn; medians.\n\n", r.Machine.text(), r.Rounds)
	r.goalTable(&b)
	b.WriteString(pictures)
	for _, s := range settings() {
		if len(r.of(nameFloor, s)) > 0 {
			r.table(&b, s)
		}
	}
	return b.String()
}

func (r *results) goalTable(b *strings.Builder) {
	b.WriteString("| Mianti with everything on | sources, load | ratio | wanted |\n| --- | --- | --- | --- |\n")
	for _, g := range goals() {
		turns := r.of(g.name, g.s)
		if len(turns) == 0 || len(r.of(g.to, g.s)) == 0 {
			continue
		}
		got := r.ratio(g.name, g.to, g.s, g.value) // 0 when nothing was answered
		wanted, met := fmt.Sprintf("≥ %.2f", g.least), got >= g.least
		if g.most > 0 {
			wanted, met = fmt.Sprintf("≤ %.2f", g.most), got > 0 && got <= g.most
		}
		mark := "**missed**"
		if met {
			mark = "met"
		}
		fmt.Fprintf(b, "| %s | %s | %.2f | %s, %s |\n", g.what, g.s.text(), got, wanted, mark)
	}
	b.WriteString("\n")
}

func (s setting) text() string {
	delay := strings.TrimSuffix(s.Delay, "ms") + " ms"
	switch s.Callers {
	case 0:
		return fmt.Sprintf("%s, %d requests a second", delay, fixedRate)
	case 1:
		return delay + ", 1 caller"
	}
	return fmt.Sprintf("%s, %d callers", delay, s.Callers)
}

func (r *results) table(b *strings.Builder, s setting) {
	fmt.Fprintf(b, "Sources at %s:\n\n", s.text())
	b.WriteString("| | a second | p50 ms | p99 ms | CPU µs | PostgreSQL µs | allocations | throughput / floor | CPU / floor |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range names() {
		if len(r.of(name, s)) == 0 {
			continue
		}
		c := r.cell(name, s)
		called := title(name)
		if c.Refused > 0 {
			called += fmt.Sprintf(" (%.1f %% refused)", 100*c.Refused)
		}
		fmt.Fprintf(b, "| %s | %.0f | %.2f | %.2f | %.0f | %s | %s | %.2f | %.2f |\n", called, c.PerSecond, c.P50, c.P99, c.CPU,
			orDash(c.DatabaseCPU), orDash(c.Allocations), c.PerSecondToFloor, c.CPUToFloor)
	}
	b.WriteString("\n")
}

func orDash(value float64) string {
	if value <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", value)
}

// title is what a target is called in tables and charts.
func title(name string) string {
	switch name {
	case nameFloor:
		return "floor (net/http, merges)"
	case nameGin:
		return "Gin, merges"
	case nameNginx:
		return "nginx + Lua, merges"
	case nameUsual:
		return "the usual way (Gin, GORM)"
	case nameMianti:
		return "Mianti, everything on"
	default:
		return "Mianti, and evidence fetched"
	}
}
