// Package catalog holds what an authority asks for and what may stand in for
// it: matters, one-things, materials, the datasets of the departments, and the
// conditions and checks between them.
//
// It is pure: it does no I/O beyond the file system handed to Load, reads no
// clock, and a loaded Revision never changes. The file format is described in
// docs/catalog-format.md and published as a JSON Schema (catalog/schema.json).
package catalog

// Department (部门) is an organ that asks for materials, holds records, or both.
type Department struct {
	Code       string `json:"code"` // short code, such as "GA"
	Name       string `json:"name"`
	CreditCode string `json:"credit_code"` // 统一社会信用代码, GB 32100
	// PublicUtility marks a company that supplies water, power, gas or heat. Its
	// look-ups are no statutory duty: they always need the person's consent.
	PublicUtility bool `json:"public_utility,omitempty"`
}

// Dataset (数据资源) is a kind of record that a department shares.
type Dataset struct {
	Code         string `json:"code"` // short code, such as "D-GA01"
	Name         string `json:"name"`
	ResourceCode string `json:"resource_code"` // 政务信息资源代码
	// Department is the code of the department that holds it (数源部门).
	Department string  `json:"department"`
	Sharing    Sharing `json:"sharing"`
	SharingTerms
	Terms       string `json:"terms,omitempty"`  // 使用条件, in words
	Update      string `json:"update"`           // realtime, daily, weekly, monthly, yearly, on_demand
	Sensitivity int    `json:"sensitivity"`      // 1 to 4, 4 the most sensitive
	Verify      string `json:"verify,omitempty"` // what the yes/no form answers, in words
	// Consent says that every look-up needs the subject's own consent.
	Consent bool `json:"consent,omitempty"`
	// Certificate is set when the record is an electronic licence (电子证照).
	Certificate *Certificate `json:"certificate,omitempty"`
	// AskedBy are the kinds of party that a record can be asked for.
	AskedBy []PartyKind `json:"asked_by"`
	Fields  []Field     `json:"fields"`
	// ValidUntil is the code of the date field after which a record is expired,
	// if the dataset has one.
	ValidUntil string           `json:"valid_until,omitempty"`
	Sources    []Source         `json:"sources"`
	National   *DatasetElements `json:"national,omitempty"`
}

// Certificate is what GB/T 36902 says of a kind of electronic licence.
type Certificate struct {
	// TypeCode is the 21-character type code; empty where none is verified, and
	// then the dataset's own code is sent in its place.
	TypeCode string `json:"type_code,omitempty"`
}

// FieldType is the type of a DataItem's values.
type FieldType string

// The field types. A date is "2006-01-02", a month "2006-01".
const (
	FieldString FieldType = "string"
	FieldNumber FieldType = "number"
	FieldBool   FieldType = "bool"
	FieldDate   FieldType = "date"
	FieldList   FieldType = "list" // of strings
)

// FactType is the type of a fact.
type FactType string

// The fact types. A set's value is a list of its options; a region is a
// GB/T 2260 code of six digits.
const (
	FactBool   FactType = "bool"
	FactEnum   FactType = "enum"
	FactSet    FactType = "set"
	FactNumber FactType = "number"
	FactText   FactType = "text"
	FactRegion FactType = "region"
)

// Fact (情形) is something that must be known of a case to tell what it needs.
type Fact struct {
	Code    string   `json:"code"`
	Type    FactType `json:"type"`
	Ask     string   `json:"ask"` // the question as the applicant reads it
	Options []Option `json:"options,omitempty"`
	// Derived says, in words, from which record or result the fact follows when
	// nobody needs to be asked.
	Derived string `json:"derived,omitempty"`
}

// Option is one value of an enum or a set.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// PartyKind is the kind of a person, body or thing in a case.
type PartyKind string

