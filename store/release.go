package store

import (
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// refuseStopped refuses a release when anything that it rests on has been
// stopped since it was begun: the system that asked, the grants, the datasets,
// the sources. The rows are looked up FOR SHARE, so that a stop that is put up
// at the same time waits for this transaction, or this one finds it.
func (s *Store) refuseStopped(tx *gorm.DB, c exchange.Commit) error {
	rests := restsOn(c)
	if len(rests) == 0 {
		return nil
	}
	values := make([]any, 0, 2*len(rests))
	for _, stop := range rests {
		values = append(values, string(stop.Kind), stop.ID)
	}
	query := "SELECT kind FROM stops WHERE (kind, id) IN (VALUES " + placeholders(len(rests), 2) + ")"
	if s.dialect == dialectPostgres {
		query += " FOR SHARE"
	}
	var found []string
	if err := tx.Raw(query, values...).Scan(&found).Error; err != nil {
		return translate(err, "look for stops", stops())
	}
	if len(found) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "authorization-changed", "核验期间有关的授权或接口被停用，没有给出结果。请重新核验。")
}

// restsOn is what a release rests on: of each look-up that was made for it, and
// of each evidence that it gives out, from whichever version.
func restsOn(c exchange.Commit) []policies.Stop {
	seen := map[policies.Stop]bool{}
	var out []policies.Stop
	add := func(kind policies.StopKind, id string) {
		stop := policies.Stop{Kind: kind, ID: id}
		if id != "" && !seen[stop] {
			seen[stop] = true
			out = append(out, stop)
		}
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		add(policies.StopSystem, e.System)
		if e.Kind != ledger.Outcome {
			continue
		}
		add(policies.StopGrant, e.Grant)
		add(policies.StopDataset, e.Dataset)
		add(policies.StopSource, e.Source)
		for _, also := range e.Also {
			add(policies.StopGrant, also.Grant)
		}
	}
	for i := range c.Resolution.Materials {
		for _, evidence := range c.Resolution.Materials[i].Evidences() {
			if evidence.Withheld != "" {
				continue
			}
			add(policies.StopGrant, evidence.Grant)
			add(policies.StopDataset, evidence.Dataset)
			add(policies.StopSource, evidence.Source)
		}
	}
	return out
}

// placeholders are those of some rows of some columns.
func placeholders(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(row+",", rows), ",")
}
