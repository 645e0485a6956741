package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceSection_KeepsWhatIsAround(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.md")
	if err := os.WriteFile(path, []byte("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"new\n", "newer\n\n"} {
		if err := ReplaceSection(path, "x", text); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "before\n<!-- x -->\nnewer\n<!-- /x -->\nafter\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if err := ReplaceSection(path, "y", "z"); err == nil {
		t.Error("a section that is not there was replaced")
	}
}

func TestThousands_GroupsDigits(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{0: "0", 12: "12", 123: "123", 1234: "1 234", 1234567: "1 234 567", -1234: "-1 234"} {
		if got := Thousands(value); got != want {
			t.Errorf("Thousands(%g) = %q, want %q", value, got, want)
		}
	}
	for value, want := range map[float64]string{0: "0", 0.126: "0.13", 3.14159: "3.14", 42.42: "42.4", 1999.6: "2 000"} {
		if got := Short(value); got != want {
			t.Errorf("Short(%g) = %q, want %q", value, got, want)
		}
	}
}

// TestCharts_AreXMLWithEveryLabel reads the pictures back.
func TestCharts_AreXMLWithEveryLabel(t *testing.T) {
	t.Parallel()
	bars := Bars{Title: "a < b", Unit: "ms", Groups: []Group{{"g1", []Bar{{"one & two", 10, true}, {"none", 0, false}}}, {"empty", nil}}}
	lines := Lines{Title: "growth", Unit: "µs", Series: []Series{{"s", []Point{{1000, 2}, {100_000, 3}}}}}
	for _, c := range []struct {
		svg    []byte
		labels []string
	}{
		{bars.SVG(), []string{"a < b", "g1", "one & two", "10.0 ms", "none", "0 ms"}},
		{lines.SVG(), []string{"growth", "µs", "s", "1 000", "10 000", "100 000"}},
		{(&Lines{}).SVG(), nil},
	} {
		text := textOf(t, c.svg)
		for _, label := range c.labels {
			if !strings.Contains(text, label) {
				t.Errorf("no %q in %q", label, text)
			}
		}
		if strings.Contains(string(c.svg), "NaN") || strings.Contains(string(c.svg), "Inf") {
			t.Errorf("a place is no number: %s", c.svg)
		}
	}
}

func textOf(t *testing.T, svg []byte) string {
	t.Helper()
	var text strings.Builder
	decoder := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if characters, ok := token.(xml.CharData); ok {
			text.Write(characters)
			text.WriteByte('\n')
		}
	}
}
