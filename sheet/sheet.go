// Package sheet renders what is printed and what is looked at of evidence: the
// sheet (核验单) of a case's file, as a page and as PDF, and the page on which
// anybody checks one. It is pure: what it shows is handed in.
package sheet

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

//go:embed pages
var pageFiles embed.FS

// Page writes a sheet as a page that prints on A4. check is the address to which
// its QR code leads.
func Page(w io.Writer, s *exchange.Sheet, check string) error {
	code, err := qrSVG(check)
	if err != nil {
		return err
	}
	return render(w, "sheet.html", struct {
		*exchange.Sheet
		Check string
		QR    template.HTML
	}{s, check, code})
}

// CheckPage writes what anybody is told who has a sheet's code; nil for a code
// that was never given out.
func CheckPage(w io.Writer, c *exchange.SheetCheck) error {
	return render(w, "check.html", struct{ Check *exchange.SheetCheck }{c})
}

// Policy is the content security policy of the pages: their own style, and
// nothing else.
func Policy() (string, error) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(style)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nil
}

func render(w io.Writer, name string, data any) error {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return err
	}
	page, err := template.New(name).Funcs(template.FuncMap{
		"style":   func() template.CSS { return template.CSS(style) }, //nolint:gosec // our own file
		"day":     day,
		"moment":  moment,
		"outcome": outcomeText,
		"mode":    modeText,
		"status":  statusText,
		"party":   partyName,
	}).ParseFS(pageFiles, "pages/"+name)
	if err != nil {
		return err
	}
	return page.Execute(w, data)
}

// qrSVG draws a QR code that any printer renders sharply.
func qrSVG(text string) (template.HTML, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	bitmap := code.Bitmap() // with its quiet zone
	var path strings.Builder
	for y, row := range bitmap {
		for x, dark := range row {
			if dark {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="核对二维码" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, len(bitmap), path.String())), nil //nolint:gosec // numbers alone
}

// day is a date in Shanghai.
func day(at *time.Time) string {
	if at == nil || at.IsZero() {
		return "未注明"
	}
	return at.In(catalog.TimeZone()).Format(time.DateOnly)
}

func moment(at time.Time) string { return at.In(catalog.TimeZone()).Format("2006-01-02 15:04") }

// outcomeText says an outcome as an official does.
func outcomeText(o policies.Outcome) string {
	switch o {
	case policies.Settled:
		return "已核验，免提交"
	case policies.Committed:
		return "告知承诺"
	case policies.Deferred:
		return "容缺，限期补交"
	case policies.Verifying:
		return "核验中"
	case policies.AwaitingPrior:
		return "待前序结果"
	case policies.NeedsConsent:
		return "待本人授权"
	case policies.NeedsFact:
		return "待补充情形"
	case policies.Upload:
		return "需提交"
	case policies.NotApplicable:
		return "不适用"
	}
	return string(o)
}

// modeText says a mode as an official does.
func modeText(m catalog.Mode) string {
	switch m {
	case catalog.ModeForm:
		return "表单生成"
	case catalog.ModeCancel:
		return "取消提交"
	case catalog.ModePrior:
		return "前序结果"
	case catalog.ModeElicense:
		return "电子证照"
	case catalog.ModeData:
		return "数据核验"
	case catalog.ModeHistory:
		return "历史材料"
	case catalog.ModeAssist:
		return "人工协查"
	case catalog.ModeWait:
		return "等候数源"
	case catalog.ModeCommit:
		return "告知承诺"
	case catalog.ModeDefer:
		return "容缺受理"
	case catalog.ModeUpload:
		return "提交"
	}
	return string(m)
}

func statusText(s exchange.Status) string {
	switch s {
	case exchange.StatusComplete:
		return "核验完成"
	case exchange.StatusPending:
		return "核验尚在进行，以最后一版为准"
	case exchange.StatusNeedsInput:
		return "尚待补充情形或授权"
	}
	return string(s)
}

// partyName is whose a material is.
func partyName(parties []exchange.SheetParty, id string) string {
	for _, p := range parties {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}
