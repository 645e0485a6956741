package sheet

import (
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/skip2/go-qrcode"

	"mianti/exchange"
)

// Lengths of the PDF, in millimetres.
const (
	pageMargin = 18.0
	textWidth  = 210 - 2*pageMargin
	qrSize     = 34.0
	lineHeight = 5.6
	smallLine  = 4.6
	foot       = 20.0 // kept free at the bottom
)

// family is how the font is called within the document.
const family = "sheet"

// PDF writes the same sheet as PDF, in a TrueType font that has Chinese letters.
// The letters that it uses go into the document. It is ErrLetters when the font
// lacks one: a name is never printed in part.
func PDF(w io.Writer, s *exchange.Sheet, check string, font *Font) error {
	p, err := newPrint(s, font)
	if err != nil {
		return err
	}
	if err := p.head(check); err != nil {
		return err
	}
	p.parties()
	p.materials()
	p.end(check)
	if p.lacks {
		return ErrLetters
	}
	if err := p.doc.Output(w); err != nil {
		return fmt.Errorf("write a PDF: %w", err)
	}
	return nil
}

// print is a sheet on its way to paper.
type print struct {
	doc   *fpdf.Fpdf
	of    *exchange.Sheet
	font  *Font
	lacks bool // the font has not all letters
}

func newPrint(s *exchange.Sheet, font *Font) (*print, error) {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetMargins(pageMargin, pageMargin, pageMargin)
	doc.SetAutoPageBreak(true, foot)
	// The same sheet gives the same bytes.
	doc.SetCreationDate(s.IssuedAt.UTC())
	doc.SetModificationDate(s.IssuedAt.UTC())
	doc.SetCatalogSort(true)
	doc.SetTitle("核验单 "+s.CaseNumber, true)
	doc.SetLang("zh-CN")
	doc.AddUTF8FontFromBytes(family, "", font.bytes)
	doc.SetFooterFunc(func() {
		doc.SetY(-foot + 6)
		doc.SetFont(family, "", 8)
		doc.SetTextColor(87, 96, 106)
		doc.CellFormat(textWidth-20, smallLine, "核验单 "+s.Number, "", 0, "L", false, 0, "")
		doc.CellFormat(20, smallLine, fmt.Sprintf("第 %d 页", doc.PageNo()), "", 0, "R", false, 0, "")
	})
	if doc.Error() != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, doc.Error())
	}
	doc.AddPage()
	return &print{doc: doc, of: s, font: font}, nil
}

// text writes a paragraph that breaks anywhere, as Chinese does.
func (p *print) text(size float64, soft bool, width, height float64, text string) {
	p.doc.SetFont(family, "", size)
	if p.doc.SetTextColor(27, 31, 36); soft {
		p.doc.SetTextColor(87, 96, 106)
	}
	for _, line := range p.broken(text, width) {
		p.doc.CellFormat(width, height, line, "", 2, "L", false, 0, "")
	}
}

