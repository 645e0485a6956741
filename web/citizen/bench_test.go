package citizen_test

import (
	"net/url"
	"testing"
)

// BenchmarkSearch serves the entrance with a search that has to look into every
// material.
func BenchmarkSearch(b *testing.B) {
	site := anybody(b)
	path := "/?q=" + url.QueryEscape("公积金")
	for b.Loop() {
		if p := site.Get(path); p.Status != 200 {
			b.Fatal(p.Status)
		}
	}
}

// BenchmarkGuide serves the list of the one-thing with the most matters.
func BenchmarkGuide(b *testing.B) {
	site := anybody(b)
	for b.Loop() {
		if p := site.Get("/guide/S04?agent=false"); p.Status != 200 {
			b.Fatal(p.Status)
		}
	}
}
