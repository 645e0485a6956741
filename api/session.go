package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"mianti/identity"
	"mianti/internal/fault"
	"mianti/policies"
)

// Sessions (会话) finds the sessions of those who have signed in.
type Sessions interface {
	// Session gives the session that a request belongs to; fault.Unauthenticated
	// for none.
	Session(r *http.Request) (*identity.Session, error)
	// ChooseDepartment sets for which of his departments somebody acts from now on.
	ChooseDepartment(r *http.Request, department string) (*identity.Session, error)
}

// sessionView is who has signed in.
type sessionView struct {
	Person      string               `json:"person" doc:"人员编号; 不含姓名和号码"`
	Kind        identity.Kind        `json:"kind" enum:"staff,citizen"`
	Name        string               `json:"name,omitempty" doc:"姓名; 申请人的姓名不保存"`
	Department  string               `json:"department,omitempty" doc:"现在为哪个部门办理; 有多个部门时须先选择"`
	Duties      []policies.Duty      `json:"duties" doc:"在该部门的岗位"`
	Departments []departmentDutyView `json:"departments" doc:"有岗位的全部部门"`
	IdleEnd     time.Time            `json:"idle_end" doc:"没有操作时, 会话在此时失效"`
	End         time.Time            `json:"end" doc:"会话最迟在此时失效"`
}

type departmentDutyView struct {
	Department string          `json:"department"`
	Duties     []policies.Duty `json:"duties"`
}

type sessionOutput struct {
	Body sessionView
}

type chooseInput struct {
	Body struct {
		Department string `json:"department" minLength:"1" maxLength:"64"`
	}
}

func (s *server) registerSession() {
	read := s.operation(http.MethodGet, "/v1/session", "read-session", "查看登录状态", "登录", 403, 404)
	read.Middlewares = huma.Middlewares{keepRequest}
	handle(s, read, s.readSession)
	choose := s.operation(http.MethodPost, "/v1/session/department", "choose-department", "选择为哪个部门办理", "登录", 403, 404, 422)
	choose.Middlewares = huma.Middlewares{keepRequest}
	handle(s, choose, s.chooseDepartment)
}

// registerSignIn adds the pages of signing in.
func (s *server) registerSignIn() {
	if s.SignIn == nil {
		return
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s.engine.Handle(method, "/auth/*page", gin.WrapH(s.SignIn))
	}
}

type rawRequestKey struct{}

// keepRequest lets a handler see the request itself, for its cookie.
func keepRequest(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, rawRequestKey{}, humagin.Unwrap(ctx).Request))
}

func (s *server) readSession(ctx context.Context, _ *struct{}) (*sessionOutput, error) {
	r, err := s.requestOfPerson(ctx)
	if err != nil {
		return nil, err
	}
	session, err := s.Sessions.Session(r)
	if err != nil {
		return nil, err
	}
	return &sessionOutput{Body: viewSession(session)}, nil
}

func (s *server) chooseDepartment(ctx context.Context, in *chooseInput) (*sessionOutput, error) {
	r, err := s.requestOfPerson(ctx)
	if err != nil {
		return nil, err
	}
	session, err := s.Sessions.ChooseDepartment(r, in.Body.Department)
	if err != nil {
		return nil, err
	}
	return &sessionOutput{Body: viewSession(session)}, nil
}

func (s *server) requestOfPerson(ctx context.Context) (*http.Request, error) {
	r, ok := ctx.Value(rawRequestKey{}).(*http.Request)
	if !ok || s.Sessions == nil {
		return nil, signInOff()
	}
	return r, nil
}

func signInOff() error {
	return fault.New(fault.NotFound, "sign-in-off", "没有接入人员登录。")
}

func viewSession(s *identity.Session) sessionView {
	out := sessionView{
		Person: s.Person.ID, Kind: s.Person.Kind, Name: s.Person.Name, Department: s.Department, IdleEnd: s.IdleEnd.UTC(), End: s.End.UTC(),
		Duties: append([]policies.Duty{}, s.Duties...), Departments: []departmentDutyView{},
	}
	for _, code := range s.Person.Departments() {
		out.Departments = append(out.Departments, departmentDutyView{code, s.Person.DutiesIn(code)})
	}
	return out
}

// notHis says why an operation is not the caller's: somebody without any duty, or
// who has not chosen his department, is told what to do about it.
func (s *server) notHis(r *http.Request, caller policies.Caller) error {
	if caller.Person == "" || len(caller.Duties) > 1 || !caller.Has(policies.DutyPerson) || s.Sessions == nil {
		return notYourDuty()
	}
	session, err := s.Sessions.Session(r)
	if err != nil {
		return err
	}
	if len(session.Person.Duties) == 0 {
		return fault.New(fault.Denied, "no-duty", "您还没有岗位，请联系本部门管理员。您的人员编号是 %s。", session.Person.ID)
	}
	return fault.New(fault.Denied, "no-department", "您在多个部门有岗位，请先用 POST /v1/session/department 选择为哪个部门办理。")
}

// origin is the part of an address that browsers send as Origin.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}
