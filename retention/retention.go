// Package retention says how long what is kept of cases may be kept, and ends it:
// the content when its purpose is done or its term has ended, and later the salt
// that ties the ledger's entries to persons.
//
// Content is destroyed by destroying the key that it is encrypted with. What was
// concluded, codes, digests and the ledger remain.
package retention

import (
	"context"
	"fmt"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
)

// Terms (保存期限) are how long things are kept.
type Terms struct {
	// Payload is how long content is kept after the purpose of its case was done,
	// and Open how long at most after the case was opened, if that never comes.
	Payload, Open Term
	// Record is how long persons can be found in the ledger after that. At least
	// three years (政务数据共享条例, art. 29).
	Record Term
}

// DefaultTerms are 30 days, two years and three years.
func DefaultTerms() Terms {
	return Terms{Payload: Term{Days: 30}, Open: Term{Years: 2}, Record: leastRecord()}
}

// leastRecord is what the law wants at least.
func leastRecord() Term { return Term{Years: 3} }

// Check refuses terms that the law does not allow, and those that make no sense.
func (t Terms) Check() error {
	// The year from which is counted matters: three years have 1095 or 1096 days.
	for _, from := range []time.Time{time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)} {
		if t.Record.After(from).Before(leastRecord().After(from)) {
			return fault.New(fault.Invalid, "retention-record", "使用记录至少保存三年（政务数据共享条例第二十九条），%s 不够。", t.Record)
		}
	}
	if t.Open.none() {
		return fault.New(fault.Invalid, "retention-open", "未办结办件的最长保存期限须大于零。")
	}
	return nil
}

// Cutoffs are the moments before which a term that ends now has begun.
type Cutoffs struct {
	Done      time.Time // cases whose purpose was done by then
	Opened    time.Time // open cases that were opened by then
	Destroyed time.Time // salts of cases that were destroyed by then, and records of persons from by then
}

// At gives the cutoffs of a moment.
func (t Terms) At(now time.Time) Cutoffs {
	return Cutoffs{Done: t.Payload.Before(now), Opened: t.Open.Before(now), Destroyed: t.Record.Before(now)}
}

// Due (到期) is one thing that is to be destroyed.
type Due struct {
	Case       string
	Department string
	Revision   int
	// Salt says that it is the salt; else it is the content, and Why says why.
	Salt bool
	Why  exchange.DestroyedFor
}

// Counts are what was destroyed of a case.
type Counts struct {
	Resolutions, Results, Assists, Consents, Submissions int
}

// String says it for the record.
func (c Counts) String() string {
	return fmt.Sprintf("resolutions %d, results %d, assists %d, consents %d, submissions %d", c.Resolutions, c.Results, c.Assists, c.Consents, c.Submissions)
}

// Holdings (保存情况) are what is kept of the cases of a department, and what was
// destroyed.
type Holdings struct {
	Department string `json:"department"`
	// Cases with their content: all, those that are due now, and those that will be
	// within 30 days; Next is when the next one is due.
	Kept    int        `json:"kept"`
	Done    int        `json:"done"`
	Due     int        `json:"due"`
	Soon    int        `json:"due_within_30_days"`
	Next    *time.Time `json:"next_due,omitempty"`
	InClear int        `json:"in_clear"` // from before there was encryption
	// Cases whose content was destroyed, for either reason.
	PurposeDone int `json:"destroyed_purpose_done"`
	TermEnded   int `json:"destroyed_term_ended"`
	// Their salts.
	SaltsDue       int `json:"salts_due"`
	SaltsDestroyed int `json:"salts_destroyed"`
}

// soonDays is how far a report looks ahead.
const soonDays = 30

// Store keeps what is to be destroyed.
type Store interface {
	// Due gives some of what is due, the oldest first.
	Due(ctx context.Context, c Cutoffs, limit int) ([]Due, error)
	// Destroy destroys one of them with its entry, if it is still there and still
	// due, and says whether it did.
	Destroy(ctx context.Context, d Due, c Cutoffs, entry func(Counts) ledger.Entry) (bool, error)
	// Drop drops what else has outlived its term: the index of who looked at whom.
	// It gives how many rows.
	Drop(ctx context.Context, before time.Time) (int, error)
	// Holdings say what there is, by department.
	Holdings(ctx context.Context, now, soon Cutoffs, terms Terms) ([]Holdings, error)
}

