package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/safeguard"
)

// stopRow is a use that is ended at once (停用).
type stopRow struct {
	Kind       string    `gorm:"column:kind;primaryKey"`
	ID         string    `gorm:"column:id;primaryKey"`
	Reason     string    `gorm:"column:reason"`
	PutBy      string    `gorm:"column:put_by"`
	Department string    `gorm:"column:department"`
	Owner      string    `gorm:"column:owner"`
	At         Timestamp `gorm:"column:at"`
}

// TableName names the table.
func (stopRow) TableName() string { return "stops" }

func stops() things { return things{code: "stop", name: "停用"} }

func stopToRow(h *safeguard.Held) stopRow {
	return stopRow{
		Kind: string(h.Kind), ID: h.ID, Reason: h.Reason, PutBy: h.By, Department: h.Department, Owner: h.Owner, At: At(h.At),
	}
}

func (row *stopRow) stop() policies.Stop {
	return policies.Stop{Kind: policies.StopKind(row.Kind), ID: row.ID, Reason: row.Reason, By: row.PutBy, At: row.At.Time()}
}

// PutStop puts up a stop, with its entry. A release under way is stored before
// it, or finds it: when PutStop returns, nothing more is released that rests on
// what is stopped.
func (s *Store) PutStop(ctx context.Context, h safeguard.Held, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		if err := s.awaitReleases(tx); err != nil {
			return translate(err, "put up a stop", stops())
		}
		row := stopToRow(&h)
		if err := table[stopRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "put up a stop", stops())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// awaitReleases waits for the releases under way, which look the stops up FOR
// SHARE (refuseStopped), and lets others wait until tx ends. SQLite has one
// writer at a time anyway.
func (s *Store) awaitReleases(tx *gorm.DB) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	return tx.Exec("LOCK TABLE stops IN EXCLUSIVE MODE").Error
}

// LiftStop takes down a stop, with its entry; fault.NotFound for none.
func (s *Store) LiftStop(ctx context.Context, kind policies.StopKind, id string, e ledger.Entry) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		lifted, err := table[stopRow](tx).Where("kind = ? AND id = ?", string(kind), id).Delete(ctx)
		if err != nil {
			return translate(err, "lift a stop", stops())
		}
		if lifted == 0 {
			return stops().unknown()
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// Held gives all stops, in the order in which they were put up.
func (s *Store) Held(ctx context.Context) ([]safeguard.Held, error) {
	rows, err := s.stopRows(ctx)
	if err != nil {
		return nil, err
	}
	held := make([]safeguard.Held, len(rows))
	for i := range rows {
		held[i] = safeguard.Held{Stop: rows[i].stop(), Owner: rows[i].Owner, Department: rows[i].Department}
	}
	return held, nil
}

// Stops gives all stops, as the exchange looks at them.
func (s *Store) Stops(ctx context.Context) ([]policies.Stop, error) {
	rows, err := s.stopRows(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]policies.Stop, len(rows))
	for i := range rows {
		all[i] = rows[i].stop()
	}
	return all, nil
}

// stopRows reads the whole table: no stop may be left out, and there are few.
func (s *Store) stopRows(ctx context.Context) ([]stopRow, error) {
	rows, err := table[stopRow](s.db).Order("at, kind, id").Find(ctx)
	return rows, translate(err, "list stops", stops())
}

// stopOf puts up a stop of the exchange's own in the caller's transaction, when
// there is none yet. It does not wait for releases: it may be one's own.
func (s *Store) stopOf(ctx context.Context, tx *gorm.DB, h safeguard.Held, e ledger.Entry) error {
	row := stopToRow(&h)
	created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if created.Error != nil || created.RowsAffected == 0 {
		return translate(created.Error, "put up a stop", stops())
	}
	return s.appendEntries(ctx, tx, []ledger.Entry{e})
}

// Owners (归属) says whose a thing is that can be stopped, and what there is to limit.
type Owners struct {
	store    *Store
	catalogs *Catalogs
}

// NewOwners returns the owners of what a store and its catalogs hold.
func NewOwners(s *Store, catalogs *Catalogs) *Owners { return &Owners{store: s, catalogs: catalogs} }

// OwnerOf gives the department of a system, and the providing department of a
// grant, a dataset and a source; fault.NotFound when there is no such thing.
func (o *Owners) OwnerOf(ctx context.Context, kind policies.StopKind, id string) (string, error) {
	switch kind {
	case policies.StopSystem:
		system, err := o.store.System(ctx, id)
		if err != nil {
			return "", err
		}
		return system.Department, nil
	case policies.StopGrant:
		row, err := table[grantRow](o.store.db).Select("dataset").Where("id = ?", id).Take(ctx)
		if err != nil {
			return "", translate(err, "read a grant", things{code: "grant", name: "共享授权"})
		}
		return o.provider(ctx, policies.StopDataset, row.Dataset)
	case policies.StopDataset, policies.StopSource:
		return o.provider(ctx, kind, id)
	default:
		return "", fault.New(fault.NotFound, "unknown-stoppable", "没有这一类可以停用的对象")
	}
}

// Known reports whether there is a system, a grant, a person or a matter of a
// code; a matter may be of an earlier revision, as an open case may be.
func (o *Owners) Known(ctx context.Context, m safeguard.Meter) (bool, error) {
	var err error
	switch m.Kind {
	case safeguard.KindSystem:
		_, err = o.store.System(ctx, m.ID)
	case safeguard.KindGrant:
		var n int64
		n, err = table[grantRow](o.store.db).Where("id = ?", m.ID).Count(ctx, "*")
		return n > 0, translate(err, "count grants", things{code: "grant", name: "共享授权"})
	case safeguard.KindPerson:
		_, err = o.store.Person(ctx, m.ID)
	case safeguard.KindMatter:
		return o.hasMatter(ctx, m.ID)
	default:
		return false, nil
	}
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func (o *Owners) hasMatter(ctx context.Context, code string) (bool, error) {
	rev, err := o.catalogs.Current(ctx, code)
	for ; err == nil; rev, err = o.catalogs.Revision(ctx, rev.Number-1, code) {
		if matter := rev.Matter(code); matter != nil && matter.Code == code {
			return true, nil
		}
		if rev.Number <= 1 {
			return false, nil
		}
	}
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return false, fmt.Errorf("look for a matter: %w", err)
}

// provider finds a dataset or a source in the newest revision that has it: an
// open case may ask what the present catalog no longer names.
func (o *Owners) provider(ctx context.Context, kind policies.StopKind, id string) (string, error) {
	rev, err := o.catalogs.Current(ctx)
	for ; err == nil; rev, err = o.catalogs.Revision(ctx, rev.Number-1) {
		if department := providerIn(rev, kind, id); department != "" {
			return department, nil
		}
		if rev.Number <= 1 {
			return "", fault.New(fault.NotFound, "unknown-stoppable", "目录中没有这个对象")
		}
	}
	return "", fmt.Errorf("find whose it is: %w", err)
}

// providerIn gives the department of a dataset or a source of a revision; empty
// when it has none of that code.
func providerIn(rev *catalog.Revision, kind policies.StopKind, id string) string {
	for _, dataset := range rev.Datasets() {
		isSource := func(source catalog.Source) bool { return source.Code == id }
		if (kind == policies.StopDataset && dataset.Code == id) || (kind == policies.StopSource && slices.ContainsFunc(dataset.Sources, isSource)) {
			return dataset.Department
		}
	}
	return ""
}
