package main

import (
	"context"
	"fmt"

	"mianti/catalog"
	"mianti/catalog/lint"
	"mianti/internal/fault"
	"mianti/store"
)

// draftLinter says what of a draft forbids publishing it.
type draftLinter struct {
	catalogs *store.Catalogs
	measures *lintMeasures
}

// LintErrors gives the errors that the change makes, or that stand on a thing which
// it touches and that nobody has explained.
func (d draftLinter) LintErrors(ctx context.Context, drafted *catalog.Drafted, base int) ([]fault.Detail, error) {
	things := drafted.Revision.OneThings()
	about := make([]string, len(things))
	for i, thing := range things {
		about[i] = thing.Code
	}
	rev, err := d.catalogs.Revision(ctx, base, about...)
	if err != nil {
		return nil, fmt.Errorf("look through a draft: %w", err)
	}
	measures, err := d.measures.Measures(ctx)
	if err != nil {
		return nil, err
	}
	details := []fault.Detail{}
	for _, f := range lint.Errors(lint.Drafted(rev, drafted.Revision, drafted.Parts, lint.Config{Measures: measures})) {
		details = append(details, fault.Detail{Location: f.Code + "." + f.Key, Code: string(f.Rule), Message: f.Name + "：" + f.Reason + "。" + f.Suggestion})
	}
	return details, nil
}
