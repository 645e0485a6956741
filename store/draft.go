package store

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"gorm.io/gorm"

	"mianti/catalog"
	"mianti/draft"
	"mianti/internal/fault"
)

// draftRow is a draft of the catalog (目录草案).
type draftRow struct {
	ID         string     `gorm:"column:id;primaryKey"`
	Title      string     `gorm:"column:title"`
	Department string     `gorm:"column:department"` // empty: made at the machine
	State      string     `gorm:"column:state"`
	Base       int        `gorm:"column:base"`
	Things     int        `gorm:"column:things"`
	PublishAt  *Timestamp `gorm:"column:publish_at"` // null unless it is scheduled
	Revision   *int       `gorm:"column:revision"`   // null unless it is published
	Updated    Timestamp  `gorm:"column:updated_at"`
	Version    int        `gorm:"column:version"` // counts the changes, from 1
	Body       string     `gorm:"column:body"`    // JSON: the draft without its edits
}

// TableName names the table.
func (draftRow) TableName() string { return "drafts" }

// draftEditRow is what a draft does to one thing.
type draftEditRow struct {
	DraftID string `gorm:"column:draft_id;primaryKey"`
	Kind    string `gorm:"column:kind;primaryKey"`
	Code    string `gorm:"column:code;primaryKey"`
	HeldIn  string `gorm:"column:held_in"`
	Value   string `gorm:"column:value"` // JSON; empty removes the thing
}

// TableName names the table.
func (draftEditRow) TableName() string { return "draft_edits" }

// editBatch is how many edits are written, or asked about, at a time.
const editBatch = 100

func drafts() things { return things{code: "draft", name: "草案"} }

// Draft gives a draft with its edits, or fault.NotFound.
func (s *Store) Draft(ctx context.Context, id string) (*draft.Draft, error) {
	row, err := table[draftRow](s.db).Where("id = ?", id).Take(ctx)
	if err != nil {
		return nil, translate(err, "read a draft", drafts())
	}
	edits, err := table[draftEditRow](s.db).Where("draft_id = ?", id).Order("kind, code").Find(ctx)
	if err != nil {
		return nil, translate(err, "read a draft", drafts())
	}
	d, err := draftFromRow(row)
	if err != nil {
		return nil, err
	}
	d.Edits = make([]catalog.Edit, len(edits))
	for i, e := range edits {
		d.Edits[i] = e.edit()
	}
	d.Edits = draft.Sorted(d.Edits)
	return d, nil
}

func (e *draftEditRow) edit() catalog.Edit {
	out := catalog.Edit{Kind: catalog.ThingKind(e.Kind), Code: e.Code, In: e.HeldIn}
	if e.Value != "" {
		out.Value = json.RawMessage(e.Value)
	}
	return out
}

func draftFromRow(row draftRow) (*draft.Draft, error) {
	var d draft.Draft
	if err := json.Unmarshal([]byte(row.Body), &d); err != nil {
		return nil, fmt.Errorf("read draft %s: %w", row.ID, err)
	}
	if row.Revision != nil {
		d.Revision = *row.Revision
	}
	return &d, nil
}

// Drafts gives the drafts that a filter chooses, the newest first.
func (s *Store) Drafts(ctx context.Context, f draft.Filter) ([]draft.Outline, error) {
	query := table[draftRow](s.db).Order("id DESC").Limit(f.Limit)
	if f.State != "" {
		query = query.Where("state = ?", string(f.State))
	}
	if f.Open {
		query = query.Where("state NOT IN ?", closedDrafts())
	}
	if f.After != "" {
		query = query.Where("id < ?", f.After)
	}
	rows, err := query.Find(ctx)
	if err != nil {
		return nil, translate(err, "list drafts", drafts())
	}
	out := make([]draft.Outline, len(rows))
	for i, row := range rows {
		d, err := draftFromRow(row)
		if err != nil {
			return nil, err
		}
		out[i] = draft.Outline{
			ID: d.ID, Title: d.Title, Department: d.Department, Writers: d.Writers, Base: d.Base, State: d.State, Things: row.Things,
			PublishAt: d.PublishAt, Restores: d.Restores, Revision: d.Revision, UpdatedAt: d.UpdatedAt,
		}
	}
	return out, nil
}

func closedDrafts() []string { return []string{string(draft.Published), string(draft.Withdrawn)} }

// DraftsTouching gives the open drafts but one that change some of the same things,
// or of which one removes what holds a thing of the other; the oldest first.
func (s *Store) DraftsTouching(ctx context.Context, edits []catalog.Edit, but string) ([]draft.Overlap, error) {
	found := map[string][]draft.Thing{}
	for chunk := range slices.Chunk(edits, editBatch) {
		rows, err := s.editsNear(ctx, chunk, but)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			other := rows[i].edit()
			for _, mine := range chunk {
				if draft.Touch(mine, other) {
					found[rows[i].DraftID] = append(found[rows[i].DraftID], draft.Thing{Kind: mine.Kind, Code: mine.Code})
				}
			}
		}
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	out := []draft.Overlap{}
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(ids)), editBatch) {
		rows, err := table[draftRow](s.db).Where("id IN ?", chunk).Where("state NOT IN ?", closedDrafts()).Order("id").Find(ctx)
		if err != nil {
			return nil, translate(err, "find overlapping drafts", drafts())
		}
		for _, row := range rows {
			d, err := draftFromRow(row)
			if err != nil {
				return nil, err
			}
			out = append(out, draft.Overlap{ID: d.ID, Title: d.Title, Writers: d.Writers, State: d.State, Things: slices.Compact(found[d.ID])})
		}
	}
	return out, nil
}