// The kinds. Things (标的物) are parties too: a house or a lorry is looked up
// by its name and number just as a person is.
const (
	KindPerson       PartyKind = "person"       // number: 公民身份号码
	KindOrganization PartyKind = "organization" // number: 统一社会信用代码; may be empty before registration
	KindProperty     PartyKind = "property"     // name: 坐落; number: 不动产单元号
	KindVehicle      PartyKind = "vehicle"      // name: 号牌号码; number: 车辆识别代号
	KindProject      PartyKind = "project"      // number: 项目代码
	KindAddress      PartyKind = "address"      // name: 地址; number: 标准地址编码
)

// ConsentRule says whose permission a look-up about a role needs.
type ConsentRule string

// The rules. Statutory duty needs none (个人信息保护法, art. 13).
const (
	ConsentNone     ConsentRule = ""
	ConsentOwn      ConsentRule = "own"      // that person's own
	ConsentGuardian ConsentRule = "guardian" // a guardian's, for a child under 14 (art. 31)
)

// Role (角色) is why a party is in a case.
type Role struct {
	Code    string      `json:"code"`
	Name    string      `json:"name"`
	Kinds   []PartyKind `json:"kinds"`
	Consent ConsentRule `json:"consent,omitempty"`
	// Basis are the clauses by which a record about the role may be read without
	// consent. A third party's record needs one or the other.
	Basis []string `json:"basis,omitempty"`
}

// StandardMaterial (标准材料) is the same paper across matters: what is asked
// for once.
type StandardMaterial struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Mode (免提交方式) is a way to settle a material without paper, or the last
// resort of asking for it.
type Mode string

// The modes, described in docs/resolution-rules.md.
const (
	ModeForm     Mode = "form"     // 表单自动生成
	ModeElicense Mode = "elicense" // 电子证照
	ModeData     Mode = "data"     // 数据共享
	ModePrior    Mode = "prior"    // 前序结果复用
	ModeHistory  Mode = "history"  // 历史材料复用
	ModeWait     Mode = "wait"     // 等待数源恢复
	ModeAssist   Mode = "assist"   // 部门协查
	ModeCommit   Mode = "commit"   // 告知承诺
	ModeDefer    Mode = "defer"    // 容缺后补
	ModeCancel   Mode = "cancel"   // 直接取消
	ModeUpload   Mode = "upload"   // 仍需提交
)

// Step is one mode of a material's chain, with what that mode needs.
type Step struct {
	Mode Mode `json:"mode"`
	// When is a condition on the facts; false means that the step is passed over.
	When string `json:"when,omitempty"`
	// Department answers an assist step; empty means the department of the first
	// dataset.
	Department string `json:"department,omitempty"`
	// Days is the deadline of an assist or defer step in working days.
	Days int `json:"days,omitempty"`
	// Minutes is how long a wait step waits for a source that was away.
	Minutes int `json:"minutes,omitempty"`
	// Months is how old a history step's submission may be.
	Months int `json:"months,omitempty"`
}

// Lookup is one record that a proof needs.
type Lookup struct {
	Dataset string `json:"dataset"`
	// Subject is the role whose record it is; empty means the material's subject.
	Subject string `json:"subject,omitempty"`
	// Release are the fields that the caller may see; empty means every field
	// of the dataset, unless YesNo is set.
	Release []string `json:"release,omitempty"`
	// YesNo releases no field at all, only the conclusion (最小必要).
	YesNo bool `json:"yes_no,omitempty"`
}

// Proof is one set of records that together settle a material. A material with
// several proofs is settled by any of them.
type Proof struct {
	// For restricts the proof to parties of a kind; empty means any.
	For PartyKind `json:"for,omitempty"`
	// StandardMaterial overrides the material's, for this kind of party.
	StandardMaterial string   `json:"standard_material,omitempty"`
	Lookups          []Lookup `json:"lookups"`
	// Check is a CEL predicate over the records; each is named by its dataset's
	// alias, "D-GA01" is ga01. Empty means that finding the records is enough.
	Check string `json:"check,omitempty"`
	// CheckText says the same in Chinese, for people.
	CheckText string `json:"check_text,omitempty"`

	check *Condition
}

