package policies_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// reference decides as docs/decision-reasons.md reads, in sixty lines: a table of
// which reasons hold, and of which kind they are. It shares nothing with Decide
// but the words.
func reference(r request) (allowed, awaits bool, grant string, reasons []string) {
	a, somebody, applicant := r.access, r.access.Party.Kind == "person" || r.access.Party.Kind == "organization", r.access.Party.In("applicant")
	own := a.Dataset.Department == a.Department.Code && a.Department.Code == a.Receiver
	asks := !own && somebody && (a.Department.PublicUtility || a.Dataset.Consent || a.Role.Consent == "guardian" || a.Role.Consent == "own" && !applicant)
	rests := applicant || !somebody || len(a.Role.Basis) > 0
	has := map[string]bool{
		"own_record": own, "statutory_duty": !own && !asks && rests, "basis_missing": !own && !asks && !rests, "grant_missing": !own,
		"dataset_withheld": !own && a.Dataset.Sharing == "withheld", "system_stopped": stopped(r, "system", a.System),
		"dataset_stopped": stopped(r, "dataset", a.Dataset.Code), "party_not_in_role": !a.Party.In(a.Role.Code), "material_not_listed": true,
		"matter_decided":  slices.Contains([]catalog.MatterState{"granted", "refused", "stopped", "skipped"}, a.State),
		"matter_not_open": !slices.Contains([]catalog.MatterState{"granted", "refused", "stopped", "skipped", "open", "waiting"}, a.State),
	}
	for i := len(r.grants) - 1; i >= 0 && !own; i-- { // so that the first that serves is met last
		if g := r.grants[i]; g.Department == a.Department.Code && g.Matter == a.Matter.Code && g.Dataset == a.Dataset.Code {
			bad := map[string]bool{"grant_stopped": stopped(r, "grant", g.ID), "grant_suspended": g.State == "suspended",
				"grant_terminated": g.State != "suspended" && g.State != "active", "grant_not_yet_in_force": g.From.After(r.now),
				"grant_expired": !g.From.After(r.now) && !g.Until.After(r.now), "grant_lacks_field": !subset(a.Fields, g.Fields)}
			if add(has, bad); !slices.Contains(slices.Collect(maps.Values(bad)), true) {
				grant = g.ID
			}
			has["grant_missing"] = false
		}
	}
	if grant != "" {
		maps.DeleteFunc(has, func(reason string, _ bool) bool { return strings.HasPrefix(reason, "grant_") })
		has["grant_covers"] = true
	}
	speakers, word := []policies.Permission{a.Own}, "own_consent"
	if a.Party.Kind == "person" && youngerThan14(a.Party.Number, r.now) || a.Party.Kind == "organization" && a.Role.Consent == "guardian" {
		speakers, word = a.Guardians, "guardian_consent"
	}
	said := map[string]bool{"consent_awaited": len(speakers) == 0}
	for _, p := range speakers {
		shown, named := p.Fields[a.Dataset.Code]
		given, over, narrow := p.State == "given", !p.Until.IsZero() && !p.Until.After(r.now), !p.Everything && (!named || !subset(a.Fields, shown))
		add(said, map[string]bool{"consent_refused": p.State == "refused", word: given && !over && !narrow, "consent_awaited": p.State == "",
			"consent_expired": given && over, "consent_lacks_field": given && narrow})
	}
	for _, last := range []string{"consent_refused", word} { // a no outweighs a yes, and either whatever is lacking
		if said[last] {
			said = map[string]bool{last: true}
		}
	}
	if asks {
		add(has, said)
	}
	listed(has, a, own)
	for reason, is := range has {
		if is {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	lacks := func(s string) bool { return strings.HasPrefix(s, "consent_") && s != "consent_refused" }
	fine := []string{"own_record", "grant_covers", "statutory_duty", "own_consent", "guardian_consent"}
	against := slices.ContainsFunc(reasons, func(s string) bool { return !lacks(s) && !slices.Contains(fine, s) })
	lacking := slices.ContainsFunc(reasons, lacks)
	return !against && !lacking, !against && lacking, grant, reasons
}

// listed is the part of the reference that reads the catalog.
func listed(has map[string]bool, a policies.Access, own bool) {
	for _, m := range a.Matter.Materials {
		for _, p := range m.Proofs {
			for _, l := range p.Lookups {
				if m.Code != a.Material || l.Dataset != a.Dataset.Code {
					continue
				}
				mine := l.Subject == "" && (p.For == "" || p.For == a.Party.Kind) && slices.Contains(m.Subjects, a.Role.Code)
				has["about"] = has["about"] || mine || l.Subject != "" && l.Subject == a.Role.Code
				has["material_not_listed"] = false
			}
		}
	}
	has["role_not_listed"] = !has["material_not_listed"] && !has["about"]
	delete(has, "about")
	for _, code := range a.Fields {
		at := slices.IndexFunc(a.Dataset.Fields, func(f catalog.Field) bool { return f.Code == code })
		has["field_unknown"] = has["field_unknown"] || at < 0
		has["field_withheld"] = has["field_withheld"] || !own && at >= 0 && a.Dataset.Fields[at].Sharing == "withheld"
	}
}

func add(has, more map[string]bool) {
	for reason, is := range more {
		has[reason] = has[reason] || is
	}
}

func stopped(r request, kind policies.StopKind, id string) bool {
	return slices.ContainsFunc(r.stops, func(s policies.Stop) bool { return s.Kind == kind && s.ID == id })
}

func subset(fields, of []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(of, f) })
}

