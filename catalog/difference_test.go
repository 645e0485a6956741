package catalog_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

func TestCompare_OfTheSameFilesFindsNothing(t *testing.T) {
	t.Parallel()
	changes, err := catalog.Compare(load(t, good(t)), load(t, good(t)))
	if err != nil || len(changes) != 0 {
		t.Errorf("err %v, changes %v, want none", err, changes)
	}
}

func TestCompare_TellsEachChangeFieldByField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(fstest.MapFS)
		want []catalog.ThingChange
	}{
		"condition and chain of a material": {
			func(f fstest.MapFS) {
				edit(t, f, "one-things/S01.yaml", "when: ent_type == 'jsc' && energy_tce >= 1000.0", "when: ent_type == 'jsc'")
				edit(t, f, "one-things/S01.yaml", "chain: [{mode: commit, when: willing}, {mode: upload}]", "chain: [{mode: upload}]")
			},
			[]catalog.ThingChange{{Kind: catalog.ThingMaterial, Code: "S01.M1.c", Name: "发起人协议", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
				{Place: "when", Old: "ent_type == 'jsc' && energy_tce >= 1000.0", New: "ent_type == 'jsc'"},
				{Place: "chain",
					Old: []any{map[string]any{"mode": "commit", "when": "willing"}, map[string]any{"mode": "upload"}},
					New: []any{map[string]any{"mode": "upload"}}},
			}}},
		},
		"check and release of a proof": {
			func(f fstest.MapFS) {
				edit(t, f, "one-things/S01.yaml", "release: [name, capital]", "release: [name]")
				edit(t, f, "one-things/S01.yaml", "check: same_address(sc02.location, business_address)", "check: sc02.location != ''")
			},
			[]catalog.ThingChange{
				{Kind: catalog.ThingMaterial, Code: "S01.M2.a", Name: "营业执照", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
					{Place: "proofs.1.lookups.1.release", Old: []any{"name", "capital"}, New: []any{"name"}}}},
				{Kind: catalog.ThingMaterial, Code: "S01.M2.b", Name: "住所证明", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
					{Place: "proofs.1.check", Old: "same_address(sc02.location, business_address)", New: "sc02.location != ''"}}},
			},
		},
		"a common material, in itself and where it is used": {
			func(f fstest.MapFS) {
				edit(t, f, "common-materials.yaml", "    subjects: [applicant]\n", "    subjects: [applicant]\n    note: 原件\n")
			},
			[]catalog.ThingChange{
				{Kind: catalog.ThingMaterial, Code: "S01.M1.b", Name: "申请人身份证明", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{{Place: "note", New: "原件"}}},
				{Kind: catalog.ThingCommonMaterial, Code: "C01", Name: "申请人身份证明", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{{Place: "note", New: "原件"}}},
			},
		},
		"matter and material removed, one-thing renamed": {
			func(f fstest.MapFS) {
				edit(t, f, "one-things/S2.yaml", "name: 注销, handling", "name: 企业注销, handling")
				edit(t, f, "one-things/S2.yaml", "code: S2.M1\n", "code: S2.M9\n")
				edit(t, f, "one-things/S2.yaml", "code: S2.M1.a", "code: S2.M9.a")
			},
			[]catalog.ThingChange{
				{Kind: catalog.ThingOneThing, Code: "S2", Name: "企业注销", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{{Place: "name", Old: "注销", New: "企业注销"}}},
				{Kind: catalog.ThingMatter, Code: "S2.M9", Name: "注销登记", Change: catalog.ThingAdded, Fields: []catalog.FieldChange{}},
				{Kind: catalog.ThingMatter, Code: "S2.M1", Name: "注销登记", Change: catalog.ThingRemoved, Fields: []catalog.FieldChange{}},
				{Kind: catalog.ThingMaterial, Code: "S2.M9.a", Name: "授权委托书", Change: catalog.ThingAdded, Fields: []catalog.FieldChange{}},
				{Kind: catalog.ThingMaterial, Code: "S2.M1.a", Name: "授权委托书", Change: catalog.ThingRemoved, Fields: []catalog.FieldChange{}},
			},
		},
		"a dataset's field and its source": {
			func(f fstest.MapFS) {
				edit(t, f, "departments/GA.yaml", "{code: birth_date, name: 出生日期, type: date}", "{code: birth_date, name: 生日, type: date}\n      - {code: sex, name: 性别, type: string}")
				edit(t, f, "departments/GA.yaml", "sensitivity: 3", "sensitivity: 4")
				edit(t, f, "departments/GA.yaml", "path: /query/D-GA01", "path: /v2/D-GA01")
			},
			[]catalog.ThingChange{
				{Kind: catalog.ThingDataset, Code: "D-GA01", Name: "居民身份证", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
					{Place: "sensitivity", Old: 3.0, New: 4.0},
					{Place: "fields.birth_date.name", Old: "出生日期", New: "生日"},
					{Place: "fields.sex", New: map[string]any{"code": "sex", "name": "性别", "type": "string"}},
				}},
				{Kind: catalog.ThingSource, Code: "GA.D-GA01.query", Name: "居民身份证", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
					{Place: "path", Old: "/query/D-GA01", New: "/v2/D-GA01"}}},
			},
		},
		"a fact's options, as a whole": {
			func(f fstest.MapFS) {
				edit(t, f, "facts.yaml", "      - {value: power, label: 电}\n", "")
			},
			[]catalog.ThingChange{{Kind: catalog.ThingFact, Code: "utilities", Name: "需同步过户的公用服务", Change: catalog.ThingChanged, Fields: []catalog.FieldChange{
				{Place: "options",
					Old: []any{map[string]any{"value": "water", "label": "水"}, map[string]any{"value": "power", "label": "电"}, map[string]any{"value": "gas", "label": "气"}},
					New: []any{map[string]any{"value": "water", "label": "水"}, map[string]any{"value": "gas", "label": "气"}}},
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := good(t)
			c.edit(files)
			got, err := catalog.Compare(load(t, good(t)), load(t, files))
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("err %v, (-want +got)\n%s", err, diff)
			}
		})
	}
}