// editsNear gives the edits of other open drafts whose codes are those of edits, of
// what holds them, or of what they remove.
func (s *Store) editsNear(ctx context.Context, edits []catalog.Edit, but string) ([]draftEditRow, error) {
	open := s.db.Model(&draftRow{}).Select("id").Where("state NOT IN ?", closedDrafts()).Where("id <> ?", but)
	near := s.db.Where("code IN ?", draft.CodesAround(edits))
	for _, e := range edits {
		if e.Removes() {
			near = near.Or("code LIKE ?", e.Code+".%").Or("held_in = ?", e.Code)
		}
	}
	var rows []draftEditRow
	err := s.db.WithContext(ctx).Where("draft_id IN (?)", open).Where(near).Order("draft_id, kind, code").Find(&rows).Error
	return rows, translate(err, "find overlapping drafts", drafts())
}

// PublishDraft stores the next revision together with the draft that it comes from,
// all or nothing, and gives its number; the draft is told it.
func (s *Store) PublishDraft(ctx context.Context, c draft.Commit, p draft.Publication) (int, error) {
	number := 0
	err := s.transact(ctx, func(tx *gorm.DB) (err error) {
		number, err = s.publishIn(ctx, tx, Publication{Base: p.Base, Parts: p.Parts, Title: p.Title, Version: p.Version, Entries: c.Entries})
		if err != nil {
			return err
		}
		if number == p.Base {
			return fault.New(fault.Conflict, "draft-changes-nothing", "草案和现行目录没有不同，没有可以发布的。")
		}
		published := *c.Draft
		published.Revision = number
		return s.saveDraft(ctx, tx, draft.Commit{Draft: &published, Put: c.Put, Gone: c.Gone, Jobs: c.Jobs})
	})
	return number, err
}

// ChangedBetween gives the codes of the one-things that differ, or differed for a
// while, between two revisions.
func (s *Store) ChangedBetween(ctx context.Context, earlier, later int) ([]string, error) {
	var paths []string
	err := table[pathRow](s.db).Where("revision > ? AND revision <= ? AND path > ? AND path < ?", min(earlier, later), max(earlier, later), firstThing, afterThing).
		Select("DISTINCT path").Order("path").Scan(ctx, &paths)
	for i := range paths {
		paths[i] = strings.TrimSuffix(path.Base(paths[i]), ".yaml")
	}
	return paths, translate(err, "find what changed in the catalog", revisions())
}

// SaveDraft stores a draft with its entries and its jobs, all or nothing. The first
// version is a new row; a later one is stored if the row is still at the version
// before, and is a fault.Conflict if not.
func (s *Store) SaveDraft(ctx context.Context, c draft.Commit) error {
	return s.transact(ctx, func(tx *gorm.DB) error { return s.saveDraft(ctx, tx, c) })
}

func (s *Store) saveDraft(ctx context.Context, tx *gorm.DB, c draft.Commit) error {
	row, err := draftToRow(c.Draft)
	if err != nil {
		return err
	}
	if err := saveDraftRow(ctx, tx, row); err != nil {
		return err
	}
	if err := saveEdits(ctx, tx, c); err != nil {
		return err
	}
	if err := s.appendEntries(ctx, tx, c.Entries); err != nil {
		return err
	}
	return s.enqueue(ctx, tx, c.Jobs)
}

func draftToRow(d *draft.Draft) (draftRow, error) {
	bare := *d
	bare.Edits = nil
	body, err := json.Marshal(bare)
	if err != nil {
		return draftRow{}, fmt.Errorf("encode a draft: %w", err)
	}
	row := draftRow{
		ID: d.ID, Title: d.Title, Department: d.Department, State: string(d.State), Base: d.Base, Things: len(d.Edits), Updated: At(d.UpdatedAt),
		Version: d.Version, Body: string(body),
	}
	if d.PublishAt != nil {
		at := At(*d.PublishAt)
		row.PublishAt = &at
	}
	if d.Revision != 0 {
		row.Revision = &d.Revision
	}
	return row, nil
}

func saveDraftRow(ctx context.Context, tx *gorm.DB, row draftRow) error {
	if row.Version == 1 {
		return translate(table[draftRow](tx).Create(ctx, &row), "save a draft", drafts())
	}
	changed, err := table[draftRow](tx).Where("id = ? AND version = ?", row.ID, row.Version-1).
		Select("title", "state", "base", "things", "publish_at", "revision", "updated_at", "version", "body").Updates(ctx, row)
	if err != nil {
		return translate(err, "save a draft", drafts())
	}
	if changed == 0 {
		return fault.New(fault.Conflict, "draft-changed", "草案刚被其他人办理。请重新读取后再办理。")
	}
	return nil
}

func saveEdits(ctx context.Context, tx *gorm.DB, c draft.Commit) error {
	gone := slices.Clone(c.Gone)
	for _, e := range c.Put {
		gone = append(gone, draft.Thing{Kind: e.Kind, Code: e.Code})
	}
	if c.Draft.Version > 1 {
		for _, t := range gone {
			_, err := table[draftEditRow](tx).Where("draft_id = ? AND kind = ? AND code = ?", c.Draft.ID, string(t.Kind), t.Code).Delete(ctx)
			if err != nil {
				return translate(err, "save the edits of a draft", drafts())
			}
		}
	}
	rows := make([]draftEditRow, len(c.Put))
	for i, e := range c.Put {
		rows[i] = draftEditRow{DraftID: c.Draft.ID, Kind: string(e.Kind), Code: e.Code, HeldIn: e.In, Value: string(e.Value)}
	}
	if len(rows) == 0 {
		return nil
	}
	return translate(table[draftEditRow](tx).CreateInBatches(ctx, &rows, editBatch), "save the edits of a draft", drafts())
}
