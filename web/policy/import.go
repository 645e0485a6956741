package policy

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/catalog/interchange"
	"mianti/internal/fault"
	"mianti/web/frame"
)

const (
	// maxImport bounds what a form of the import sends: a file, with what is around it.
	maxImport = table.MaxFile + 1<<20
	// mostCarried bounds the edits that a page carries along until they are put into
	// a draft, in bytes.
	mostCarried = 4 << 20
	// mostShown is how many errors and changes are shown.
	mostShown = 200
)

// importPage is a file that is looked at before anything of it is taken.
type importPage struct {
	base
	Form    *frame.Form
	Name    string // of the file that was sent
	Preview *interchange.Preview
	From    int // the revision that it was compared with
	Rows    []importRow
	Errors  []interchange.RowError
	Notices []interchange.RowError
	Carried string // the edits, until they are put into a draft
	Drafts  bool   // there are drafts that they can be put into
}

// importRow is a thing that the file changes, with its place in the file.
type importRow struct {
	changeView
	Sheet string
	Row   int
}

// importFile shows what a file would change, or every cell that is wrong. On a second
// word, what it would change becomes a draft.
func (s *section) importFile(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "interchange")
	if err != nil {
		return frame.Answer{}, err
	}
	page := &importPage{base: b, Form: frame.NewForm(v, "file", "title"), Drafts: s.BeginDraft != nil}
	show := frame.Show("import.html", "导入目录", page)
	switch {
	case v.Request().Method != http.MethodPost:
		return show, nil
	case v.Form("do") == "download":
		return takeEdits(v)
	case v.Form("do") == "draft" && page.Drafts:
		return s.beginDraft(v, page)
	}
	data, name, err := sentList(v)
	if err != nil {
		return frame.Answer{}, err
	}
	if data == nil {
		page.Form.Fail("file", v.T("请选择要导入的文件"))
		return show.Status(http.StatusUnprocessableEntity), nil
	}
	page.Name = name
	if page.Preview, page.From, err = s.Interchange.Preview(v.Context(), b.Rev, data, nil); err != nil {
		return frame.Answer{}, err
	}
	if err := page.fill(shelf.rev); err != nil {
		return frame.Answer{}, err
	}
	if !page.Preview.OK() {
		return show.Status(http.StatusUnprocessableEntity), nil
	}
	return show, nil
}

// sentList reads the file of the form; nil for none.
func sentList(v *frame.Visit) ([]byte, string, error) {
	file, header, err := v.Request().FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "bad-form", "文件没有完整送达，请重新提交。").Because(err)
	}
	defer file.Close() // only read, nothing to lose
	data, err := io.ReadAll(io.LimitReader(file, table.MaxFile+1))
	return data, header.Filename, err
}

// fill shows a part of what the preview says.
func (p *importPage) fill(rev *catalog.Revision) error {
	p.Errors = p.Preview.Errors[:min(len(p.Preview.Errors), mostShown)]
	p.Notices = p.Preview.Notices[:min(len(p.Preview.Notices), mostShown)]
	for _, c := range p.Preview.Changes[:min(len(p.Preview.Changes), mostShown)] {
		row := importRow{changeView: changeOf(c.ThingChange, rev, rev, p.From), Sheet: c.Sheet, Row: c.Row}
		row.Link = "" // it is nowhere yet
		p.Rows = append(p.Rows, row)
	}
	if len(p.Preview.Edits) == 0 {
		return nil
	}
	text, err := json.Marshal(p.Preview.Edits)
	if err == nil && len(text) <= mostCarried {
		p.Carried = string(text)
	}
	return err
}

// More is how many changes are not shown.
func (p *importPage) More() int { return len(p.Preview.Edits) - len(p.Rows) }

// MoreErrors is how many errors are not shown.
func (p *importPage) MoreErrors() int { return p.Preview.ErrorCount - len(p.Errors) }

// carried reads the edits that the page carried along.
func carried(v *frame.Visit) ([]catalog.Edit, int, error) {
	var edits []catalog.Edit
	base, err := strconv.Atoi(v.Form("base"))
	if err == nil {
		err = json.Unmarshal([]byte(v.Form("edits")), &edits)
	}
	if err != nil || len(edits) == 0 {
		return nil, 0, fault.New(fault.Invalid, "bad-form", "预览的内容没有完整送达，请重新选择文件。")
	}
	return edits, base, nil
}

// takeEdits gives the edits as a file.
func takeEdits(v *frame.Visit) (frame.Answer, error) {
	edits, _, err := carried(v)
	if err != nil {
		return frame.Answer{}, err
	}
	text, err := json.MarshalIndent(edits, "", "  ")
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.Send("application/yaml; charset=utf-8", "edits.yaml", text), nil // JSON is YAML
}

// beginDraft makes a draft of the edits, which are checked there once more.
func (s *section) beginDraft(v *frame.Visit, page *importPage) (frame.Answer, error) {
	edits, base, err := carried(v)
	if err != nil {
		return frame.Answer{}, err
	}
	title := page.Form.Value("title")
	if title == "" {
		title = v.T("导入的修改")
	}
	path, err := s.BeginDraft(v.Context(), v.Caller, title, base, edits)
	if err != nil {
		return frame.Answer{}, err
	}
	return frame.Go(path), nil
}
