package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
	"mianti/internal/webhook"
)

// endpointRow is where a system is told (通知地址).
type endpointRow struct {
	System     string    `gorm:"column:system;primaryKey"`
	URL        string    `gorm:"column:url"`
	Network    string    `gorm:"column:network"`
	Generation int       `gorm:"column:generation"` // of its secret, from 1
	Rotated    Timestamp `gorm:"column:rotated_at"`
	Disabled   bool      `gorm:"column:disabled"`
	Reason     string    `gorm:"column:reason"` // why it is disabled
}

// TableName names the table.
func (endpointRow) TableName() string { return "webhook_endpoints" }

func endpointThings() things { return things{code: "webhook-endpoint", name: "通知地址"} }

// SaveEndpoint registers the address of a system, or replaces it and enables it
// again. The generation of a registered one stays: see RotateEndpoint.
func (s *Store) SaveEndpoint(ctx context.Context, e webhook.Endpoint) error {
	row := endpointRow{
		System: e.System, URL: e.URL, Network: string(e.Network), Generation: max(e.Generation, 1), Rotated: At(e.RotatedAt),
		Disabled: e.Disabled, Reason: operatorText(e.Reason),
	}
	replace := clause.OnConflict{
		Columns:   []clause.Column{{Name: "system"}},
		DoUpdates: clause.AssignmentColumns([]string{"url", "network", "disabled", "reason"}),
	}
	err := table[endpointRow](s.db, replace).Create(ctx, &row)
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return systems().unknown().Because(err)
	}
	return translate(err, "save a webhook endpoint", endpointThings())
}

// Endpoint gives the address of a system, or fault.NotFound. That of a disabled
// system is disabled too.
func (s *Store) Endpoint(ctx context.Context, system string) (webhook.Endpoint, error) {
	const doing = "read a webhook endpoint"
	row, err := table[endpointRow](s.db).Where("system = ?", system).Take(ctx)
	if err != nil {
		return webhook.Endpoint{}, translate(err, doing, endpointThings())
	}
	of, err := table[systemRow](s.db).Where("id = ?", system).Take(ctx)
	if err != nil {
		return webhook.Endpoint{}, translate(err, doing, systems())
	}
	return webhook.Endpoint{
		System: row.System, URL: row.URL, Network: catalog.Network(row.Network),
		Generation: row.Generation, RotatedAt: row.Rotated.Time(),
		Disabled: row.Disabled || of.Disabled, Reason: row.Reason,
	}, nil
}

// RotateEndpoint gives a system's endpoint its next secret; the one before
// signs too for a while.
func (s *Store) RotateEndpoint(ctx context.Context, system string) (webhook.Endpoint, error) {
	return s.changeEndpoint(ctx, system, "rotate the secret of a webhook endpoint", map[string]any{
		"generation": gorm.Expr("generation + 1"), "rotated_at": At(s.now()),
	})
}

// DisableEndpoint ends the messages to a system until SaveEndpoint.
func (s *Store) DisableEndpoint(ctx context.Context, system, reason string) error {
	_, err := s.changeEndpoint(ctx, system, "disable a webhook endpoint", map[string]any{
		"disabled": true, "reason": operatorText(reason),
	})
	return err
}

func (s *Store) changeEndpoint(ctx context.Context, system, doing string, columns map[string]any) (webhook.Endpoint, error) {
	n, err := table[endpointRow](s.db).Where("system = ?", system).Set(ctx, clause.Assignments(columns))
	switch {
	case err != nil:
		return webhook.Endpoint{}, translate(err, doing, endpointThings())
	case n == 0:
		return webhook.Endpoint{}, endpointThings().unknown()
	}
	return s.Endpoint(ctx, system)
}
