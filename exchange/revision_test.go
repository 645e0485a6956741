package exchange_test

import (
	"bytes"
	"testing"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/exchange"
	"mianti/store"
)

func TestResolve_KeepsTheRevisionAtWhichTheCaseWasOpened(t *testing.T) {
	t.Parallel()
	const before, after = "工程竣工档案(电子)", "工程竣工档案(改名之后)"
	b := newBench(t, wellKept)
	old := b.open(as("DA"), archive("JN-T-0001", trading))
	b.saveCatalog(renamed(t, "one-things/S04.yaml", before, after))
	young := b.open(as("DA"), archive("JN-T-0002", trading))
	restarted := b.config
	restarted.Catalogs = store.NewCatalogs(b.store)
	for name, x := range map[string]*exchange.Exchange{"at once": b.x, "after a restart": exchange.New(restarted)} {
		b.x = x
		for _, want := range []struct {
			id, name string
			revision int
		}{{old.ID, before, 1}, {young.ID, after, 2}} {
			r := b.resolve(as("DA"), want.id)
			if got := b.material(r, papers, "").Name; got != want.name || r.Revision != want.revision {
				t.Errorf("%s: %s at revision %d, want %s at %d", name, got, r.Revision, want.name, want.revision)
			}
		}
	}
}

// renamed is the Jinan catalog with another text in one place of one file.
func renamed(t *testing.T, file, before, after string) map[string][]byte {
	t.Helper()
	files, err := catalog.Files(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(files[file], []byte(before)) != 1 {
		t.Fatalf("%s does not hold %q once", file, before)
	}
	files[file] = bytes.Replace(files[file], []byte(before), []byte(after), 1)
	return files
}
