package catalog_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"mianti/catalog"
)

// docBlocks gives the YAML blocks of docs/catalog-format.md with a label.
func docBlocks(t testing.TB, label string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/catalog-format.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)```yaml "+label+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("the page shows no %s", label)
	}
	return blocks
}

// withSource gives a catalog of one department whose one dataset has one source.
func withSource(t testing.TB, source string) fstest.MapFS {
	t.Helper()
	dataset := docBlocks(t, "dataset")[0]
	if strings.Contains(source, "kind: elicense") {
		dataset = strings.Replace(dataset, "    asked_by:", "    certificate: {}\n    asked_by:", 1)
	}
	indented := "      - " + strings.ReplaceAll(strings.TrimSpace(source), "\n", "\n        ")
	return fstest.MapFS{
		"catalog.yaml": {Data: []byte("format: mianti-catalog/1\nkind: catalog\ntitle: 一个数源\nversion: \"1\"\n")},
		mz: {Data: []byte("format: mianti-catalog/1\nkind: department\ndepartment: {code: MZ, name: 市民政局, credit_code: 11370100MB901111XE}\ndatasets:\n" +
			dataset + "    sources:\n" + indented + "\n")},
	}
}

const mz = "departments/MZ.yaml"

// docSource gives the first source of a kind that the page shows.
func docSource(t testing.TB, kind catalog.SourceKind) string {
	t.Helper()
	for _, block := range docBlocks(t, "source") {
		if strings.Contains(block, "kind: "+string(kind)+"\n") {
			return block
		}
	}
	t.Fatalf("the page shows no source of kind %s", kind)
	return ""
}

func TestDocs_EverySourceShownLoads(t *testing.T) {
	t.Parallel()
	kinds := map[catalog.SourceKind]bool{}
	for _, block := range docBlocks(t, "source") {
		r := load(t, withSource(t, block))
		kinds[r.Dataset("D-MZ01").Sources[0].Kind] = true
	}
	for _, kind := range []catalog.SourceKind{
		catalog.SourceHTTPJSON, catalog.SourceElicense, catalog.SourceSQLView, catalog.SourceSnapshot, catalog.SourceXRoad, catalog.SourceAssist,
	} {
		if !kinds[kind] {
			t.Errorf("the page shows no source of kind %s", kind)
		}
	}
}
