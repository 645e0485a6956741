package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"mianti/connectors/standin"
)

// caseFile is a case to resolve. The case itself is sent as it stands, so that
// the exchange, not this program, says what is wrong with it.
type caseFile struct {
	Format string `yaml:"format"`
	Title  string `yaml:"title"`
	// Demo marks the one case of each one-thing that the demo shows.
	Demo bool `yaml:"demo"`
	// Case is the body of POST /v1/cases.
	Case map[string]any `yaml:"case"`
	// Results are bodies of POST /v1/cases/{id}/results, in order.
	Results []map[string]any `yaml:"results"`
	// StandIn is how the stand-in departments answer; only the demo can set it.
	StandIn []standInRule `yaml:"stand_in"`
	// Expect and Why belong to the tests.
	Expect any    `yaml:"expect"`
	Why    string `yaml:"why"`
}

type standInRule struct {
	Dataset string         `yaml:"dataset"`
	Number  string         `yaml:"number"`
	Fault   string         `yaml:"fault"`
	Fields  map[string]any `yaml:"fields"`
}

const caseFormat = "mianti-case/1"

// parseCase reads a case file strictly.
func parseCase(name string, content []byte) (*caseFile, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	var file caseFile
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if file.Format != caseFormat {
		return nil, fmt.Errorf("%s: want `format: %s` on the first line", name, caseFormat)
	}
	if len(file.Case) == 0 {
		return nil, fmt.Errorf("%s: the case is missing; see examples/jinan/cases", name)
	}
	plainDates(file.Case)
	for _, result := range file.Results {
		plainDates(result)
	}
	return &file, nil
}

// plainDates turns the dates that YAML reads as moments back into the text
// that JSON carries.
func plainDates(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = plainDates(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainDates(inner)
		}
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return value
}

// rules are the file's stand-in rules, as the stand-ins take them.
func (f *caseFile) rules() []standin.Rule {
	rules := make([]standin.Rule, len(f.StandIn))
	for i, r := range f.StandIn {
		rules[i] = standin.Rule{Dataset: r.Dataset, Subject: r.Number, Fault: standin.Fault(r.Fault), Fields: r.Fields}
	}
	return rules
}

// namedCase is a case file with its name.
type namedCase struct {
	Name string
	*caseFile
}

// readCases reads all case files of a folder, in the order of their names.
func readCases(files fs.FS, dir string) ([]namedCase, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	cases := make([]namedCase, 0, len(names))
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read case: %w", err)
		}
		file, err := parseCase(name, content)
		if err != nil {
			return nil, err
		}
		cases = append(cases, namedCase{Name: path.Base(name), caseFile: file})
	}
	return cases, nil
}
