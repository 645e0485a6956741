package identity

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

//go:embed pages
var pageFiles embed.FS

// homePath is the page that shows who is signed in, and how to sign in.
const homePath = "/auth/"

// pages serves what people see of signing in. Everything else of it is the API.
type pages struct {
	*Identity
	page  *template.Template
	style []byte
}

// Handler serves the pages and routes below /auth/. It sets its own headers.
func (i *Identity) Handler() (http.Handler, error) {
	page, err := template.ParseFS(pageFiles, "pages/page.html")
	if err != nil {
		return nil, err
	}
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, err
	}
	p := &pages{Identity: i, page: page, style: style}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/{$}", p.handle(p.home))
	mux.HandleFunc("GET /auth/style.css", p.stylesheet)
	mux.HandleFunc("POST /auth/logout", p.handle(p.logout))
	mux.HandleFunc("POST /auth/department", p.handle(p.department))
	for _, kind := range []Kind{Staff, Citizen} {
		mux.HandleFunc("GET /auth/"+string(kind)+"/login", p.handle(func(w http.ResponseWriter, r *http.Request) error { return i.start(w, r, kind) }))
		mux.HandleFunc("GET /auth/callback/"+string(kind), p.handle(func(w http.ResponseWriter, r *http.Request) error { return i.finish(w, r, kind) }))
	}
	mux.HandleFunc("/auth/", p.handle(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "no-such-route", "没有这个页面。")
	}))
	return mux, nil
}

// handle shows what a route returns as an error. What a provider says is never
// part of it.
func (p *pages) handle(route func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		err := p.sameSite.Check(r)
		if err != nil {
			err = CrossSite()
		} else {
			err = route(w, r)
		}
		if err != nil {
			p.fail(w, r, err)
		}
	}
}

// CrossSite is the refusal of a request that another site made in the name of
// somebody who has signed in.
func CrossSite() error {
	return fault.New(fault.Denied, "cross-site", "这个请求来自别的网站，没有执行。请在本系统的页面上操作。")
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, "系统内部出错。请稍后重试；仍然不行时，请联系运维人员。"
	level, code, cause := slog.LevelError, "internal", err
	if f := fault.As(err); f != nil {
		level, code, text, cause = slog.LevelInfo, f.Code, f.Message, f.Cause
		switch f.Kind {
		case fault.Denied:
			status = http.StatusForbidden
		case fault.NotFound:
			status = http.StatusNotFound
		case fault.Unauthenticated:
			status = http.StatusUnauthorized
		case fault.Unavailable:
			status, level = http.StatusServiceUnavailable, slog.LevelWarn
		default:
			status = http.StatusUnprocessableEntity
		}
	}
	p.Log.LogAttrs(r.Context(), level, "sign-in refused", slog.String("code", code), slog.Any("cause", cause))
	p.show(w, status, shown{Title: "没有完成", Problem: text})
}

// shown is what a page shows.
type shown struct {
	Title   string
	Problem string
	Session *shownSession
	Ways    []way
}

type way struct {
	Kind      Kind
	Name, For string
	Open      bool
}

type shownSession struct {
	Person, Kind, Name, Department, IdleEnd string
	Duties                                  []string
	NoDuty                                  bool
	Departments                             []shownDepartment
}

type shownDepartment struct {
	Code, Name string
	Chosen     bool
}

func (p *pages) home(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Session(r)
	if errors.Is(err, fault.Unauthenticated) {
		p.show(w, http.StatusOK, shown{Title: "登录", Ways: []way{
			{Staff, kindName(Staff), "审批、数据共享、目录、审计与运维人员", p.Staff != nil},
			{Citizen, kindName(Citizen), "查看自己的办件，同意或拒绝使用自己的数据", p.Citizens != nil},
		}})
		return nil
	}
	if err != nil {
		return err
	}
	p.show(w, http.StatusOK, shown{Title: "已登录", Session: p.shownSession(r.Context(), s)})
	return nil
}

func (p *pages) shownSession(ctx context.Context, s *Session) *shownSession {
	out := &shownSession{
		Person: s.Person.ID, Kind: kindName(s.Person.Kind), Name: s.Person.Name, IdleEnd: s.IdleEnd.In(catalog.TimeZone()).Format("15:04"),
		NoDuty: s.Person.Kind == Staff && len(s.Person.Duties) == 0,
	}
	if s.Department != "" {
		out.Department = p.departmentName(ctx, s.Department)
	}
	for _, duty := range s.Duties {
		if s.Person.Kind == Staff {
			out.Duties = append(out.Duties, DutyName(duty))
		}
	}
	if codes := s.Person.Departments(); len(codes) > 1 {
		for _, code := range codes {
			out.Departments = append(out.Departments, shownDepartment{code, p.departmentName(ctx, code), code == s.Department})
		}
	}
	return out
}

func (p *pages) departmentName(ctx context.Context, code string) string {
	if name := p.DepartmentName(ctx, code); name != "" {
		return name
	}
	return code // the catalog does not have it any more
}

func (p *pages) logout(w http.ResponseWriter, r *http.Request) error {
	if err := p.end(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, homePath, http.StatusSeeOther)
	return nil
}

// maxForm bounds a form.
const maxForm = 4 << 10

func (p *pages) department(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if _, err := p.ChooseDepartment(r, r.PostFormValue("department")); err != nil {
		return err
	}
	http.Redirect(w, r, homePath, http.StatusSeeOther)
	return nil
}

func (p *pages) stylesheet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(p.style) // who has gone does not need it
}

func (p *pages) show(w http.ResponseWriter, status int, s shown) {
	var body bytes.Buffer
	if err := p.page.Execute(&body, s); err != nil {
		http.Error(w, "系统内部出错。", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // who has gone does not need it
}

func kindName(k Kind) string {
	if k == Staff {
		return "工作人员"
	}
	return "申请人"
}

// DutyName is what people call a duty.
func DutyName(d policies.Duty) string {
	names := map[policies.Duty]string{
		policies.DutySystem: "接入系统", policies.DutyPerson: "已登录人员", policies.DutyCitizen: "申请人", policies.DutyClerk: "审批人员",
		policies.DutySharingOfficer: "数据共享人员", policies.DutyPolicyEditor: "目录编辑", policies.DutyPolicyReviewer: "目录审核",
		policies.DutyDepartmentAdmin: "部门管理员", policies.DutyAuditor: "审计", policies.DutyOperator: "运维",
	}
	if name := names[d]; name != "" {
		return name
	}
	return string(d)
}
