package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
)

// inputsRow is what a version of a resolution followed from (核验输入).
type inputsRow struct {
	ResolutionID string `gorm:"column:resolution_id;primaryKey"`
	Version      int    `gorm:"column:version;primaryKey"`
	CaseID       string `gorm:"column:case_id"`
	Body         string `gorm:"column:body"` // JSON, sealed; the row goes when the case is destroyed
}

// TableName names the table.
func (inputsRow) TableName() string { return "resolution_inputs" }

func inputsPlace(resolution string, version int) []byte {
	return place("resolution_inputs", resolution, version, "body")
}

// InputsOf gives what a version of a resolution followed from; fault.NotFound for
// one that was made before they were kept.
func (s *Store) InputsOf(ctx context.Context, id string, version int) (*exchange.Inputs, error) {
	row, err := table[inputsRow](s.db).Where("resolution_id = ? AND version = ?", id, version).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.New(fault.NotFound, "no-inputs", "核验结果 %s 第 %d 版没有保存核验输入，无法重算：它是在开始保存之前作出的。", id, version)
	}
	if err != nil {
		return nil, translate(err, "read the inputs of a resolution", resolutions())
	}
	key, err := s.keyOf(ctx, s.db, row.CaseID)
	if err != nil {
		return nil, err
	}
	return s.openInputs(ctx, key, row)
}

// ResolutionVersion gives a version of a resolution as it was answered; 0 is the
// last one.
func (s *Store) ResolutionVersion(ctx context.Context, id string, version int) (*exchange.Resolution, error) {
	row, err := table[resolutionRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a resolution", resolutions())
	}
	if version == 0 || version == row.Version {
		return s.resolutionFromRow(ctx, row)
	}
	earlier, err := table[versionRow](s.db).Where("resolution_id = ? AND version = ?", id, version).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a version of a resolution", things{code: "version", name: "版次"})
	}
	row.Version, row.Body, row.Outline = earlier.Version, earlier.Body, earlier.Outline
	return s.resolutionFromRow(ctx, row)
}
