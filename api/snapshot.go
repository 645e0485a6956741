package api

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

const (
	csvType  = "text/csv"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	// maxSnapshot bounds a file, in bytes.
	maxSnapshot = 64 << 20
)

type loadSnapshotInput struct {
	Code        string `path:"code" maxLength:"100" pattern:"^[0-9A-Za-z][0-9A-Za-z._-]*$"`
	AsOf        string `query:"as_of" required:"true" format:"date" doc:"数据时点: 文件反映哪一天的数据"`
	ContentType string `header:"Content-Type" maxLength:"200" hidden:"true"`
	RawBody     []byte `contentType:"application/octet-stream"`
}

type loadSnapshotOutput struct {
	Body exchange.SnapshotReport
}

func (s *server) registerSnapshots() {
	load := s.operation(http.MethodPost, "/v1/sources/{code}/snapshots", "load-snapshot", "上传数据文件", "数源", 404, 409, 422)
	load.Description = "数源部门上传一份 CSV（text/csv）或 XLSX 文件。整份载入或整份不载入；有错时 errors 逐行说明，此前的数据继续有效。最大 64 MiB。"
	load.DefaultStatus = http.StatusCreated
	load.MaxBodyBytes = maxSnapshot
	load.BodyReadTimeout = time.Minute
	load.Middlewares = huma.Middlewares{s.admitSnapshot}
	handle(s, load, s.loadSnapshot)
	body := s.api.OpenAPI().Paths[load.Path].Post.RequestBody
	file := body.Content["application/octet-stream"]
	body.Content = map[string]*huma.MediaType{csvType: file, xlsxType: file}
}

// admitSnapshot refuses a file before it is received: for a source that is not
// the caller's, one that is too large, and one more than can be held at once.
func (s *server) admitSnapshot(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	err := s.Exchange.MayLoadSnapshot(ctx.Context(), callerOf(ctx.Context()), ctx.Param("code"))
	switch size := c.Request.ContentLength; {
	case err != nil:
	case size == 0:
		err = fault.New(fault.Invalid, "missing-body", "请求体就是文件，不能为空。")
	case size > maxSnapshot:
		err = fault.New(fault.TooLarge, "too-large", "文件超过 %d MiB。", maxSnapshot>>20)
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.receiveFile(ctx, next)
}

// admitFile refuses a file before it is received, when it has more bytes than it may or
// others are being received: each is held in memory.
func (s *server) admitFile(most int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		if c.Request.ContentLength > most {
			s.refuse(c, fault.New(fault.TooLarge, "too-large", "文件超过 %d MiB。请分成几个文件。", most>>20))
			return
		}
		s.receiveFile(ctx, next)
	}
}

// receiveFile goes on when not too many files are being received already.
func (s *server) receiveFile(ctx huma.Context, next func(huma.Context)) {
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
		next(ctx)
	default:
		s.refuse(humagin.Unwrap(ctx), fault.New(fault.Unavailable, "unavailable", "正在接收别的文件，请稍后再传。"))
	}
}

// maxUploads is how many files are received at once: each is held in memory.
const maxUploads = 2

func (s *server) loadSnapshot(ctx context.Context, in *loadSnapshotInput) (*loadSnapshotOutput, error) {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if err != nil || (kind != csvType && kind != xlsxType) {
		return nil, fault.New(fault.Invalid, "unsupported-media-type", "Content-Type 须为 %s 或 %s。", csvType, xlsxType)
	}
	day, err := time.ParseInLocation(time.DateOnly, in.AsOf, catalog.TimeZone())
	if err != nil || day.After(s.Now()) {
		return nil, fault.New(fault.Invalid, "invalid-request", "数据时点不正确。").
			With(fault.Detail{Location: "query.as_of", Code: "invalid-date", Message: "请填写不晚于今天的日期，例如 2026-11-23。"})
	}
	report, err := s.Exchange.LoadSnapshot(ctx, callerOf(ctx), in.Code, exchange.SnapshotFile{
		Content: bytes.NewReader(in.RawBody), Size: int64(len(in.RawBody)), Excel: kind == xlsxType, AsOf: day,
	})
	if err != nil {
		return nil, err
	}
	return &loadSnapshotOutput{Body: report}, nil
}
