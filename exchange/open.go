package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Opening is what a case is opened with.
type Opening struct {
	Number   string
	Matter   string // short code, or implementation code; or
	OneThing string
	Parties  []catalog.Party
	Facts    map[string]any
}

// OpenCase opens a case, at the current revision of the catalog. Opening the
// same case again gives the same case; the same number with another content is
// a conflict. created is false when the case was there already.
func (x *Exchange) OpenCase(ctx context.Context, by policies.Caller, in Opening) (c *Case, created bool, err error) {
	rev, err := x.Catalogs.Current(ctx, in.Matter, in.OneThing)
	if err != nil {
		return nil, false, fmt.Errorf("open case: %w", err)
	}
	digest, err := digestOpening(in)
	if err != nil {
		return nil, false, err
	}
	if earlier, err := x.reopened(ctx, by, in.Number, digest); earlier != nil || err != nil {
		return earlier, false, err
	}
	c, err = x.newCase(rev, by, in)
	if err != nil {
		return nil, false, err
	}
	c.Opening = ledger.Digest(c.Salt, digest)
	relayed, err := x.relay(by, c, nil)
	if err != nil {
		return nil, false, err
	}
	opened := x.entry(ledger.CaseOpened, by, c)
	opened.Concerns = x.everybody(c)
	stored, err := x.Cases.OpenCase(ctx, c, append([]ledger.Entry{opened}, relayed...)...)
	if err != nil {
		return nil, false, fmt.Errorf("open case: %w", err)
	}
	if stored.ID != c.ID { // somebody was quicker
		return stored, false, sameOpening(stored, digest)
	}
	return stored, true, nil
}

// CheckOpening says what OpenCase would refuse a case for at a revision of the
// catalog, and opens nothing.
func (x *Exchange) CheckOpening(rev *catalog.Revision, by policies.Caller, in Opening) error {
	_, err := x.newCase(rev, by, in)
	return err
}

// reopened gives the case of that number if the department has one.
func (x *Exchange) reopened(ctx context.Context, by policies.Caller, number, digest string) (*Case, error) {
	if number == "" {
		return nil, nil
	}
	earlier, err := x.Cases.CaseByNumber(ctx, by.Department, number)
	if f := fault.As(err); f != nil && f.Kind == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	return earlier, sameOpening(earlier, digest)
}

func sameOpening(c *Case, digest string) error {
	// A digest of names and numbers could be guessed from: it is kept under the
	// case's salt. A case that is not encrypted yet has it as it is.
	if c.Opening == ledger.Digest(c.Salt, digest) || c.Opening == digest {
		return nil
	}
	return fault.New(fault.Conflict, "case-number-conflict",
		"本部门已有办件编号相同而内容不同的办件。请换一个办件编号，或用原内容重试。")
}

func (x *Exchange) newCase(rev *catalog.Revision, by policies.Caller, in Opening) (*Case, error) {
	subject, err := subjectFor(rev, by, in)
	if err != nil {
		return nil, err
	}
	var wrong []fault.Detail
	in.Parties = slices.Clone(in.Parties) // checkParties normalises them
	if strings.TrimSpace(in.Number) == "" || !plain(in.Number) {
		wrong = append(wrong, fault.Detail{Location: "body.number", Code: "missing", Message: "请填写办件编号，不含不可见字符。"})
	}
	facts, details := rev.ParseFacts(in.Facts)
	wrong = append(wrong, inBody(details)...)
	wrong = append(wrong, checkParties(rev, in.Parties)...)
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "invalid-case", "办件有 %d 处不符合要求，没有登记任何内容。", len(wrong)).With(wrong...)
	}
	salt := make([]byte, 32)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("open case: make a salt: %w", err)
	}
	now := x.Now().UTC()
	c := &Case{
		ID: x.NewID(), Number: in.Number, System: by.System, Department: by.Department, Revision: rev.Number,
		Subject: subject, Facts: facts, Parties: in.Parties, Salt: salt, OpenedAt: now, UpdatedAt: now, Version: 1,
	}
	if _, err := x.plan(rev, c); err != nil {
		return nil, err
	}
	return c, nil
}

