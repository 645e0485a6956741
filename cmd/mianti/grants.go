package main

import (
	"maps"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// grantsNeeded are the grants without which some material of the catalog could
// not be looked up: for every matter, dataset and field that a proof reads.
func grantsNeeded(rev *catalog.Revision, from, until time.Time) []policies.Grant {
	type use struct{ department, matter, dataset string }
	fields := map[use]map[string]bool{}
	for _, m := range rev.Matters() {
		for i := range m.Materials {
			for j := range m.Materials[i].Proofs {
				proof := &m.Materials[i].Proofs[j]
				for k := range proof.Lookups {
					dataset := rev.Dataset(proof.Lookups[k].Dataset)
					key := use{m.Department, m.Code, dataset.Code}
					if fields[key] == nil {
						fields[key] = map[string]bool{}
					}
					for _, code := range policies.FieldsRead(proof, &proof.Lookups[k], dataset) {
						fields[key][code] = true
					}
				}
			}
		}
	}
	var grants []policies.Grant
	for key, codes := range fields {
		grants = append(grants, policies.Grant{
			ID: "catalog:" + key.matter + ":" + key.dataset, Department: key.department, Matter: key.matter, Dataset: key.dataset,
			Fields: slices.Sorted(maps.Keys(codes)), Basis: "政务数据共享条例第十九条", From: from, Until: until, State: policies.GrantActive,
		})
	}
	slices.SortFunc(grants, func(a, b policies.Grant) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return grants
}
