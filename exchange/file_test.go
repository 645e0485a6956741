package exchange_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// platform gives files, and keeps what it was asked for.
type platform struct {
	mu    sync.Mutex
	asked []connectors.Query
	err   error
}

func (p *platform) File(_ context.Context, q connectors.Query, identifier string) (*connectors.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	return &connectors.File{Type: "application/pdf", Body: io.NopCloser(strings.NewReader("%PDF- " + identifier))}, p.err
}

// cards is an exchange that has resolved a case in which identity cards settle,
// with a platform that gives their files.
func cards(t *testing.T, changes ...func(*exchange.Config)) (*bench, *platform, *exchange.Resolution) {
	t.Helper()
	p := &platform{}
	b := newBench(t, wellKept, append([]func(*exchange.Config){func(c *exchange.Config) { c.Files = p }}, changes...)...)
	b.x.FileLinks = b.store
	return b, p, b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
}

func (b *bench) link(by policies.Caller, r *exchange.Resolution) *exchange.FileLink {
	b.t.Helper()
	link, err := b.x.LinkFile(b.t.Context(), by, r.ID, "S01.M1.b", "p2")
	if err != nil {
		b.t.Fatal(describe(err))
	}
	return link
}

// clerk is a person who works with the cases of a department, in a session.
func clerk(session string) policies.Caller {
	return policies.Caller{Person: "person-1", Session: session, Department: "SPJ", Duties: []policies.Duty{policies.DutyClerk}}
}

func TestFetchFile_BearsWhyForWhichCaseForWhomAndWhen(t *testing.T) {
	t.Parallel()
	b, p, r := cards(t)
	link := b.link(clerk("s1"), r)
	if want := at().Add(10 * time.Minute); !link.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want %v", link.ExpiresAt, want)
	}
	file, err := b.x.FetchFile(t.Context(), clerk("s1"), link.Token)
	if err != nil {
		t.Fatal(describe(err))
	}
	content, err := io.ReadAll(file.Body)
	if want := "%PDF- " + r.Materials[1].Evidence.Reference; err != nil || string(content) != want {
		t.Errorf("content %q, %v; want %q", content, err, want)
	}
	// at() is 09:00 UTC, which is 17:00 in Shanghai.
	if want := "免提交核验《股东(发起人)主体资格文件或自然人身份证明》；办件JN-T-0001；经办person-1；2026-11-23 17:00"; len(p.asked) != 1 || p.asked[0].Purpose != want {
		t.Errorf("asked for %+v, want one question with the watermark %q", p.asked, want)
	}
	entries := b.entries(r.Case, ledger.FileLinked, ledger.FileFetched)
	if len(entries) != 2 || entries[0].Kind != ledger.FileLinked || entries[1].Kind != ledger.FileFetched || entries[1].Person != "person-1" || entries[1].Material != "S01.M1.b" {
		t.Errorf("entries %+v, want that the link was given out and the file was had, by whom", entries)
	}
}

func TestFetchFile_IsOneShotTenMinutesAndBoundToTheSession(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		by    policies.Caller
		later time.Duration
		had   bool
	}{
		{"the session that asked", clerk("s1"), 10*time.Minute - time.Second, true},
		{"when ten minutes are over", clerk("s1"), 10 * time.Minute, false},
		{"the same person in another session", clerk("s2"), 0, false},
		{"a system of the same department", as("SPJ"), 0, false},
		{"a system called like the session", policies.Caller{System: "s1", Department: "SPJ"}, 0, false},
		{"another department", as("GA"), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := at()
			b, p, r := cards(t, func(c *exchange.Config) { c.Now = func() time.Time { return now } })
			link := b.link(clerk("s1"), r)
			now = now.Add(tt.later)
			_, err := b.x.FetchFile(t.Context(), tt.by, link.Token)
			if !tt.had {
				wantFault(t, err, fault.NotFound, "unknown-file-link")
				if len(p.asked) != 0 {
					t.Error("the platform was asked")
				}
				return
			}
			if err != nil {
				t.Fatal(describe(err))
			}
			_, err = b.x.FetchFile(t.Context(), tt.by, link.Token)
			wantFault(t, err, fault.NotFound, "unknown-file-link")
		})
	}
}

func TestFetchFile_GivesItToOneOfManyWhoComeAtOnce(t *testing.T) {
	t.Parallel()
	b, p, r := cards(t)
	link := b.link(as("SPJ"), r)
	var all sync.WaitGroup
	var had atomic.Int64
	for range 20 {
		all.Go(func() {
			if _, err := b.x.FetchFile(t.Context(), as("SPJ"), link.Token); err == nil {
				had.Add(1)
			}
		})
	}
	all.Wait()
	if had.Load() != 1 || len(p.asked) != 1 {
		t.Errorf("%d had the file and the platform was asked %d times, want once", had.Load(), len(p.asked))
	}
}

func TestFetchFile_SaysThatTheSourceFailedAndNotWhy(t *testing.T) {
	t.Parallel()
	b, p, r := cards(t)
	p.err = &connectors.Fault{Kind: connectors.FaultDown, Cause: errors.New("secret detail")}
	link := b.link(as("SPJ"), r)
	_, err := b.x.FetchFile(t.Context(), as("SPJ"), link.Token)
	if f := wantFault(t, err, fault.Unavailable, "source-unavailable"); strings.Contains(f.Message, "secret") {
		t.Errorf("told %q", f.Message)
	}
	_, err = b.x.FetchFile(t.Context(), as("SPJ"), link.Token)
	wantFault(t, err, fault.NotFound, "unknown-file-link") // it was tried, so it is used
}

func TestLinkFile_RefusesWhatWasNotSettledByALicence(t *testing.T) {
	t.Parallel()
	b, _, r := cards(t)
	for _, tt := range []struct{ material, party string }{
		{"S01.M1.a", ""},   // a form
		{"S01.M1.j", "p2"}, // a register
		{"S01.M1.b", "p1"}, // another party
		{"S09.M1.a", "p2"}, // not in the case
	} {
		_, err := b.x.LinkFile(t.Context(), as("SPJ"), r.ID, tt.material, tt.party)
		wantFault(t, err, fault.Conflict, "no-file")
	}
	_, err := b.x.LinkFile(t.Context(), as("GA"), r.ID, "S01.M1.b", "p2")
	wantFault(t, err, fault.NotFound, "unknown-resolution")
	if n := b.rows("file_links"); n != 0 {
		t.Errorf("%d links are stored, want none", n)
	}
}
