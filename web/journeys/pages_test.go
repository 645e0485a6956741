package journeys

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// seen is a page that is looked at. Its name is that of its pictures.
type seen struct{ name, kind, who, path string }

// pages are those that can be reached by an address that is known beforehand; the
// journeys look at the others.
func pages() []seen {
	return []seen{
		{name: "home", path: "/"},
		{name: "home-search", path: "/?q=孩子"},
		{name: "guide", path: "/guide/S07"},
		{name: "my", kind: "citizen", who: "wang", path: "/my"},
		{name: "my-accesses", kind: "citizen", who: "wang", path: "/my/accesses"},
		{name: "styleguide", path: "/styleguide"},
		{name: "sign-in", path: "/auth/"},
		{name: "signed-in", kind: "staff", who: "two", path: "/auth/"},
		{name: "clerk-closed", kind: "staff", who: "clerk", path: "/clerk?state=closed"},
		{name: "clerk-assist", kind: "staff", who: "clerk", path: "/clerk/assist"},
		{name: "clerk-followup", kind: "staff", who: "clerk", path: "/clerk/followup"},
		{name: "catalog", kind: "staff", who: "editor", path: "/catalog"},
		{name: "catalog-one-thing", kind: "staff", who: "editor", path: "/catalog/one-things/S04"},
		{name: "catalog-matters", kind: "staff", who: "editor", path: "/catalog/matters"},
		{name: "catalog-matter", kind: "staff", who: "editor", path: "/catalog/matters/S01.M2"},
		{name: "catalog-materials", kind: "staff", who: "editor", path: "/catalog/materials?mode=upload&origin=government"},
		{name: "catalog-material", kind: "staff", who: "editor", path: "/catalog/materials/S01.M1.d"},
		{name: "catalog-edit", kind: "staff", who: "editor", path: "/catalog/materials/S01.M1.d/edit"},
		{name: "catalog-datasets", kind: "staff", who: "editor", path: "/catalog/datasets"},
		{name: "catalog-dataset", kind: "staff", who: "editor", path: "/catalog/datasets/D-SC01"},
		{name: "catalog-departments", kind: "staff", who: "editor", path: "/catalog/departments"},
		{name: "catalog-trial", kind: "staff", who: "editor", path: "/catalog/trial?subject=S07&f.agent=true"},
		{name: "catalog-health", kind: "staff", who: "editor", path: "/catalog/health?rule=shared"},
		{name: "catalog-report", kind: "staff", who: "editor", path: "/catalog/report?since=1"},
		{name: "catalog-effect", kind: "staff", who: "editor", path: "/catalog/effect"},
		{name: "catalog-suggest", kind: "staff", who: "editor", path: "/catalog/suggest"},
		{name: "catalog-revisions", kind: "staff", who: "editor", path: "/catalog/revisions"},
		{name: "catalog-check", kind: "staff", who: "editor", path: "/catalog/check"},
		{name: "catalog-export", kind: "staff", who: "editor", path: "/catalog/export"},
		{name: "catalog-import", kind: "staff", who: "editor", path: "/catalog/import"},
		{name: "catalog-compare", kind: "staff", who: "editor", path: "/catalog/revisions/1/changes?since=1"},
		{name: "missing", path: "/clerk/no-such-page"},
		{name: "sign-in-first", path: "/preferences/none"},
	}
}

// TestPages_AreAccessibleAndFitEveryScreen opens every page at three widths, light
// and dark. With -pictures it writes a picture of each.
func TestPages_AreAccessibleAndFitEveryScreen(t *testing.T) {
	tabs := map[string]*tab{}
	for _, p := range pages() {
		b := tabs[p.kind+p.who]
		if b == nil {
			b = newTab(t)
			tabs[p.kind+p.who] = b
			if p.who != "" {
				b.signIn(p.kind, p.who, p.path)
			}
		}
		b.visit(p.path)
		b.look(p.name)
	}
}

// look checks the page that is open, at every width and in both colours.
func (b *tab) look(name string) {
	b.t.Helper()
	for _, dark := range []bool{false, true} {
		b.colours(dark)
		for _, width := range []int64{390, 768, 1440} {
			at := fmt.Sprintf("%s-%d", name, width)
			if dark {
				at += "-dark"
			}
			accessible := dark == (width > 1000) // the phone in light, the desk in dark
			if !accessible && *pictures == "" && width != 768 {
				continue
			}
			b.do(chromedp.EmulateViewport(width, 900))
			if over := evaluate[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				b.t.Errorf("%s: the page is %d px wider than the screen", at, over)
			}
			if accessible {
				b.wantAccessible(at)
			}
			b.picture(at)
		}
	}
	b.colours(false)
	b.do(chromedp.EmulateViewport(1440, 900))
}

func (b *tab) colours(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// picture writes the whole page into the folder that -pictures names.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := *pictures
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
