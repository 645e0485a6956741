package exchange

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/identifier"
)

// maxParties bounds a case: an association is founded by 50 members or more.
const maxParties = 500

// checkParties says everything that is wrong with the parties of a case.
func checkParties(rev *catalog.Revision, parties []catalog.Party) []fault.Detail {
	if len(parties) > maxParties {
		return []fault.Detail{{Location: "body.parties", Code: "too-many", Message: fmt.Sprintf("当事人最多 %d 个。", maxParties)}}
	}
	var wrong []fault.Detail
	seen := map[string]bool{}
	for i := range parties {
		at := fmt.Sprintf("body.parties[%d]", i)
		p := &parties[i]
		if p.ID == "" || seen[p.ID] {
			wrong = append(wrong, fault.Detail{Location: at + ".id", Code: "party-id", Message: "每个当事人要有一个在本办件中唯一的 id，如 p1。"})
		}
		seen[p.ID] = true
		if p.ID != "" && (p.ID == p.Name || strings.EqualFold(p.ID, p.Number)) { // it is told in answers and kept in clear
			wrong = append(wrong, fault.Detail{Location: at + ".id", Code: "party-id", Message: "当事人的 id 不能是姓名、名称或号码，请用 p1 之类的代号。"})
		}
		if strings.TrimSpace(p.Name) == "" {
			wrong = append(wrong, fault.Detail{Location: at + ".name", Code: "missing", Message: "请填写姓名或名称。"})
		}
		if !plain(p.Name) {
			wrong = append(wrong, fault.Detail{Location: at + ".name", Code: "invisible-characters", Message: "姓名或名称含有不可见字符，请删除后重填。"})
		}
		wrong = append(wrong, checkRoles(rev, at, p)...)
		wrong = append(wrong, checkNumber(at, p)...)
	}
	return wrong
}

// plain reports whether a text holds nothing that cannot be seen: control
// characters, and format characters that hide or turn around what is written.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

func checkRoles(rev *catalog.Revision, at string, p *catalog.Party) []fault.Detail {
	var wrong []fault.Detail
	if len(p.Roles) == 0 {
		wrong = append(wrong, fault.Detail{Location: at + ".roles", Code: "missing", Message: "请填写至少一个角色。"})
	}
	for j, code := range p.Roles {
		role := rev.Role(code)
		location := fmt.Sprintf("%s.roles[%d]", at, j)
		if role == nil {
			wrong = append(wrong, fault.Detail{Location: location, Code: "unknown-role", Message: "目录中没有这个角色。"})
			continue
		}
		if !containsKind(role.Kinds, p.Kind) {
			wrong = append(wrong, fault.Detail{Location: location, Code: "role-kind",
				Message: fmt.Sprintf("角色%s只能由 %s 担任。", role.Name, kindNames(role.Kinds))})
		}
	}
	return wrong
}

func containsKind(kinds []catalog.PartyKind, kind catalog.PartyKind) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

func kindNames(kinds []catalog.PartyKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, "、")
}

// checkNumber says which rule of its check digits a number breaks. It
// normalises what people mistype without changing its meaning.
func checkNumber(at string, p *catalog.Party) []fault.Detail {
	p.Number = strings.ToUpper(strings.TrimSpace(p.Number))
	var err error
	switch p.Kind {
	case catalog.KindPerson:
		err = identifier.CitizenID(p.Number)
	case catalog.KindOrganization:
		if p.Number == "" {
			return nil // yet to be registered, or abroad
		}
		err = identifier.CreditCode(p.Number)
	default:
		if p.Number == "" {
			return []fault.Detail{{Location: at + ".number", Code: "missing", Message: "请填写编号。"}}
		}
	}
	if err == nil {
		return nil
	}
	code := "number"
	var problem *identifier.Problem
	if errors.As(err, &problem) {
		code = problem.Rule
	}
	return []fault.Detail{{Location: at + ".number", Code: code, Message: err.Error()}}
}
