package mapping_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
	"mianti/examples/jinan"
)

// What the catalog takes at its loading must not be refused when somebody is
// asked.
func TestCompile_TakesWhatTheCatalogTakes(t *testing.T) {
	t.Parallel()
	taken := 0
	for _, r := range append(shown(t), revision(t, jinan.Files)) {
		for _, d := range r.Datasets() {
			for i := range d.Sources {
				s := &d.Sources[i]
				if s.Kind != catalog.SourceHTTPJSON && s.Kind != catalog.SourceXRoad {
					continue
				}
				taken++
				if _, err := mapping.Compile(d, s); err != nil {
					t.Errorf("%s: %v", s.Code, err)
				}
			}
		}
	}
	if taken < 10 {
		t.Errorf("only %d sources: the search is broken", taken)
	}
}

// The longest example of docs/catalog-format.md, from its YAML to a record.
func TestRead_UnderstandsTheDocumentsExample(t *testing.T) {
	t.Parallel()
	var d *catalog.Dataset
	for _, r := range shown(t) {
		if one := r.Dataset("D-MZ01"); one.Sources[0].Code == "MZ.D-MZ01.query" {
			d = one
		}
	}
	if d == nil {
		t.Fatal("the page does not show MZ.D-MZ01.query any more")
	}
	m, err := mapping.Compile(d, &d.Sources[0])
	if err != nil {
		t.Fatal(err)
	}
	q := query(&d.Sources[0], "certificate_number", "state", "registered_on", "partners")
	sent, err := m.Masked(q, today())
	if err != nil {
		t.Fatal(err)
	}
	const purpose = "%E5%8A%9E%E4%BB%B6%E6%A0%B8%E9%AA%8C" // 办件核验
	want := "POST /marriage/query?trace=q-1&version=2\nX-Purpose: " + purpose + "\nContent-Type: application/json; charset=utf-8\n\n" +
		`{"applicant":{"lx":"1","xm":"王*","zjhm":"3701**********3323"},"items":["证号","状态","登记日期","双方姓名"],"page":"1"}` + "\n"
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	reply, more, err := m.Read(q, 200, []byte(`{"head": {"status": "0", "serial": "S-9"}, "data": {"list": [{"xm": "王建国", "zjhm": "`+number+`", "gxsj": "2026-11-23 07:00:00", "zt": 2,
		"detail": {"zsbh": "J370199-2024-000001", "状态": "2", "djrq": "20240506", "xmlb": "王建国、李梅"}}]}}`), today())
	record := connectors.Reply{Reference: "S-9", Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number}, Revoked: true,
		AsOf:   time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC),
		Fields: map[string]any{"certificate_number": "J370199-2024-000001", "state": "注销", "registered_on": "2024-05-06", "partners": []string{"王建国", "李梅"}},
	}}}
	if diff := cmp.Diff(record, reply); err != nil || more || diff != "" {
		t.Errorf("more %v, %v (-want +got):\n%s", more, err, diff)
	}
}

// shown are catalogs of one source each, as docs/catalog-format.md shows them.
func shown(t *testing.T) []*catalog.Revision {
	t.Helper()
	text, err := os.ReadFile("../../docs/catalog-format.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := func(label string) [][]string {
		return regexp.MustCompile("(?s)```yaml "+label+"\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	}
	var all []*catalog.Revision
	for _, found := range blocks("source") {
		source := strings.ReplaceAll(strings.TrimSpace(found[1]), "\n", "\n        ")
		if strings.Contains(source, "kind: elicense") {
			continue
		}
		all = append(all, revision(t, fstest.MapFS{
			"catalog.yaml": {Data: []byte("format: mianti-catalog/1\nkind: catalog\ntitle: 一个数源\nversion: \"1\"\n")},
			"departments/MZ.yaml": {Data: []byte("format: mianti-catalog/1\nkind: department\ndepartment: {code: MZ, name: 市民政局, credit_code: 11370100MB901111XE}\ndatasets:\n" +
				blocks("dataset")[0][1] + "    sources:\n      - " + source + "\n")},
		}))
	}
	return all
}

func revision(t *testing.T, files fs.FS) *catalog.Revision {
	t.Helper()
	r, err := catalog.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
