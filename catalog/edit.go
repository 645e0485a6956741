package catalog

import "encoding/json"

// Edit (修改) is one thing of a catalog written anew, added or removed. A draft is
// a list of edits, at most one for a thing.
type Edit struct {
	// Kind is any but ThingSource: a source is part of its dataset.
	Kind ThingKind `json:"kind"`
	Code string    `json:"code"`
	// In is the department that holds the dataset, where the thing is one. What
	// holds the other things follows from their code: S01.M1.a is in S01.M1.
	In string `json:"in,omitempty"`
	// Value is the whole thing as a catalog's file has it, as JSON: a material
	// without what it takes from its common one, a matter without its materials, a
	// one-thing without its matters, a department without its datasets, a dataset
	// with its sources. Nil removes the thing, and all that it holds.
	Value json.RawMessage `json:"value"`
}

// Part (目录分册) is one file of a catalog as it is stored.
type Part struct {
	Path    string // such as "one-things/S01.yaml"
	Content []byte // YAML, as people wrote it; nil where the file is removed
}

// Drafted (修改后的目录) is a revision with edits, which nobody has stored.
type Drafted struct {
	// Revision is checked and compiled. Of a catalog that is too large to be held
	// whole it holds the one-things that the edits touch, and those asked for.
	Revision *Revision
	Parts    []Part // the files that are other than before
}
