package frame

import (
	"mime"
	"net/http"
)

// Answer is what a page answers with.
type Answer struct {
	status  int
	page    string // of the section
	title   string
	data    any
	target  string
	message string
	kind    string
	name    string
	body    []byte
	stream  func(w http.ResponseWriter)
	bare    bool
}

// Show shows a page of the section: the file's name, the title in Chinese, and what
// its template shows.
func Show(page, title string, data any) Answer {
	return Answer{status: http.StatusOK, page: page, title: title, data: data}
}

// Status gives the answer another status, such as 422 for a form that is not right.
func (a Answer) Status(code int) Answer {
	a.status = code
	return a
}

// Bare shows the page as a print: without menu, header and footer.
func (a Answer) Bare() Answer {
	a.bare = true
	return a
}

// Go sends the visitor to another page of the site.
func Go(path string) Answer { return Answer{status: http.StatusSeeOther, target: path} }

// GoSaying sends the visitor to another page, where a message is shown once. The
// message holds nothing personal.
func GoSaying(path, message string) Answer {
	return Answer{status: http.StatusSeeOther, target: path, message: message}
}

// Send sends a file to be kept.
func Send(kind, name string, body []byte) Answer {
	return Answer{status: http.StatusOK, kind: kind, name: name, body: body}
}

// Streamed lets write answer by itself; it sets its own headers.
func Streamed(write func(w http.ResponseWriter)) Answer { return Answer{stream: write} }

// write sends the answer. Show is rendered whole before anything is sent.
func (a Answer) write(v *Visit, section string) error {
	switch {
	case a.stream != nil:
		a.stream(v.c.Writer)
		return nil
	case a.target != "":
		if a.message != "" {
			v.say(v.T(a.message))
		}
		v.c.Redirect(a.status, a.target)
		return nil
	case a.body != nil:
		v.c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.name}))
		v.c.Data(a.status, a.kind, a.body)
		return nil
	}
	body, err := v.site.render(v, section, a)
	if err != nil {
		v.c.String(http.StatusInternalServerError, "系统内部出错，页面没有显示。请稍后重试。")
		return err
	}
	v.c.Data(a.status, "text/html; charset=utf-8", body)
	return nil
}
