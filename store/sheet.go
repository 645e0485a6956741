package store

import (
	"context"

	"gorm.io/gorm"

	"mianti/exchange"
)

// ResolutionVersion gives a resolution as it was in a version, with the department
// whose case it is and the number of its last version, or fault.NotFound. It asks
// nobody whose it is: what it gives is for a check that shows nothing of it.
func (s *Store) ResolutionVersion(ctx context.Context, id string, version int) (r *exchange.Resolution, department string, last int, err error) {
	const doing = "read a version of a resolution"
	row, err := gorm.G[resolutionRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, "", 0, translate(err, doing, resolutions())
	}
	owner, err := gorm.G[caseRow](s.db).Select("department").Where("id = ?", row.CaseID).Take(ctx)
	if err != nil {
		return nil, "", 0, translate(err, doing, resolutions())
	}
	last = row.Version
	if version != last {
		earlier, err := gorm.G[versionRow](s.db).Where("resolution_id = ? AND version = ?", id, version).Take(ctx)
		if err != nil {
			return nil, "", 0, translate(err, doing, resolutions())
		}
		row.Body = earlier.Body
	}
	r, err = resolutionFromRow(row)
	return r, owner.Department, last, err
}
