package policies_test

import (
	"math/rand/v2"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// The world of the random requests is small, so that things meet: a few codes of
// each kind, and moments close to each other.
const fieldsOfWorld = "abcd"

func oneOf[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// usually gives the first in three of four cases.
func usually[T any](random *rand.Rand, first T, others ...T) T {
	if random.IntN(4) > 0 {
		return first
	}
	return oneOf(random, others...)
}

// randomRequest makes a request that is in order more often than not, so that
// every rule is the one that decides now and then.
func randomRequest(random *rand.Rand) request {
	now := oneOf(random,
		time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC), time.Date(2026, 11, 25, 16, 0, 0, 0, time.UTC), // midnight in Shanghai
		time.Date(2026, 11, 25, 15, 59, 59, 999999999, time.UTC), time.Date(2026, 2, 28, 3, 0, 0, 0, time.UTC))
	r := request{now: now}
	role := randomRole(random)
	r.access = policies.Access{
		System: oneOf(random, "s1", "s2", ""), Receiver: usually(random, "A", "B"),
		Department: &catalog.Department{Code: "A", PublicUtility: random.IntN(5) == 0},
		Matter:     randomMatter(random), Material: usually(random, "M.a", "M.b", ""),
		State:   randomState(random),
		Dataset: randomDataset(random), Fields: someFields(random, 1), Role: role, Party: randomParty(random, role.Code, now),
		Own: randomPermission(random, now),
	}
	for range random.IntN(3) {
		r.access.Guardians = append(r.access.Guardians, randomPermission(random, now))
	}
	for i := range usually(random, 1, 0, 2, 3) {
		r.grants = append(r.grants, randomGrant(random, "g"+string(rune('1'+i)), now))
	}
	for range usually(random, 0, 1, 2) {
		r.stops = append(r.stops, policies.Stop{
			Kind: oneOf(random, policies.StopSystem, policies.StopGrant, policies.StopDataset, policies.StopSource), ID: oneOf(random, "s1", "g1", "g2", "D"),
		})
	}
	return r
}

func randomState(random *rand.Rand) catalog.MatterState {
	return usually(random, catalog.StateOpen,
		catalog.StateWaiting, catalog.StateGranted, catalog.StateRefused, catalog.StateStopped, catalog.StateSkipped, catalog.StateUndecided, "odd")
}

func randomRole(random *rand.Rand) *catalog.Role {
	role := &catalog.Role{Code: oneOf(random, "applicant", "agent", "child"), Consent: oneOf(random, catalog.ConsentNone, catalog.ConsentOwn, catalog.ConsentGuardian)}
	if random.IntN(2) == 0 {
		role.Basis = []string{"社会保险法58"}
	}
	return role
}

func randomMatter(random *rand.Rand) *catalog.Matter {
	m := &catalog.Matter{Code: "M", Department: "A"}
	for _, code := range []string{"M.a", "M.b"} {
		proof := catalog.Proof{
			For: usually(random, "", catalog.KindPerson, catalog.KindOrganization),
			Lookups: []catalog.Lookup{
				{Dataset: usually(random, "D", "E"), Subject: usually(random, "", "agent", "child")},
				{Dataset: usually(random, "E", "D")},
			},
		}
		m.Materials = append(m.Materials, catalog.Material{
			Code: code, Subjects: usually(random, []string{"agent", "child", "applicant"}, []string{"agent"}, nil), Proofs: []catalog.Proof{proof},
		})
	}
	return m
}

func randomDataset(random *rand.Rand) *catalog.Dataset {
	d := &catalog.Dataset{
		Code: "D", Department: usually(random, "G", "A"), Consent: random.IntN(5) == 0,
		Sharing: usually(random, catalog.SharingConditional, catalog.SharingUnconditional, catalog.SharingWithheld),
	}
	for _, code := range fieldsOfWorld {
		if random.IntN(24) == 0 {
			continue
		}
		d.Fields = append(d.Fields, catalog.Field{
			Code: string(code), Sharing: usually(random, "", "", catalog.SharingUnconditional, catalog.SharingWithheld),
		})
	}
	return d
}

func someFields(random *rand.Rand, leaveOut int) []string {
	var fields []string
	for _, code := range fieldsOfWorld {
		if random.IntN(leaveOut+1) == 0 {
			fields = append(fields, string(code))
		}
	}
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	return fields
}

// randomParty is of any age; half of them turn 14 about now.
func randomParty(random *rand.Rand, role string, now time.Time) *catalog.Party {
	born := now.AddDate(-14, 0, random.IntN(5)-2)
	if random.IntN(2) == 0 {
		born = now.AddDate(-random.IntN(60), 0, 0)
	}
	p := &catalog.Party{
		Kind:   usually(random, catalog.KindPerson, catalog.KindOrganization, catalog.KindProperty),
		Number: "370199" + born.Format("20060102") + "0012",
		Roles:  usually(random, []string{role}, []string{role, "applicant"}, []string{"agent"}, nil),
	}
	p.Number = usually(random, p.Number, p.Number, "E12345678", "370199201999991134", "370199201202290012")
	return p
}

// about gives a moment close to another: before, at, or after it.
func about(random *rand.Rand, now time.Time) time.Time {
	return now.Add(oneOf(random, -time.Hour, -1, 0, 1, time.Hour))
}

func randomPermission(random *rand.Rand, now time.Time) policies.Permission {
	p := policies.Permission{
		State:      usually(random, catalog.ConsentGiven, catalog.ConsentGiven, catalog.ConsentRefused, catalog.ConsentUnknown),
		Everything: random.IntN(2) == 0,
	}
	if random.IntN(3) == 0 {
		p.Until = about(random, now)
	}
	if random.IntN(4) > 0 {
		p.Fields = map[string][]string{usually(random, "D", "E"): someFields(random, random.IntN(2))}
	}
	return p
}

func randomGrant(random *rand.Rand, id string, now time.Time) policies.Grant {
	g := policies.Grant{
		ID: id, Department: usually(random, "A", "A", "A", "B"), Matter: usually(random, "M", "M", "N"), Dataset: usually(random, "D", "D", "E"),
		Fields: usually(random, []string{"d", "b", "a", "c"}, someFields(random, 1), nil),
		From:   now.Add(-time.Hour), Until: now.Add(time.Hour),
		State: usually(random, policies.GrantActive, policies.GrantSuspended, policies.GrantTerminated, "odd"),
	}
	if random.IntN(4) == 0 {
		g.From = about(random, now)
	}
	if random.IntN(4) == 0 {
		g.Until = about(random, now)
	}
	return g
}
