package policy

import (
	"os"
	"testing"

	"mianti/catalog"
)

func shippedThing(t *testing.T, code string) *catalog.OneThing {
	t.Helper()
	rev, err := catalog.Load(os.DirFS("../../examples/jinan"))
	if err != nil {
		t.Fatal(err)
	}
	return rev.OneThing(code)
}

// TestGraph_PutsEveryMatterAfterAllThatItWaitsFor holds each drawing against the
// catalog: every matter once, none on top of another, and no line backwards.
func TestGraph_PutsEveryMatterAfterAllThatItWaitsFor(t *testing.T) {
	t.Parallel()
	rev, err := catalog.Load(os.DirFS("../../examples/jinan"))
	if err != nil {
		t.Fatal(err)
	}
	for _, thing := range rev.OneThings() {
		g := newGraph(thing)
		if g == nil || len(g.Nodes) != len(thing.Matters) {
			t.Fatalf("%s: %+v", thing.Code, g)
		}
		at := map[string]node{}
		for _, n := range g.Nodes {
			at[n.Code] = n
			if n.X < 0 || n.Y < 0 || n.X+nodeWidth > g.Width || n.Y+nodeHeight > g.Height {
				t.Errorf("%s: %s is drawn outside", thing.Code, n.Code)
			}
		}
		for i, a := range g.Nodes {
			for _, b := range g.Nodes[i+1:] {
				if a.X == b.X && a.Y < b.Y+nodeHeight && b.Y < a.Y+nodeHeight {
					t.Errorf("%s: %s and %s are on top of each other", thing.Code, a.Code, b.Code)
				}
			}
		}
		for i := range thing.Matters {
			for _, before := range waitsFor(&thing.Matters[i]) {
				if from, known := at[before]; known && from.X >= at[thing.Matters[i].Code].X {
					t.Errorf("%s: %s is not after %s", thing.Code, thing.Matters[i].Code, before)
				}
			}
		}
	}
}

// TestGraph_DrawsWhatEachResultFeeds: in S01 the licence is a material of every
// other matter, and the seal's registration of two; that M4 waits for M1 is implied
// by M3, but its licence is fed to it and is drawn all the same.
func TestGraph_DrawsWhatEachResultFeeds(t *testing.T) {
	t.Parallel()
	fed := map[string]bool{}
	for _, e := range newGraph(shippedThing(t, "S01")).Edges {
		fed[e.From+" "+e.To] = e.Feeds
	}
	for _, want := range []string{"S01.M1 S01.M2", "S01.M1 S01.M4", "S01.M1 S01.M8", "S01.M2 S01.M8", "S01.M2 S01.M4"} {
		if !fed[want] {
			t.Errorf("no line carries a result from %s: %v", want, fed)
		}
	}
	if feeds, drawn := fed["S01.M3 S01.M4"]; !drawn || feeds {
		t.Errorf("S01.M4 waits for S01.M3 and takes no paper of it: drawn %v, feeds %v", drawn, feeds)
	}
}

func TestLayers_TellSerialFromParallel(t *testing.T) {
	t.Parallel()
	if got := len(layersOf(shippedThing(t, "S03"))); got != 2 {
		t.Errorf("two matters one after another are in %d layers", got)
	}
	parallel := &catalog.OneThing{Matters: []catalog.Matter{{Code: "A"}, {Code: "B"}, {Code: "C"}}}
	if layers := layersOf(parallel); len(layers) != 1 || len(layers[0]) != 3 {
		t.Errorf("three matters that do not wait are in %d layers", len(layers))
	}
	mixed := &catalog.OneThing{Matters: []catalog.Matter{
		{Code: "D", After: []string{"B", "C"}}, {Code: "B", After: []string{"A"}}, {Code: "C", After: []string{"A"}}, {Code: "A"},
	}}
	layers := layersOf(mixed)
	if len(layers) != 3 || layers[0][0].Code != "A" || len(layers[1]) != 2 || layers[2][0].Code != "D" {
		t.Errorf("%v", layers)
	}
	for _, e := range newGraph(&catalog.OneThing{Matters: []catalog.Matter{{Code: "A"}, {Code: "B", After: []string{"A"}}, {Code: "C", After: []string{"A", "B"}}}}).Edges {
		if e.From == "A" && e.To == "C" {
			t.Error("a line is drawn that another implies")
		}
	}
}
