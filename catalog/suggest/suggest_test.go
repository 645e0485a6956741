package suggest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/catalog/suggest"
	"mianti/examples/jinan"
)

func shipped(t testing.TB, decisions ...suggest.MappingDecision) *suggest.Assistant {
	t.Helper()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	a, err := suggest.New(suggest.Candidates(rev), decisions)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// standard has candidates that are standard materials, by the names.
func standard(t testing.TB, decisions []suggest.MappingDecision, names ...string) *suggest.Assistant {
	t.Helper()
	var candidates []suggest.Candidate
	for _, name := range names {
		candidates = append(candidates, suggest.Candidate{Kind: catalog.ThingStandardMaterial, Code: "STD-" + name, Name: name})
	}
	a, err := suggest.New(candidates, decisions)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func decision(name, candidate string, accepted bool, day int) suggest.MappingDecision {
	return suggest.MappingDecision{
		Name: name, Kind: catalog.ThingStandardMaterial, Code: "STD-" + candidate, Accepted: accepted, By: "p1", At: time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC),
	}
}

// codes are those suggested for a name.
func codes(s suggest.Suggestion) []string {
	var out []string
	for _, p := range s.Papers {
		if p.Match != nil {
			out = append(out, p.Match.Code)
		}
	}
	return out
}

func TestSuggest_KnowsTheShippedCatalog(t *testing.T) {
	t.Parallel()
	a := shipped(t)
	for name, want := range map[string][]string{
		"营业执照副本复印件":     {"STD-BL"},
		"企业营业执照(副本)":    {"STD-BL"},
		"营業執照（副本）":      {"STD-BL"},
		"法人身份证正反面":      {"STD-ID"},
		"１、身份证（复印件２份）":  {"STD-ID"},
		"户口薄":           {"STD-HUKOU"},
		"结婚证":           {"STD-MARRIAGE"},
		"婚姻证明":          {"STD-MARRIAGE"},
		"不动产权证书":        {"D-ZR01"},
		"房产证":           {"STD-HOUSE"},
		"身份证及户口本复印件各一份": {"STD-ID", "STD-HUKOU"},
		"驾驶证":           {"D-GA05"},
		"中标通知书":         {"D-GGZY01"},
		"出生证":           {"D-WJ01"},
	} {
		if got := codes(a.Suggest(name)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestSuggest_SaysNothingWhereThingsOnlyLookAlike(t *testing.T) {
	t.Parallel()
	for name, candidates := range map[string][]string{
		"营业性演出许可证":  {"营业执照", "食品经营许可证"},
		"户口迁移证":     {"居民户口簿"},
		"食品生产许可证":   {"食品经营许可证"},
		"药品生产许可证":   {"药品经营许可证", "兽药生产许可证"},
		"营业执照申请表":   {"营业执照"},
		"身份证遗失声明":   {"身份证明"},
		"机动车驾驶证":    {"机动车行驶证", "机动车登记证书"},
		"护士执业注册申请表": {"护士执业证书"},
		"设备租赁合同":    {"房屋租赁合同"},
		"离婚协议书":     {"离婚证", "结婚证"},
		"其他相关材料":    {"身份证明"},
		"申请书":       {"公司登记(备案)申请书"},
		"证明":        {"身份证明"},
		"":          {"身份证明"},
		"（）":        {"身份证明"},
		"1234":      {"身份证明"},
	} {
		got := standard(t, nil, candidates...).Suggest(name)
		if len(codes(got)) != 0 {
			t.Errorf("%s: %v, want nothing", name, codes(got))
		}
		if got.Papers[0].Reason == "" || got.Papers[0].Level != suggest.None {
			t.Errorf("%s: %+v, want a reason", name, got.Papers[0])
		}
	}
}

func TestSuggest_TakesRemarksOffAndKeepsThemAsHints(t *testing.T) {
	t.Parallel()
	got := shipped(t).Suggest("经办人身份证（原件1份,复印件2份）").Papers[0]
	if !slices.Equal(got.Roles, []string{"agent"}) || !slices.Equal(got.Remarks, []string{"原件1份,复印件2份"}) || got.Match == nil || got.Match.Code != "STD-ID" {
		t.Errorf("%+v", got)
	}
	both := shipped(t).Suggest("法人身份证、经办人身份证各一份")
	if len(both.Papers) != 1 || !slices.Equal(both.Papers[0].Roles, []string{"legal_representative", "agent"}) {
		t.Errorf("%+v, want one paper of two people", both)
	}
}

func TestSuggest_NamesTheDatasetsOfTheMaterial(t *testing.T) {
	t.Parallel()
	got := shipped(t).Suggest("营业执照").Papers[0].Match
	if got == nil || !slices.ContainsFunc(got.Datasets, func(h suggest.HoldingDataset) bool { return h.Code == "D-SC01" }) {
		t.Errorf("%+v, want D-SC01", got)
	}
}

func TestSuggest_IsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	decisions := []suggest.MappingDecision{decision("房本", "房屋产权或使用证明", true, 1), decision("租房证明", "房屋租赁合同", false, 2)}
	candidates := []string{"房屋产权或使用证明", "房屋租赁合同", "营业执照", "身份证明"}
	names := []string{"房本（原件）", "租房证明", "租赁备案证明", "执照", "身份材料", "产权证明书"}
	a := standard(t, decisions, candidates...)
	slices.Reverse(decisions)
	b := standard(t, decisions, candidates...)
	for _, name := range names {
		if diff := cmp.Diff(a.Suggest(name), b.Suggest(name)); diff != "" {
			t.Errorf("%s (-one +other):\n%s", name, diff)
		}
	}
}

func TestSuggest_LearnsFromWhatIsAcceptedAndRejected(t *testing.T) {
	t.Parallel()
	candidates := []string{"居民户口簿", "户籍底卡", "安全生产许可证"}
	plain := standard(t, nil, candidates...)
	if got := codes(plain.Suggest("常口信息底页复印件")); got != nil {
		t.Fatalf("%v before anything was decided", got)
	}
	taught := standard(t, []suggest.MappingDecision{decision("常口信息底页", "居民户口簿", true, 1)}, candidates...)
	if got := taught.Suggest("常口信息底页（复印件1份）").Papers[0]; got.Match == nil || got.Match.Name != "居民户口簿" || got.Cause != suggest.CauseDecided || got.Score != 1 {
		t.Errorf("the same name with another remark: %+v", got)
	}
	if got := taught.Suggest("常口登记信息底页").Papers[0]; got.Match == nil || got.Cause != suggest.CauseAlike || got.Level == suggest.None {
		t.Errorf("a near name is raised: %+v", got)
	}
	if before := plain.Suggest("安全许可证").Papers[0]; before.Match == nil {
		t.Fatalf("nothing to reject: %+v", before)
	}
	for _, said := range []struct {
		name, why string
		cause     suggest.Cause
	}{
		{"安全许可证（原件）", "a rejected pair is suggested again", suggest.CauseRejected},
		{"建筑安全许可证", "a near name is not lowered", suggest.CauseUnknown},
	} {
		a := standard(t, []suggest.MappingDecision{decision(said.name, "安全生产许可证", false, 1)}, candidates...)
		if got := a.Suggest("安全许可证（正本）").Papers[0]; got.Match != nil || got.Cause != said.cause {
			t.Errorf("%s: %+v", said.why, got)
		}
	}
}

func TestSuggest_TheLaterDecisionHolds(t *testing.T) {
	t.Parallel()
	accepted, rejected := decision("房本", "不动产权证书", true, 1), decision("房本", "不动产权证书", false, 2)
	if got := codes(standard(t, []suggest.MappingDecision{accepted, rejected}, "不动产权证书").Suggest("房本")); got != nil {
		t.Errorf("%v after it was rejected", got)
	}
	rejected.At = accepted.At.Add(-time.Hour)
	if got := codes(standard(t, []suggest.MappingDecision{accepted, rejected}, "不动产权证书").Suggest("房本")); len(got) != 1 {
		t.Errorf("%v after it was accepted", got)
	}
	elsewhere := decision("房本", "已删除", true, 3)
	if got := codes(standard(t, []suggest.MappingDecision{accepted, elsewhere}, "不动产权证书").Suggest("房本")); len(got) != 1 {
		t.Errorf("%v: a decision about what is gone decides nothing", got)
	}
}

func FuzzSuggest(f *testing.F) {
	a := shipped(f)
	for _, name := range []string{"营业执照（副本", "）（（", "身份证、、及", "各一份", "《》", "\xff\xfe", "和", "的的的证明"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := a.Suggest(name)
		if got.Name != name || len(got.Papers) == 0 {
			t.Fatalf("%q: %+v", name, got)
		}
		for _, p := range got.Papers {
			if (p.Match == nil) != (p.Level == suggest.None) || p.Reason == "" || p.Score < 0 || p.Score > 1 {
				t.Errorf("%q: %+v", name, p)
			}
		}
	})
}
