package citizen_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/citizen"
	"mianti/examples/jinan"
	"mianti/ledger"
	"mianti/policies"
)

// told has one entry of each kind, about one person.
type told struct {
	citizen.Accesses
	found []citizen.Recorded
	rev   *catalog.Revision
}

func (l *told) AccessesOf(context.Context, citizen.Filter) ([]citizen.Recorded, error) {
	return l.found, nil
}
func (l *told) CountAccesses(context.Context, citizen.Filter) (int, error)    { return len(l.found), nil }
func (l *told) Current(context.Context, ...string) (*catalog.Revision, error) { return l.rev, nil }
func (l *told) Revision(context.Context, int, ...string) (*catalog.Revision, error) {
	return l.rev, nil
}
func (l *told) Append(context.Context, []ledger.Entry) error               { return nil }
func (l *told) names(context.Context, []string) (map[string]string, error) { return nil, nil }
func (l *told) SystemNames(c context.Context, i []string) (map[string]string, error) {
	return l.names(c, i)
}
func (l *told) GrantBases(c context.Context, i []string) (map[string]string, error) {
	return l.names(c, i)
}
func (l *told) CaseNumbers(c context.Context, i []string) (map[string]string, error) {
	return l.names(c, i)
}

// TestList_SaysInWordsWhateverConcernsAPerson: no code of ours is shown, neither of an
// act nor of what came of it.
func TestList_SaysInWordsWhateverConcernsAPerson(t *testing.T) {
	t.Parallel()
	rev, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	l := &told{rev: rev}
	for kind, result := range map[ledger.Kind]string{
		ledger.CaseOpened: "", ledger.FactsChanged: "", ledger.ResultReported: "granted", ledger.CaseClosed: "finished", ledger.CaseDestroyed: "",
		ledger.PaperHandedIn: "", ledger.Intent: "", ledger.Denied: "no_grant", ledger.Resolved: "pending", ledger.Read: "", ledger.Unmasked: "",
		ledger.AssistAnswered: "confirmed", ledger.FileLinked: "", ledger.FileFetched: "", ledger.EvidenceIssued: "", ledger.SheetIssued: "",
		ledger.ConsentRequested: "requested", ledger.ConsentGiven: "given", ledger.ConsentRefused: "refused", ledger.ConsentWithdrawn: "withdrawn",
		ledger.CorrectionOpened: "open", ledger.CorrectionTaken: "taken", ledger.CorrectionAnswered: "corrected", ledger.CorrectionPassedOn: "open",
		ledger.CorrectionEscalated: "negotiating", ledger.CorrectionMediated: "ordered", ledger.CorrectionDecided: "upheld",
		ledger.CorrectionWithdrawn: "withdrawn", ledger.CorrectionRead: "taken",
		ledger.PreviewRead: "awaiting", ledger.PreviewReleased: "released", ledger.PaperChosen: "paper",
		ledger.AccessListRead: "", ledger.AccessKeyRead: "", ledger.OwnCasesRead: "", ledger.OwnDataExported: "",
	} {
		l.found = append(l.found, citizen.Recorded{Number: int64(len(l.found) + 1), Entry: ledger.Entry{Kind: kind, Result: result, At: time.Unix(0, 0)}})
	}
	z := citizen.New(citizen.Config{Accesses: l, Register: l, Journal: l, Catalogs: l, Now: time.Now})
	list, err := z.List(t.Context(), policies.Caller{Person: "p", Subject: "s"}, citizen.Query{Limit: len(l.found)})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list.Items {
		if strings.HasPrefix(a.What, "其他") || a.Outcome == a.Result && a.Result != "" {
			t.Errorf("%s %s is told as %q, %q", a.Kind, a.Result, a.What, a.Outcome)
		}
	}
}
