package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"mianti/catalog"
	"mianti/citizen"
)

// myPageText is the page on which somebody prints all of his records.
//
//go:embed mypage.html
var myPageText string

// myPageStyle is the page's only style, by which the browser is told what to
// accept.
//
//go:embed mypage.css
var myPageStyle string

// registerMyPage adds the export as a page that is printed on A4.
func (s *server) registerMyPage(tag string) {
	op := s.operation(http.MethodGet, mePath+"/export/page", "print-my-data", "打印我的全部记录", tag, 403, 404)
	op.Description = "同导出，为可打印的网页（A4）。导出留痕。"
	op.Responses["200"] = &huma.Response{Description: "网页", Content: map[string]*huma.MediaType{
		htmlType: {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	handle(s, op, s.printMyData)
}

func (s *server) printMyData(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	export, err := own.Export(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	page, err := renderMyPage(export)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		sum := sha256.Sum256([]byte(myPageStyle))
		c := humagin.Unwrap(hc)
		c.Header("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; frame-ancestors 'none'")
		c.Data(http.StatusOK, htmlType+"; charset=utf-8", page)
	}}, nil
}

// renderMyPage makes the page of an export. The template escapes whatever a
// department sent.
func renderMyPage(export *citizen.OwnExport) ([]byte, error) {
	page, err := template.New("my-page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(myPageStyle) }, //nolint:gosec // our own file
		"at":    pageTime,
		"join":  pageJoin,
	}).Parse(myPageText)
	if err != nil {
		return nil, fmt.Errorf("read the page of an export: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, export); err != nil {
		return nil, fmt.Errorf("render the page of an export: %w", err)
	}
	return out.Bytes(), nil
}

// pageTime shows a moment as people in the city read it.
func pageTime(at any) string {
	switch t := at.(type) {
	case time.Time:
		return t.In(catalog.TimeZone()).Format("2006-01-02 15:04:05")
	case *time.Time:
		if t != nil {
			return pageTime(*t)
		}
	}
	return ""
}

func pageJoin(list []string) string {
	text := ""
	for i, item := range list {
		if i > 0 {
			text += "；"
		}
		text += item
	}
	return text
}