// broken cuts a text into lines. The library breaks at blanks alone, of which
// Chinese has none.
func (p *print) broken(text string, width float64) []string {
	width -= 2 * p.doc.GetCellMargin()
	var lines []string
	var line strings.Builder
	used := 0.0
	for _, r := range text {
		p.lacks = p.lacks || !p.font.has(r)
		w := p.doc.GetStringWidth(string(r))
		if used+w > width && used > 0 {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		line.WriteRune(r)
		used += w
	}
	return append(lines, line.String())
}

func (p *print) head(check string) error {
	png, err := qrcode.Encode(check, qrcode.Medium, 512)
	if err != nil {
		return fmt.Errorf("draw a QR code: %w", err)
	}
	right := pageMargin + textWidth - qrSize
	p.doc.RegisterImageOptionsReader("qr", fpdf.ImageOptions{ImageType: "PNG"}, strings.NewReader(string(png)))
	p.doc.ImageOptions("qr", right, pageMargin-3, qrSize, qrSize, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	p.doc.SetFont(family, "", 8)
	p.doc.SetTextColor(87, 96, 106)
	p.doc.SetXY(right, pageMargin-3+qrSize)
	p.doc.CellFormat(qrSize, smallLine, "扫码核对真伪", "", 0, "C", false, 0, "")
	p.doc.SetXY(pageMargin, pageMargin)
	beside := textWidth - qrSize - 6
	p.text(18, false, beside, 10, "免提交材料核验单")
	p.text(8.5, true, beside, smallLine, "核验单编号 "+p.of.Number)
	p.doc.Ln(2)
	for _, line := range [][2]string{
		{"办件编号", p.of.CaseNumber}, {"办理事项", p.of.Subject}, {"受理部门", p.of.Department},
		{"核验时间", moment(p.of.ResolvedAt)}, {"总体状态", statusText(p.of.Status)},
	} {
		p.text(10.5, false, beside, lineHeight, line[0]+"　"+line[1])
	}
	p.doc.SetY(max(p.doc.GetY(), pageMargin+qrSize+smallLine))
	return nil
}

func (p *print) title(text string) {
	p.room(20)
	p.doc.Ln(4)
	p.text(12.5, false, textWidth, 7.5, text)
	p.rule()
}

// room begins a new page when less than height is left on this one.
func (p *print) room(height float64) {
	if p.doc.GetY()+height > 297-foot {
		p.doc.AddPage()
	}
}

func (p *print) rule() {
	p.doc.SetDrawColor(196, 203, 211)
	p.doc.Line(pageMargin, p.doc.GetY(), pageMargin+textWidth, p.doc.GetY())
	p.doc.Ln(1.5)
}

func (p *print) parties() {
	if len(p.of.Parties) == 0 {
		return
	}
	p.title("当事人")
	for _, party := range p.of.Parties {
		number := party.Number
		if number == "" {
			number = "尚无"
		}
		p.text(10.5, false, textWidth, lineHeight, party.Name)
		p.text(9, true, textWidth, smallLine, party.Roles+"　证件号码 "+number)
		p.doc.Ln(1)
	}
}

func (p *print) materials() {
	p.title(fmt.Sprintf("材料（%d 项）", len(p.of.Materials)))
	for _, m := range p.of.Materials {
		p.room(26)
		p.text(10.5, false, textWidth, lineHeight, m.Name)
		about := "【" + outcomeText(m.Outcome) + "】" + m.Code
		if m.Party != "" {
			about += "　" + partyName(p.of.Parties, m.Party)
		}
		if m.Mode != "" {
			about += "　" + modeText(m.Mode)
		}
		p.text(8.5, true, textWidth, smallLine, about)
		p.text(9.5, false, textWidth, lineHeight-.4, m.Reason)
		for _, r := range m.Records {
			p.record(r)
		}
		p.doc.Ln(1)
		p.rule()
	}
}

func (p *print) record(r exchange.SheetRecord) {
	from := r.Department
	if r.Dataset != "" {
		from += "《" + r.Dataset + "》"
	}
	from += "　数据时点 " + day(r.AsOf)
	if r.Withheld {
		from += "　所依据的授权其后已终止"
	}
	p.text(9, false, textWidth, smallLine+.2, "· "+from)
	p.text(7.5, true, textWidth, smallLine-.4, "　摘要 "+r.Digest)
}

func (p *print) end(check string) {
	p.room(60)
	p.doc.Ln(8)
	p.text(10.5, false, textWidth, lineHeight, "经办人＿＿＿＿＿＿＿＿＿＿　　　　部门（盖章）＿＿＿＿＿＿＿＿＿＿")
	p.doc.Ln(8)
	p.rule()
	p.text(8.5, true, textWidth, smallLine, "本单内容摘要 "+p.of.Digest)
	p.text(8.5, true, textWidth, smallLine, "本单不含任何数据项的值。扫描二维码，或打开下面的地址，可核对本单是否由本平台出具、摘要是否一致、所依据的授权是否仍然有效：")
	p.text(8.5, true, textWidth, smallLine, check)
	p.text(8.5, true, textWidth, smallLine, fmt.Sprintf("目录修订 %d　规则版本 %s　出具时间 %s", p.of.Revision, p.of.Ruleset, moment(p.of.IssuedAt)))
}
