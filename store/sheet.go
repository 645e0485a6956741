package store

import (
	"context"

	"mianti/exchange"
	"mianti/internal/fault"
)

// SheetVersion gives a resolution as it was in a version, with the department
// whose case it is and the number of its last version, or fault.NotFound. It asks
// nobody whose it is: what it gives is for a check that shows nothing of it.
func (s *Store) SheetVersion(ctx context.Context, id string, version int) (r *exchange.Resolution, department string, last int, err error) {
	const doing = "read a version of a resolution"
	row, err := table[resolutionRow](s.db).Select("case_id", "version").Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, "", 0, translate(err, doing, resolutions())
	}
	if version < 1 || version > row.Version {
		return nil, "", 0, fault.New(fault.NotFound, "unknown-version", "核验结果没有第 %d 版。", version)
	}
	owner, err := table[caseRow](s.db).Select("department").Where("id = ?", row.CaseID).Take(ctx)
	if err != nil {
		return nil, "", 0, translate(err, doing, resolutions())
	}
	r, err = s.ResolutionVersion(ctx, id, version)
	return r, owner.Department, row.Version, err
}
