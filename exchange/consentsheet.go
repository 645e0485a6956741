package exchange

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// ConsentSheet (知情内容) is what a person reads before he decides
// (个人信息保护法, art. 17, 23, 29–31). It holds no value of a record and names
// nobody.
type ConsentSheet struct {
	CaseNumber string        `json:"case_number" doc:"办件编号"`
	Matter     string        `json:"matter" doc:"事项或一件事的名称"`
	Revision   int           `json:"revision" doc:"目录修订号"`
	Receivers  []string      `json:"receivers" doc:"谁得到数据: 部门名称"`
	About      string        `json:"about" doc:"查询谁的数据"`
	Guardian   bool          `json:"guardian,omitempty" doc:"由监护人代为同意"`
	Items      []ConsentItem `json:"items" doc:"查询哪些数据"`
	Purpose    string        `json:"purpose" doc:"目的与方式"`
	Ground     string        `json:"ground" doc:"法律依据"`
	Until      string        `json:"until" format:"date" doc:"同意到哪一天为止, 含当日"`
	Otherwise  string        `json:"otherwise" doc:"不同意会怎样"`
	Rights     []string      `json:"rights" doc:"您的权利"`
	Notes      []string      `json:"notes" doc:"特别说明: 敏感个人信息、儿童"`
}

// ConsentItem (授权数据) is one dataset of a sheet.
type ConsentItem struct {
	Dataset   string         `json:"dataset"`
	Name      string         `json:"name"`
	From      string         `json:"from" doc:"由哪个部门提供"`
	Fields    []ConsentField `json:"fields" doc:"数据项"`
	YesNo     bool           `json:"yes_no,omitempty" doc:"只返回是否, 不提供数据项的内容"`
	Sensitive bool           `json:"sensitive,omitempty" doc:"敏感个人信息"`
	For       []ConsentUse   `json:"for" doc:"用于哪些事项的哪些材料"`
}

// ConsentField (授权数据项) is one field of an item.
type ConsentField struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// ConsentUse (授权用途) is a material that an item is for.
type ConsentUse struct {
	Receiver string `json:"receiver" doc:"办理部门"`
	Matter   string `json:"matter"`
	Material string `json:"material"`
}

// sensitiveFrom is the level of a dataset from which on it is sensitive personal
// information (个人信息保护法, art. 28).
const sensitiveFrom = 3

// SheetFor gives the sheet for the look-ups about one party that need a consent.
// It is pure: the same case, revision, plan and look-ups give the same sheet.
func SheetFor(c *Case, s *policies.Situation, party *catalog.Party, needs []policies.ConsentNeed, until string) *ConsentSheet {
	guardian := policies.NeedsGuardian(party, s.Now)
	sheet := &ConsentSheet{
		CaseNumber: c.Number, Matter: subjectName(s.Catalog, c.Subject), Revision: c.Revision, Guardian: guardian,
		Receivers: []string{s.Catalog.Department(c.Department).Name}, About: about(s.Catalog, party, guardian),
		Purpose:   "仅用于核验本办件的上述材料，按件查询，不作他用。",
		Ground:    "《中华人民共和国个人信息保护法》第十三条第一款第一项、第二十三条：取得个人同意",
		Until:     until,
		Otherwise: "不同意的，可以自行提交纸质或电子材料，不影响办理。",
		Rights: []string{
			"可以随时撤回同意；撤回后不再查询，此前依据同意已经进行的核验仍然有效。",
			"可以查阅、复制办理中使用的本人数据，认为有误的可以请求更正。",
			"如有疑问或要行使上述权利，请联系受理部门，联系方式见其对外公布的办事指南。",
		},
		Notes: []string{},
	}
	for _, need := range needs {
		if need.Party.ID == party.ID {
			sheet.add(s.Catalog, need)
		}
	}
	sheet.special(guardian)
	return sheet
}

