package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"mianti/internal/fault"
)

// requireAcceptable refuses a caller that could not read the answer, before
// anything is done for it.
func (s *server) requireAcceptable(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	wanted := "application/json"
	for _, other := range []string{eventStream, htmlType, pdfType} {
		if ok := ctx.Operation().Responses["200"]; ok != nil && len(ok.Content) == 1 && ok.Content[other] != nil {
			wanted = other
		}
	}
	if !accepts(c.Request.Header.Values("Accept"), wanted) {
		s.refuse(c, fault.New(fault.Invalid, "not-acceptable", "这个操作只返回 %[1]s，请让 Accept 包含 %[1]s。", wanted))
		return
	}
	next(ctx)
}

// accepts reads Accept headers; none accepts anything.
func accepts(headers []string, wanted string) bool {
	any := false
	for _, header := range headers {
		for _, part := range strings.Split(header, ",") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			any = true
			kind, params, err := mime.ParseMediaType(part)
			if err != nil || isZero(params["q"]) {
				continue
			}
			if kind == "*/*" || kind == wanted || kind == wanted[:strings.IndexByte(wanted, '/')]+"/*" {
				return true
			}
		}
	}
	return !any
}

func isZero(quality string) bool {
	q, err := strconv.ParseFloat(quality, 64)
	return err == nil && q == 0
}

// requireStrictBody reads a JSON body once, refuses what decodeStrict and the
// operation's schema do not know, and hands the same bytes on.
func (s *server) requireStrictBody(ctx huma.Context, next func(huma.Context)) {
	wanted := ctx.Operation().RequestBody
	if wanted == nil || wanted.Content["application/json"] == nil {
		next(ctx)
		return
	}
	c := humagin.Unwrap(ctx)
	data, err := s.readBody(c)
	if err == nil {
		err = s.checkBody(c.Request.Header, wanted, data)
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(data))
	next(ctx)
}

func (s *server) readBody(c *gin.Context) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, s.MaxBody))
	if err == nil {
		return data, nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, fault.New(fault.TooLarge, "too-large", "请求体超过 %d 字节。", s.MaxBody)
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return nil, fault.New(fault.Invalid, "request-timeout", "请求体没有在时限内传完。")
	}
	return nil, fault.New(fault.Invalid, "unreadable-body", "请求体没有读完。")
}

func (s *server) checkBody(header http.Header, wanted *huma.RequestBody, data []byte) error {
	if len(data) == 0 {
		if wanted.Required {
			return fault.New(fault.Invalid, "missing-body", "这个操作需要 JSON 请求体。")
		}
		return nil
	}
	if !isJSON(header) {
		return fault.New(fault.Invalid, "unsupported-media-type", "Content-Type 须为 application/json，字符集 UTF-8，不压缩。")
	}
	value, err := decodeStrict(data)
	if err != nil {
		return err
	}
	schema := wanted.Content["application/json"].Schema
	if unknown := unknownFields(s.api.OpenAPI().Components.Schemas, schema, value, "body"); len(unknown) > 0 {
		return fault.New(fault.Invalid, "unknown-field", "有 %d 个接口没有的字段。", len(unknown)).With(unknown...)
	}
	return nil
}

func isJSON(header http.Header) bool {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/json" || len(header.Values("Content-Type")) != 1 {
		return false
	}
	charset, given := params["charset"]
	encoding := header.Get("Content-Encoding")
	return (!given || strings.EqualFold(charset, "utf-8")) && (encoding == "" || strings.EqualFold(encoding, "identity"))
}
