package catalog

import "io/fs"

// Files gives the catalog's own files in a folder, by name: what Load reads of
// it, and what has to be kept to load it again. It is Faults when one cannot
// be read.
func Files(fsys fs.FS) (map[string][]byte, error) {
	files, faults := readFiles(fsys)
	if len(faults) > 0 {
		return nil, faults.sorted()
	}
	out := make(map[string][]byte, len(files))
	for _, f := range files {
		out[f.name] = f.content
	}
	return out, nil
}
