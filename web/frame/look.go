package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"strings"

	"mianti/identity"
)

// look is all templates in one language.
type look struct {
	language string
	texts    map[string]string             // Chinese to this language; nil for Chinese
	pages    map[string]*template.Template // by section and file
}

// textFile has the English of a section's Chinese texts.
const textFile = "text.en.json"

// loadLooks reads the templates and texts of all sections, once for each language.
func (s *Site) loadLooks(sections []Section) (map[string]*look, error) {
	texts := map[string]string{}
	for _, section := range sections {
		own, err := ReadTexts(section.Files)
		if err != nil {
			return nil, fmt.Errorf("web: section %s: %w", section.Name, err)
		}
		maps.Copy(texts, own)
	}
	looks := map[string]*look{chinese: {language: chinese}, english: {language: english, texts: texts}}
	for _, l := range looks {
		l.pages = map[string]*template.Template{}
		for _, section := range sections {
			if err := s.loadPages(l, section); err != nil {
				return nil, fmt.Errorf("web: section %s: %w", section.Name, err)
			}
		}
	}
	return looks, nil
}

// ReadTexts reads the English of a section's Chinese texts; none where it has no
// such file.
func ReadTexts(from fs.FS) (map[string]string, error) {
	data, err := fs.ReadFile(from, textFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("%s: %w", textFile, err)
	}
	return texts, nil
}

func (s *Site) loadPages(l *look, section Section) error {
	names, err := fs.Glob(section.Files, "pages/*.html")
	if err != nil {
		return err
	}
	base, err := template.New("layout.html").Funcs(s.functions(l)).ParseFS(files, "pages/layout.html", "pages/components.html")
	if err != nil {
		return err
	}
	shared := "pages/shared.html" // components of the section's own
	for _, name := range names {
		if file := path.Base(name); file == "layout.html" || file == "components.html" || name == shared {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return err
		}
		if _, err := fs.Stat(section.Files, shared); err == nil {
			if _, err = page.ParseFS(section.Files, shared); err != nil {
				return err
			}
		}
		if _, err = page.ParseFS(section.Files, name); err != nil {
			return err
		}
		if page.Lookup("content") == nil {
			return fmt.Errorf("%s defines no content", name)
		}
		l.pages[section.Name+"/"+path.Base(name)] = page
	}
	return nil
}

// translate gives a Chinese text in the look's language. What has no translation
// stays Chinese: names and texts of the catalog have none.
func (l *look) translate(text string, args ...any) string {
	if known, there := l.texts[text]; there {
		text = known
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// layoutView is what the layout shows around a page.
type layoutView struct {
	Title, Language, Class, Path, Message, Style string
	Menu                                         []menuEntry
	Session                                      *visitorView
	Preferences                                  preferences
	Bare                                         bool
	Data                                         any
}

// visitorView is who has signed in, as the layout shows him.
type visitorView struct {
	Name, Department string
	Staff, Several   bool
}

// render gives the page whole, or an error and nothing.
func (s *Site) render(v *Visit, section string, a Answer) ([]byte, error) {
	l := s.looks[v.prefer.Language]
	page := l.pages[section+"/"+a.page]
	if page == nil {
		return nil, fmt.Errorf("web: there is no page %s of section %s", a.page, section)
	}
	view := layoutView{
		Title: l.translate(a.title), Language: map[string]string{chinese: "zh-CN", english: "en"}[l.language], Path: v.Request().URL.RequestURI(),
		Class: strings.TrimSpace(v.prefer.Theme + " " + v.prefer.Size), Message: v.said(), Style: s.styles[section], Menu: s.menuFor(v),
		Session: v.visitor(), Preferences: v.prefer, Bare: a.bare, Data: a.data,
	}
	if v.Request().Method != "GET" {
		view.Path = "/"
	}
	var body bytes.Buffer
	if err := page.Execute(&body, view); err != nil {
		return nil, fmt.Errorf("web: page %s of section %s: %w", a.page, section, err)
	}
	return body.Bytes(), nil
}

func (v *Visit) visitor() *visitorView {
	if v.Session == nil {
		return nil
	}
	out := &visitorView{Name: v.Session.Person.Name, Staff: v.Session.Person.Kind == identity.Staff, Several: len(v.Session.Person.Departments()) > 1}
	if out.Name == "" {
		out.Name = v.T("申请人")
	}
	if v.Catalog != nil && v.Session.Department != "" {
		out.Department = v.Session.Department
		if d := v.Catalog.Department(v.Session.Department); d != nil {
			out.Department = d.Name
		}
	}
	return out
}
