package journeys

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// axeSource gives axe-core, a checker of accessibility that is not ours, as its lock
// file says.
var axeSource = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mianti-axe-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS("testdata/axe")); err != nil {
		return "", err
	}
	for _, more := range [][]string{{"--offline"}, nil} { // the first is enough when npm has it
		install := exec.Command("npm", append([]string{"ci", "--no-audit", "--no-fund", "--ignore-scripts"}, more...)...)
		install.Dir = dir
		var out []byte
		if out, err = install.CombinedOutput(); err == nil {
			break
		}
		err = fmt.Errorf("npm ci cannot install axe-core; it has to reach a registry once: %w\n%s", err, out)
	}
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	return string(source), err
})

// violation is what axe-core found.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// wantAccessible fails on every violation of WCAG 2.2 AA that axe-core finds on the
// page.
func (b *tab) wantAccessible(name string) {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		b.t.Fatal(err)
	}
	evaluate[bool](b, source+"; true")
	found := evaluate[[]violation](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then((r) =>
		r.violations.map((v) => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => ({html: n.html.slice(0, 200), failureSummary: n.failureSummary}))})))`)
	for _, v := range found {
		var where strings.Builder
		for _, n := range v.Nodes {
			fmt.Fprintf(&where, "\n  %s\n  %s", n.HTML, n.Summary)
		}
		b.t.Errorf("%s: %s: %s%s", name, v.ID, v.Help, where.String())
	}
}

// TestAxe_FindsWhatIsPlanted: a check that finds nothing must be able to.
func TestAxe_FindsWhatIsPlanted(t *testing.T) {
	b := newTab(t)
	b.visit("/styleguide")
	evaluate[bool](b, `document.querySelector("main").insertAdjacentHTML("beforeend", "<img src='data:,'>"), true`)
	source, err := axeSource()
	if err != nil {
		t.Fatal(err)
	}
	evaluate[bool](b, source+"; true")
	if found := evaluate[[]string](b, `axe.run(document).then((r) => r.violations.map((v) => v.id))`); !strings.Contains(strings.Join(found, " "), "image-alt") {
		t.Errorf("found %v, want image-alt", found)
	}
}
