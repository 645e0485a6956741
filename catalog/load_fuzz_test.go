package catalog_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"mianti/catalog"
)

// FuzzLoad puts any bytes in the place of one file of a good catalog. It either
// loads or says what is wrong, and does so the same way twice.
func FuzzLoad(f *testing.F) {
	base := good(f)
	names := []string{"catalog.yaml", factsFile, "roles.yaml", "standard-materials.yaml", commons, ga, sc, s01, "one-things/S10.yaml"}
	for i, name := range names {
		f.Add(uint8(i), base[name].Data)
	}
	f.Add(uint8(7), []byte("a: &a [*a, *a]\n"))
	f.Add(uint8(7), []byte("format: mianti-catalog/1\nkind: one_thing\none_thing: null\nmatters: [null, {materials: [null, {common: C01}]}]\n"))
	f.Add(uint8(4), []byte("format: mianti-catalog/1\nkind: common_materials\nmaterials: [{code: C01, chain: 1, proofs: [null, {lookups: {}}]}]\n"))
	for _, source := range docBlocks(f, "source") {
		f.Add(uint8(5), withSource(f, source)[mz].Data)
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		name := names[int(which)%len(names)]
		files := fstest.MapFS{}
		for other, file := range base {
			files[other] = file
		}
		files[name] = &fstest.MapFile{Data: content}
		r, err := catalog.Load(files)
		var faults catalog.Faults
		switch {
		case err == nil && r == nil:
			t.Fatal("neither a revision nor an error")
		case err != nil && !errors.As(err, &faults):
			t.Fatalf("an error that is no fault: %v", err)
		case err != nil && len(faults) == 0:
			t.Fatal("faults without a fault")
		}
		for _, fault := range faults {
			if fault.File == "" || fault.Line < 1 || fault.Code == "" || fault.Reason == "" {
				t.Fatalf("incomplete fault %+v", fault)
			}
		}
		_, again := catalog.Load(files)
		if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Fatalf("the second time it says %v, the first time %v", again, err)
		}
	})
}