// subjectName is the name of what a case is for.
func subjectName(rev *catalog.Revision, code string) string {
	if thing := rev.OneThing(code); thing != nil {
		return thing.Name
	}
	return rev.Matter(code).Name
}

// about says whose records they are, by role and not by name.
func about(rev *catalog.Revision, party *catalog.Party, guardian bool) string {
	roles := ""
	for i, code := range party.Roles {
		if i > 0 {
			roles += "、"
		}
		roles += rev.Role(code).Name
	}
	if guardian {
		return "您监护的未成年人（" + roles + "，当事人 " + party.ID + "）"
	}
	return "您本人（" + roles + "）"
}

// add puts a look-up on the sheet. Of one dataset there is one item, with all
// the fields that are read for any of its uses.
func (sheet *ConsentSheet) add(rev *catalog.Revision, need policies.ConsentNeed) {
	at := slices.IndexFunc(sheet.Items, func(i ConsentItem) bool { return i.Dataset == need.Dataset.Code })
	if at < 0 {
		at = len(sheet.Items)
		sheet.Items = append(sheet.Items, ConsentItem{
			Dataset: need.Dataset.Code, Name: need.Dataset.Name, From: rev.Department(need.Dataset.Department).Name,
			YesNo: true, Sensitive: need.Dataset.Sensitivity >= sensitiveFrom,
		})
	}
	item := &sheet.Items[at]
	item.YesNo = item.YesNo && need.YesNo
	var fields []ConsentField
	for _, f := range need.Dataset.Fields { // in the order of the dataset
		field := ConsentField{Code: f.Code, Name: f.Name}
		if slices.Contains(need.Fields, f.Code) || slices.Contains(item.Fields, field) {
			fields = append(fields, field)
		}
	}
	item.Fields = fields
	receiver := rev.Department(need.Use.Matter.Department).Name
	use := ConsentUse{Receiver: receiver, Matter: need.Use.Matter.Name, Material: need.Use.Material.Name}
	if !slices.Contains(item.For, use) {
		item.For = append(item.For, use)
	}
	if !slices.Contains(sheet.Receivers, receiver) {
		sheet.Receivers = append(sheet.Receivers, receiver)
	}
}

// special adds what the law wants said besides: of sensitive information why it
// is needed and what it may do to the person (art. 29, 30), of a child that a
// guardian decides (art. 31).
func (sheet *ConsentSheet) special(guardian bool) {
	sensitive := func(i ConsentItem) bool { return i.Sensitive }
	if guardian {
		sheet.Ground += "；第三十一条：不满十四周岁未成年人由监护人同意"
		sheet.Notes = append(sheet.Notes, "所查询的是不满十四周岁未成年人的个人信息，属于敏感个人信息，须由监护人同意；年满十四周岁后须由其本人同意。")
	}
	if guardian || slices.ContainsFunc(sheet.Items, sensitive) {
		sheet.Ground += "；第二十九条：敏感个人信息取得单独同意"
		sheet.Notes = append(sheet.Notes, "含敏感个人信息：没有这些数据就不能核验上述材料；一旦泄露或被不当使用，可能影响人身、财产安全或个人尊严。仅向上述部门提供，并留痕备查。")
	}
}

// fields are what a sheet shows, by dataset; nil for none.
func (sheet *ConsentSheet) fields() map[string][]string {
	if sheet == nil {
		return nil
	}
	out := make(map[string][]string, len(sheet.Items))
	for _, item := range sheet.Items {
		for _, f := range item.Fields {
			out[item.Dataset] = append(out[item.Dataset], f.Code)
		}
	}
	return out
}

// digest is what a person confirms to have read.
func (sheet *ConsentSheet) digest() string {
	sum := sha256.Sum256([]byte(canonical(sheet)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// endOf gives the moment at which a date in Shanghai is over.
func endOf(date string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, date, catalog.TimeZone())
	return day.AddDate(0, 0, 1), err
}
