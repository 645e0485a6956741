package suggest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"mianti/catalog"
)

// Tally (评测结果) is how suggestions compare with what a labelled list says.
type Tally struct {
	File  string `json:"file"`
	Names int    `json:"names"`
	// Papers is how many the list says there are; Right and Wrong how many were
	// suggested that it says, and that it does not say.
	Papers int `json:"papers"`
	Right  int `json:"right"`
	Wrong  int `json:"wrong"`
	// Alike is how many of the right ones no list of names knew: they were recognised
	// by likeness.
	Alike int `json:"alike"`
	// None is how many names have no counterpart.
	None   int      `json:"none"`
	Faults []string `json:"faults,omitempty"`
}

// Precision is the share of the suggestions that are right.
func (t Tally) Precision() float64 { return share(t.Right, t.Right+t.Wrong) }

// Recall is the share of the papers that were suggested.
func (t Tally) Recall() float64 { return share(t.Right, t.Papers) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Sum adds tallies up.
func Sum(name string, tallies ...Tally) Tally {
	out := Tally{File: name}
	for _, t := range tallies {
		out.Names += t.Names
		out.Papers += t.Papers
		out.Right += t.Right
		out.Wrong += t.Wrong
		out.Alike += t.Alike
		out.None += t.None
	}
	return out
}

// Labelled is one name of a labelled list, and the names of what it means; none where
// nothing of the catalog is meant.
type Labelled struct {
	Name   string
	Labels []string
}

// noLabel stands in a list for a name without a counterpart.
const noLabel = "none"

// ReadLabelled reads a labelled list: name, label; several labels are joined by +.
func ReadLabelled(files fs.FS, name string) ([]Labelled, error) {
	rows, err := readCSV(files, name, "name", "label")
	if err != nil {
		return nil, err
	}
	var out []Labelled
	for _, row := range rows {
		one := Labelled{Name: row[0]}
		if row[1] != noLabel {
			one.Labels = strings.Split(row[1], "+")
		}
		out = append(out, one)
	}
	return out, nil
}

// ReadStandard reads the candidates of an evaluation: code, name, datasets joined by ;.
func ReadStandard(files fs.FS, name string) ([]Candidate, error) {
	rows, err := readCSV(files, name, "code", "name", "datasets")
	if err != nil {
		return nil, err
	}
	var out []Candidate
	for _, row := range rows {
		c := Candidate{Kind: catalog.ThingStandardMaterial, Code: row[0], Name: row[1]}
		for code := range strings.SplitSeq(row[2], ";") {
			if code != "" {
				c.Datasets = append(c.Datasets, HoldingDataset{Code: code})
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func readCSV(files fs.FS, name string, heading ...string) ([][]string, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	reader := csv.NewReader(f)
	reader.FieldsPerRecord = len(heading)
	var rows [][]string
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], heading) {
		return nil, fmt.Errorf("%s: 第一行应为 %s", name, strings.Join(heading, ","))
	}
	return rows[1:], nil
}

// Evaluate compares what is suggested for the names of a list with its labels.
func (a *Assistant) Evaluate(file string, list []Labelled) Tally {
	out := Tally{File: file, Names: len(list)}
	for _, one := range list {
		out.add(one, a.Suggest(one.Name))
	}
	return out
}

func (t *Tally) add(want Labelled, got Suggestion) {
	t.Papers += len(want.Labels)
	if len(want.Labels) == 0 {
		t.None++
	}
	var suggested []string
	for _, p := range got.Papers {
		if p.Match == nil {
			continue
		}
		suggested = append(suggested, p.Match.Name)
		if !slices.Contains(want.Labels, p.Match.Name) {
			t.Wrong++
			t.Faults = append(t.Faults, fmt.Sprintf("%s → %s（应为 %s）", want.Name, p.Match.Name, labels(want)))
			continue
		}
		t.Right++
		if p.Cause == CauseAlike {
			t.Alike++
		}
	}
	for _, label := range want.Labels {
		if !slices.Contains(suggested, label) {
			t.Faults = append(t.Faults, fmt.Sprintf("%s：没有建议 %s（%s）", want.Name, label, got.Papers[0].Reason))
		}
	}
}

func labels(l Labelled) string {
	if len(l.Labels) == 0 {
		return noLabel
	}
	return strings.Join(l.Labels, "+")
}

// Evaluation is the tallies of a folder's lists: those for developing, and those that
// were held back.
type Evaluation struct {
	Development, HeldBack []Tally
}

// EvaluateFolder evaluates the lists of a folder: standard.csv has the candidates,
// development and held-back the lists.
func EvaluateFolder(files fs.FS) (Evaluation, error) {
	candidates, err := ReadStandard(files, "standard.csv")
	if err != nil {
		return Evaluation{}, err
	}
	a, err := New(candidates, nil)
	if err != nil {
		return Evaluation{}, err
	}
	var out Evaluation
	if out.Development, err = a.evaluateLists(files, "development"); err != nil {
		return out, err
	}
	out.HeldBack, err = a.evaluateLists(files, "held-back")
	return out, err
}

func (a *Assistant) evaluateLists(files fs.FS, folder string) ([]Tally, error) {
	lists, err := fs.Glob(files, path.Join(folder, "*.csv"))
	if err != nil {
		return nil, err
	}
	var out []Tally
	for _, name := range lists {
		list, err := ReadLabelled(files, name)
		if err != nil {
			return nil, err
		}
		out = append(out, a.Evaluate(name, list))
	}
	return out, nil
}
