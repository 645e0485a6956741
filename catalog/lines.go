package catalog

import (
	"strconv"
	"strings"
)

// Lines (行号) tells where in a catalog's file the things with a code of their own
// stand.
type Lines struct {
	tree *tree
	at   map[string]string // the pointer of a thing, by its code
}

// LinesOf reads where things stand in a file of a catalog. Of one that cannot be
// read nothing is known.
func LinesOf(name string, content []byte) Lines {
	f := &file{name: name, content: content}
	f.parse()
	lines := Lines{tree: f.tree, at: map[string]string{}}
	if f.tree != nil {
		lines.walk("", f.tree.root)
	}
	return lines
}

// walk takes note of every mapping with a code. The codes of things are unique.
func (l *Lines) walk(at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		if code, ok := v["code"].(string); ok {
			if _, known := l.at[code]; !known {
				l.at[code] = at
			}
		}
		for key, inside := range v {
			l.walk(at+"/"+escape(key), inside)
		}
	case []any:
		for i, inside := range v {
			l.walk(at+"/"+strconv.Itoa(i), inside)
		}
	}
}

// Of gives the line of a key of a thing, such as "chain.2" for its second step; that
// of the thing where the key is not written. A code that is not there means the file
// itself. 0 is for a file that could not be read.
func (l Lines) Of(code, key string) int {
	if l.tree == nil {
		return 0
	}
	at := l.at[code]
	for part := range strings.SplitSeq(key, ".") {
		if n, err := strconv.Atoi(part); err == nil && n > 0 {
			part = strconv.Itoa(n - 1)
		}
		at += "/" + escape(part)
	}
	return l.tree.line(at)
}
