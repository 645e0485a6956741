package api

import (
	"context"
	"net/http"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

// partyInput is a party as a caller gives it.
type partyInput struct {
	ID      string   `json:"id" minLength:"1" maxLength:"64" doc:"本办件内的编号" example:"p1"`
	Roles   []string `json:"roles" maxItems:"20" doc:"角色代码" example:"[\"applicant\"]"`
	Kind    string   `json:"kind" enum:"person,organization,property,vehicle,project,address"`
	Name    string   `json:"name" maxLength:"200" doc:"姓名、名称、坐落、号牌号码或地址"`
	Number  string   `json:"number,omitempty" maxLength:"64" doc:"公民身份号码、统一社会信用代码、不动产单元号等; 尚未登记的机构留空"`
	Consent string   `json:"consent,omitempty" enum:"given,refused" doc:"本人对查询的意思; 未表示时留空"`
}

func (p partyInput) party() catalog.Party {
	return catalog.Party{
		ID: p.ID, Roles: p.Roles, Kind: catalog.PartyKind(p.Kind), Name: p.Name, Number: p.Number,
		Consent: catalog.ConsentState(p.Consent),
	}
}

func parties(inputs []partyInput) []catalog.Party {
	out := make([]catalog.Party, len(inputs))
	for i, in := range inputs {
		out[i] = in.party()
	}
	return out
}

// caseInput opens a case.
type caseInput struct {
	Number   string         `json:"number" maxLength:"64" doc:"办件编号, 部门内唯一" example:"JN-2026-000001"`
	Matter   string         `json:"matter,omitempty" maxLength:"64" doc:"事项短码或 31 位实施编码; 与 one_thing 二选一"`
	OneThing string         `json:"one_thing,omitempty" maxLength:"64" doc:"一件事代码" example:"S01"`
	Parties  []partyInput   `json:"parties" maxItems:"500"`
	Facts    map[string]any `json:"facts,omitempty" doc:"情形, 按情形代码; 见 GET /v1/facts"`
}

type openCaseInput struct {
	Body caseInput
}

// partyView is what is told of a party: neither name nor number.
type partyView struct {
	ID      string   `json:"id"`
	Roles   []string `json:"roles"`
	Kind    string   `json:"kind"`
	Consent string   `json:"consent,omitempty"`
}

// resultView is what is told of a reported result: not what the document says.
type resultView struct {
	Matter     string    `json:"matter"`
	Outcome    string    `json:"outcome" enum:"granted,refused"`
	Number     string    `json:"number,omitempty"`
	IssuedOn   string    `json:"issued_on,omitempty" format:"date"`
	ValidUntil string    `json:"valid_until,omitempty" format:"date"`
	ReportedAt time.Time `json:"reported_at"`
}

// caseView is a case as its department sees it.
type caseView struct {
	ID        string         `json:"id"`
	Number    string         `json:"number"`
	Matter    string         `json:"matter,omitempty"`
	OneThing  string         `json:"one_thing,omitempty"`
	Revision  int            `json:"revision" doc:"登记时的目录修订号, 此后不变"`
	Facts     map[string]any `json:"facts"`
	Parties   []partyView    `json:"parties"`
	Results   []resultView   `json:"results"`
	OpenedAt  time.Time      `json:"opened_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	Version   int            `json:"version"`
	ClosedAt  *time.Time     `json:"closed_at,omitempty" doc:"关闭时间; 没有则未关闭"`
	ClosedFor string         `json:"closed_for,omitempty" enum:"withdrawn,finished" doc:"关闭原因: 撤回、办结"`
}

type caseOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     caseView
}

// CasePath names a case, or a resolution. It is exported because the library
// that reads requests looks into exported embedded types alone.
type CasePath struct {
	ID string `path:"id" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$"`
}

type changeCaseInput struct {
	CasePath
	Body struct {
		Facts   map[string]any `json:"facts,omitempty"`
		Parties []partyInput   `json:"parties,omitempty" maxItems:"500" doc:"新增的当事人, 或替换 id 相同者"`
	}
}

type reportInput struct {
	CasePath
	Body exchange.MatterResult
}

type handInInput struct {
	CasePath
	Body struct {
		Material string `json:"material" minLength:"1" maxLength:"64" doc:"核验结果中的材料代码"`
		Party    string `json:"party,omitempty" maxLength:"64" doc:"当事人 id; 材料不属于某个当事人时留空"`
		Digest   string `json:"digest" pattern:"^(sha256|sm3):[0-9a-f]{64}$" doc:"文件摘要: sha256: 或 sm3: 加 64 位小写十六进制; 文件本身留在审批系统"`
	}
}

func (s *server) registerCases() {
	const tag = "办件"
	open := s.operation(http.MethodPost, casesPath, "open-case", "登记办件", tag, 403, 409, 410, 422)
	open.DefaultStatus = http.StatusCreated
	open.Description = "同一编号、同一内容再次登记得到同一办件 (200)；编号相同而内容不同为 409。"
	handle(s, open, s.openCase)
	handle(s, s.operation(http.MethodGet, casesPath+"/{id}", "read-case", "读取办件", tag, 404, 410, 422), s.readCase)
	handle(s, s.operation(http.MethodPatch, casesPath+"/{id}/facts", "change-case", "补充情形与当事人", tag, 404, 409, 410, 422), s.changeCase)
	handle(s, s.operation(http.MethodPost, casesPath+"/{id}/results", "report-result", "登记事项办理结果", tag, 404, 409, 410, 422), s.reportResult)
	s.registerClosing(tag)
	submit := s.operation(http.MethodPost, casesPath+"/{id}/submissions", "hand-in", "登记申请人已交的材料", tag, 404, 409, 410, 422)
	submit.DefaultStatus = http.StatusNoContent
	handle(s, submit, s.handIn)
}

func (s *server) openCase(ctx context.Context, in *openCaseInput) (*caseOutput, error) {
	c, created, err := s.Exchange.OpenCase(ctx, callerOf(ctx), exchange.Opening{
		Number: in.Body.Number, Matter: in.Body.Matter, OneThing: in.Body.OneThing,
		Parties: parties(in.Body.Parties), Facts: in.Body.Facts,
	})
	if err != nil {
		return nil, err
	}
	out, err := s.render(ctx, c)
	if err != nil {
		return nil, err
	}
	out.Location = casesPath + "/" + c.ID
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *server) readCase(ctx context.Context, in *CasePath) (*caseOutput, error) {
	c, err := s.Exchange.Case(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return s.render(ctx, c)
}

func (s *server) changeCase(ctx context.Context, in *changeCaseInput) (*caseOutput, error) {
	c, err := s.Exchange.ChangeCase(ctx, callerOf(ctx), in.ID, exchange.Change{Facts: in.Body.Facts, Parties: parties(in.Body.Parties)})
	if err != nil {
		return nil, err
	}
	return s.render(ctx, c)
}

func (s *server) reportResult(ctx context.Context, in *reportInput) (*caseOutput, error) {
	c, err := s.Exchange.ReportResult(ctx, callerOf(ctx), in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return s.render(ctx, c)
}

func (s *server) handIn(ctx context.Context, in *handInInput) (*struct{}, error) {
	return nil, s.Exchange.HandIn(ctx, callerOf(ctx), in.ID, exchange.Handing{
		Material: in.Body.Material, Party: in.Body.Party, Digest: in.Body.Digest,
	})
}

// render gives the view of a case. Which of the two its subject is, only its
// revision can tell.
func (s *server) render(ctx context.Context, c *exchange.Case) (*caseOutput, error) {
	rev, err := s.Catalogs.Revision(ctx, c.Revision, c.Subject)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "unknown-revision", "办件所用的目录修订暂时不可用。").Because(err)
	}
	view := caseView{
		ID: c.ID, Number: c.Number, Revision: c.Revision, Facts: map[string]any{}, Parties: []partyView{}, Results: []resultView{},
		OpenedAt: c.OpenedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), Version: c.Version,
	}
	if rev.OneThing(c.Subject) != nil {
		view.OneThing = c.Subject
	} else {
		view.Matter = c.Subject
	}
	for code, value := range c.Facts {
		view.Facts[code] = value
	}
	for _, p := range c.Parties {
		view.Parties = append(view.Parties, partyView{ID: p.ID, Roles: list(p.Roles), Kind: string(p.Kind), Consent: string(p.Consent)})
	}
	for _, r := range c.Results {
		view.Results = append(view.Results, resultView{
			Matter: r.Matter, Outcome: string(r.Outcome), Number: r.Number, IssuedOn: r.IssuedOn, ValidUntil: r.ValidUntil,
			ReportedAt: r.ReportedAt.UTC(),
		})
	}
	if !c.ClosedAt.IsZero() {
		closed := c.ClosedAt.UTC()
		view.ClosedAt, view.ClosedFor = &closed, string(c.ClosedFor)
	}
	return &caseOutput{Status: http.StatusOK, Body: view}, nil
}

// list gives an empty list for none, which JSON would render as null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