// youngerThan14 counts in whole numbers: a day that no calendar has is nobody's
// birthday, and who was born on 29 February turns 14 on 1 March.
func youngerThan14(number string, now time.Time) bool {
	if len(number) != 18 {
		return false
	}
	birthday, err := strconv.Atoi(number[6:14])
	if err != nil {
		return false
	}
	y, m, d := birthday/10000, birthday/100%100, birthday%100
	if day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC); int(day.Month()) != m || day.Day() != d {
		return false
	}
	local := now.UTC().Add(8 * time.Hour)
	return local.Year()*10000+int(local.Month())*100+local.Day() < (y+14)*10000+m*100+d
}

// differs says in what a decision differs from the reference's; empty if in
// nothing.
func differs(r request, got policies.Decision) string {
	allowed, awaits, grant, reasons := reference(r)
	var told []string
	for _, reason := range got.Reasons {
		told = append(told, string(reason))
	}
	slices.Sort(told)
	if got.Allowed == allowed && got.AwaitsConsent == awaits && got.Grant == grant && slices.Equal(told, reasons) {
		return ""
	}
	return fmt.Sprintf("decided %v %v %q %v, the reference %v %v %q %v", got.Allowed, got.AwaitsConsent, got.Grant, told, allowed, awaits, grant, reasons)
}

func TestDecide_AgreesWithTheReference(t *testing.T) {
	t.Parallel()
	n := 1_000_000
	if testing.Short() || raceDetector {
		n = 20_000
	}
	const parts = 8
	tallies := make([]tally, parts)
	var all sync.WaitGroup
	for i := range tallies {
		all.Go(func() { tallies[i].decide(rand.New(rand.NewPCG(uint64(i), 2026)), n/parts) })
	}
	all.Wait()
	whole := tally{met: map[policies.ReasonOfDecision]int{}}
	for _, part := range tallies {
		if part.difference != "" {
			t.Error(part.difference)
		}
		whole.requests += part.requests
		whole.allowed += part.allowed
		whole.awaits += part.awaits
		for reason, times := range part.met {
			whole.met[reason] += times
		}
	}
	// The requests mean something only where every way of deciding is met.
	if whole.requests < n || whole.allowed < n/50 || whole.awaits < n/200 {
		t.Errorf("%d requests, of which %d are allowed and %d await consent: too few", whole.requests, whole.allowed, whole.awaits)
	}
	for _, reason := range everyReason() {
		if whole.met[reason] < n/2000 {
			t.Errorf("%s was met %d times in %d requests: too few", reason, whole.met[reason], n)
		}
	}
}

// tally is what came of a part of the random requests.
type tally struct {
	requests, allowed, awaits int
	met                       map[policies.ReasonOfDecision]int
	difference                string // the first
}

// decide makes random requests, each of them four times: at its own moment and
// state, and at others.
func (part *tally) decide(random *rand.Rand, n int) {
	part.met = map[policies.ReasonOfDecision]int{}
	for part.requests < n && part.difference == "" {
		r := randomRequest(random)
		grants, stops := policies.IndexGrants(r.grants), policies.IndexStops(r.stops)
		for range 4 {
			got := policies.Decide(r.access, grants, stops, r.now)
			if diff := differs(r, got); diff != "" {
				part.difference = fmt.Sprintf("%s\n%+v", diff, r)
				return
			}
			part.requests++
			if got.Allowed {
				part.allowed++
			}
			if got.AwaitsConsent {
				part.awaits++
			}
			for _, reason := range got.Reasons {
				part.met[reason]++
			}
			r.access.State, r.now = randomState(random), about(random, r.now)
			r.access.Own.State = oneOf(random, catalog.ConsentGiven, catalog.ConsentRefused, catalog.ConsentUnknown)
		}
	}
}

