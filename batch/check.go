package batch

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/identifier"
	"mianti/policies"
)

// maxProblems bounds what is told of one row.
const maxProblems = 10

// checker makes rows of a list's rows, and says what is wrong with them.
type checker struct {
	*layout
	cases   Cases
	by      policies.Caller
	batch   *Batch
	columns []column
	numbers map[string]int   // 办件编号 to the line that has it
	same    map[[16]byte]int // digest of a row's content, to its line
}

// check makes a row. One that is wrong keeps no content.
func (c *checker) check(in table.Row) Row {
	row := Row{Line: in.Line, State: RowTodo}
	opening, wrong := c.read(in)
	if opening.Number == "" {
		opening.Number = fmt.Sprintf("%s-%05d", c.batch.Number, in.Line)
	}
	if len(wrong) == 0 {
		wrong = c.told(c.cases.CheckOpening(c.rev, c.by, opening), opening)
	}
	if len(wrong) == 0 {
		wrong = c.repeated(in.Line, opening)
	}
	if len(wrong) > 0 {
		row.State, row.Problems = RowWrong, wrong[:min(len(wrong), maxProblems)]
		return row
	}
	row.Number, row.Opening = opening.Number, &opening
	return row
}

// read makes an opening of the cells.
func (c *checker) read(in table.Row) (exchange.Opening, []fault.Detail) {
	opening := c.opening()
	opening.Facts = map[string]any{}
	var wrong []fault.Detail
	add := func(at column, code, message string) {
		wrong = append(wrong, fault.Detail{Location: at.heading, Code: code, Message: message})
	}
	parties := map[string]*catalog.Party{}
	var order []string
	for i, cell := range in.Cells {
		if cell.Text == "" {
			continue
		}
		if i >= len(c.columns) {
			wrong = append(wrong, fault.Detail{Location: fmt.Sprintf("第 %d 列", i+1), Code: "no-heading", Message: "这一格在列名之外。请删除，或核对逗号。"})
			break
		}
		at := c.columns[i]
		switch {
		case at.number:
			opening.Number = cell.Text
		case at.fact != nil:
			value, ok := factValue(at.fact, cell.Text)
			if !ok {
				add(at, "wrong-type", "填写的值不对。"+factNote(at.fact))
				continue
			}
			opening.Facts[at.fact.Code] = value
		default:
			key := fmt.Sprintf("%s %d", at.role.Code, at.nth)
			if parties[key] == nil {
				parties[key] = &catalog.Party{Roles: []string{at.role.Code}}
				order = append(order, key)
			}
			if code, message := fill(parties[key], at, cell); code != "" {
				add(at, code, message)
			}
		}
	}
	for _, key := range order {
		settleKind(parties[key], c.rev.Role(parties[key].Roles[0]))
		opening.Parties = merged(opening.Parties, *parties[key])
	}
	return opening, wrong
}

// lostDigits is a number of many digits, as a spreadsheet shows it.
var lostDigits = regexp.MustCompile(`^[0-9.]+[eE][+]?[0-9]+$`)

// fill puts a cell into a party.
func fill(p *catalog.Party, at column, cell table.Cell) (code, message string) {
	switch at.part {
	case partName:
		p.Name = cell.Text
	case partNumber:
		if lostDigits.MatchString(cell.Text) || (cell.Number && len(cell.Text) > 15) {
			return "digits-lost", "号码被表格软件当成了数值，末几位已经丢失。请把这一列设为文本，再重新填写号码。"
		}
		p.Number = strings.ReplaceAll(strings.ToUpper(cell.Text), " ", "")
	case partKind:
		kinds := map[string]catalog.PartyKind{
			"个人": catalog.KindPerson, "自然人": catalog.KindPerson, "单位": catalog.KindOrganization, "法人": catalog.KindOrganization, "企业": catalog.KindOrganization,
		}
		kind, known := kinds[cell.Text]
		if !known {
			kind = catalog.PartyKind(cell.Text)
		}
		if !slices.Contains(at.role.Kinds, kind) {
			return "role-kind", "填写的类型不对。请填“个人”或“单位”。"
		}
		p.Kind = kind
	}
	return "", ""
}

