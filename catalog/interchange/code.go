package interchange

import (
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"mianti/catalog"
)

func codeShape(kind catalog.ThingKind) string {
	return map[catalog.ThingKind]string{
		catalog.ThingOneThing: `[A-Z][A-Z0-9]*`, catalog.ThingMatter: `[A-Z][A-Z0-9]*\.[A-Z][A-Z0-9]*`, catalog.ThingMaterial: `[A-Z][A-Z0-9]*\.[A-Z][A-Z0-9]*\.[a-z][a-z0-9]*`,
		catalog.ThingCommonMaterial: `C[0-9]+`, catalog.ThingStandardMaterial: `STD-[A-Z0-9-]+`, catalog.ThingDataset: `D-[A-Z]+[0-9]+`,
		catalog.ThingDepartment: `[A-Z][A-Z0-9]*`, catalog.ThingFact: `[a-z][a-z0-9_]*`, catalog.ThingRole: `[a-z][a-z0-9_]*`,
	}[kind]
}

func codeExample(kind catalog.ThingKind) string {
	return map[catalog.ThingKind]string{
		catalog.ThingOneThing: "S01", catalog.ThingMatter: "S01.M1", catalog.ThingMaterial: "S01.M1.a", catalog.ThingCommonMaterial: "C04",
		catalog.ThingStandardMaterial: "STD-ID", catalog.ThingDataset: "D-GA01", catalog.ThingDepartment: "GA", catalog.ThingFact: "agent", catalog.ThingRole: "applicant",
	}[kind]
}

// codeOf gives the code of the thing that a row is about: as it stands there, or by
// what else tells it.
func (r *reader) codeOf(l *line) (string, *wrong, error) {
	code := l.text(findsCode)
	if len(code) > 100 {
		return "", &wrong{"bad-code", "代码“" + shortened(code) + "”的写法不对", "应如 " + codeExample(l.page.sheet.kind)}, nil
	}
	switch name := l.page.sheet.name; {
	case name == "事项" && (code == "" || len(code) == 31):
		return r.matterCode(code, l.text(findsImplementation))
	case code != "":
		return code, nil, nil
	case name == "材料":
		return r.materialCode(l)
	case name == "数据资源":
		if resource := l.text(findsResource); resource != "" {
			for _, d := range r.base.Revision.Datasets() {
				if d.ResourceCode == resource {
					return d.Code, nil, nil
				}
			}
			return "", &wrong{"code-missing", "目录里没有信息资源代码 " + shortened(resource), "新的数据资源请填“数据资源代码”，如 D-GA09"}, nil
		}
	}
	return "", &wrong{"code-missing", "没有写是哪一个" + l.page.sheet.kind.Name(), "请填“" + l.page.sheet.findsBy() + "”"}, nil
}

// matterCode gives the short code of a matter by its own code or its implementation
// code.
func (r *reader) matterCode(code, implementation string) (string, *wrong, error) {
	if len(code) == 31 {
		code, implementation = "", code
	}
	if code != "" {
		return code, nil, nil
	}
	if implementation == "" {
		return "", &wrong{"code-missing", "没有写是哪一个事项", "请填“事项代码”或“实施编码”"}, nil
	}
	rev, err := r.base.about(implementation)
	if err != nil {
		return "", nil, err
	}
	switch found := rev.MattersByImplementationCode(implementation); len(found) {
	case 0:
		return "", &wrong{"unknown-matter", "目录里没有实施编码 " + shortened(implementation) + " 的事项", "请核对实施编码；新的事项请填“事项代码”"}, nil
	case 1:
		return found[0].Code, nil, nil
	default:
		codes := make([]string, len(found))
		for i, m := range found {
			codes[i] = m.Code
		}
		return "", &wrong{"ambiguous-matter", "这个实施编码有几个事项：" + strings.Join(codes, "、"), "请填“事项代码”说明是哪一个"}, nil
	}
}

// materialCode gives the code of a material by its matter and name. One that the
// matter does not have gets the next free letter.
func (r *reader) materialCode(l *line) (string, *wrong, error) {
	matter, bad, err := r.matterCode(l.text(findsMatter), l.text(findsImplementation))
	if bad != nil || err != nil {
		return "", bad, err
	}
	name := l.named("name")
	if name == "" {
		return "", &wrong{"code-missing", "没有写是哪一份材料", "请填“材料代码”，或“材料名称”"}, nil
	}
	rev, err := r.base.about(matter)
	if err != nil {
		return "", nil, err
	}
	taken := map[string]bool{}
	var found []string
	if m := rev.Matter(matter); m != nil {
		for i := range m.Materials {
			taken[m.Materials[i].Code] = true
			if plainName(m.Materials[i].Name) == plainName(name) {
				found = append(found, m.Materials[i].Code)
			}
		}
	}
	switch len(found) {
	case 0:
		return r.freeCode(matter, name, taken), nil, nil
	case 1:
		return found[0], nil, nil
	default:
		return "", &wrong{"ambiguous-material", "事项 " + matter + " 有几份材料叫“" + shortened(name) + "”：" + strings.Join(found, "、"), "请填“材料代码”说明是哪一份"}, nil
	}
}

func plainName(name string) string { return strings.Join(strings.Fields(norm.NFKC.String(name)), "") }

// freeCode makes up the code of a new material: a letter, and a number behind it
// where the letters are used up.
func (r *reader) freeCode(matter, name string, taken map[string]bool) string {
	for n := 0; ; n++ {
		code := matter + "." + string(rune('a'+n%26))
		if n >= 26 {
			code += strconv.Itoa(n / 26)
		}
		if !taken[code] && !r.assigned[code] && r.works[thingName{catalog.ThingMaterial, code}] == nil {
			r.assigned[code] = true
			return code
		}
	}
}
