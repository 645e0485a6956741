package policies_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"mianti/catalog"
	"mianti/policies"
)

// FuzzDecide holds, for whatever request, what must never be otherwise: without
// a grant nothing is allowed but a department's own record, and to take something
// away from those who ask never gives them more.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(32) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, choice uint8) {
		r := randomRequest(rand.New(rand.NewPCG(seed, uint64(choice))))
		before := r.decide()
		if before.Allowed && before.AwaitsConsent {
			t.Errorf("it is allowed and awaits consent: %v", before.Reasons)
		}
		if again := r.decide(); again.Allowed != before.Allowed || !slices.Equal(again.Reasons, before.Reasons) {
			t.Error("the same request was decided differently")
		}
		without := r
		without.grants = nil
		if d := without.decide(); d.Allowed && !slices.Contains(d.Reasons, policies.OwnRecord) {
			t.Errorf("allowed without a grant: %v", d.Reasons)
		}
		for name, less := range narrower(r, int(choice)) {
			if after := less.decide(); after.Allowed && !before.Allowed {
				t.Errorf("%s: allowed by %v, and before it was not, by %v", name, after.Reasons, before.Reasons)
			}
		}
		more := r // one field more of the look-up is never what makes it allowed
		more.access.Fields = append(slices.Clone(r.access.Fields), "a", "photo")
		if d := more.decide(); d.Allowed {
			t.Errorf("a field that the dataset does not have is allowed: %v", d.Reasons)
		}
	})
}

// narrower gives requests that have something less in their favour.
func narrower(r request, choice int) map[string]request {
	out := map[string]request{}
	less := func(name string, change func(*request)) {
		c := r
		c.grants, c.stops = slices.Clone(r.grants), slices.Clone(r.stops)
		c.access.Guardians = slices.Clone(r.access.Guardians)
		change(&c)
		out[name] = c
	}
	for i := range r.grants {
		less("a grant less", func(c *request) { c.grants = slices.Delete(c.grants, i, i+1) })
		less("a narrower grant", func(c *request) { c.grants[i].Fields = c.grants[i].Fields[:choice%(len(c.grants[i].Fields)+1)] })
		less("a suspended grant", func(c *request) { c.grants[i].State = policies.GrantSuspended })
		less("a grant that ends earlier", func(c *request) { c.grants[i].Until = c.now })
		less("a stopped grant", func(c *request) {
			c.stops = append(c.stops, policies.Stop{Kind: policies.StopGrant, ID: c.grants[i].ID})
		})
	}
	less("a stopped system", func(c *request) {
		c.stops = append(c.stops, policies.Stop{Kind: policies.StopSystem, ID: c.access.System})
	})
	less("a stopped dataset", func(c *request) { c.stops = append(c.stops, policies.Stop{Kind: policies.StopDataset, ID: "D"}) })
	less("a consent less", func(c *request) { c.access.Own = policies.Permission{} })
	less("a refusal", func(c *request) { c.access.Own.State = catalog.ConsentRefused })
	less("guardians who say nothing", func(c *request) { c.access.Guardians = nil })
	less("a guardian's refusal", func(c *request) {
		c.access.Guardians = append(c.access.Guardians, policies.Permission{State: catalog.ConsentRefused})
	})
	less("a decided matter", func(c *request) { c.access.State = catalog.StateGranted })
	less("no material", func(c *request) { c.access.Material = "" })
	less("no role", func(c *request) { c.access.Role = nil })
	return out
}
