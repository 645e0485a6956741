package suggest_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/internal/fault"
)

func TestNamesIn_ReadsTheColumnThatIsHeadedSo(t *testing.T) {
	t.Parallel()
	want := []string{"营业执照 副本", "户口簿"}
	gb := "\xd0\xf2\xba\xc5,\xb2\xc4\xc1\xcf\xc3\xfb\xb3\xc6\n1,\xbb\xa7\xbf\xda\xb2\xbe\n" // 序号,材料名称 1,户口簿 in GB 18030
	var sheet bytes.Buffer
	rows := func(yield func([]string, error) bool) {
		_ = yield([]string{"1", "营业执照 副本"}, nil) && yield([]string{"2", "户口簿"}, nil)
	}
	if err := table.Write(&sheet, table.Sheet{Name: "材料", Heading: []string{"序号", "申请材料"}, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		content string
		want    []string
	}{
		"a heading":              {"序号,材料名称,份数\n1,营业执照 副本,2\n2,户口簿,1\n", want},
		"a title above it":       {"某局清单\n,,\n序号,材料 名称\n1,营业执照 副本\n2,户口簿\n", want},
		"no heading":             {"1,营业执照 副本\n2,户口簿\n", want},
		"a cell of lines":        {"材料名称\n\"营业执照\n副本\"\n户口簿\n", want},
		"XLSX":                   {sheet.String(), want},
		"GB 18030":               {gb, []string{"户口簿"}},
		"UTF-8 with a mark":      {"\ufeff材料名称\n户口簿\n", []string{"户口簿"}},
		"numbers among the rows": {"材料名称\n户口簿\n3\n", []string{"户口簿"}},
	} {
		got, err := suggest.NamesIn([]byte(c.content))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", what, got, err, c.want)
		}
	}
}

func TestNamesIn_RefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	for what, content := range map[string]string{
		"nothing": "", "numbers": "1,2\n3,4\n", "a broken XLSX": "PK\x03\x04", "too long": strings.Repeat("户口簿\n", suggest.MaxRows+1),
	} {
		if got, err := suggest.NamesIn([]byte(content)); fault.As(err) == nil || len(fault.As(err).Details) == 0 {
			t.Errorf("%s: %d names, %v; want a fault with its place", what, len(got), err)
		}
	}
}

func TestMap_PutsTheMappingIntoAMaterialAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	material := catalog.Edit{Kind: catalog.ThingMaterial, Code: "S01.M1.a", Value: []byte(`{"code":"S01.M1.a","name":"执照","chain":[{"mode":"upload"}]}`)}
	got, err := suggest.Map(material, suggest.Candidate{Kind: catalog.ThingStandardMaterial, Code: "STD-BL"})
	if err != nil || string(got.Value) != `{"chain":[{"mode":"upload"}],"code":"S01.M1.a","name":"执照","standard_material":"STD-BL"}` || got.Code != material.Code {
		t.Errorf("%s, %v", got.Value, err)
	}
	if _, err := suggest.Map(material, suggest.Candidate{Kind: catalog.ThingDataset, Code: "D-SC01"}); fault.As(err) == nil {
		t.Errorf("a dataset: %v", err)
	}
}
