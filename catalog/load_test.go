package catalog_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"mianti/catalog"
)

func codes[T any](list []*T, code func(*T) string) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = code(item)
	}
	return out
}

func TestLoad_ListsThingsInTheCatalogsOrder(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"departments", codes(r.Departments(), func(d *catalog.Department) string { return d.Code }), []string{"GA", "SC"}},
		{"datasets", codes(r.Datasets(), func(d *catalog.Dataset) string { return d.Code }), []string{"D-GA01", "D-SC01", "D-SC02"}},
		{"facts", codes(r.Facts(), func(f *catalog.Fact) string { return f.Code }), []string{"agent", "willing", "ent_type", "utilities", "energy_tce", "business_address", "hukou"}},
		{"roles", codes(r.Roles(), func(x *catalog.Role) string { return x.Code }), []string{"applicant", "agent", "property"}},
		{"standard materials", codes(r.StandardMaterials(), func(s *catalog.StandardMaterial) string { return s.Code }), []string{"STD-ID", "STD-BL"}},
		{"common materials", codes(r.CommonMaterials(), func(m *catalog.Material) string { return m.Code }), []string{"C01", "C02"}},
		{"one-things, 2 before 10", codes(r.OneThings(), func(o *catalog.OneThing) string { return o.Code }), []string{"S01", "S2", "S10"}},
		{"matters", codes(r.Matters(), func(m *catalog.Matter) string { return m.Code }), []string{"S01.M1", "S01.M2", "S2.M1", "S10.M1"}},
		{"materials", codes(r.Materials(), func(m *catalog.Material) string { return m.Code }), []string{"S01.M1.a", "S01.M1.b", "S01.M1.c", "S01.M1.d", "S01.M2.a", "S01.M2.b", "S2.M1.a"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

func TestLoad_FindsThingsByCode(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	got := map[string]string{
		"title":    r.Title + " " + r.Version,
		"dept":     r.Department("GA").Name,
		"dataset":  r.Dataset("D-GA01").Department,
		"field":    r.Dataset("D-GA01").Field("valid_to").Name,
		"fact":     r.Fact("agent").Ask,
		"role":     r.Role("applicant").Name,
		"standard": r.StandardMaterial("STD-ID").Name,
		"thing":    r.OneThing("S01").Name,
		"matter":   r.Matter("S01.M2").OneThing,
		"material": r.Material("S01.M1.a").Name,
		"source":   r.Source("SC.D-SC02.query").Path,
	}
	want := map[string]string{
		"title": "测试目录 1", "dept": "市公安局", "dataset": "GA", "field": "有效期止", "fact": "是否委托他人代办", "role": "申请人",
		"standard": "身份证明", "thing": "企业开办", "matter": "S01", "material": "登记申请书", "source": "/query/D-SC02",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Department("X") != nil || r.Dataset("X") != nil || r.Fact("X") != nil || r.Role("X") != nil || r.StandardMaterial("X") != nil ||
		r.OneThing("X") != nil || r.Matter("X") != nil || r.Material("X") != nil || r.Source("X") != nil || r.Dataset("D-GA01").Field("x") != nil {
		t.Error("an unknown code found something")
	}
}

func TestLoad_ComputesImplementationCodes(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	const code = "11370100MB901111XE" + "3" + "370131001000"
	if got := r.Matter("S01.M1").ImplementationCode; got != code || len(got) != 31 {
		t.Errorf("implementation code = %q, want %q", got, code)
	}
	same := codes(r.MattersByImplementationCode(code), func(m *catalog.Matter) string { return m.Code })
	if diff := cmp.Diff([]string{"S01.M1", "S10.M1"}, same); diff != "" {
		t.Errorf("matters with one implementation code (-want +got):\n%s", diff)
	}
	if none := r.MattersByImplementationCode("x"); len(none) != 0 {
		t.Errorf("unknown implementation code gave %d matters", len(none))
	}
}

func TestLoad_CompletesAUseOfACommonMaterial(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	m := r.Material("S01.M1.b")
	if m.Common != "C01" || m.Name != "申请人身份证明" || m.StandardMaterial != "STD-ID" || len(m.Proofs) != 2 || len(m.Chain) != 3 {
		t.Errorf("the use took too little from the common material: %+v", m)
	}
	if diff := cmp.Diff([]string{"条例16"}, m.Basis); diff != "" {
		t.Errorf("the use's own basis (-want +got):\n%s", diff)
	}
	own := r.Material("S2.M1.a")
	if own.Need != catalog.NeedRequired || own.When != "" || len(own.Chain) != 1 || own.Chain[0].Mode != catalog.ModeDefer {
		t.Errorf("the use's own keys did not replace the common one's: %+v", own)
	}
	if truth, _, err := own.Applies(nil); truth != catalog.True || err != nil {
		t.Errorf("a use that takes the condition away applies %v, %v", truth, err)
	}
	if r.Material("C01") != nil {
		t.Error("a common material is nobody's, yet it is found as a material")
	}
}

func TestLoad_DigestFollowsTheCatalogsOwnFiles(t *testing.T) {
	t.Parallel()
	first := load(t, good(t)).Digest
	if len(first) != 64 {
		t.Fatalf("digest %q is no SHA-256", first)
	}
	if again := load(t, os.DirFS("testdata/good")).Digest; again != first {
		t.Error("the same files read from elsewhere have another digest")
	}
	other := good(t)
	other["cases/more.yaml"] = &fstest.MapFile{Data: []byte("format: mianti-case/1\n")}
	other["population.yaml"] = &fstest.MapFile{Data: []byte("people: []\n")}
	if load(t, other).Digest != first {
		t.Error("a file that is not the catalog's own changes the digest")
	}
	edit(t, other, "catalog.yaml", "title: 测试目录", "title: 测试目录 # 注")
	if load(t, other).Digest == first {
		t.Error("a changed file leaves the digest as it was")
	}
}

func TestRevision_ListsAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	r := load(t, good(t))
	r.Matters()[0] = nil
	if r.Matters()[0] == nil {
		t.Error("a caller can change the revision's list")
	}
}

func TestSchema_ServesEditorsByTheKindOfFile(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(catalog.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:test", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:test")
	if err != nil {
		t.Fatal(err)
	}
	for text, right := range map[string]bool{
		`{"format": "mianti-catalog/1", "kind": "roles", "roles": [{"code": "agent", "name": "代理人", "kinds": ["person"]}]}`: true,
		`{"format": "mianti-catalog/1", "kind": "roles", "roles": [{"code": "agent", "name": "代理人", "kind": ["person"]}]}`:  false,
		`{"format": "mianti-catalog/1", "kind": "roles", "facts": []}`:                                                      false,
		`{"format": "mianti-catalog/1", "kind": "rules"}`:                                                                   false,
		`{"format": "mianti-catalog/2", "kind": "roles", "roles": []}`:                                                      false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != right {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAlias_IsTheDatasetsNameInChecks(t *testing.T) {
	t.Parallel()
	if got := catalog.Alias("D-GA01"); got != "ga01" {
		t.Errorf("Alias(D-GA01) = %q", got)
	}
}

func BenchmarkLoad(b *testing.B) {
	files := good(b)
	for b.Loop() {
		load(b, files)
	}
}
