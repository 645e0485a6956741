package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// ConsentDecision (授权决定) is what a person says to a sheet.
type ConsentDecision struct {
	Decision catalog.ConsentState `json:"decision" enum:"given,refused" doc:"given: 同意; refused: 不同意"`
	// SheetDigest is that of the sheet which he has read.
	SheetDigest string `json:"sheet_digest" maxLength:"80" doc:"所读知情内容的摘要"`
}

// ConsentReceipt (授权回执) says what a person has decided, on which sheet, when
// and by which way. There is one for a refusal and a withdrawal too.
type ConsentReceipt struct {
	Consent     Consent   `json:"consent" doc:"决定及其所依据的知情内容"`
	IssuedAt    time.Time `json:"issued_at"`
	SheetDigest string    `json:"sheet_digest" doc:"知情内容的摘要; 由受理部门转达的没有"`
	Digest      string    `json:"digest" doc:"consent 一项的摘要: 其 JSON 的 SHA-256"`
}

// EventConsentDecided tells the case's system that somebody has given, refused
// or withdrawn a consent: the case is to be resolved again.
const EventConsentDecided = "consent.decided"

// MyConsents lists what the caller is asked, and has been, newest first.
func (x *Exchange) MyConsents(ctx context.Context, by policies.Caller, f ConsentFilter) ([]Consent, error) {
	if by.Subject == "" {
		return []Consent{}, nil
	}
	f.Subject = by.Subject
	consents, err := x.Consents.ConsentsOf(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	for i := range consents {
		consents[i].State = consents[i].standing(x.Now())
		consents[i].Sheet, consents[i].SheetDigest = nil, "" // who decides has read it
	}
	return orNone(consents), nil
}

// MyConsent gives a consent that is the caller's to give, with its sheet. It
// holds no value of a record, and reading it is not recorded.
func (x *Exchange) MyConsent(ctx context.Context, by policies.Caller, id string) (*Consent, error) {
	if by.Subject == "" {
		return nil, unknownConsent()
	}
	consent, err := x.Consents.Consent(ctx, by.Subject, id)
	if err != nil {
		return nil, fmt.Errorf("read a consent: %w", err)
	}
	consent.State = consent.standing(x.Now())
	return consent, nil
}

func unknownConsent() error {
	return fault.New(fault.NotFound, "unknown-consent", "没有这个授权同意")
}

// Receipt gives the receipt of a decision of the caller.
func (x *Exchange) Receipt(ctx context.Context, by policies.Caller, id string) (*ConsentReceipt, error) {
	consent, err := x.MyConsent(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if consent.Destroyed != nil {
		return nil, CaseDestroyed(*consent.Destroyed)
	}
	if consent.Decision == catalog.ConsentUnknown {
		return nil, fault.New(fault.Conflict, "consent-undecided", "还没有作出决定，没有回执。")
	}
	sum := sha256.Sum256([]byte(canonical(consent)))
	return &ConsentReceipt{
		Consent: *consent, IssuedAt: x.Now().UTC(), SheetDigest: consent.SheetDigest, Digest: "sha256:" + hex.EncodeToString(sum[:]),
	}, nil
}

// DecideConsent takes what a person says to the sheet that he has read. The same
// again changes nothing.
func (x *Exchange) DecideConsent(ctx context.Context, by policies.Caller, id string, in ConsentDecision) (*Consent, error) {
	return x.act(ctx, by, id, func(c *Case, consent *Consent) (ledger.Kind, error) {
		if err := x.mayDecide(c, consent, in); err != nil {
			return "", err
		}
		if consent.Decision == in.Decision && consent.State == ConsentStanding(in.Decision) {
			return "", nil
		}
		consent.State, consent.Decision, consent.DecidedAt = ConsentStanding(in.Decision), in.Decision, at(x.Now())
		for i := range c.Consents {
			if earlier := &c.Consents[i]; earlier != consent && earlier.Party == consent.Party && earlier.By == consent.By && earlier.State == ConsentGiven {
				earlier.State = ConsentSuperseded
			}
		}
		return decisionKind(in.Decision), nil
	})
}

// mayDecide says why a decision cannot be taken.
func (x *Exchange) mayDecide(c *Case, consent *Consent, in ConsentDecision) error {
	switch standing := consent.standing(x.Now()); {
	case in.Decision != catalog.ConsentGiven && in.Decision != catalog.ConsentRefused:
		return fault.New(fault.Invalid, "invalid-decision", "决定须为 given 或 refused。").
			With(fault.Detail{Location: "body.decision", Code: "invalid-decision", Message: "请填写 given 或 refused。"})
	case consent.Sheet != nil && in.SheetDigest != consent.SheetDigest:
		return fault.New(fault.Conflict, "consent-sheet-changed", "知情内容与您所读的不同，没有登记决定。请重新阅读后再决定。").
			With(fault.Detail{Location: "body.sheet_digest", Code: "consent-sheet-changed", Message: "请填写当前知情内容的 sheet_digest。"})
	case standing == ConsentExpired:
		return fault.New(fault.Conflict, "consent-expired", "已过作出决定的期限或同意的期限。需要时请联系受理部门重新征求。")
	case standing == ConsentSuperseded, standing == ConsentRequested && !x.isAsked(c, consent):
		return fault.New(fault.Conflict, "consent-superseded", "办件已有变化，这份征求不再有效。需要时受理部门会重新征求。")
	case standing == ConsentGiven && in.Decision == catalog.ConsentRefused:
		return fault.New(fault.Conflict, "consent-decided", "您已经同意。要停止查询，请撤回同意。")
	case standing == ConsentRefused && in.Decision == catalog.ConsentGiven, standing == ConsentWithdrawn:
		return fault.New(fault.Conflict, "consent-decided", "您已经拒绝或撤回。改变主意时，请联系受理部门重新征求授权。")
	}
	return nil
}

// isAsked reports whether the one who was asked is still the one to ask: a child
// that has turned 14 speaks for himself.
func (x *Exchange) isAsked(c *Case, consent *Consent) bool {
	return x.stands(c, consent) && policies.NeedsGuardian(c.party(consent.Party), x.Now()) == consent.isGuardian()
}

// WithdrawConsent takes a consent back (个人信息保护法, art. 15): from now on
// nothing is asked on it, and nothing that rests on it is given out. The same
// again changes nothing.
func (x *Exchange) WithdrawConsent(ctx context.Context, by policies.Caller, id string) (*Consent, error) {
	return x.act(ctx, by, id, func(_ *Case, consent *Consent) (ledger.Kind, error) {
		switch consent.State {
		case ConsentWithdrawn:
			return "", nil
		case ConsentGiven:
			consent.State, consent.WithdrawnAt = ConsentWithdrawn, at(x.Now())
			return ledger.ConsentWithdrawn, nil
		}
		return "", fault.New(fault.Conflict, "consent-not-given", "没有可以撤回的同意。")
	})
}

// actTries is how often an act is tried that loses against another change of the
// case: a person's word must not get lost to a busy system.
const actTries = 5

// act changes a consent of the caller together with its case, its entry and the
// message to the case's system. change says what was done; nothing is stored
// when it says "".
func (x *Exchange) act(ctx context.Context, by policies.Caller, id string, change func(*Case, *Consent) (ledger.Kind, error)) (*Consent, error) {
	var err error
	for range actTries {
		var consent *Consent
		consent, err = x.actOnce(ctx, by, id, change)
		if f := fault.As(err); f == nil || f.Code != "case-changed" {
			return consent, err
		}
	}
	return nil, err
}

func (x *Exchange) actOnce(ctx context.Context, by policies.Caller, id string, change func(*Case, *Consent) (ledger.Kind, error)) (*Consent, error) {
	found, err := x.MyConsent(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if found.Destroyed != nil {
		return nil, CaseDestroyed(*found.Destroyed)
	}
	c, err := x.Cases.Case(ctx, found.Department, found.Case)
	if err != nil {
		return nil, fmt.Errorf("act on a consent: %w", err)
	}
	consent := c.consent(id)
	if consent == nil {
		return nil, unknownConsent()
	}
	kind, err := change(c, consent)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		job, err := x.decided(c, consent)
		if err != nil {
			return nil, err
		}
		c.UpdatedAt = x.Now().UTC()
		commit := ConsentCommit{Case: c, Entries: []ledger.Entry{x.consentEntry(kind, by, c, consent)}, Jobs: []jobs.Job{job}}
		if err := x.Consents.CommitConsents(ctx, commit); err != nil {
			return nil, fmt.Errorf("act on a consent: %w", err)
		}
	}
	consent.State = consent.standing(x.Now())
	return consent, nil
}

// decided is the message that a consent was decided on.
func (x *Exchange) decided(c *Case, consent *Consent) (jobs.Job, error) {
	return Event{
		System: c.System, ID: consent.ID + "-" + string(consent.State), Type: EventConsentDecided, At: x.Now().UTC(),
		Data: map[string]any{"consent": consent.ID, "case": c.ID, "case_number": c.Number, "party": consent.Party, "state": string(consent.State)},
	}.job()
}
