package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"mianti/catalog"
)

// partRow is a file of a catalog (目录分册), once for all revisions that have it. It
// never changes.
type partRow struct {
	Digest    string `gorm:"column:digest;primaryKey"`
	Content   []byte `gorm:"column:content"` // compressed
	Tree      []byte `gorm:"column:tree"`    // compressed; empty for all but one-things
	Matters   int    `gorm:"column:matters"`
	Materials int    `gorm:"column:materials"`
}

// TableName names the table.
func (partRow) TableName() string { return "catalog_parts" }

// pathRow says that from a revision on, a file is another one, or none.
type pathRow struct {
	Path     string `gorm:"column:path;primaryKey"`
	Revision int    `gorm:"column:revision;primaryKey;autoIncrement:false"`
	Part     string `gorm:"column:part"` // empty: no longer there
}

// TableName names the table.
func (pathRow) TableName() string { return "catalog_paths" }

// matterRow is where a matter is found, from a revision on, until another.
type matterRow struct {
	Code       string `gorm:"column:code;primaryKey"`
	Since      int    `gorm:"column:since;primaryKey;autoIncrement:false"`
	Until      int    `gorm:"column:until"` // 0 while it is so
	OneThing   string `gorm:"column:one_thing"`
	Name       string `gorm:"column:name"`
	Department string `gorm:"column:department"`
	Local      string `gorm:"column:local"` // the level and the basic code
}

// TableName names the table.
func (matterRow) TableName() string { return "catalog_matters" }

// packer compresses the parts. Both are safe for many goroutines, and a reader
// notices content that was altered by its checksum.
type packer struct {
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

func newPacker() (*packer, error) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return nil, fmt.Errorf("make the compressor of catalogs: %w", err)
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPart))
	if err != nil {
		return nil, fmt.Errorf("make the reader of catalogs: %w", err)
	}
	return &packer{pack, unpack}, nil
}

// maxPart bounds a part that is unpacked, in bytes: many times what a file may have.
const maxPart = 64 << 20

// prepared is a part on its way in.
type prepared struct {
	path    string
	row     partRow
	matters []matterRow // of a one-thing
}

// prepare makes the rows of a part.
func (p *packer) prepare(part catalog.Part) prepared {
	out := prepared{path: part.Path, row: partRow{Digest: catalog.PartDigest(part.Content), Content: p.pack.EncodeAll(part.Content, nil), Tree: []byte{}}}
	if !catalog.IsOneThing(part.Path) {
		return out
	}
	tree := part.Tree
	if tree == nil {
		tree = catalog.Tree(part)
	}
	if tree == nil {
		return out // as broken as it was handed in; opening it says what is wrong
	}
	out.row.Tree = p.pack.EncodeAll(tree, nil)
	out.matters, out.row.Materials = mattersOf(tree)
	out.row.Matters = len(out.matters)
	return out
}

// mattersOf lists the matters of a one-thing's tree, and counts their materials.
func mattersOf(tree []byte) (rows []matterRow, materials int) {
	var read struct {
		OneThing struct {
			Code string `json:"code"`
		} `json:"one_thing"`
		Matters []struct {
			Code       string     `json:"code"`
			Name       string     `json:"name"`
			Department string     `json:"department"`
			BasicCode  string     `json:"basic_code"`
			Level      int        `json:"level"`
			Materials  []struct{} `json:"materials"`
		} `json:"matters"`
	}
	if json.Unmarshal(tree, &read) != nil {
		return nil, 0 // of the wrong shape; opening it says what is wrong
	}
	for _, m := range read.Matters {
		materials += len(m.Materials)
		if m.Code != "" {
			rows = append(rows, matterRow{Code: m.Code, OneThing: read.OneThing.Code, Name: m.Name, Department: m.Department, Local: fmt.Sprint(m.Level, m.BasicCode)})
		}
	}
	return rows, materials
}

// storedPart is a part as it is read.
type storedPart struct {
	Path    string
	Part    string
	Content []byte
	Tree    []byte
}

// content gives the file, byte for byte as it was saved.
func (p *packer) content(s storedPart, number int) (catalog.Part, error) {
	text, err := p.unpack.DecodeAll(s.Content, []byte{})
	if err == nil && catalog.PartDigest(text) != s.Part {
		err = errAltered
	}
	if err != nil {
		return catalog.Part{}, fmt.Errorf("read catalog revision %d: %s: %w", number, s.Path, err)
	}
	return catalog.Part{Path: s.Path, Content: text}, nil
}

// The files of a revision, and the range of their paths in which one-things are.
const (
	partsAt = `FROM catalog_paths p JOIN catalog_parts b ON b.digest = p.part WHERE p.part <> '' AND p.path > ? AND p.path < ?
AND p.revision = (SELECT MAX(q.revision) FROM catalog_paths q WHERE q.path = p.path AND q.revision <= ?) ORDER BY p.path LIMIT ?`
	firstThing = "one-things/"
	afterThing = firstThing + lastPath
	lastPath   = "\U0010FFFF"
)

// pathsOf gives the digests of the files between two paths, both excluded.
func pathsOf(ctx context.Context, db *gorm.DB, number int, from, to string) ([]storedPart, error) {
	var rows []storedPart
	const statement = `SELECT p.path, p.part FROM catalog_paths p WHERE p.part <> '' AND p.path > ? AND p.path < ?
AND p.revision = (SELECT MAX(q.revision) FROM catalog_paths q WHERE q.path = p.path AND q.revision <= ?) ORDER BY p.path`
	err := db.WithContext(ctx).Raw(statement, from, to, number).Scan(&rows).Error
	return rows, translate(err, "read a catalog revision", revisions())
}

// parts gives at most limit files between two paths, both excluded, in their order.
func (s *Store) parts(ctx context.Context, number int, columns, from, to string, limit int) ([]storedPart, error) {
	var rows []storedPart
	err := s.db.WithContext(ctx).Raw("SELECT p.path, p.part, "+columns+" "+partsAt, from, to, number, limit).Scan(&rows).Error
	return rows, translate(err, "read a catalog revision", revisions())
}

// insertParts stores what is not there yet.
func insertParts(ctx context.Context, tx *gorm.DB, all []prepared) error {
	rows, seen := []partRow{}, map[string]bool{}
	for _, p := range all {
		if !seen[p.row.Digest] {
			seen[p.row.Digest] = true
			rows = append(rows, p.row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return table[partRow](tx, clause.OnConflict{DoNothing: true}).CreateInBatches(ctx, &rows, 100)
}
