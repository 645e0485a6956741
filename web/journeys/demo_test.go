package journeys

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mianti/internal/demotest"
)

// address is where the demonstration runs, for all tests of the package.
var address string

// pictures is the folder into which pictures of all pages are written; "" for none.
var pictures = flag.String("pictures", "", "folder to write pictures of all pages into")

// TestMain starts the demonstration and the browser that all tests use. With -short
// nothing runs: what a browser shows does not depend on the race detector.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(0)
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "mianti-journeys-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	demo, err := demotest.Start(ctx, dir)
	if err != nil {
		return 1, err
	}
	defer demo.Stop()
	address = demo.Address
	if browser, err = startBrowser(ctx, filepath.Join(dir, "browser")); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
