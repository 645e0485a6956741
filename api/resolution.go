package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mianti/admission"
	"mianti/exchange"
	"mianti/policies"
)

const resolutionsPath = "/v1/resolutions"

// Preference is what a caller would like (RFC 7240): wait=N. It is exported for
// the reason that CasePath is.
type Preference struct {
	Prefer string `header:"Prefer" maxLength:"200" doc:"wait=秒数: 核验结果会自动继续时, 最多等这么久再返回 (上限 50)"`
}

type resolveInput struct {
	CasePath
	Preference
	Key  string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]+$" doc:"重试时不变; 同一键得到同一核验结果"`
	Body *struct{}
}

type readResolutionInput struct {
	CasePath
	Preference
	IfNoneMatch string `header:"If-None-Match" maxLength:"1000"`
}

// resolutionOutput is a resolution. One that goes on by itself says when to ask
// again.
type resolutionOutput struct {
	Status            int
	Location          string `header:"Location"`
	ETag              string `header:"ETag"`
	RetryAfter        string `header:"Retry-After"`
	PreferenceApplied string `header:"Preference-Applied"`
	Body              *exchange.Resolution
}

func (s *server) registerResolutions() {
	const tag = "核验"
	resolve := s.operation(http.MethodPost, casesPath+"/{id}/resolutions", "resolve-case", "核验办件的材料", tag, 202, 403, 404, 409, 410, 422, 429)
	resolve.DefaultStatus = http.StatusCreated
	resolve.Description = "向各部门并行查询，返回每项材料的结论与仍需上传的清单。数源故障是结论的一部分，不是错误。" +
		"201：这就是结果；202：也是结果，但还在等数源或协查，会自动继续核验，可按 Retry-After 再读、用 Prefer: wait 等待、订阅事件或接收 webhook。"
	handle(s, resolve, s.resolve)
	answers := s.api.OpenAPI().Paths[resolve.Path].Post.Responses
	answers["202"].Content, answers["202"].Headers = answers["201"].Content, answers["201"].Headers // the same answer, and it goes on
	read := s.operation(http.MethodGet, resolutionsPath+"/{id}", "read-resolution", "读取核验结果", tag, 304, 404, 422)
	read.Description = "返回最新一版。每次返回内容都留痕；带 If-None-Match 而没有新版时返回 304，不留痕。"
	handle(s, read, s.readResolution)
	s.registerEvents(tag)
	s.registerFiles(tag)
}

func (s *server) resolve(ctx context.Context, in *resolveInput) (*resolutionOutput, error) {
	caller, waiting := callerOf(ctx), s.waiting(in.Prefer)
	patience, stop := s.patience(ctx, waiting)
	defer stop()
	var key *exchange.Key
	if in.Key != "" {
		sum := sha256.Sum256([]byte("resolve " + in.ID))
		key = &exchange.Key{System: caller.System, Value: in.Key, Request: "sha256:" + hex.EncodeToString(sum[:]), At: s.Now().UTC()}
	}
	r, err := s.Exchange.Resolve(ctx, caller, in.ID, key)
	if err != nil {
		return nil, err
	}
	if r, err = s.await(ctx, patience, caller, r); err != nil {
		return nil, err
	}
	out := s.rendered(r, waiting)
	out.Location = resolutionsPath + "/" + r.ID
	if out.Status = http.StatusCreated; r.Continues() {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

func (s *server) readResolution(ctx context.Context, in *readResolutionInput) (*resolutionOutput, error) {
	caller, waiting := callerOf(ctx), s.waiting(in.Prefer)
	state, err := s.Exchange.ResolutionState(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	patience, stop := s.patience(ctx, waiting)
	defer stop()
	if state.Continues && patience.Err() == nil {
		back := admission.From(ctx).Away()
		state, err = s.Exchange.AwaitEnd(patience, caller, in.ID)
		if back(); err != nil {
			return nil, err
		}
	}
	if tag := resolutionTag(in.ID, state.Version, state.Continues); noneMatch(in.IfNoneMatch, tag) {
		return &resolutionOutput{Status: http.StatusNotModified, ETag: tag}, nil
	}
	r, err := s.Exchange.Resolution(ctx, caller, in.ID)
	if err != nil {
		return nil, err
	}
	out := s.rendered(r, waiting)
	out.Status = http.StatusOK
	return out, nil
}

// patience is a context that ends when the caller does not want to wait any
// longer, counted from his request, or when the server is being shut down.
func (s *server) patience(ctx context.Context, waiting time.Duration) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithTimeout(ctx, waiting)
	if waiting > 0 {
		go func() {
			select {
			case <-s.Draining:
				stop()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, stop
}

// await waits for a resolution that goes on by itself, as long as patience
// lasts.
func (s *server) await(ctx, patience context.Context, caller policies.Caller, r *exchange.Resolution) (*exchange.Resolution, error) {
	if !r.Continues() || patience.Err() != nil {
		return r, nil
	}
	back := admission.From(ctx).Away()
	state, err := s.Exchange.AwaitEnd(patience, caller, r.ID)
	if back(); err != nil {
		return nil, err
	}
	if state.Version == r.Version && state.Continues {
		return r, nil
	}
	return s.Exchange.Resolution(ctx, caller, r.ID)
}

func (s *server) rendered(r *exchange.Resolution, waited time.Duration) *resolutionOutput {
	out := &resolutionOutput{ETag: resolutionTag(r.ID, r.Version, r.Continues()), Body: r}
	if r.Continues() {
		seconds := int(r.RetryAt.Sub(s.Now()).Seconds()) + 1
		out.RetryAfter = strconv.Itoa(max(1, seconds))
	}
	if waited > 0 {
		out.PreferenceApplied = "wait=" + strconv.Itoa(int(waited.Seconds()))
	}
	return out
}

// longestPreference bounds how long a caller may wait, so that the answer is
// out before the server gives the connection up.
const longestPreference = 50 * time.Second

// waiting reads wait=N of a Prefer header; anything else is not understood and,
// as RFC 7240 wants, ignored.
func (s *server) waiting(prefer string) time.Duration {
	for part := range strings.SplitSeq(prefer, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(part), "wait=")
		if !ok {
			continue
		}
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds < 0 {
			return 0
		}
		return min(time.Duration(min(seconds, 3600))*time.Second, longestPreference)
	}
	return 0
}
