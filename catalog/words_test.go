package catalog_test

import (
	"os"
	"testing"

	"mianti/catalog"
)

// TestWords_SaysEveryShape holds each shape of an expression against what a
// reader of the rules in words.go would write down.
func TestWords_SaysEveryShape(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	for _, c := range []struct{ condition, want string }{
		{"agent", "委托他人代办"},
		{"!agent", "不委托他人代办"},
		{"agent == true", "委托他人代办"},
		{"agent != true", "不委托他人代办"},
		{"!!agent", "委托他人代办"},
		{"married", "购房(转让)人已婚"},
		{"!married", "购房(转让)人尚未婚"},
		{"!parent_child_not_same_household", "父母与孩子在同一户口"},
		{"!supervision_required", "“强制监理”的回答为否"},
		{"!relic_area", "“在文物保护范围或大型基建考古范围”的回答为否"},
		{"applicant_kind == 'company' && has_employee", "申请人类型为“企业”，并且开办时已招用员工"},
		{"!(applicant_kind == 'company')", "申请人类型不是“企业”"},
		{"'company' == applicant_kind", "申请人类型为“企业”"},
		{"agent && (married || need_seal)", "委托他人代办，并且（购房(转让)人已婚，或者刻制印章）"},
		{"(agent && married) && need_seal", "委托他人代办，并且购房(转让)人已婚，并且刻制印章"},
		{"!(agent && married)", "并非（委托他人代办，并且购房(转让)人已婚）"},
		{"seller_over2y || agent", "（满两年且申请增值税免征），或者委托他人代办"},
		{"premises in ['own', 'rent', 'free']", "住所(经营场所)来源为“自有”、“租赁”或“无偿使用”"},
		{"!(premises in ['own', 'rent'])", "住所(经营场所)来源不是“自有”或“租赁”中的任何一项"},
		{"!(premises in ['own'])", "住所(经营场所)来源不是“自有”"},
		{"'water' in transfer_utility", "需同步过户的公用服务包含“供水”"},
		{"!('water' in transfer_utility)", "需同步过户的公用服务不包含“供水”"},
		{"size(transfer_utility) > 1", "需同步过户的公用服务的项数大于 1"},
		{"truck_gross_kg >= 12000.0", "车辆总质量(千克)不低于 12000"},
		{"!(truck_gross_kg >= 12000.0)", "车辆总质量(千克)小于 12000"},
		{"4500.5 < truck_gross_kg", "车辆总质量(千克)大于 4500.5"},
		{"truck_gross_kg * 2.0 - 1.0 <= land_area_ha + 3.0", "车辆总质量(千克)乘以 2 减 1 不超过用地面积(公顷)加 3"},
		{"hukou_city.startsWith('3701')", "户籍所在地以“3701”开头"},
		{"!business_address.contains('号')", "经营地址不含“号”"},
		{"business_address == ''", "经营地址为空"},
		{"priority_kind == 'disabled'", "“是否优待对象”的回答为“残疾儿童”"},
		{"agent ? married : need_seal", "如果委托他人代办，则购房(转让)人已婚，否则刻制印章"},
		{"transfer_utility.exists(u, u == 'gas')", "需同步过户的公用服务中至少有一项满足：该项为“gas”"},
		{"transfer_utility.all(u, u != 'gas') && agent", "（需同步过户的公用服务中的每一项都满足：该项不是“gas”），并且委托他人代办"},
		{"true", "任何情形"},
	} {
		words, faults := rev.TryCondition(c.condition)
		if len(faults) > 0 || !words.Exact || words.Text != c.want {
			t.Errorf("%s: said %q (exact %v, faults %v), want %q", c.condition, words.Text, words.Exact, faults, c.want)
		}
	}
}

func TestWords_FallsBackToTheExpressionAsAWhole(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	for _, condition := range []string{
		"agent && business_address.matches('^[0-9]+$')", "transfer_utility.exists_one(u, u == 'gas')",
		"transfer_utility.map(u, u + 'x').size() > 1", "transfer_utility[0] == 'gas'",
	} {
		words, faults := rev.TryCondition(condition)
		if len(faults) > 0 || words.Exact || words.Text != condition {
			t.Errorf("%s: said %q (exact %v, faults %v), want the expression itself", condition, words.Text, words.Exact, faults)
		}
	}
}

// TestWords_SaysEveryConditionOfTheShippedCatalog counts: none is left to its
// expression.
func TestWords_SaysEveryConditionOfTheShippedCatalog(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	said, unsaid := 0, 0
	look := func(text string, words catalog.Words) {
		switch {
		case text == "":
			if !words.Always() || !words.Exact {
				t.Errorf("no condition is said as %q", words.Text)
			}
		case words.Exact && words.Text != text:
			said++
		default:
			unsaid++
			t.Errorf("%s has no words", text)
		}
	}
	for _, m := range rev.Matters() {
		look(m.When, m.WhenInWords())
	}
	for _, m := range append(rev.Materials(), rev.CommonMaterials()...) {
		look(m.When, m.WhenInWords())
		for i := range m.Chain {
			look(m.Chain[i].When, m.StepInWords(i))
		}
		for i := range m.Proofs {
			look(m.Proofs[i].Check, m.Proofs[i].CheckInWords())
		}
	}
	if said < 200 {
		t.Errorf("only %d conditions were looked at", said)
	}
	t.Logf("%d conditions said, %d not", said, unsaid)
}

func TestTryCondition_SaysWhereAndWhatToDo(t *testing.T) {
	t.Parallel()
	rev := load(t, os.DirFS("../examples/jinan"))
	for _, c := range []struct {
		condition    string
		line, column int
		code         string
	}{
		{"agnt", 1, 1, "unknown-fact"},
		{"agent && applicant_kind == 'firm'", 1, 28, "unknown-option"},
		{"agent &&\n  land_area_ha > 'a'", 2, 16, "bad-expression"},
		{"land_area_ha", 1, 1, "not-bool"},
		{"zr01.usage == 'x'", 1, 1, "unknown-fact"},
	} {
		_, faults := rev.TryCondition(c.condition)
		if len(faults) == 0 || faults[0].Line != c.line || faults[0].Column != c.column || faults[0].Code != c.code || faults[0].Reason == "" {
			t.Errorf("%q: %+v, want %s at %d:%d", c.condition, faults, c.code, c.line, c.column)
		}
	}
	if words, faults := rev.TryCondition("  "); len(faults) > 0 || !words.Always() {
		t.Errorf("no condition: %q, %v, want always", words.Text, faults)
	}
}
