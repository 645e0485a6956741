package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/keyring"
	"mianti/policies"
)

// grantSetRow is a set of grants that resolutions were made from. Each of them held
// its own copy before: 89 grants were 50 of the 60 kB that a resolution stored.
type grantSetRow struct {
	Digest string `gorm:"column:digest;primaryKey"`
	Body   string `gorm:"column:body"` // JSON
}

// TableName names the table.
func (grantSetRow) TableName() string { return "grant_sets" }

// keepGrantSet makes a set of grants, once it is kept for replays.
func (s *Store) keepGrantSet(ctx context.Context, grants []policies.Grant) (*exchange.GrantSet, error) {
	body, err := json.Marshal(grants)
	if err != nil {
		return nil, fmt.Errorf("encode a set of grants: %w", err)
	}
	row := grantSetRow{Digest: grantSetDigest(body), Body: string(body)}
	if err := table[grantSetRow](s.db, clause.OnConflict{DoNothing: true}).Create(ctx, &row); err != nil {
		return nil, translate(err, "keep a set of grants", things{})
	}
	set := exchange.NewGrantSet(grants)
	set.Digest = row.Digest
	return set, nil
}

func grantSetDigest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// grantSet gives the grants of a set that is kept. What was altered is refused: its
// digest stands in what is sealed.
func (s *Store) grantSet(ctx context.Context, digest string) ([]policies.Grant, error) {
	if known, ok := s.grantSets.get(digest); ok {
		return known, nil
	}
	row, err := table[grantSetRow](s.db).Where("digest = ?", digest).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a set of grants", things{})
	}
	if grantSetDigest([]byte(row.Body)) != digest {
		return nil, fmt.Errorf("read the set of grants %s: %w", digest, keyring.ErrUnreadable)
	}
	var grants []policies.Grant
	if err := json.Unmarshal([]byte(row.Body), &grants); err != nil {
		return nil, fmt.Errorf("decode the set of grants %s: %w", digest, err)
	}
	s.grantSets.put(digest, grants, 1+len(grants))
	return grants, nil
}
