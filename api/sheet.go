package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/sheet"
)

const (
	checkPath = "/check/"
	htmlType  = "text/html"
	pdfType   = "application/pdf"
)

func (s *server) registerSheets() {
	const tag = "凭据"
	page := s.operation(http.MethodGet, resolutionsPath+"/{id}/sheet", "read-sheet", "核验单 (网页)", tag, 404, 422)
	page.Description = "可以直接打印的核验单，用于归档。不含任何数据项的值，证件号码只显示部分。每次出具先留痕。"
	page.Responses["200"] = &huma.Response{Description: "核验单", Content: map[string]*huma.MediaType{htmlType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	handle(s, page, s.readSheet)
	print := s.operation(http.MethodGet, resolutionsPath+"/{id}/sheet.pdf", "print-sheet", "核验单 (PDF)", tag, 404, 409, 422)
	print.Description = "同一份核验单的 PDF。需要运维人员配置中文字体 (MIANTI_PDF_FONT)。"
	print.Responses["200"] = &huma.Response{Description: "核验单", Content: map[string]*huma.MediaType{pdfType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	handle(s, print, s.printSheet)
}

func (s *server) readSheet(ctx context.Context, in *CasePath) (*huma.StreamResponse, error) {
	return s.renderSheet(ctx, in, htmlType+"; charset=utf-8", func(out *bytes.Buffer, of *exchange.Sheet) error {
		return sheet.Page(out, of, s.checkURL(of.Code))
	})
}

func (s *server) printSheet(ctx context.Context, in *CasePath) (*huma.StreamResponse, error) {
	if s.PDFFont == nil {
		return nil, fault.New(fault.Unavailable, "no-pdf-font", "没有配置中文字体，不能生成 PDF。请运维人员用 MIANTI_PDF_FONT 指定一个 TrueType 中文字体文件；网页版核验单不受影响，可在浏览器中打印为 PDF。")
	}
	return s.renderSheet(ctx, in, pdfType, func(out *bytes.Buffer, of *exchange.Sheet) error {
		err := sheet.PDF(out, of, s.checkURL(of.Code), s.PDFFont)
		if errors.Is(err, sheet.ErrLetters) {
			err = fault.New(fault.Conflict, "font-lacks-letters", "配置的字体缺少这份核验单要用的字（如姓名中的生僻字），没有生成 PDF。请打开网页版核验单打印，或由运维人员换用收字更全的字体。").Because(err)
		}
		return err
	})
}

// checkURL is where anybody can check a sheet.
func (s *server) checkURL(code string) string { return s.Issuer + checkPath + code }

// renderSheet renders a sheet whole before any of it is sent.
func (s *server) renderSheet(ctx context.Context, in *CasePath, kind string, render func(*bytes.Buffer, *exchange.Sheet) error) (*huma.StreamResponse, error) {
	of, err := s.Exchange.Sheet(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := render(&out, of); err != nil {
		return nil, err
	}
	policy, err := sheet.Policy()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		c.Header("Content-Security-Policy", policy)
		c.Header("Content-Disposition", `inline; filename="sheet-`+of.Number+fileEnding(kind)+`"`)
		c.Data(http.StatusOK, kind, out.Bytes())
	}}, nil
}

func fileEnding(kind string) string {
	if kind == pdfType {
		return ".pdf"
	}
	return ".html"
}

// checkSheet is the page to which a sheet's QR code leads. Anybody may see it.
func (s *server) checkSheet(c *gin.Context) {
	status := http.StatusOK
	check, err := s.Exchange.CheckSheet(c.Request.Context(), c.Param("code"))
	if errors.Is(err, fault.NotFound) {
		status, check, err = http.StatusNotFound, nil, nil
	}
	var out bytes.Buffer
	if err == nil {
		err = sheet.CheckPage(&out, check)
	}
	policy, policyErr := sheet.Policy()
	if err = errors.Join(err, policyErr); err != nil {
		s.refuse(c, err)
		return
	}
	c.Header("Content-Security-Policy", policy)
	c.Data(status, htmlType+"; charset=utf-8", out.Bytes())
}
