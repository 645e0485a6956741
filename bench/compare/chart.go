package main

import "mianti/bench/report"

// charts are the pictures of the page, by file name.
func (r *results) charts() map[string][]byte {
	return map[string][]byte{
		"throughput.svg": r.chart("Answers a second, sources at 0 ms (more is better)", "/s", perSecond, []setting{{"0ms", 1}, {"0ms", 32}, {"0ms", 128}}),
		"cpu.svg":        r.chart("Processor time for one answer, PostgreSQL's included (less is better)", "µs", allCPU, []setting{{"0ms", 32}, {"20ms", 32}}),
		"latency.svg": (&report.Bars{
			Title: "Latency, sources at 20 ms, 300 requests a second (less is better)", Unit: "ms",
			Groups: []report.Group{r.group("median", setting{"20ms", 0}, p50), r.group("99th percentile", setting{"20ms", 0}, p99)},
		}).SVG(),
	}
}

func (r *results) chart(title, unit string, value func(measured) float64, at []setting) []byte {
	c := report.Bars{Title: title, Unit: unit}
	for _, s := range at {
		c.Groups = append(c.Groups, r.group("sources at "+s.text(), s, value))
	}
	return c.SVG()
}

func (r *results) group(name string, s setting, value func(measured) float64) report.Group {
	g := report.Group{Name: name}
	for _, target := range names() {
		if turns := r.of(target, s); len(turns) > 0 {
			g.Bars = append(g.Bars, report.Bar{Name: title(target), Value: median(turns, value), Ours: target == nameMianti || target == nameEvidence})
		}
	}
	return g
}

// pictures are shown before the tables.
const pictures = `![Answers a second](performance/throughput.svg)

![Processor time for one answer](performance/cpu.svg)

![Latency](performance/latency.svg)

`
