package lint

import (
	"fmt"
	"strings"

	"mianti/catalog"
)

func (l *Linter) lookVague(m *catalog.Material, word string) {
	f := l.found(Vague, l.here(m), "name")
	if f == nil {
		return
	}
	f.Reason = fmt.Sprintf("名称含“%s”", word)
	if standard := l.thing.rev.StandardMaterial(m.StandardMaterial); standard != nil && vague(standard.Name) == "" {
		f.Suggestion = fmt.Sprintf("按标准材料 %s 改称“%s”，或写明具体材料的名称。", standard.Code, standard.Name)
		changed := *m
		changed.Name = standard.Name
		f.Fix = l.thing.fix(&changed)
	}
}

// vague gives the word that makes a name say nothing definite, or "".
func vague(name string) string {
	for _, word := range [...]string{"其他", "其它", "相关", "有关"} {
		if strings.Contains(name, word) {
			return word
		}
	}
	if !strings.Contains(name, "等") {
		return ""
	}
	bare := withoutBracket(name)
	for _, ending := range [...]string{"等", "等材料", "等文件", "等证明", "等资料", "等证明材料", "等证明文件"} {
		if strings.HasSuffix(bare, ending) {
			return "等"
		}
	}
	return ""
}

// withoutBracket cuts off what a name says in brackets.
func withoutBracket(name string) string {
	if at := strings.IndexAny(name, "(（"); at > 0 {
		return name[:at]
	}
	return name
}

// lookRisk looks for a commitment in a field in which there may be none.
func (l *Linter) lookRisk(m *catalog.Material) {
	for i := range l.risks {
		for _, word := range l.risks[i].Words {
			in := ""
			switch {
			case strings.Contains(m.Name, word):
				in = "材料名称"
			case strings.Contains(l.thing.matter.Name, word):
				in = "事项名称"
			default:
				continue
			}
			if f := l.found(Risk, l.here(m), "chain"); f != nil {
				f.Reason = fmt.Sprintf("%s含“%s”，属%s，却可以承诺代替", in, word, l.risks[i].Name)
				f.Fix = l.thing.withoutStep(m, func(s catalog.Step) bool { return s.Mode == catalog.ModeCommit })
			}
			return
		}
	}
}

// excludedRisks are the fields in which nothing may rest on a commitment
// (国办发〔2020〕42号), by words that tell them in names.
func excludedRisks() []catalog.ExcludedRisk {
	return []catalog.ExcludedRisk{
		{Name: "国家安全、国家秘密", Words: []string{"国家安全", "国家秘密", "涉密", "保密"}},
		{Name: "公共安全", Words: []string{"公共安全", "消防", "爆炸", "爆破", "枪支", "弹药", "烟花", "危险化学品", "危险货物", "剧毒", "特种设备", "安全生产", "施工安全"}},
		{Name: "金融审慎监管", Words: []string{"金融", "贷款", "融资担保", "证券", "保险业", "支付业务"}},
		{Name: "生态环境保护", Words: []string{"生态环境", "环境影响", "环评", "排污", "排水", "水质", "污染", "放射", "辐射", "固体废物"}},
		{Name: "人身健康、生命财产安全", Words: []string{"食品", "药品", "医疗", "卫生许可", "传染病", "疫苗", "人身", "犯罪"}},
		{Name: "重要涉外", Words: []string{"涉外", "外商投资", "出入境", "境外非政府"}},
	}
}