// everyReason is every reason that Decide can give.
func everyReason() []policies.ReasonOfDecision {
	return []policies.ReasonOfDecision{
		policies.OwnRecord, policies.GrantCovers, policies.GrantMissing, policies.GrantIsStopped, policies.GrantIsSuspended,
		policies.GrantIsTerminated, policies.GrantNotYet, policies.GrantExpired, policies.GrantLacksField, policies.StatutoryDuty,
		policies.OwnConsent, policies.GuardianConsent, policies.BasisMissing, policies.ConsentAwaited, policies.ConsentExpired,
		policies.ConsentLacksField, policies.ConsentDenied, policies.DatasetWithheld, policies.FieldWithheld, policies.SystemIsStopped,
		policies.DatasetIsStopped, policies.MatterDecided, policies.MatterNotOpen, policies.MaterialNotListed, policies.RoleNotListed,
		policies.PartyNotInRole, policies.FieldUnknown,
	}
}

// TestReference_CatchesABrokenCopy plants faults into the decision: each drops
// or bends one rule, and the reference must notice every one.
func TestReference_CatchesABrokenCopy(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(request) policies.Decision{
		"a grant is good at its last moment": func(r request) policies.Decision {
			r.grants = slices.Clone(r.grants)
			for i := range r.grants {
				r.grants[i].Until = r.grants[i].Until.Add(1)
			}
			return r.decide()
		},
		"a suspended grant is good": func(r request) policies.Decision {
			r.grants = slices.Clone(r.grants)
			for i := range r.grants {
				r.grants[i].State = policies.GrantActive
			}
			return r.decide()
		},
		"two grants are put together": func(r request) policies.Decision {
			if len(r.grants) > 1 {
				r.grants = slices.Clone(r.grants)
				r.grants[0].Fields = slices.Concat(r.grants[0].Fields, r.grants[1].Fields)
			}
			return r.decide()
		},
		"a guardian's no is forgotten": func(r request) policies.Decision {
			r.access.Guardians = slices.DeleteFunc(slices.Clone(r.access.Guardians), func(p policies.Permission) bool { return p.State == catalog.ConsentRefused })
			return r.decide()
		},
		"a consent covers everything": func(r request) policies.Decision { r.access.Own.Everything = true; return r.decide() },
		"a consent never ends":        func(r request) policies.Decision { r.access.Own.Until = time.Time{}; return r.decide() },
		"a stopped system goes on":    func(r request) policies.Decision { r.access.System = ""; return r.decide() },
		"the matter's state does not matter": func(r request) policies.Decision {
			r.access.State = catalog.StateOpen
			return r.decide()
		},
		"a role is enough of a basis": func(r request) policies.Decision {
			role := *r.access.Role
			role.Basis = []string{"有"}
			r.access.Role = &role
			return r.decide()
		},
		"a utility needs no consent": func(r request) policies.Decision {
			department := *r.access.Department
			department.PublicUtility = false
			r.access.Department = &department
			return r.decide()
		},
		"the 14th birthday is a second late": func(r request) policies.Decision {
			r.now = r.now.Add(-time.Second)
			for i := range r.grants {
				r.grants[i].From, r.grants[i].Until = r.grants[i].From.Add(-time.Second), r.grants[i].Until.Add(-time.Second)
			}
			r.access.Own.Until, r.access.Guardians = time.Time{}, nil
			return r.decide()
		},
		"only the first reason is told": func(r request) policies.Decision {
			d := r.decide()
			d.Reasons = d.Reasons[:1]
			return d
		},
		"a refusal can be asked again": func(r request) policies.Decision {
			d := r.decide()
			d.AwaitsConsent = d.AwaitsConsent || slices.Contains(d.Reasons, policies.ConsentDenied)
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(7, 2026))
			for range 50_000 {
				if r := randomRequest(random); differs(r, broken(r)) != "" {
					return
				}
			}
			t.Error("the fault was not noticed in 50,000 requests")
		})
	}
}