// Need says whether a material is always asked for.
type Need string

// The needs.
const (
	NeedRequired    Need = "required"
	NeedConditional Need = "conditional"
)

// Material (申请材料) is something that a matter asks for.
type Material struct {
	Code string `json:"code"` // such as "S01.M1.a"
	Name string `json:"name"`
	// Kind is form (表), certificate (证), approval (批), proof (明) or other (他).
	Kind string `json:"kind"`
	Need Need   `json:"need"`
	// When is the condition under which it is asked for; empty means always.
	When string `json:"when,omitempty"`
	// Basis are the clauses that ask for it (设定依据), as the catalog cites them.
	Basis []string `json:"basis,omitempty"`
	// Origin is applicant (申请人自备), government (政府部门核发) or other.
	Origin           string `json:"origin"`
	StandardMaterial string `json:"standard_material,omitempty"`
	// Subjects are the roles whose material it is; each party in any of them has
	// a material of its own.
	Subjects []string `json:"subjects,omitempty"`
	Proofs   []Proof  `json:"proofs,omitempty"`
	// Prior are the matters of the same one-thing whose result this material is.
	Prior []string `json:"prior,omitempty"`
	// PriorAll says that all of Prior are needed, not any one.
	PriorAll bool `json:"prior_all,omitempty"`
	// Preview says that the person whose record it is sees first what was found, and
	// the approval system gets it once he has released it (先看后用).
	Preview bool   `json:"preview,omitempty"`
	Chain   []Step `json:"chain"`
	Note    string `json:"note,omitempty"`
	// Common is the code of the common material that it was made from.
	Common   string            `json:"common,omitempty"`
	National *MaterialElements `json:"national,omitempty"`

	when  *Condition
	steps []*Condition // by step of Chain; nil where the step has no condition
}

// Result is what a matter gives when it is granted.
type Result struct {
	Name    string `json:"name"`
	Dataset string `json:"dataset,omitempty"` // where the result is registered
}

// Matter (事项) is what an authority does for applicants.
type Matter struct {
	Code string `json:"code"` // such as "S01.M1"
	Name string `json:"name"`
	// BasicCode is the 12-digit 基本编码; Level the 行使层级 (3 city, 4 county).
	// Code18 of the department, level and basic code make the 31-character
	// implementation code (GB/T 39554.1).
	BasicCode  string `json:"basic_code"`
	Level      int    `json:"level"`
	Department string `json:"department"`
	Days       int    `json:"days"` // promised working days
	Stage      int    `json:"stage,omitempty"`
	// After are the matters that must be granted first, where they apply.
	After     []string   `json:"after,omitempty"`
	When      string     `json:"when,omitempty"`
	Result    Result     `json:"result"`
	Materials []Material `json:"materials"`

	ImplementationCode string `json:"implementation_code"` // computed at load
	OneThing           string `json:"one_thing,omitempty"` // computed at load

	when *Condition
}

// Handling says how the matters of a one-thing follow each other.
type Handling string

// The handlings.
const (
	HandlingSerial   Handling = "serial"   // 串联
	HandlingParallel Handling = "parallel" // 并联
	HandlingMixed    Handling = "mixed"    // 混联
)

// OneThing (一件事) is matters that are handled as one.
type OneThing struct {
	Code     string            `json:"code"` // such as "S01"
	Name     string            `json:"name"`
	Handling Handling          `json:"handling"`
	Lead     string            `json:"lead"` // the department that takes the case
	Key      string            `json:"key,omitempty"`
	Stages   []string          `json:"stages,omitempty"`
	Consent  string            `json:"consent,omitempty"` // what is asked of whom, in words
	Params   map[string]any    `json:"params,omitempty"`
	Feeds    []string          `json:"feeds,omitempty"`
	Variants map[string]string `json:"variants,omitempty"` // other notes of the source, in words
	Matters  []Matter          `json:"matters"`
}
