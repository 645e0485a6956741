package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/store"
)

// How a made-up catalog is put together: as many matters in a one-thing as there are
// materials of a matter.
const (
	mattersOfThing    = 8
	materialsOfMatter = 8
)

// bigCatalog makes catalogs of any size: the ground is the shipped one, the one-things
// are the shipped ones again and again, each with eight matters of eight materials.
type bigCatalog struct {
	ground    []catalog.Part
	templates []template
}

// template is a one-thing whose code is placeholder.
type template struct{ content, tree []byte }

const placeholder = "B0000000"

func newBigCatalog(tb testing.TB) *bigCatalog {
	tb.Helper()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		tb.Fatal(err)
	}
	c := &bigCatalog{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if !catalog.IsOneThing(path) {
			c.ground = append(c.ground, catalog.Part{Path: path, Content: files[path]})
		}
	}
	ground, err := catalog.LoadParts(c.ground)
	if err != nil {
		tb.Fatal(err)
	}
	things, faults := catalog.Things(files)
	if len(faults) > 0 {
		tb.Fatal(faults)
	}
	for _, thing := range things {
		if thing.Kind == catalog.ThingOneThing {
			c.templates = append(c.templates, c.template(tb, ground, things, thing))
		}
	}
	return c
}

// template makes a one-thing of eight matters with eight materials each out of a
// shipped one, without the order of its matters, and checks it.
func (c *bigCatalog) template(tb testing.TB, ground *catalog.Revision, things []catalog.Edit, thing catalog.Edit) template {
	tb.Helper()
	var matters, materials []map[string]any
	for _, e := range things {
		if e.Kind != catalog.ThingMatter && e.Kind != catalog.ThingMaterial || !strings.HasPrefix(e.Code, thing.Code+".") {
			continue
		}
		value := object(tb, e.Value)
		delete(value, "after")
		switch {
		case e.Kind == catalog.ThingMatter:
			matters = append(matters, value)
		case !bytes.Contains(e.Value, []byte(`"prior"`)) && value["common"] != "C05":
			materials = append(materials, value)
		}
	}
	one := object(tb, thing.Value)
	one["code"] = placeholder
	var all []any
	for i := range mattersOfThing {
		matter := maps.Clone(matters[i%len(matters)])
		code := fmt.Sprintf("%s.M%d", placeholder, i+1)
		var held []any
		for j := range materialsOfMatter {
			material := maps.Clone(materials[(i*materialsOfMatter+j)%len(materials)])
			material["code"] = code + "." + string(rune('a'+j))
			held = append(held, material)
		}
		matter["code"], matter["materials"] = code, held
		all = append(all, matter)
	}
	root := map[string]any{"format": "mianti-catalog/1", "kind": "one_thing", "one_thing": one, "matters": all}
	content, err := yaml.Marshal(root)
	if err != nil {
		tb.Fatal(err)
	}
	part := catalog.Part{Path: "one-things/" + placeholder + ".yaml", Content: content}
	if err := ground.Check(&part); err != nil {
		tb.Fatal(err)
	}
	return template{part.Content, part.Tree}
}

func object(tb testing.TB, text []byte) map[string]any {
	tb.Helper()
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		tb.Fatal(err)
	}
	return value
}

// thingCode is the code of the nth one-thing.
func thingCode(n int) string { return fmt.Sprintf("B%07d", n) }

// thing makes the nth one-thing.
func (c *bigCatalog) thing(n int) catalog.Part {
	t, code := c.templates[n%len(c.templates)], []byte(thingCode(n))
	return catalog.Part{
		Path:    "one-things/" + string(code) + ".yaml",
		Content: bytes.ReplaceAll(t.content, []byte(placeholder), code),
		Tree:    bytes.ReplaceAll(t.tree, []byte(placeholder), code),
	}
}

// save stores a catalog of so many matters.
func (c *bigCatalog) save(tb testing.TB, s *store.Store, matters int) int {
	tb.Helper()
	number, err := s.SaveParts(tb.Context(), func(yield func(catalog.Part, error) bool) {
		for _, p := range c.ground {
			if !yield(p, nil) {
				return
			}
		}
		for n := range matters / mattersOfThing {
			if !yield(c.thing(n), nil) {
				return
			}
		}
	}, store.RevisionMeta{Title: "测试", Version: fmt.Sprint(matters)})
	if err != nil {
		tb.Fatal(err)
	}
	return number
}
