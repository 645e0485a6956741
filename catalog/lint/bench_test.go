package lint_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/catalog/lint"
)

// BenchmarkLint looks through one-things of eight matters with eight materials each,
// the way a large catalog is streamed; the figure to look at is ns/material.
func BenchmarkLint(b *testing.B) {
	chains := []string{
		looksUp + "chain: [{mode: elicense}, {mode: data}, {mode: upload}]", when + "agent, chain: [{mode: form}]", looksUp + "chain: [{mode: data}, {mode: commit, when: willing}, {mode: upload}]",
		when + "\"kind == 'person'\"", when + "\"kind == 'company'\"", "", "chain: [{mode: commit, when: willing}, {mode: upload}]", "standard_material: STD-ID",
	}
	var matters strings.Builder
	for m := range 8 {
		var materials []string
		for i, chain := range chains {
			materials = append(materials, material(fmt.Sprintf("M%d.%c", m+1, 'a'+i), chain))
		}
		after := ""
		if m > 0 {
			after = fmt.Sprintf(", after: [S01.M%d]", m)
		}
		matters.WriteString(matter(fmt.Sprintf("M%d", m+1), after, materials...))
	}
	files := small(b, matters.String())
	files["lint.yaml"] = &fstest.MapFile{Data: []byte("format: mianti-catalog/1\nkind: lint\nexplained: [{code: E1, rule: gap, at: [S01], why: 本来没有, by: 甲}]\n")}
	rev := load(b, files)
	things, materials := rev.OneThings(), 0
	linter := lint.New(rev, lint.Config{Keep: 1000, Measures: &lint.Measures{Sources: []lint.SourceMeasure{}, Uploads: []lint.UploadMeasure{}}})
	b.ReportAllocs()
	for b.Loop() {
		linter.Look(rev, things[0])
		materials += 64
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(materials), "ns/material")
	if report := linter.Report(); report.Materials != materials {
		b.Errorf("looked at %d materials, want %d", report.Materials, materials)
	}
}
