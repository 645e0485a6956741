package interchange

import (
	"bytes"
	"errors"
	"maps"
	"regexp"

	"mianti/catalog"
)

// Flaw (目录缺陷) is a fault that the catalog would have, with the thing that it is
// in; empty where that is not known.
type Flaw struct {
	Code  string
	Fault catalog.Fault
}

// Drafted makes edits in the files of a catalog that is held whole, and loads what
// comes of them. The error is catalog.Faults where they do not make a catalog.
func Drafted(files map[string][]byte, edits []catalog.Edit) (*catalog.Drafted, error) {
	parts, faults := catalog.Apply(files, edits)
	if len(faults) > 0 {
		return nil, faults
	}
	next := maps.Clone(files)
	for _, p := range parts {
		next[p.Path] = p.Content
	}
	all := make([]catalog.Part, 0, len(next))
	for path, content := range next {
		if content != nil {
			all = append(all, catalog.Part{Path: path, Content: content})
		}
	}
	rev, err := catalog.LoadParts(all)
	if err != nil {
		return nil, err
	}
	return &catalog.Drafted{Revision: rev, Parts: parts}, nil
}

// check tells what would be wrong with a catalog that is held whole.
func check(files map[string][]byte, edits []catalog.Edit) ([]Flaw, error) {
	_, err := Drafted(files, edits)
	var faults catalog.Faults
	if !errors.As(err, &faults) {
		return nil, err
	}
	parts, _ := catalog.Apply(files, edits) // what cannot be is among the faults already
	next := maps.Clone(files)
	for _, p := range parts {
		next[p.Path] = p.Content
	}
	return Flaws(next, faults), nil
}

// Flaws says of faults which thing each is in: the one whose code is written last
// before the fault's line.
func Flaws(files map[string][]byte, faults catalog.Faults) []Flaw {
	out := make([]Flaw, len(faults))
	coded := regexp.MustCompile(`(?m)^[ \t]*(?:- )?\{?code:[ \t]*"?([A-Za-z0-9._-]+)`)
	for i, f := range faults {
		out[i].Fault = f
		content := files[f.File]
		for range f.Line {
			cut := bytes.IndexByte(content, '\n')
			if cut < 0 {
				cut = len(content) - 1
			}
			if found := coded.FindSubmatch(content[:cut+1]); found != nil {
				out[i].Code = string(found[1])
			}
			content = content[cut+1:]
		}
	}
	return out
}
