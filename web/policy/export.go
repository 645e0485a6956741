package policy

import (
	"net/http"

	"mianti/catalog/interchange"
	"mianti/web/frame"
)

// exportView lists what can be taken along.
type exportView struct {
	base
	Kinds []kindView
}

// kindView is a sheet with what it is for.
type kindView struct{ Name, About string }

func (s *section) export(v *frame.Visit) (frame.Answer, error) {
	_, b, err := s.at(v, "interchange")
	if err != nil {
		return frame.Answer{}, err
	}
	view := &exportView{base: b}
	for _, k := range interchange.Kinds() {
		if (interchange.Wish{Format: interchange.CSV, Sheets: []string{k[0]}}).Check() == nil { // grants are others' to read
			view.Kinds = append(view.Kinds, kindView{k[0], k[1]})
		}
	}
	return frame.Show("export.html", "导出目录", view), nil
}

// exportFile sends a file. It is begun when the wish is right, and broken off when
// the rest cannot be read.
func (s *section) exportFile(v *frame.Visit) (frame.Answer, error) {
	_, b, err := s.at(v, "interchange")
	if err != nil {
		return frame.Answer{}, err
	}
	wish := interchange.Wish{Number: b.Number, Format: interchange.Format(v.Query("format"))}
	if kind := v.Query("kind"); kind != "" {
		wish.Sheets = []string{kind}
	}
	if err := wish.Check(); err != nil {
		return frame.Answer{}, err
	}
	name, media := interchange.Name(wish.Format, wish.Sheets)
	return frame.Streamed(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", media)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		if err := s.Interchange.Export(v.Context(), wish, w); err != nil {
			panic(http.ErrAbortHandler) // the only way left to say so
		}
	}), nil
}
