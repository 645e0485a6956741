package api

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"mianti/catalog"
)

type catalogCheckInput struct {
	Body struct {
		Files map[string]string `json:"files" doc:"目录的各个文件: 路径与内容, 如 one-things/S01.yaml"`
	}
}

// catalogCheckView is what loading would say, and change.
type catalogCheckView struct {
	Valid   bool                 `json:"valid" doc:"可以载入"`
	Faults  []catalogFaultView   `json:"faults"`
	Changes []catalogChangesView `json:"changes" doc:"与现行目录相比, 按类别计数"`
}

type catalogFaultView struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

type catalogChangesView struct {
	Kind    string `json:"kind"`
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Changed int    `json:"changed"`
}

type catalogCheckOutput struct{ Body catalogCheckView }

func (s *server) registerCatalogCheck() {
	handle(s, s.operation(http.MethodPost, "/v1/catalog-checks", "check-catalog", "载入之前检查目录文件", catalogTag, 422), s.checkCatalog)
}

// checkCatalog loads files as far as their faults, or what they would change. Nothing
// of them is kept.
func (s *server) checkCatalog(ctx context.Context, in *catalogCheckInput) (*catalogCheckOutput, error) {
	out := &catalogCheckOutput{Body: catalogCheckView{Faults: []catalogFaultView{}, Changes: []catalogChangesView{}}}
	packed, err := packFiles(in.Body.Files)
	if err != nil {
		return nil, err
	}
	folder, faults := catalog.Archive(packed)
	var loaded *catalog.Revision
	if len(faults) == 0 {
		if loaded, err = catalog.Load(folder); err != nil && !errors.As(err, &faults) {
			return nil, err
		}
	}
	for _, f := range faults {
		out.Body.Faults = append(out.Body.Faults, catalogFaultView{f.File, f.Line, f.Code, f.Reason})
	}
	if len(faults) > 0 {
		return out, nil
	}
	out.Body.Valid = true
	current, err := s.revision(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := catalog.Compare(current, loaded)
	if err != nil {
		return nil, err
	}
	out.Body.Changes = countChanges(changes)
	return out, nil
}

func countChanges(changes []catalog.ThingChange) []catalogChangesView {
	out := []catalogChangesView{}
	for _, kind := range catalog.ThingKinds() {
		one := catalogChangesView{Kind: string(kind)}
		for _, c := range changes {
			switch {
			case c.Kind != kind:
			case c.Change == catalog.ThingAdded:
				one.Added++
			case c.Change == catalog.ThingRemoved:
				one.Removed++
			case c.Change == catalog.ThingChanged:
				one.Changed++
			}
		}
		if one.Added+one.Removed+one.Changed > 0 {
			out = append(out, one)
		}
	}
	return out
}

// packFiles makes one archive of files, which is what the catalog takes.
func packFiles(files map[string]string) ([]byte, error) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
