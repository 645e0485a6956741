package store

import (
	"context"
	"database/sql"
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// refuseStopped refuses releases when anything that they rest on has been
// stopped since they were begun: the system that asked, the grants, the datasets,
// the sources. The rows are looked up FOR SHARE, so that a stop that is put up
// at the same time waits for this transaction, or this one finds it.
func (s *Store) refuseStopped(ctx context.Context, tx *gorm.DB, round []*write, refused refusals) error {
	rests := map[policies.Stop][]*write{}
	var kinds, ids []string
	for _, w := range round {
		for _, stop := range restsOn(w.release.Commit) {
			if rests[stop] == nil {
				kinds, ids = append(kinds, string(stop.Kind)), append(ids, stop.ID)
			}
			rests[stop] = append(rests[stop], w)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	statement := "SELECT kind, id FROM stops WHERE (kind, id) IN (SELECT kind, id FROM v)"
	if s.dialect == dialectPostgres {
		statement += " FOR SHARE"
	}
	err := s.query(ctx, tx, statement, func(rows *sql.Rows) error {
		var stop policies.Stop
		err := rows.Scan(&stop.Kind, &stop.ID)
		for _, w := range rests[stop] {
			refused.refuse(w, fault.New(fault.Conflict, "authorization-changed", "核验期间有关的授权或接口被停用，没有给出结果。请重新核验。"))
		}
		return err
	}, texts("kind", kinds), texts("id", ids))
	return translate(err, "look for stops", stops())
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
