package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/exchange"
	"mianti/ledger"
)

// HandIn records a paper that was handed in, with its entry.
func (s *Store) HandIn(ctx context.Context, in *exchange.Submission, e ledger.Entry) error {
	row := submissionRow{
		CaseID: in.Case, Material: in.Material, StandardMaterial: in.StandardMaterial,
		SubjectDigest: in.Subject, Digest: in.Digest, Submitted: At(in.At),
	}
	return s.transact(ctx, func(tx *gorm.DB) error {
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if created.Error != nil {
			return translate(created.Error, "record a paper", things{code: "submission", name: "已交材料"})
		}
		if created.RowsAffected == 0 { // handed in already
			return nil
		}
		return s.appendEntries(ctx, tx, []ledger.Entry{e})
	})
}

// HandedIn gives the papers of these subjects, newest first.
func (s *Store) HandedIn(ctx context.Context, subjects []string) ([]exchange.Submission, error) {
	rows, err := table[submissionRow](s.db).Where("subject_digest IN ?", subjects).
		Order("submitted_at DESC, case_id, material").Limit(maxHandedIn).Find(ctx)
	if err != nil {
		return nil, translate(err, "read papers", things{})
	}
	out := make([]exchange.Submission, len(rows))
	for i, row := range rows {
		out[i] = exchange.Submission{
			Case: row.CaseID, Material: row.Material, StandardMaterial: row.StandardMaterial,
			Subject: row.SubjectDigest, Digest: row.Digest, At: row.Submitted.Time(),
		}
	}
	return out, nil
}

// maxHandedIn bounds what is read of earlier papers: the newest matter most.
const maxHandedIn = 1000
