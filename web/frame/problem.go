package frame

import (
	"log/slog"
	"net/http"
	"net/url"

	"mianti/identity"
	"mianti/internal/fault"
)

// problemView is a page that says what went wrong and what to do.
type problemView struct {
	Text    string
	Details []fault.Detail
	// SignIn are the ways to sign in; empty where that is not the remedy.
	SignIn []link
	// Needs are the duties that the page takes.
	Needs []string
	// Elsewhere says that the visitor has duties in other departments.
	Elsewhere bool
	RequestID string
	Retry     string
}

type link struct{ Title, Path string }

func noSuchPage(*Visit) (Answer, error) {
	return Answer{}, fault.New(fault.NotFound, "no-such-page", "没有这个页面，或者您看不到它。请检查地址，或从菜单进入。")
}

// problem gives the page for an error.
func (s *Site) problem(v *Visit, err error) Answer {
	view := &problemView{RequestID: v.c.Writer.Header().Get("X-Request-Id")}
	status, title := http.StatusInternalServerError, "系统内部出错"
	view.Text = v.T("没有完成您的操作，已有的数据没有改变。请稍后重试；仍然不行时，请把请求编号告诉运维人员。")
	level, code, cause := slog.LevelError, "internal", err
	if refused, ok := err.(*missingDuty); ok { //nolint:errorlint // it is made in this package and never wrapped
		return s.refuseDuty(v, view, refused)
	}
	if f := fault.As(err); f != nil {
		level, code, cause = slog.LevelInfo, f.Code, f.Cause
		view.Text, view.Details = v.T(f.Message), f.Details
		status, title = statusOf(f.Kind)
		if f.Kind == fault.Unauthenticated {
			view.SignIn = s.waysIn(v)
		}
	}
	if status >= http.StatusInternalServerError {
		view.Retry = v.Request().URL.RequestURI()
		if v.Request().Method != http.MethodGet {
			view.Retry = ""
		}
	}
	s.Log.LogAttrs(v.Context(), level, "page refused", slog.String("route", v.c.FullPath()), slog.String("code", code), slog.Any("cause", cause),
		slog.String("request_id", view.RequestID))
	return Show("problem.html", title, view).Status(status)
}

// statusOf gives the status and the title for a kind of failure.
func statusOf(kind fault.Kind) (status int, title string) {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity, "提交的内容有误"
	case fault.Unauthenticated:
		return http.StatusUnauthorized, "请先登录"
	case fault.Denied:
		return http.StatusForbidden, "不能这样办理"
	case fault.NotFound:
		return http.StatusNotFound, "没有找到"
	case fault.Conflict:
		return http.StatusConflict, "现在不能这样办理"
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge, "内容太大"
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "暂时不能办理"
	case fault.Exhausted:
		return http.StatusTooManyRequests, "次数已用完"
	case fault.Gone:
		return http.StatusGone, "已按期销毁"
	default:
		return http.StatusInternalServerError, "系统内部出错"
	}
}

// waysIn are the ways to sign in, after which the visitor comes back.
func (s *Site) waysIn(v *Visit) []link {
	if s.People == nil {
		return nil
	}
	back := v.Request().URL.RequestURI()
	if v.Request().Method != http.MethodGet {
		back = "/"
	}
	query := "?" + url.Values{"return": {back}}.Encode()
	return []link{
		{v.T("申请人登录"), "/auth/" + string(identity.Citizen) + "/login" + query},
		{v.T("工作人员登录"), "/auth/" + string(identity.Staff) + "/login" + query},
	}
}

func (s *Site) refuseDuty(v *Visit, view *problemView, refused *missingDuty) Answer {
	for _, duty := range refused.needs {
		view.Needs = append(view.Needs, v.T(identity.DutyName(duty)))
	}
	view.Elsewhere = len(v.Session.Person.Departments()) > 1
	view.Text = v.T("您现在的岗位看不到这个页面。")
	return Show("problem.html", "没有这项权限", view).Status(http.StatusForbidden)
}
