package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mianti/catalog"
)

// The size that staff pages must bear.
const (
	manyMatters    = 10_000
	manyMaterials  = 10 // of each matter
	mattersInThing = 100
)

// many gives a made-up catalog of 10 000 matters with 100 000 materials.
func many(t testing.TB) *catalog.Revision {
	t.Helper()
	files := shipped(t)
	for name := range files {
		if strings.HasPrefix(name, "one-things/") || strings.HasPrefix(name, "cases/") {
			delete(files, name)
		}
	}
	for thing := range manyMatters / mattersInThing {
		code := fmt.Sprintf("T%03d", thing)
		files["one-things/"+code+".yaml"] = &fstest.MapFile{Data: []byte(manyThing(code))}
	}
	rev := load(t, files, 7)
	if got := len(rev.Materials()); got != manyMatters*manyMaterials {
		t.Fatalf("%d materials", got)
	}
	return rev
}

func manyThing(code string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "format: mianti-catalog/1\nkind: one_thing\none_thing: {code: %s, name: 一件事%s, handling: parallel, lead: SPJ}\nmatters:\n", code, code)
	for m := range mattersInThing {
		fmt.Fprintf(&out, "  - {code: %s.M%d, name: 事项%s第%d号, basic_code: \"370131001000\", level: 3, department: GA, days: 5, result: {name: 结果}, materials: [\n", code, m, code, m)
		for i := range manyMaterials {
			fmt.Fprintf(&out, "      {code: %s.M%d.%c, common: %s, name: 材料%d}%s\n", code, m, 'a'+i, []string{"C01", "C02", "C03"}[i%3], i*m, []string{",", "]}"}[i/(manyMaterials-1)])
		}
	}
	return out.String()
}

// pageLimit is what a page may take of the server.
const pageLimit = 150 * time.Millisecond

// BenchmarkMaterialList asks for pages of the list of 100 000 materials: the first,
// the last, a search that finds nothing, and a filter in another order. Each must
// come within 150 ms.
func BenchmarkMaterialList(b *testing.B) {
	staff := editor(b, stored{7: many(b)})
	for name, path := range map[string]string{
		"first": "/catalog/materials?rev=7", "last": "/catalog/materials?rev=7&page=2000", "search-nothing": "/catalog/materials?rev=7&q=nothing+here",
		"filter-sorted": "/catalog/materials?rev=7&mode=upload&department=GA&q=99&sort=name", "matters": "/catalog/matters?rev=7&q=T099&sort=asked",
		"health": "/catalog/health?rev=7&rule=basis&page=1000", "overview": "/catalog?rev=7", "dataset": "/catalog/datasets/D-GA01?rev=7", "material": "/catalog/materials/T050.M50.a?rev=7",
	} {
		b.Run(name, func(b *testing.B) {
			if page := staff.Get(path); page.Status != 200 {
				b.Fatalf("%s: %d", path, page.Status)
			}
			begun, n := time.Now(), 0
			for b.Loop() {
				staff.Get(path)
				n++
			}
			if each := time.Since(begun) / time.Duration(n); each > pageLimit {
				b.Errorf("%s takes %v, at most %v", path, each, pageLimit)
			}
		})
	}
}
