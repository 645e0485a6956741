package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/ledger/anchor"
)

// anchorRow is a checkpoint that a party outside holds (锚定记录).
type anchorRow struct {
	ID         int64     `gorm:"column:id;primaryKey"`
	Kind       string    `gorm:"column:kind"`
	Name       string    `gorm:"column:name"`
	Size       int64     `gorm:"column:size"`
	Root       string    `gorm:"column:root"` // base64
	Checkpoint string    `gorm:"column:checkpoint"`
	Body       []byte    `gorm:"column:body"`
	Stated     Timestamp `gorm:"column:stated_at"` // by the party
	Kept       Timestamp `gorm:"column:kept_at"`
}

// TableName names the table.
func (anchorRow) TableName() string { return "anchors" }

// troubleRow is why a party holds nothing newer (锚定障碍).
type troubleRow struct {
	Kind    string    `gorm:"column:kind;primaryKey"`
	Name    string    `gorm:"column:name;primaryKey"`
	Trouble string    `gorm:"column:trouble"`
	Since   Timestamp `gorm:"column:since_at"`
	Tried   Timestamp `gorm:"column:tried_at"`
}

// TableName names the table.
func (troubleRow) TableName() string { return "anchor_troubles" }

func anchors() things { return things{code: "anchor", name: "锚定记录"} }

// AddAnchored keeps an anchoring, and forgets the trouble before it.
func (s *Store) AddAnchored(ctx context.Context, a anchor.Anchored) error {
	return s.transact(ctx, func(tx *gorm.DB) error {
		row := anchorRow{
			Kind: string(a.Kind), Name: a.Name, Size: a.Size, Root: a.Hash.String(), Checkpoint: string(a.Signed), Body: a.Body,
			Stated: At(a.At), Kept: At(a.Kept),
		}
		if err := table[anchorRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "keep an anchoring", anchors())
		}
		_, err := table[troubleRow](tx).Where("kind = ? AND name = ?", string(a.Kind), a.Name).Delete(ctx)
		return translate(err, "forget the trouble of an anchor", anchors())
	})
}

// NoteTrouble keeps the last failure of an anchor; since when it fails stays.
func (s *Store) NoteTrouble(ctx context.Context, kind anchor.Kind, name string, t anchor.Trouble, at time.Time) error {
	row := troubleRow{Kind: string(kind), Name: name, Trouble: string(t), Since: At(at), Tried: At(at)}
	return s.transact(ctx, func(tx *gorm.DB) error {
		err := table[troubleRow](tx, clause.OnConflict{
			Columns: []clause.Column{{Name: "kind"}, {Name: "name"}},
			DoUpdates: append(clause.AssignmentColumns([]string{"trouble"}),
				// The clocks of replicas differ.
				clause.Assignments(map[string]any{"tried_at": gorm.Expr("CASE WHEN excluded.tried_at > anchor_troubles.tried_at THEN excluded.tried_at ELSE anchor_troubles.tried_at END")})...),
		}).Create(ctx, &row)
		return translate(err, "note the trouble of an anchor", anchors())
	})
}

// PurgeAnchors drops cosignatures that were kept before a moment, but for the
// last of each day (UTC) and witness: a later one vouches for all that an
// earlier one did. Time stamps stay. It gives how many it dropped.
func (s *Store) PurgeAnchors(ctx context.Context, before time.Time) (int, error) {
	const day = int64(24 * time.Hour / time.Microsecond)
	dropped := 0
	err := s.transact(ctx, func(tx *gorm.DB) error {
		var err error
		dropped, err = table[anchorRow](tx).
			Where("kind = ? AND kept_at < ?", string(anchor.Witness), At(before)).
			Where("id NOT IN (SELECT MAX(id) FROM anchors WHERE kind = ? GROUP BY name, kept_at / ?)", string(anchor.Witness), day).
			Delete(ctx)
		return translate(err, "drop old cosignatures", anchors())
	})
	return dropped, err
}

// AnchorStates gives how it stands with every anchor there ever was, by kind and
// name.
func (s *Store) AnchorStates(ctx context.Context) ([]anchor.State, error) {
	const doing = "read the states of anchors"
	var rows []anchorRow
	err := s.db.WithContext(ctx).Select("kind", "name", "size", "root", "stated_at", "kept_at").
		Where("id IN (SELECT MAX(id) FROM anchors GROUP BY kind, name)").Find(&rows).Error
	if err != nil {
		return nil, translate(err, doing, anchors())
	}
	troubles, err := table[troubleRow](s.db).Find(ctx)
	if err != nil {
		return nil, translate(err, doing, anchors())
	}
	var states []anchor.State
	for i := range rows {
		state, err := rows[i].state()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		states = append(states, state)
	}
	for i := range troubles {
		states = troubles[i].addTo(states)
	}
	slices.SortFunc(states, func(a, b anchor.State) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return states, nil
}

func (row *anchorRow) state() (anchor.State, error) {
	hash, err := tlog.ParseHash(row.Root)
	return anchor.State{
		Kind: anchor.Kind(row.Kind), Name: row.Name, Size: row.Size, Hash: hash, At: row.Stated.Time(), Kept: row.Kept.Time(),
	}, err
}

// addTo adds a trouble to the state of its anchor, or a state of its own.
func (row *troubleRow) addTo(states []anchor.State) []anchor.State {
	kind := anchor.Kind(row.Kind)
	at := slices.IndexFunc(states, func(s anchor.State) bool { return s.Kind == kind && s.Name == row.Name })
	if at < 0 {
		at, states = len(states), append(states, anchor.State{Kind: kind, Name: row.Name})
	}
	states[at].Trouble, states[at].Since, states[at].Tried = anchor.Trouble(row.Trouble), row.Since.Time(), row.Tried.Time()
	return states
}

// Cosigned gives the newest checkpoint of at least this size that witnesses have
// cosigned, with the lines of all who did; fault.NotFound for none.
func (s *Store) Cosigned(ctx context.Context, least int64) (anchor.Checkpoint, error) {
	const doing = "read a cosigned checkpoint"
	newest, err := table[anchorRow](s.db).Where("kind = ? AND size >= ?", string(anchor.Witness), least).Order("size DESC, id DESC").Take(ctx)
	if err != nil {
		return anchor.Checkpoint{}, translate(err, doing, anchors())
	}
	rows, err := table[anchorRow](s.db).Select("body").
		Where("kind = ? AND size = ? AND checkpoint = ?", string(anchor.Witness), newest.Size, newest.Checkpoint).Order("id").Find(ctx)
	if err != nil {
		return anchor.Checkpoint{}, translate(err, doing, anchors())
	}
	lines := make([][]byte, len(rows))
	for i := range rows {
		lines[i] = rows[i].Body
	}
	cp, err := anchor.ParseCheckpoint(anchor.Cosign([]byte(newest.Checkpoint), lines...))
	if err != nil {
		return anchor.Checkpoint{}, fmt.Errorf("%s: %w", doing, err)
	}
	return cp, nil
}
