package policies

import (
	"slices"
	"time"

	"mianti/catalog"
)

// Access is one look-up that somebody wants to make.
type Access struct {
	// System is the client id of the system that asks; empty when a person does.
	System string
	// Receiver is the code of the department whose system gets the answer.
	Receiver string
	// Department is the one that needs the record: the matter's own.
	Department *catalog.Department
	Matter     *catalog.Matter
	State      catalog.MatterState // of the matter in the case
	Material   string              // code of the material of the matter that it is for
	Dataset    *catalog.Dataset
	Fields     []string // every field that would be read, released or not
	// Role is why the subject is in the case, and Party the subject.
	Role  *catalog.Role
	Party *catalog.Party
	// Own is what the subject has said, and Guardians what the guardians in the
	// case have said, for a child's record.
	Own       Permission
	Guardians []Permission
}

// ReasonOfDecision is one reason for a decision.
type ReasonOfDecision string

// The reasons of decisions. All that hold are kept, not only the first;
// docs/decision-reasons.md says what each means and by which clause.
const (
	OwnRecord         ReasonOfDecision = "own_record"
	GrantCovers       ReasonOfDecision = "grant_covers"
	GrantMissing      ReasonOfDecision = "grant_missing"
	GrantIsStopped    ReasonOfDecision = "grant_stopped"
	GrantIsSuspended  ReasonOfDecision = "grant_suspended"
	GrantIsTerminated ReasonOfDecision = "grant_terminated"
	GrantNotYet       ReasonOfDecision = "grant_not_yet_in_force"
	GrantExpired      ReasonOfDecision = "grant_expired"
	GrantLacksField   ReasonOfDecision = "grant_lacks_field"
	StatutoryDuty     ReasonOfDecision = "statutory_duty"
	OwnConsent        ReasonOfDecision = "own_consent"
	GuardianConsent   ReasonOfDecision = "guardian_consent"
	BasisMissing      ReasonOfDecision = "basis_missing"
	ConsentAwaited    ReasonOfDecision = "consent_awaited"
	ConsentExpired    ReasonOfDecision = "consent_expired"
	ConsentLacksField ReasonOfDecision = "consent_lacks_field"
	ConsentDenied     ReasonOfDecision = "consent_refused"
	DatasetWithheld   ReasonOfDecision = "dataset_withheld"
	FieldWithheld     ReasonOfDecision = "field_withheld"
	SystemIsStopped   ReasonOfDecision = "system_stopped"
	DatasetIsStopped  ReasonOfDecision = "dataset_stopped"
	MatterDecided     ReasonOfDecision = "matter_decided"
	MatterNotOpen     ReasonOfDecision = "matter_not_open"
	MaterialNotListed ReasonOfDecision = "material_not_listed"
	RoleNotListed     ReasonOfDecision = "role_not_listed"
	PartyNotInRole    ReasonOfDecision = "party_not_in_role"
	FieldUnknown      ReasonOfDecision = "field_unknown"
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
	Consent       string // the consent's id, when it rests on one that has an id
	Ruleset       string
}

// Decide says whether a look-up may be made at a moment. The default is no, and
// one reason against it outweighs every reason for it. It needs one grant that
// covers every field, a legal basis for the person, and an open matter that
// lists the material. A department that reads its own records for its own case
// shares nothing, and needs neither grant nor basis.
func Decide(a Access, grants *Grants, stops Stops, now time.Time) Decision {
	var f finding
	lacks, withholds := look(&a)
	d := Decision{Ruleset: Ruleset}
	if a.isOwn() {
		f.granted, f.based = true, true
		f.say(OwnRecord)
	} else {
		d.Grant = f.byGrant(&a, grants, stops, now)
		d.Consent = f.byBasis(&a, now)
		f.bySharing(&a, withholds)
	}
	f.byStops(&a, stops)
	f.byMatter(a.State)
	f.byMaterial(&a, lacks)
	d.Allowed = f.granted && f.based && !f.denied
	d.AwaitsConsent = f.granted && f.awaits && !f.denied
	d.Reasons = slices.Clone(f.reasons[:f.told])
	return d
}

// isOwn reports whether a department reads its own record for its own case.
func (a *Access) isOwn() bool {
	return a.Dataset.Department == a.Department.Code && a.Receiver == a.Department.Code
}

// finding is what the rules have said so far of one access.
type finding struct {
	reasons [28]ReasonOfDecision // room for every one of them
	told    int
	granted bool
	based   bool
	awaits  bool // consent that is missing, and not refused
	denied  bool // by a reason that no consent mends
}

func (f *finding) has(reason ReasonOfDecision) bool {
	return slices.Contains(f.reasons[:f.told], reason)
}

// say keeps a reason, once.
func (f *finding) say(reason ReasonOfDecision) {
	if f.has(reason) {
		return
	}
	f.reasons[f.told] = reason
	f.told++
}

func (f *finding) deny(reason ReasonOfDecision) {
	f.denied = true
	f.say(reason)
}

// byGrant looks for one grant that covers it all and gives its id. Two grants
// are never put together: each was given for its own fields. When none serves,
// what is wrong with any of them is told.
func (f *finding) byGrant(a *Access, grants *Grants, stops Stops, now time.Time) string {
	found := grants.byUse[grantKey{a.Department.Code, a.Matter.Code, a.Dataset.Code}]
	for i := range found {
		if found[i].serves(a.Fields, stops, now) {
			f.granted = true
			f.say(GrantCovers)
			return found[i].ID
		}
	}
	if len(found) == 0 {
		f.deny(GrantMissing)
	}
	for i := range found {
		for _, reason := range found[i].failings(a.Fields, stops, now) {
			if reason != "" {
				f.deny(reason)
			}
		}
	}
	return ""
}

// bySharing keeps back what is not shared with anybody (条例, art. 14).
func (f *finding) bySharing(a *Access, withheld bool) {
	if a.Dataset.Sharing == catalog.SharingWithheld {
		f.deny(DatasetWithheld)
	}
	if withheld {
		f.deny(FieldWithheld)
	}
}

// look reports whether the dataset lacks a field that would be read, and whether
// it withholds one.
func look(a *Access) (lacks, withholds bool) {
	for _, code := range a.Fields {
		field := a.Dataset.Field(code)
		lacks = lacks || field == nil
		withholds = withholds || (field != nil && field.Sharing == catalog.SharingWithheld)
	}
	return lacks, withholds
}

// byStops holds back what the kill switch has stopped. A stopped source is not
// asked, whatever is decided here.
func (f *finding) byStops(a *Access, stops Stops) {
	if stops.Holds(StopSystem, a.System) {
		f.deny(SystemIsStopped)
	}
	if stops.Holds(StopDataset, a.Dataset.Code) {
		f.deny(DatasetIsStopped)
	}
}
