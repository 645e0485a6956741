package sharing

import (
	"strings"
	"time"

	"mianti/ledger"
	"mianti/policies"
)

// kind is the kind of the entry that records an act.
func (a Act) kind() ledger.Kind {
	switch a {
	case Submit:
		return ledger.SharingRequested
	case AskCompletion:
		return ledger.SharingCompletionAsked
	case Complete:
		return ledger.SharingCompleted
	case AskExtension:
		return ledger.SharingExtensionAsked
	case ConsentExtension:
		return ledger.SharingExtended
	case Decide:
		return ledger.SharingDecided
	case Deliver:
		return ledger.SharingDelivered
	default:
		return ledger.SharingWithdrawn
	}
}

func (a GrantAct) kind() ledger.Kind {
	switch a {
	case Suspend:
		return ledger.GrantSuspended
	case Order:
		return ledger.GrantCorrectionOrdered
	case Resume:
		return ledger.GrantResumed
	case Narrow:
		return ledger.GrantNarrowed
	default:
		return ledger.GrantTerminated
	}
}

// requestEntry records an act on a request: why, and the state that it led to.
func requestEntry(r *Request, e Event, by policies.Caller, now time.Time) ledger.Entry {
	why := e.Why
	switch e.Act {
	case Submit, Complete:
		why = r.Application.Basis
	case ConsentExtension:
		why = r.Extension.Reason
	case Decide:
		why = refusals(r.Items)
	}
	return ledger.Entry{
		Kind: e.Act.kind(), At: now, System: by.System, Person: by.Person, Department: by.Department, Revision: r.Revision,
		Matter: strings.Join(r.Application.Matters, ","), Dataset: r.Application.Dataset, Fields: fieldsOf(r, e.Act),
		Object: "sharing-request:" + r.ID, Why: why, Result: string(r.State),
	}
}

// fieldsOf are the fields that an act is about: once it is decided, those that
// were agreed to.
func fieldsOf(r *Request, act Act) []string {
	if act == Decide || act == Deliver {
		return r.agreedFields()
	}
	return r.Application.Fields
}

// refusals gives the reasons of the fields that were refused.
func refusals(items []Item) string {
	var reasons []string
	for _, item := range items {
		if item.Reason != "" {
			reasons = append(reasons, item.Field+": "+item.Reason)
		}
	}
	return strings.Join(reasons, "; ")
}

// grantEntry records an act on a grant.
func grantEntry(g *Grant, kind ledger.Kind, why string, by policies.Caller, now time.Time) ledger.Entry {
	return ledger.Entry{
		Kind: kind, At: now, System: by.System, Person: by.Person, Department: by.Department,
		Matter: g.Matter, Dataset: g.Dataset, Fields: g.Fields, Grant: g.ID, Object: "grant:" + g.ID, Why: why, Result: string(g.State),
	}
}
