package main

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/xuri/excelize/v2"

	"mianti/catalog"
	"mianti/examples/jinan"
)

// hostileName is what a name of the catalog begins with in these tests: a formula to
// a spreadsheet, markup to a page.
const hostileName = `=1+1<script>alert("x")</script><img src=x onerror=alert(1)>'`

// hostileCatalog is the shipped catalog with hostile names everywhere.
func hostileCatalog(t *testing.T) fstest.MapFS {
	t.Helper()
	name := regexp.MustCompile(`(?m)((?:^|[{,]|- )\s*(?:name|ask|terms|note): )([^,{}\[\]\n#"]+)`)
	out := fstest.MapFS{}
	err := fs.WalkDir(jinan.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path, "cases/") || path == "population.yaml" {
			return err
		}
		text, err := fs.ReadFile(jinan.Files, path)
		if err != nil {
			return err
		}
		quoted := name.ReplaceAllStringFunc(string(text), func(found string) string {
			parts := name.FindStringSubmatch(found)
			return parts[1] + `'` + strings.ReplaceAll(hostileName+strings.TrimSpace(parts[2]), `'`, `''`) + `'`
		})
		out[path] = &fstest.MapFile{Data: []byte(quoted)}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPages_EveryLinkWorksAndNoNameIsTakenForMarkup goes through all pages that the
// people of the demonstration can reach by links, with a catalog whose names are
// markup and formulas: no link is broken, no page fails, and each name is shown as
// what it is, in spreadsheets too.
func TestPages_EveryLinkWorksAndNoNameIsTakenForMarkup(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of pages, one after the other: under the race detector it would tell nothing, for long")
	}
	d, err := startDemo(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "crawl.db"), "127.0.0.1:0", quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	hostile := hostileCatalog(t)
	rev, err := catalog.Load(hostile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := saveCatalog(t.Context(), d.node.store, hostile, rev); err != nil {
		t.Fatal(err)
	}
	if _, err := d.resolveOneEach(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, who := range []struct{ kind, subject string }{
		{"staff", "clerk"}, {"staff", "sharing"}, {"staff", "editor"}, {"staff", "reviewer"}, {"staff", "admin"}, {"staff", "auditor"},
		{"staff", "operator"}, {"citizen", "wang"},
	} {
		t.Run(who.subject, func(t *testing.T) {
			c := &crawler{surfer: signInAs(t, d, who.kind, who.subject), seen: map[string]bool{"/": true}, next: []string{"/"}}
			c.t = t
			c.crawl()
			t.Logf("%d pages and files", len(c.seen))
		})
	}
}

// crawler goes from link to link.
type crawler struct {
	*surfer
	seen map[string]bool
	next []string
	// shapes counts the pages of one kind: a few of each are enough.
	shapes map[string]int
}

// maxOfAKind bounds how many pages of one kind are looked at.
const maxOfAKind = 3

func (c *crawler) crawl() {
	c.shapes = map[string]int{}
	for len(c.next) > 0 {
		path := c.next[0]
		c.next = c.next[1:]
		c.open(path)
	}
}

// notCrawled are links to what is no page of ours, or ends the session.
var notCrawled = regexp.MustCompile(`^/(docs|openapi|v1/|log/|auth/|assets/|verify)`)

// linkOnPage is what can be gone to without sending anything.
var linkOnPage = regexp.MustCompile(`(?:href|<form method="get" action)="(/[^"#]*)`)

func (c *crawler) open(path string) {
	c.t.Helper()
	response, err := c.get(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		c.t.Errorf("%s: status %d: %.300s", path, response.StatusCode, body)
		return
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		c.wantInertFile(path, response.Header.Get("Content-Type"), body)
		return
	}
	for _, markup := range []string{"<script>alert", "<img src=x"} {
		if bytes.Contains(body, []byte(markup)) {
			c.t.Errorf("%s: a name is taken for markup", path)
		}
	}
	for _, found := range linkOnPage.FindAllStringSubmatch(string(body), -1) {
		c.add(strings.ReplaceAll(found[1], "&amp;", "&"))
	}
}

func (c *crawler) get(path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	return c.http.Do(r)
}

// identifiers in a path, and values of a query, make no other kind of page.
var numbered = regexp.MustCompile(`/[0-9A-Za-z._-]*[0-9][0-9A-Za-z._-]*`)

func (c *crawler) add(link string) {
	u, err := url.Parse(link)
	if err != nil {
		c.t.Errorf("a page links to %q: %v", link, err)
		return
	}
	names := []string{}
	for name := range u.Query() {
		names = append(names, name)
	}
	shape := numbered.ReplaceAllString(u.Path, "/:") + "?" + strings.Join(names, "&")
	if notCrawled.MatchString(u.Path) || c.seen[link] || c.shapes[shape] >= maxOfAKind {
		return
	}
	c.seen[link] = true
	c.shapes[shape]++
	c.next = append(c.next, link)
}

// wantInertFile fails when a spreadsheet would compute what is a text.
func (c *crawler) wantInertFile(path, kind string, body []byte) {
	c.t.Helper()
	switch {
	case strings.Contains(kind, "csv"):
		for _, line := range strings.Split(string(body), "\n") {
			for _, cell := range strings.Split(line, ",") {
				if cell = strings.Trim(cell, `"`); strings.HasPrefix(cell, "=") {
					c.t.Errorf("%s: a cell is a formula: %q", path, cell)
				}
			}
		}
	case strings.Contains(kind, "spreadsheet"):
		book, err := excelize.OpenReader(bytes.NewReader(body))
		if err != nil {
			c.t.Errorf("%s: %v", path, err)
			return
		}
		defer book.Close()
		for _, sheet := range book.GetSheetList() {
			rows, err := book.GetRows(sheet)
			if err != nil {
				c.t.Errorf("%s: %v", path, err)
			}
			for y, row := range rows {
				for x := range row {
					cell, err := excelize.CoordinatesToCellName(x+1, y+1)
					if err != nil {
						c.t.Fatal(err)
					}
					if formula, err := book.GetCellFormula(sheet, cell); err != nil || formula != "" {
						c.t.Errorf("%s: %s is the formula %q, %v", path, cell, formula, err)
					}
				}
			}
		}
	}
}
