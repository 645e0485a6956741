package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"mianti/internal/fault"
)

// retryAfter is what a caller is told to wait, in seconds, when a part that is
// needed is away.
const retryAfter = "5"

// problem is the one form of an error (RFC 9457).
type problem struct {
	Type      string         `json:"type" format:"uri-reference" doc:"稳定的问题类型, 打开即见说明" example:"/problems/invalid-case"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail" doc:"哪里不对, 怎样改正"`
	Instance  string         `json:"instance,omitempty" format:"uri-reference"`
	Fault     string         `json:"fault" enum:"caller,exchange,source" doc:"由哪一方解决"`
	Code      string         `json:"code" example:"invalid-case"`
	Errors    []fault.Detail `json:"errors,omitempty"`
	RequestID string         `json:"request_id" doc:"报障时请提供"`
	headers   http.Header
}

// Error gives the public text.
func (p *problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders gives the headers that go with the status.
func (p *problem) GetHeaders() http.Header { return p.headers }

// ContentType names the media type of problems.
func (p *problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statusOf is the table from kind to HTTP status and to the code that stands
// for the kind when a failure has none of its own.
func statusOf(kind fault.Kind) (status int, code string) {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity, "invalid-request"
	case fault.Unauthenticated:
		return http.StatusUnauthorized, "unauthenticated"
	case fault.Denied:
		return http.StatusForbidden, "denied"
	case fault.NotFound:
		return http.StatusNotFound, "unknown"
	case fault.Conflict:
		return http.StatusConflict, "conflict"
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge, "too-large"
	case fault.Exhausted:
		return http.StatusTooManyRequests, "quota-exceeded"
	case fault.Gone:
		return http.StatusGone, "case-destroyed"
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "unavailable"
	default:
		return http.StatusInternalServerError, "internal"
	}
}

func unauthenticated() *fault.Error {
	return fault.New(fault.Unauthenticated, "unauthenticated", "没有有效的访问令牌。请到 /oauth/token 换取后重试。")
}

func notYourDuty() *fault.Error {
	return fault.New(fault.Denied, "not-your-duty", "您的岗位不能使用这项功能。确有需要的，请联系本部门管理员。")
}

func noSuchRoute() *fault.Error {
	return fault.New(fault.NotFound, "no-such-route", "没有这个地址。接口说明见 /docs。")
}

func methodNotAllowed() *fault.Error {
	return fault.New(fault.Invalid, "method-not-allowed", "这个地址不支持该方法，可用的方法见 Allow 标头。")
}

// problemFor renders a failure. What is no fault of a known kind is internal,
// and shows nothing but the request's id.
func (s *server) problemFor(err error) *problem {
	f := fault.As(err)
	if f == nil {
		f = fault.New("", "internal", "系统内部出错。请稍后重试；仍然不行时，请凭 request_id 联系运维。")
		if errors.Is(err, context.DeadlineExceeded) {
			f = fault.New(fault.Unavailable, "unavailable", "没有在时限内完成，请稍后重试。")
		}
	}
	status, code := statusOf(f.Kind)
	text, known := s.texts[f.Code]
	if known {
		code = f.Code
	} else {
		text = s.texts[code]
	}
	if text.status != 0 {
		status = text.status
	}
	p := &problem{
		Type: "/problems/" + code, Title: text.title, Status: status, Detail: f.Message, Fault: "caller", Code: code,
		Errors: boundDetails(f.Details), headers: http.Header{},
	}
	if status >= http.StatusInternalServerError {
		p.Fault = "exchange"
	}
	if status == http.StatusServiceUnavailable || code == "request-in-progress" {
		p.headers.Set("Retry-After", retryAfter)
	}
	if f.Wait > 0 {
		p.headers.Set("Retry-After", seconds(f.Wait))
	}
	return p
}

// seconds is a time to wait as Retry-After wants it: not less than it is.
func seconds(wait time.Duration) string {
	return strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
}

const (
	maxDetails  = 50
	maxLocation = 200
)

// boundDetails keeps an answer small and printable, whatever was sent: a
// location can hold names that the caller made up.
func boundDetails(details []fault.Detail) []fault.Detail {
	bound := slices.Clone(details[:min(len(details), maxDetails)])
	for i := range bound {
		location := []rune(strings.ToValidUTF8(bound[i].Location, "?"))
		if len(location) > maxLocation {
			location = append(location[:maxLocation], '…')
		}
		bound[i].Location = strings.Map(visible, string(location))
	}
	if more := len(details) - maxDetails; more > 0 {
		bound = append(bound, fault.Detail{Location: "body", Code: "and-more", Message: fmt.Sprintf("另有 %d 处。", more)})
	}
	return bound
}

func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return '�'
	}
	return r
}

// failed turns what a use case returned into what is sent, and tells the
// operator what the caller is not told.
func (s *server) failed(ctx context.Context, err error) error {
	var refused *oauthError
	if errors.As(err, &refused) {
		return refused
	}
	p := s.problemFor(err)
	s.logFailure(ctx, p, err)
	return p
}

func (s *server) logFailure(ctx context.Context, p *problem, err error) {
	if p.Status < http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return
	}
	level := slog.LevelError
	if p.Status == http.StatusServiceUnavailable {
		level = slog.LevelWarn
	}
	s.Log.LogAttrs(ctx, level, "request failed", slog.String("request_id", requestOf(ctx).id),
		slog.String("code", p.Code), slog.Any("cause", err))
}

// transform puts every error body into its form: those of huma's own
// validation, and ours, which lack the request so far.
func (s *server) transform(ctx huma.Context, _ string, body any) (any, error) {
	switch b := body.(type) {
	case *problem:
		return s.placed(ctx, b), nil
	case *huma.ErrorModel:
		if path := ctx.Operation().Path; path == tokenPath || path == revokePath {
			ctx.SetHeader("Content-Type", "application/json")
			return &oauthError{Code: "invalid_request", Description: "the request cannot be read"}, nil
		}
		return s.placed(ctx, s.fromValidation(b)), nil
	default:
		return body, nil
	}
}

// placed adds which request it was.
func (s *server) placed(ctx huma.Context, p *problem) *problem {
	copied := *p
	url := ctx.URL()
	copied.Instance, copied.RequestID = url.EscapedPath(), requestOf(ctx.Context()).id
	return &copied
}

// fromValidation renders what huma found against the interface's own
// description. Its status is already sent, so it is kept.
func (s *server) fromValidation(m *huma.ErrorModel) *problem {
	f := fault.New(fault.Invalid, "invalid-request", "请求有 %d 处不符合接口说明。", len(m.Errors))
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		f = fault.New(fault.TooLarge, "too-large", "请求体超过上限。")
	case http.StatusInternalServerError:
		f = fault.New("", "internal", "系统内部出错。请凭 request_id 联系运维。")
	}
	for _, e := range m.Errors {
		f = f.With(detailOf(e))
	}
	p := s.problemFor(f)
	p.Status = m.Status
	return p
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
