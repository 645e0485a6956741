// Package citizen (本人) is what a person sees of what was done with his data:
// his cases and what was filled in for him, and every access to his data — by
// whom, which fields, why, when, and what came of it.
//
// He is found by the keyed digest of his own number, and by nothing else. What is
// another's looks as if it did not exist. His own readings are recorded before
// they are answered, and stand in the list that he reads.
package citizen

import (
	"context"
	"fmt"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Accesses is the index of the ledger by whom its entries concern.
type Accesses interface {
	// AccessesOf lists those of a filter, newest first. An intent comes with its
	// outcome, if there is one, and the outcome does not come by itself.
	AccessesOf(ctx context.Context, f Filter) ([]Recorded, error)
	// CountAccesses counts those of a filter, whatever its page is.
	CountAccesses(ctx context.Context, f Filter) (int, error)
	// AccessKey gives the key of a person's links; fault.NotFound while none of his
	// entries is sealed.
	AccessKey(ctx context.Context, subject string) (Key, error)
	// FirstAccess is since when accesses are recorded, of anybody; zero for never.
	FirstAccess(ctx context.Context) (time.Time, error)
}

// Cases finds the cases that concern somebody.
type Cases interface {
	// CasesConcerning lists cases that concern or concerned somebody, newest first,
	// and the place after which the next page begins; 0 when there is none.
	CasesConcerning(ctx context.Context, subject string, after int64, limit int) ([]exchange.Case, int64, error)
	// CaseConcerning gives one of them; fault.NotFound for none.
	CaseConcerning(ctx context.Context, subject, id string) (*exchange.Case, error)
}

// Register gives what identifiers stand for. What it does not know it leaves out.
type Register interface {
	// SystemNames are the names of systems.
	SystemNames(ctx context.Context, ids []string) (map[string]string, error)
	// GrantBases are what grants rest on, in the words of their application.
	GrantBases(ctx context.Context, ids []string) (map[string]string, error)
	// CaseNumbers are the departments' own numbers of cases.
	CaseNumbers(ctx context.Context, ids []string) (map[string]string, error)
}

// Journal appends entries to the ledger, durably, before it returns.
type Journal interface {
	Append(ctx context.Context, entries []ledger.Entry) error
}

// Config is what a Citizen is made of. All fields are required.
type Config struct {
	Accesses Accesses
	Cases    Cases
	Register Register
	Journal  Journal
	Catalogs exchange.Catalogs
	Exchange *exchange.Exchange
	Now      func() time.Time
}

// Citizen is what a person may ask about himself. It is safe for concurrent use.
type Citizen struct {
	Config
}

// New returns a Citizen.
func New(c Config) *Citizen { return &Citizen{Config: c} }

// record writes down that somebody reads of his own, before he is answered.
func (z *Citizen) record(ctx context.Context, kind ledger.Kind, by policies.Caller, caseID string) error {
	if by.Subject == "" || by.Person == "" {
		return notCitizen()
	}
	e := ledger.Entry{Kind: kind, At: z.Now().UTC(), Person: by.Person, Case: caseID, Concerns: []string{by.Subject}}
	if err := z.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return fault.New(fault.Unavailable, "not-recorded", "查阅未能留痕，因此没有给出结果。请稍后重试。").Because(err)
	}
	return nil
}

// notCitizen refuses somebody who is known by no number of his own.
func notCitizen() error {
	return fault.New(fault.Denied, "not-your-duty", "只有以本人身份登录的申请人可以查阅。")
}

// Me is who somebody is to the exchange. Neither name nor number is whole: it
// keeps them in cases alone.
type Me struct {
	Person string `json:"person" doc:"人员编号; 不含姓名和号码"`
	Name   string `json:"name,omitempty" doc:"姓名, 已遮盖; 取自最近的办件"`
	Number string `json:"number,omitempty" doc:"公民身份号码, 已遮盖; 取自最近的办件"`
	// RecordedSince is since when accesses are recorded at all, and Accesses how
	// many there are of him.
	RecordedSince *time.Time `json:"recorded_since,omitempty" doc:"从何时起记录查阅"`
	Accesses      int        `json:"accesses" doc:"对本人数据的查阅共有多少条"`
	Message       string     `json:"message" doc:"说明"`
}

// Me says who the caller is to the exchange, masked.
func (z *Citizen) Me(ctx context.Context, by policies.Caller) (*Me, error) {
	if by.Subject == "" {
		return nil, notCitizen()
	}
	first, err := z.Accesses.FirstAccess(ctx)
	if err != nil {
		return nil, fmt.Errorf("read since when accesses are recorded: %w", err)
	}
	me := &Me{Person: by.Person, RecordedSince: moment(first), Message: nothingYet}
	if me.Accesses, err = z.Accesses.CountAccesses(ctx, Filter{Subject: by.Subject}); err != nil {
		return nil, fmt.Errorf("count accesses: %w", err)
	}
	if me.Accesses > 0 {
		me.Message = fmt.Sprintf("对您的数据有 %d 条查阅记录，见 GET /v1/me/accesses。", me.Accesses)
	}
	found, _, err := z.Cases.CasesConcerning(ctx, by.Subject, 0, 1)
	if err != nil {
		return nil, fmt.Errorf("find the last case: %w", err)
	}
	for i := range found {
		if own := z.partiesOf(&found[i], by.Subject); len(own) > 0 {
			me.Name, me.Number = maskName(own[0].Name), maskNumber(own[0].Number)
		}
	}
	return me, nil
}

// nothingYet explains an empty list.
const nothingYet = "还没有人查询过您的数据。"

// maskName leaves the first character of a name.
func maskName(name string) string { return mask(name, 1, 0) }

// maskNumber leaves the first and the last four characters of a number: by the
// rest alone nobody is found.
func maskNumber(number string) string { return mask(number, 4, 4) }

func mask(text string, first, last int) string {
	runes := []rune(text)
	for i := range runes {
		if i >= first && (i < len(runes)-last || len(runes) <= first+last) {
			runes[i] = '*'
		}
	}
	return string(runes)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