// Retention (数据保存与销毁) ends what has been kept long enough.
type Retention struct {
	Store Store
	Terms Terms
	Now   func() time.Time
	// By is who is recorded to have done it.
	By string
}

// Done is what a run has destroyed.
type Done struct {
	Cases   int `json:"cases"`
	Salts   int `json:"salts"`
	Records int `json:"access_records"`
}

// batch is how many are looked for at a time.
const batch = 100

// Run destroys what is due. Each case is destroyed as a whole or not at all, so that
// it may be killed, run again, and run twice at once. progress is told of each step;
// nil for nobody.
func (r *Retention) Run(ctx context.Context, progress func(Done)) (Done, error) {
	var done Done
	cutoffs := r.Terms.At(r.Now().UTC())
	for {
		due, err := r.Store.Due(ctx, cutoffs, batch)
		if err != nil {
			return done, fmt.Errorf("look for what is due: %w", err)
		}
		if len(due) == 0 {
			break
		}
		before := done
		for _, d := range due {
			if err := r.destroy(ctx, d, cutoffs, &done); err != nil {
				return done, err
			}
			if progress != nil {
				progress(done)
			}
		}
		if done == before { // somebody else does them
			break
		}
	}
	var err error
	done.Records, err = r.Store.Drop(ctx, cutoffs.Destroyed)
	return done, err
}

func (r *Retention) destroy(ctx context.Context, d Due, c Cutoffs, done *Done) error {
	entry := func(counts Counts) ledger.Entry {
		e := ledger.Entry{
			Kind: ledger.CaseDestroyed, At: r.Now().UTC(), Person: r.By, Department: d.Department, Case: d.Case, Revision: d.Revision,
			Result: string(d.Why), Why: counts.String(),
		}
		if d.Salt {
			e.Kind = ledger.SaltDestroyed
		}
		return e
	}
	destroyed, err := r.Store.Destroy(ctx, d, c, entry)
	switch {
	case err != nil:
		return fmt.Errorf("destroy case %s: %w", d.Case, err)
	case destroyed && d.Salt:
		done.Salts++
	case destroyed:
		done.Cases++
	}
	return nil
}

// Report (保存与销毁情况) says what is kept and what was destroyed.
type Report struct {
	At          time.Time  `json:"at"`
	Terms       TermsText  `json:"terms"`
	Departments []Holdings `json:"departments"`
}

// TermsText are the terms as they are set, each with the law that it rests on.
type TermsText struct {
	Payload string `json:"payload"`
	Open    string `json:"open"`
	Record  string `json:"record"`
	Basis   Basis  `json:"basis"`
}

// Basis is the law that the terms rest on.
type Basis struct {
	Payload string `json:"payload"`
	Open    string `json:"open"`
	Record  string `json:"record"`
}

// LegalBasis names the clauses.
func LegalBasis() Basis {
	return Basis{
		Payload: "政务数据共享条例（国务院令第809号）第二十七条：使用目的实现后按要求处置",
		Open:    "个人信息保护法第十九条：保存期限为实现处理目的所必要的最短时间",
		Record:  "政务数据共享条例（国务院令第809号）第二十九条：使用场景、过程、存储、销毁等记录保存不少于三年",
	}
}

// Report says what is kept, what is due when, and what was destroyed.
func (r *Retention) Report(ctx context.Context) (Report, error) {
	now := r.Now().UTC()
	held, err := r.Store.Holdings(ctx, r.Terms.At(now), r.Terms.At(now.AddDate(0, 0, soonDays)), r.Terms)
	if err != nil {
		return Report{}, fmt.Errorf("report what is kept: %w", err)
	}
	return Report{
		At: now, Departments: held,
		Terms: TermsText{Payload: r.Terms.Payload.String(), Open: r.Terms.Open.String(), Record: r.Terms.Record.String(), Basis: LegalBasis()},
	}, nil
}
