package check

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A text that is shown: in a template {{t "…"}}, in Go v.T("…"), a title or an entry
// of a menu.
var (
	textInTemplate = regexp.MustCompile(`[({ ]t "((?:[^"\\]|\\.)*)"`)
	textInGo       = regexp.MustCompile(`(?:\.T\(|Title: |frame\.Show\("[^"]+", |frame\.GoSaying\([^,]+, )"((?:[^"\\]|\\.)*)"`)
	han            = regexp.MustCompile(`\p{Han}`)
)

// textsOf gives the Chinese texts of a section's templates and code.
func textsOf(t *testing.T, section string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(section, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		pattern := textInTemplate
		switch filepath.Ext(path) {
		case ".go":
			pattern = textInGo
		case ".html":
		default:
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range pattern.FindAllStringSubmatch(string(content), -1) {
			text, err := strconv.Unquote(`"` + found[1] + `"`)
			if err != nil {
				return err
			}
			if han.MatchString(text) {
				out = append(out, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// english gives the English of a section's texts.
func english(t *testing.T, section string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(section, "text.en.json"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	if err := json.Unmarshal(content, &texts); err != nil {
		t.Fatalf("%s: %v", section, err)
	}
	return texts
}

// verbs are the places in a text where a value stands.
var verbs = regexp.MustCompile(`%[a-z]`)

// TestTexts_HaveTheirEnglish: no page is Chinese in parts for who reads English.
func TestTexts_HaveTheirEnglish(t *testing.T) {
	root := filepath.Join("..", "..", "web")
	common := english(t, filepath.Join(root, "frame"))
	sections, err := filepath.Glob(filepath.Join(root, "*", "text.en.json"))
	if err != nil || len(sections) == 0 {
		t.Fatalf("no texts: %v", err)
	}
	for _, file := range sections {
		section := filepath.Dir(file)
		own := english(t, section)
		for _, text := range textsOf(t, section) {
			said, there := own[text]
			if !there {
				said, there = common[text]
			}
			if !there {
				t.Errorf("%s: no English for %q", filepath.Base(section), text)
				continue
			}
			// A translation that turns values round numbers them: %[2]s.
			if !strings.Contains(said, "%[") && !slices.Equal(verbs.FindAllString(text, -1), verbs.FindAllString(said, -1)) {
				t.Errorf("%s: %q and %q take other values", filepath.Base(section), text, said)
			}
		}
	}
}
