package policies

import (
	"strconv"
	"time"

	"mianti/catalog"
)

// byBasis says on what ground the person's record may be read
// (个人信息保护法, art. 13, 29, 31), and gives the id of the consent that it rests
// on.
func (f *finding) byBasis(a *Access, now time.Time) string {
	switch consentRule(a, now) {
	case catalog.ConsentGuardian:
		return f.byGuardians(a, now)
	case catalog.ConsentOwn:
		return f.byConsents(a, []Permission{a.Own}, OwnConsent, now)
	}
	if !hasGround(a) {
		f.deny(BasisMissing)
		return ""
	}
	f.based = true
	f.say(StatutoryDuty)
	return ""
}

// byGuardians wants a guardian's word for a child. One no is a no, and what
// else was said does not matter then.
func (f *finding) byGuardians(a *Access, now time.Time) string {
	for i := range a.Guardians {
		if a.Guardians[i].State == catalog.ConsentRefused {
			f.deny(ConsentDenied)
			return ""
		}
	}
	if len(a.Guardians) == 0 {
		f.await(ConsentAwaited)
	}
	return f.byConsents(a, a.Guardians, GuardianConsent, now)
}

// byConsents wants one permission that covers every field. As with grants, two
// are never put together.
func (f *finding) byConsents(a *Access, said []Permission, given ReasonOfDecision, now time.Time) string {
	for i := range said {
		if said[i].Covers(a.Dataset.Code, a.Fields, now) {
			f.based = true
			f.say(given)
			return said[i].Consent
		}
	}
	for i := range said {
		f.without(&said[i], a, now)
	}
	return ""
}

// without says why a permission does not serve. What was not refused can still
// be given, or given again for more.
func (f *finding) without(p *Permission, a *Access, now time.Time) {
	switch p.State {
	case catalog.ConsentGiven:
		forEver := Permission{State: p.State, Everything: p.Everything, Fields: p.Fields}
		if !p.Until.IsZero() && !now.Before(p.Until) {
			f.await(ConsentExpired)
		}
		if !forEver.Covers(a.Dataset.Code, a.Fields, now) {
			f.await(ConsentLacksField)
		}
	case catalog.ConsentRefused:
		f.deny(ConsentDenied)
	default:
		f.await(ConsentAwaited)
	}
}

func (f *finding) await(reason ReasonOfDecision) {
	f.awaits = true
	f.say(reason)
}

// hasGround reports whether a record may be read without consent. An
// application is the applicant's own act, and a thing has nobody to ask; a third
// party's role names the clauses.
func hasGround(a *Access) bool {
	return !isSomebody(a.Party) || a.Party.In(catalog.RoleApplicant) || (a.Role != nil && len(a.Role.Basis) > 0)
}

func isSomebody(p *catalog.Party) bool {
	return p.Kind == catalog.KindPerson || p.Kind == catalog.KindOrganization
}

// consentRule says whose consent a look-up needs. A thing has nobody to ask
// but the applicant, whose case it is. A guardian speaks for a child under 14,
// and for nobody older (个人信息保护法, art. 31).
func consentRule(a *Access, now time.Time) catalog.ConsentRule {
	rule := catalog.ConsentNone
	switch {
	case !isSomebody(a.Party):
	case a.Role != nil && a.Role.Consent == catalog.ConsentGuardian:
		rule = catalog.ConsentGuardian
	case a.Department.PublicUtility || a.Dataset.Consent:
		rule = catalog.ConsentOwn
	case a.Role != nil && a.Role.Consent == catalog.ConsentOwn && !a.Party.In(catalog.RoleApplicant):
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
	if year, err := strconv.Atoi(number[6:10]); err != nil || now.Year()-year > 15 {
		return false // no need to look at the day
	}
	born, err := time.ParseInLocation("20060102", number[6:14], catalog.TimeZone())
	return err == nil && now.Before(born.AddDate(14, 0, 0))
}
