package policies

import (
	"time"

	"mianti/catalog"
)

// Access is one look-up that somebody wants to make.
type Access struct {
	// Receiver is the code of the department whose system gets the answer.
	Receiver string
	// Department is the one that needs the record: the matter's own.
	Department *catalog.Department
	Matter     string
	Dataset    *catalog.Dataset
	Fields     []string // every field that would be read, released or not
	// Role is why the subject is in the case, and Party the subject.
	Role  *catalog.Role
	Party *catalog.Party
	// Guardian is what a guardian in the case has said, for a child's record.
	Guardian catalog.ConsentState
	// Stops are what is stopped.
	Stops Stops
}

// ReasonOfDecision is one reason for a decision.
type ReasonOfDecision string

// The reasons of decisions. All that hold are kept, not only the first.
const (
	GrantCovers       ReasonOfDecision = "grant_covers"
	GrantMissing      ReasonOfDecision = "grant_missing"
	GrantIsSuspended  ReasonOfDecision = "grant_suspended"
	GrantIsTerminated ReasonOfDecision = "grant_terminated"
	GrantNotYet       ReasonOfDecision = "grant_not_yet_in_force"
	GrantExpired      ReasonOfDecision = "grant_expired"
	GrantLacksField   ReasonOfDecision = "grant_lacks_field"
	DatasetWithheld   ReasonOfDecision = "dataset_withheld"
	DatasetStopped    ReasonOfDecision = "dataset_stopped"
	GrantStopped      ReasonOfDecision = "grant_stopped"
	OwnRecord         ReasonOfDecision = "own_record"
	StatutoryDuty     ReasonOfDecision = "statutory_duty"
	OwnConsent        ReasonOfDecision = "own_consent"
	GuardianConsent   ReasonOfDecision = "guardian_consent"
	ConsentAwaited    ReasonOfDecision = "consent_awaited"
	ConsentDenied     ReasonOfDecision = "consent_refused"
	// OfficerDecides is an assist task: what is told is decided by the officer
	// who is asked, in each case.
	OfficerDecides ReasonOfDecision = "officer_decides"
)

// Decision is the answer to an Access. The zero value denies.
type Decision struct {
	Allowed bool
	// AwaitsConsent says that consent alone is missing, and not refused.
	AwaitsConsent bool
	Reasons       []ReasonOfDecision
	Grant         string // the grant's id, when one covers the look-up
	Ruleset       string
}

// Decide says whether a look-up may be made at a moment. The default is no: it
// needs one grant that covers every field, and a legal basis for the person. A
// department that reads its own records for its own case shares nothing and
// needs neither.
func Decide(a Access, grants *Grants, now time.Time) Decision {
	d := Decision{Ruleset: Ruleset}
	if a.Stops.Holds(StopDataset, a.Dataset.Code) {
		d.Reasons = []ReasonOfDecision{DatasetStopped}
		return d
	}
	if a.Dataset.Department == a.Department.Code && a.Receiver == a.Department.Code {
		d.Allowed = true
		d.Reasons = []ReasonOfDecision{OwnRecord}
		return d
	}
	granted := d.byGrant(a, grants, now)
	based := d.byBasis(a, now)
	withheld := a.Dataset.Sharing == catalog.SharingWithheld
	if withheld {
		d.Reasons = append(d.Reasons, DatasetWithheld)
	}
	d.Allowed = granted && based && !withheld
	d.AwaitsConsent = d.AwaitsConsent && granted && !withheld
	return d
}

// byGrant looks for one grant that covers it all. Two grants are never put
// together: each was given for its own fields.
func (d *Decision) byGrant(a Access, grants *Grants, now time.Time) bool {
	found := grants.byUse[grantKey{a.Department.Code, a.Matter, a.Dataset.Code}]
	if len(found) == 0 {
		d.Reasons = append(d.Reasons, GrantMissing)
		return false
	}
	for i := range found {
		if reason, ok := found[i].serves(a, now); ok {
			d.Grant = found[i].ID
			d.Reasons = append(d.Reasons, reason)
			return true
		}
	}
	for i := range found {
		reason, _ := found[i].serves(a, now)
		d.Reasons = append(d.Reasons, reason)
	}
	return false
}

// byBasis says on what ground the person's record may be read
// (个人信息保护法, art. 13, 29, 31).
func (d *Decision) byBasis(a Access, now time.Time) bool {
	rule := consentRule(a, now)
	if rule == catalog.ConsentNone {
		d.Reasons = append(d.Reasons, StatutoryDuty)
		return true
	}
	state, given := a.Party.Consent, OwnConsent
	if rule == catalog.ConsentGuardian {
		state, given = a.Guardian, GuardianConsent
	}
	switch state {
	case catalog.ConsentGiven:
		d.Reasons = append(d.Reasons, given)
		return true
	case catalog.ConsentRefused:
		d.Reasons = append(d.Reasons, ConsentDenied)
		return false
	default:
		d.AwaitsConsent = true
		d.Reasons = append(d.Reasons, ConsentAwaited)
		return false
	}
}

// consentRule says whose consent a look-up needs. A thing has nobody to ask
// but the applicant, whose case it is. A guardian speaks for a child under 14,
// and for nobody older (个人信息保护法, art. 31).
func consentRule(a Access, now time.Time) catalog.ConsentRule {
	rule := catalog.ConsentNone
	isPerson := a.Party.Kind == catalog.KindPerson || a.Party.Kind == catalog.KindOrganization
	switch {
	case a.Role != nil && a.Role.Consent == catalog.ConsentGuardian:
		rule = catalog.ConsentGuardian
	case isPerson && (a.Department.PublicUtility || a.Dataset.Consent):
		rule = catalog.ConsentOwn
	case a.Role != nil && a.Role.Consent == catalog.ConsentOwn && !a.Party.In(applicantRole):
		rule = catalog.ConsentOwn
	}
	if rule == catalog.ConsentNone || a.Party.Kind != catalog.KindPerson {
		return rule
	}
	if isUnder14(a.Party.Number, now) {
		return catalog.ConsentGuardian
	}
	return catalog.ConsentOwn
}

// isUnder14 reads the birthday out of a citizen's number.
func isUnder14(number string, now time.Time) bool {
	if len(number) != 18 {
		return false
	}
	born, err := time.ParseInLocation("20060102", number[6:14], catalog.TimeZone())
	return err == nil && now.Before(born.AddDate(14, 0, 0))
}

// applicantRole is the role whose own act the application is.
const applicantRole = "applicant"
