package journeys

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is the context of the one browser of all tests.
var browser context.Context

// patience bounds every step of a journey.
const patience = 30 * time.Second

func startBrowser(ctx context.Context, dir string) (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("chromium is not installed: run tools/install-test-tools.sh chromium, or install the Debian packages chromium and fonts-noto-cjk")
	}
	allocated, _ := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))...)
	started, _ := chromedp.NewContext(allocated)
	if err := chromedp.Do(started); err != nil {
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return started, nil
}

// tab is a window with cookies of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab opens a window as wide as a desk's screen.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the window lasts as long as the context that it is opened with
		t.Fatal(err)
	}
	b := &tab{t, ctx}
	b.do(chromedp.EmulateViewport(1440, 900))
	return b
}

// do takes steps, or ends the test.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v; the page says:\n%s", err, b.text())
	}
}

// evaluate gives the value of an expression in the page.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// visit goes to a page of the demonstration.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address + path))
}

// text is what can be read on the page.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''")) // it is for messages
	return text
}

// path is the address of the page within the demonstration.
func (b *tab) path() string { return evaluate[string](b, "location.pathname + location.search") }

// reads fails unless all texts can be read.
func (b *tab) reads(texts ...string) {
	b.t.Helper()
	page := b.text()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("%s does not say %q:\n%s", b.path(), text, page)
		}
	}
}

// follow clicks what a selector finds, and waits for the page that comes.
func (b *tab) follow(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		b.t.Fatalf("follow %s: %v; the page says:\n%s", selector, err, b.text())
	}
}

// press follows the link or button that says a text.
func (b *tab) press(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	marked := evaluate[bool](b, `(() => {
		document.querySelectorAll("[data-pressed]").forEach((e) => e.removeAttribute("data-pressed"));
		const all = [...document.querySelectorAll("a, button, summary, label")].filter((e) => e.checkVisibility());
		const found = all.find((e) => e.innerText.trim() === `+string(quoted)+`) ?? all.find((e) => e.innerText.includes(`+string(quoted)+`));
		found?.setAttribute("data-pressed", "");
		return Boolean(found);
	})()`)
	if !marked {
		b.t.Fatalf("nothing says %q:\n%s", text, b.text())
	}
	b.follow("[data-pressed]")
}

// fill types a text into the field of a name.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	field := chromedp.CSS(`[name="` + name + `"]`)
	b.do(chromedp.Clear(field), chromedp.SendKeys(field, text))
}

// key presses keys where the focus is.
func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo moves the focus with the Tab key alone to what a selector finds, and fails
// when it is never reached.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		b.t.Fatal(err)
	}
	for range 400 {
		if evaluate[bool](b, `document.activeElement?.matches(`+string(quoted)+`) ?? false`) {
			return
		}
		b.key(kb.Tab)
	}
	b.t.Fatalf("Tab never comes to %s on %s", selector, b.path())
}

// enter presses Enter and waits for the page that comes.
func (b *tab) enter() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		b.t.Fatalf("enter: %v", err)
	}
}

// signIn signs in as one of the demonstration's people, and goes to a page.
func (b *tab) signIn(kind, who, path string) {
	b.t.Helper()
	b.visit("/auth/" + kind + "/login?return=" + path)
	b.follow(`a[href*="choose=` + who + `&"]`)
}

// withoutScripts switches scripts off for what is opened from now on.
func (b *tab) withoutScripts() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}