// subjectFor finds what the case is for, and whether the caller may open it:
// the department that handles the matter, or the one that leads the one-thing.
func subjectFor(rev *catalog.Revision, by policies.Caller, in Opening) (string, error) {
	if (in.Matter == "") == (in.OneThing == "") {
		return "", fault.New(fault.Invalid, "invalid-case", "matter 与 one_thing 须填且只填一个。").
			With(fault.Detail{Location: "body", Code: "matter-or-one-thing", Message: "请在 matter 和 one_thing 中选填一个。"})
	}
	if in.OneThing != "" {
		thing := rev.OneThing(in.OneThing)
		if thing == nil {
			return "", unknownSubject("body.one_thing", "unknown-one-thing", "一件事")
		}
		return thing.Code, mayHandle(by, thing.Lead)
	}
	matter := rev.Matter(in.Matter)
	if matter == nil {
		same := rev.MattersByImplementationCode(in.Matter)
		if len(same) > 1 {
			return "", ambiguousMatter(same)
		}
		if len(same) == 1 {
			matter = same[0]
		}
	}
	if matter == nil {
		return "", unknownSubject("body.matter", "unknown-matter", "事项")
	}
	return matter.Code, mayHandle(by, matter.Department)
}

// ambiguousMatter names the matters that share an implementation code: the same
// matter asks for other materials in another one-thing.
func ambiguousMatter(same []*catalog.Matter) error {
	codes := make([]string, len(same))
	for i, m := range same {
		codes[i] = m.Code
	}
	return fault.New(fault.Invalid, "ambiguous-matter", "这个实施编码在目录中对应多个事项，请用短码指明：%s。", strings.Join(codes, "、")).
		With(fault.Detail{Location: "body.matter", Code: "ambiguous-matter", Message: "请改用短码。"})
}

func unknownSubject(location, code, what string) error {
	return fault.New(fault.Invalid, code, "目录中没有这个%s。可用 GET /v1/matters 或 /v1/one-things 查询代码。", what).
		With(fault.Detail{Location: location, Code: code, Message: "目录中没有这个代码。"})
}

func mayHandle(by policies.Caller, department string) error {
	if by.Department == department {
		return nil
	}
	return fault.New(fault.Denied, "matter-of-another-department",
		"该事项由其他部门办理，本系统所属部门不能为它登记办件。")
}

// plan plans a case and refuses it when a party is missing.
func (x *Exchange) plan(rev *catalog.Revision, c *Case) (*catalog.Plan, error) {
	plan, err := rev.Plan(catalog.PlanInput{Subject: c.Subject, Facts: c.Facts, Parties: c.Parties, Verdicts: c.verdicts()})
	if err != nil {
		return nil, fmt.Errorf("plan case: %w", err)
	}
	if len(plan.Missing) == 0 {
		return plan, nil
	}
	return nil, missingParties(rev, plan.Missing)
}

// missingParties says once for each role who is missing, and for which
// materials.
func missingParties(rev *catalog.Revision, missing []catalog.MissingParty) error {
	var roles []string
	materials := map[string][]string{}
	for _, m := range missing {
		role := roleNames(rev, m.Roles)
		if materials[role] == nil {
			roles = append(roles, role)
		}
		materials[role] = append(materials[role], "《"+rev.Material(m.Material).Name+"》（"+m.Material+"）")
	}
	f := fault.New(fault.Invalid, "missing-party", "缺少 %d 类当事人，没有保存任何内容。", len(roles))
	for _, role := range roles {
		f = f.With(fault.Detail{Location: "body.parties", Code: "missing-party",
			Message: "请补充角色为 " + role + " 的当事人：" + strings.Join(materials[role], "、") + "需要。"})
	}
	return f
}

func roleNames(rev *catalog.Revision, codes []string) string {
	text := ""
	for i, code := range codes {
		if i > 0 {
			text += " 或 "
		}
		text += code
		if role := rev.Role(code); role != nil {
			text += "（" + role.Name + "）"
		}
	}
	return text
}

func (c *Case) verdicts() map[string]catalog.Verdict {
	out := make(map[string]catalog.Verdict, len(c.Results))
	for _, r := range c.Results {
		out[r.Matter] = r.Outcome
	}
	return out
}

// Case gives a case of the caller's department.
func (x *Exchange) Case(ctx context.Context, by policies.Caller, id string) (*Case, error) {
	return x.Cases.Case(ctx, by.Department, id)
}

// entry begins an entry about a case.
func (x *Exchange) entry(kind ledger.Kind, by policies.Caller, c *Case) ledger.Entry {
	return ledger.Entry{Kind: kind, At: x.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department, Case: c.ID, Revision: c.Revision}
}

// inBody moves the locations of details under the request's body.
func inBody(details []fault.Detail) []fault.Detail {
	moved := slices.Clone(details)
	for i := range moved {
		moved[i].Location = "body." + moved[i].Location
	}
	return moved
}

// digestOpening gives the digest of an opening, whatever the order of keys in
// the request was.
func digestOpening(in Opening) (string, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	if err := encoder.Encode(in); err != nil {
		return "", fault.New(fault.Invalid, "invalid-case", "办件内容不能编码为 JSON。").Because(err)
	}
	sum := sha256.Sum256(buf.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
