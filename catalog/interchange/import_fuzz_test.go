package interchange_test

import (
	"bytes"
	"os"
	"testing"

	"mianti/catalog"
	"mianti/catalog/interchange"
)

// FuzzImport feeds any bytes to the import. It never fails but with errors of the
// file; a file with an error gives no edit; and what has none makes a catalog.
func FuzzImport(f *testing.F) {
	files, err := catalog.Files(os.DirFS("../testdata/good"))
	if err != nil {
		f.Fatal(err)
	}
	rev, err := catalog.Load(os.DirFS("../testdata/good"))
	if err != nil {
		f.Fatal(err)
	}
	base, err := interchange.BaseOf(rev, files)
	if err != nil {
		f.Fatal(err)
	}
	for _, names := range [][]string{{"材料"}, {"映射"}, {"数据项"}, {"事项", "一件事", "数据资源"}} {
		for _, format := range []interchange.Format{interchange.XLSX, interchange.CSV} {
			var out bytes.Buffer
			if err := interchange.Export(&out, &interchange.Content{Ground: rev}, format, names); err != nil {
				f.Fatal(err)
			}
			f.Add(out.Bytes())
		}
	}
	for path := range files {
		f.Add(files[path])
	}
	f.Add([]byte("材料代码,1.材料名称*,材料必要性,适用条件,免交方式,操作\nS01.M1.a,甲,2,agent,电子证照｜条件 agent → 仍需提交,\nS01.M1.b,,,,,删除\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := interchange.Import(base, content, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !p.OK() {
			if len(p.Edits) > 0 || len(p.Changes) > 0 || len(p.Errors) == 0 {
				t.Fatalf("%d errors, and still %d edits", p.ErrorCount, len(p.Edits))
			}
			return
		}
		if _, err := interchange.Drafted(files, p.Edits); err != nil {
			t.Fatalf("edits without an error make no catalog: %v", err)
		}
	})
}
