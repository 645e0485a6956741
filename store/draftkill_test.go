package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	programs "os/exec"
	"strconv"
	"syscall"
	"testing"

	"mianti/draft"
	"mianti/ledger"
)

// killablePublisher is the first word of the command line of a process that is
// killed while it publishes; its database, point and draft follow.
const killablePublisher = "killable-publisher"

// publishPoints are the steps of a publication.
func publishPoints() []killPoint {
	return []killPoint{
		{"before the revision", "publish", false, "INSERT INTO catalog_revisions"},
		{"after the revision", "publish", true, "INSERT INTO catalog_revisions"},
		{"after its files", "publish", true, "INSERT INTO catalog_parts"},
		{"after where they are", "publish", true, "INSERT INTO catalog_paths"},
		{"when the revision is complete", "publish", true, "UPDATE catalog_revisions"},
		{"after the entry", "publish", true, "INSERT INTO ledger_entries"},
		{"after the draft", "publish", true, "UPDATE drafts"},
		{"before it is durable", "publish", false, "commit"},
		{"when it is durable, before the answer", "publish", true, "commit"},
	}
}

func runKillablePublisher(args []string) error {
	point, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := openKillable(ctx, args[0], &killer{publishPoints()[point], 1, syscall.SIGKILL})
	if err != nil {
		return err
	}
	_, err = testDesk(s).Publish(ctx, draftReviewer("rev"), args[2], 0)
	return err
}

// TestKill_WhilePublishingLeavesAllOfItOrNothing kills, with SIGKILL, a process at
// each step of a publication. Revision, draft and entry are then there together or
// not at all, and the draft can be published by another process if they are not.
func TestKill_WhilePublishingLeavesAllOfItOrNothing(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s := openStore(t, Config{URL: url, Now: testClock})
		withDraftable(t, s)
		desk := testDesk(s)
		for i, point := range publishPoints() {
			v := readyToPublish(t, desk, renamed("K01.M1.a", fmt.Sprintf("第%d个", i)))
			before := len(publications(t, s))
			process := programs.Command(os.Args[0], killablePublisher, url, strconv.Itoa(i), v.ID)
			var errs bytes.Buffer
			process.Stderr = &errs
			err := process.Run()
			var ended *programs.ExitError
			if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%s: it was not killed there: %v\n%s", point.name, err, &errs)
			}
			number, err := s.LatestRevision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			d, err := s.Draft(t.Context(), v.ID)
			if err != nil {
				t.Fatal(err)
			}
			done := point.statement == "commit" && point.after
			entries := len(publications(t, s)) - before
			if number != v.Base+oneIf(done) || (d.State == draft.Published) != done || entries != oneIf(done) {
				t.Fatalf("%s: revision %d after %d, draft %s, %d entries", point.name, number, v.Base, d.State, entries)
			}
			if done {
				continue
			}
			again, err := desk.Publish(t.Context(), draftReviewer("rev"), v.ID, 0)
			if err != nil || again.Revision != v.Base+1 {
				t.Fatalf("%s: published again: %+v, %v", point.name, again, err)
			}
		}
	})
}

func oneIf(done bool) int {
	if done {
		return 1
	}
	return 0
}

// publications are the entries of publications.
func publications(t *testing.T, s *Store) []entryRow {
	t.Helper()
	rows, err := table[entryRow](s.db).Where("kind = ?", string(ledger.CatalogLoaded)).Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
