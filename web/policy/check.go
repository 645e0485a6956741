package policy

import (
	"errors"
	"io"
	"net/http"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// maxArchive bounds an archive that is checked, packed.
const maxArchive = 8 << 20

// mostFaults is how many faults are listed.
const mostFaults = 200

// checkView is an archive of catalog files that is checked before it is loaded.
type checkView struct {
	base
	Form   *frame.Form
	Name   string // of the file that was sent
	Faults []catalog.Fault
	Total  int
	Loaded *catalog.Revision // nil unless it could be loaded
	Counts []countView
	Rows   []changeView
	More   int // changes that are not listed
	Found  []ruleChange
}

// ruleChange is how many findings a rule has, explained ones too, before and after.
type ruleChange struct {
	Rule          lint.Rule
	Before, After int
}

// check loads an archive as far as its faults, or what it would change. Nothing of
// it is kept.
func (s *section) check(v *frame.Visit) (frame.Answer, error) {
	shelf, b, err := s.at(v, "revisions")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &checkView{base: b, Form: frame.NewForm(v, "file")}
	show := frame.Show("check.html", "检查目录文件", view)
	if v.Request().Method != http.MethodPost {
		return show, nil
	}
	data, name, err := sentFile(v)
	if err != nil {
		return frame.Answer{}, err
	}
	if data == nil {
		view.Form.Fail("file", v.T("请选择目录文件的 ZIP 压缩包"))
		return show.Status(http.StatusUnprocessableEntity), nil
	}
	view.Name = name
	if err := view.load(data); err != nil {
		return frame.Answer{}, err
	}
	if view.Loaded == nil {
		return show.Status(http.StatusUnprocessableEntity), nil
	}
	return show, view.compare(v, shelf)
}

// sentFile reads the file of the form; nil for none.
func sentFile(v *frame.Visit) ([]byte, string, error) {
	file, header, err := v.Request().FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "bad-form", "文件没有完整送达，请重新提交。").Because(err)
	}
	defer file.Close() // only read, nothing to lose
	data, err := io.ReadAll(io.LimitReader(file, maxArchive+1))
	if err != nil {
		return nil, "", err
	}
	return data, header.Filename, nil
}

func (c *checkView) load(data []byte) error {
	folder, faults := catalog.Archive(data)
	if len(faults) == 0 {
		rev, err := catalog.Load(folder)
		if err != nil && !errors.As(err, &faults) {
			return err
		}
		c.Loaded = rev
	}
	c.Total = len(faults)
	c.Faults = faults[:min(len(faults), mostFaults)]
	return nil
}

func (c *checkView) compare(v *frame.Visit, current *shelf) error {
	changes, err := catalog.Compare(current.rev, c.Loaded)
	if err != nil {
		return err
	}
	listing := compareView{}
	listing.fill(v, changes, current.rev, c.Loaded)
	c.Counts, c.Rows = listing.Counts, listing.Rows
	c.More = len(changes) - len(c.Rows)
	for i := range c.Rows {
		c.Rows[i].Link = "" // it is nowhere yet
	}
	fresh := lint.Check(c.Loaded, lint.Config{Measures: current.measures, Keep: 1}).Counts
	for i, rule := range current.rules {
		change := ruleChange{rule.Rule, rule.Open + rule.Explained, fresh[i].Open + fresh[i].Explained}
		if rule.Four || change.Before != change.After {
			c.Found = append(c.Found, change)
		}
	}
	return nil
}
