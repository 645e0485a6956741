package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/ledger"
)

// fileLinkRow is a link to a file, by the digest of its token.
type fileLinkRow struct {
	TokenDigest string    `gorm:"column:token_digest;primaryKey"`
	Holder      string    `gorm:"column:holder"`
	Resolution  string    `gorm:"column:resolution_id"`
	Case        string    `gorm:"column:case_id"`
	Material    string    `gorm:"column:material"`
	Party       string    `gorm:"column:party"`
	Identifier  string    `gorm:"column:identifier"`
	Source      string    `gorm:"column:source"`
	Dataset     string    `gorm:"column:dataset"`
	Purpose     string    `gorm:"column:purpose"`
	Expires     Timestamp `gorm:"column:expires_at"`
	Concerns    string    `gorm:"column:concerns"` // keyed digests, with blanks between them
}

// TableName names the table.
func (fileLinkRow) TableName() string { return "file_links" }

func fileLinks() things { return things{code: "file-link", name: "文件链接"} }

func tokenDigest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// AddFileLink stores a link with its entry, and forgets those that are too old.
func (s *Store) AddFileLink(ctx context.Context, link *exchange.FileLink, e ledger.Entry) error {
	row := fileLinkRow{
		TokenDigest: tokenDigest(link.Token), Holder: link.Holder, Resolution: link.Resolution, Case: link.Case, Material: link.Material,
		Party: link.Party, Identifier: link.Identifier, Source: link.Source, Dataset: link.Dataset, Purpose: link.Purpose, Expires: At(link.ExpiresAt),
		Concerns: strings.Join(link.Concerns, " "),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		if _, err := table[fileLinkRow](tx).Where("expires_at < ?", At(e.At)).Delete(ctx); err != nil {
			return translate(err, "forget old file links", fileLinks())
		}
		if err := table[fileLinkRow](tx).Create(ctx, &row); err != nil {
			return translate(err, "add a file link", fileLinks())
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// UseFileLink uses a link up: its row is deleted, so that of two who come at
// once one gets it. A link that somebody else holds stays as it is.
func (s *Store) UseFileLink(ctx context.Context, token, holder string, now time.Time, entry func(*exchange.FileLink) ledger.Entry) (*exchange.FileLink, error) {
	var link *exchange.FileLink
	err := s.transact(ctx, func(tx *gorm.DB) error {
		mine := table[fileLinkRow](tx).Where("token_digest = ? AND holder = ? AND expires_at > ?", tokenDigest(token), holder, At(now))
		row, err := mine.Take(ctx)
		if err != nil {
			return translate(err, "use a file link", fileLinks())
		}
		used, err := table[fileLinkRow](tx).Where("token_digest = ?", row.TokenDigest).Delete(ctx)
		if err != nil {
			return translate(err, "use a file link", fileLinks())
		}
		if used == 0 {
			return fileLinks().unknown()
		}
		link = &exchange.FileLink{
			Holder: row.Holder, Resolution: row.Resolution, Case: row.Case, Material: row.Material, Party: row.Party, Identifier: row.Identifier,
			Source: row.Source, Dataset: row.Dataset, Purpose: row.Purpose, ExpiresAt: row.Expires.Time(),
			Concerns: strings.Fields(row.Concerns),
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{entry(link)})
	})
	return link, err
}