// settleKind tells what kind of party it is, where the list does not say: by the
// role, or by the form of the number.
func settleKind(p *catalog.Party, role *catalog.Role) {
	switch {
	case p.Kind != "":
	case len(role.Kinds) == 1:
		p.Kind = role.Kinds[0]
	case identifier.CreditCode(p.Number) == nil && slices.Contains(role.Kinds, catalog.KindOrganization):
		p.Kind = catalog.KindOrganization
	default:
		p.Kind = role.Kinds[0]
	}
}

// merged adds a party; one who is there already in another role gets this one too.
func merged(all []catalog.Party, p catalog.Party) []catalog.Party {
	for i := range all {
		if p.Number != "" && all[i].Number == p.Number && all[i].Kind == p.Kind && all[i].Name == p.Name && !all[i].In(p.Roles[0]) {
			all[i].Roles = append(all[i].Roles, p.Roles[0])
			return all
		}
	}
	p.ID = "p" + strconv.Itoa(len(all)+1)
	return append(all, p)
}

// factValue reads a fact as people write it.
func factValue(f *catalog.Fact, text string) (any, bool) {
	switch f.Type {
	case catalog.FactBool:
		value, ok := map[string]bool{"是": true, "有": true, "true": true, "1": true, "y": true, "否": false, "无": false, "false": false, "0": false, "n": false}[strings.ToLower(text)]
		return value, ok
	case catalog.FactNumber:
		n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
		return n, err == nil
	case catalog.FactEnum:
		return option(f, text)
	case catalog.FactSet:
		values := []string{}
		for _, one := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、,，;；|", r) }) {
			value, ok := option(f, strings.TrimSpace(one))
			if !ok {
				return nil, false
			}
			values = append(values, value)
		}
		return values, true
	default:
		return text, true
	}
}

func option(f *catalog.Fact, text string) (string, bool) {
	for _, o := range f.Options {
		if o.Value == text || o.Label == text {
			return o.Value, true
		}
	}
	return "", false
}

// told puts what the exchange says of a case into the words of the list.
func (c *checker) told(err error, in exchange.Opening) []fault.Detail {
	f := fault.As(err)
	switch {
	case err == nil:
		return nil
	case f == nil:
		return []fault.Detail{{Location: "整行", Code: "internal", Message: "这一行没有校验成。请稍后重试。"}}
	case len(f.Details) == 0:
		return []fault.Detail{{Location: "整行", Code: f.Code, Message: f.Message}}
	}
	out := slices.Clone(f.Details)
	for i := range out {
		out[i].Location = c.heading(out[i].Location, in)
	}
	return out
}

var partyPlace = regexp.MustCompile(`^body\.parties\[([0-9]+)\](?:\.(name|number|kind))?`)

// heading is the heading of the column to which a place in an opening belongs.
func (c *checker) heading(location string, in exchange.Opening) string {
	if location == "body.number" {
		return numberHeading
	}
	if code, ok := strings.CutPrefix(location, "body.facts."); ok {
		for _, col := range c.columns {
			if col.fact != nil && col.fact.Code == code {
				return col.heading
			}
		}
	}
	found := partyPlace.FindStringSubmatch(location)
	if found == nil {
		return "整行"
	}
	i, err := strconv.Atoi(found[1])
	if err != nil || i >= len(in.Parties) {
		return "整行"
	}
	role := in.Parties[i].Roles[0]
	for _, col := range c.columns {
		if col.role != nil && col.role.Code == role && string(col.part) == found[2] {
			return col.heading
		}
	}
	return c.rev.Role(role).Name
}

// repeated says that a number, or the whole row, stands in the list already: the
// same people would be looked up twice for nothing.
func (c *checker) repeated(line int, in exchange.Opening) []fault.Detail {
	if first := c.numbers[in.Number]; first != 0 {
		return []fault.Detail{{Location: numberHeading, Code: "number-twice", Message: fmt.Sprintf("与第 %d 行的办件编号相同。请改正。", first)}}
	}
	number := in.Number
	in.Number = ""
	text, err := json.Marshal(in)
	if err != nil {
		return []fault.Detail{{Location: "整行", Code: "internal", Message: "这一行没有校验成。请稍后重试。"}}
	}
	whole := sha256.Sum256(text)
	digest := [16]byte(whole[:16])
	if first := c.same[digest]; first != 0 {
		return []fault.Detail{{Location: "整行", Code: "row-twice", Message: fmt.Sprintf("与第 %d 行是同样的当事人和情形。请删除其中一行。", first)}}
	}
	c.numbers[number], c.same[digest] = line, line
	return nil
}
