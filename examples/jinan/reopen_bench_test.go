package jinan_test

import (
	"testing"

	"mianti/catalog"
)

// BenchmarkReopen reads one one-thing after the other from its tree, as a node does
// that holds a large catalog in part. "µs/material" is of each material.
func BenchmarkReopen(b *testing.B) {
	all := files(b)
	var grounds []catalog.Part
	trees := map[string][]byte{}
	for path, content := range all {
		p := catalog.Part{Path: path, Content: content}
		if catalog.IsOneThing(path) {
			trees[path] = catalog.Tree(p)
			continue
		}
		grounds = append(grounds, p)
	}
	ground, err := catalog.LoadParts(grounds)
	if err != nil {
		b.Fatal(err)
	}
	materials := 0
	b.ReportAllocs()
	for b.Loop() {
		for path, tree := range trees {
			rev, err := ground.Reopen(path, tree)
			if err != nil {
				b.Fatal(err)
			}
			materials += len(rev.Materials())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(materials), "µs/material")
}
