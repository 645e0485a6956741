package draft

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"mianti/ledger"
	"mianti/policies"
)

// kind is the kind of the entry that records an act; empty for writing, which the
// draft itself keeps.
func (a Act) kind() ledger.Kind {
	switch a {
	case Create:
		return ledger.DraftCreated
	case Submit:
		return ledger.DraftSubmitted
	case Recall:
		return ledger.DraftRecalled
	case Return:
		return ledger.DraftReturned
	case Approve:
		return ledger.DraftApproved
	case Schedule:
		return ledger.DraftScheduled
	case Publish:
		return ledger.CatalogLoaded
	case Block:
		return ledger.DraftBlocked
	case Withdraw:
		return ledger.DraftWithdrawn
	default:
		return ""
	}
}

// entries record an act. Of a publication the store adds the revision's number and
// the digest of its files.
func (d *Draft) entries(act Act, why string, by policies.Caller, now time.Time) []ledger.Entry {
	kind := act.kind()
	if kind == "" {
		return nil
	}
	return []ledger.Entry{{
		Kind: kind, At: now.UTC(), System: by.System, Person: by.Person, Department: by.Department, Object: "draft:" + d.ID, Why: why,
		Revision: d.Base, Version: d.Version, Result: string(d.State), Digest: d.digest(),
	}}
}

// digest names the changes of the draft, whatever else becomes of it.
func (d *Draft) digest() string {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	for i := range d.Edits {
		_ = encoder.Encode(&d.Edits[i]) // a hash takes all, and an edit was JSON before
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}
