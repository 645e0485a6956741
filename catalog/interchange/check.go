package interchange

import (
	"bytes"
	"errors"
	"maps"
	"regexp"
	"testing/fstest"

	"mianti/catalog"
)

// Flaw (目录缺陷) is a fault that the catalog would have, with the thing that it is
// in; empty where that is not known.
type Flaw struct {
	Code  string
	Fault catalog.Fault
}

// check makes the edits and loads what comes of them.
func check(files map[string][]byte, edits []catalog.Edit) ([]Flaw, error) {
	parts, faults := catalog.Apply(files, edits)
	next := maps.Clone(files)
	for _, p := range parts {
		if p.Content == nil {
			delete(next, p.Path)
			continue
		}
		next[p.Path] = p.Content
	}
	if len(faults) == 0 {
		folder := fstest.MapFS{}
		for path, content := range next {
			folder[path] = &fstest.MapFile{Data: content}
		}
		if _, err := catalog.Load(folder); err != nil && !errors.As(err, &faults) {
			return nil, err
		}
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
