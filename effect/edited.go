package effect

import (
	"context"

	"mianti/catalog"
)

// Revisions gives revisions of the catalog; about are the codes that come with one
// that is held in part.
type Revisions interface {
	Revision(ctx context.Context, number int, about ...string) (*catalog.Revision, error)
}

// Drafter (改写目录) gives a revision as it would be with edits, which are not stored.
type Drafter interface {
	// Drafted gives it with the one-things that the edits touch and those asked for; the
	// error is catalog.Faults where the edits do not make a catalog.
	Drafted(ctx context.Context, base int, edits []catalog.Edit, about ...string) (*catalog.Drafted, error)
}

// Edited is the question what edits of a revision would do. Named is what the ledger
// calls them. The error is catalog.Faults where they do not make a catalog.
func Edited(ctx context.Context, from Revisions, with Drafter, base int, edits []catalog.Edit, named string) (q Question, err error) {
	about := make([]string, len(edits))
	for i := range edits {
		about[i] = edits[i].Code
	}
	if q.Before, err = from.Revision(ctx, base, about...); err != nil {
		return q, err
	}
	drafted, err := with.Drafted(ctx, base, edits, about...)
	if err != nil {
		return q, err
	}
	q.After, q.Draft = drafted.Revision, named
	return q, nil
}
