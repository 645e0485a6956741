package exchange

import (
	"context"
	"fmt"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Act (用证记录) is something that a person did by the exchange, as the ledger has
// it. Of a question, Entry.Result is what came of it.
type Act struct {
	Number     int64 // of the entry
	Entry      ledger.Entry
	CaseNumber string // the department's own number; empty where it is about no case
}

// ActFilter chooses what a person did.
type ActFilter struct {
	Person string
	Kinds  []string
	Before int64 // number of the last one of the page before; 0 for the first page
	Limit  int
}

// ActKinds are the kinds by which data was used, or somebody wanted to use it.
func ActKinds() []ledger.Kind {
	return []ledger.Kind{
		ledger.Intent, ledger.Denied, ledger.Read, ledger.Unmasked, ledger.SheetIssued, ledger.EvidenceIssued, ledger.FileLinked, ledger.FileFetched,
		ledger.LogRead, ledger.ConsentRequested, ledger.CorrectionOpened, ledger.CorrectionRead,
	}
}

// MyActs gives what the caller did in person (我的用证记录), newest first: all of
// ActKinds, or those of one kind. The reading is an entry itself.
func (x *Exchange) MyActs(ctx context.Context, by policies.Caller, kind ledger.Kind, f ActFilter) ([]Act, error) {
	if by.Person == "" {
		return nil, fault.New(fault.Denied, "no-person", "用证记录属于经办人员本人，接入系统没有。")
	}
	f.Person, f.Kinds = by.Person, nil
	for _, k := range ActKinds() {
		if kind == "" || kind == k {
			f.Kinds = append(f.Kinds, string(k))
		}
	}
	if len(f.Kinds) == 0 {
		return nil, fault.New(fault.Invalid, "unknown-kind", "没有这种用证记录。").
			With(fault.Detail{Location: "query.kind", Code: "unknown", Message: "没有这种用证记录。"})
	}
	acts, err := x.Inbox.Acts(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list what somebody did: %w", err)
	}
	read := ledger.Entry{Kind: ledger.LogRead, At: x.Now().UTC(), Person: by.Person, Department: by.Department, Object: "acts:" + by.Person}
	return acts, x.recordLogReading(ctx, read)
}
