package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/keyring"
)

// caseKeyRow holds the keys of a case, wrapped (办件密钥).
type caseKeyRow struct {
	CaseID        string     `gorm:"column:case_id;primaryKey"`
	KEK           string     `gorm:"column:kek"`         // that both are under
	PayloadKey    []byte     `gorm:"column:payload_key"` // null once it was destroyed
	Salt          []byte     `gorm:"column:salt"`        // null once it was destroyed
	Created       Timestamp  `gorm:"column:created_at"`  // when the case was opened
	Done          *Timestamp `gorm:"column:done_at"`     // when its purpose was done
	Destroyed     *Timestamp `gorm:"column:destroyed_at"`
	DestroyedFor  string     `gorm:"column:destroyed_for"`
	SaltDestroyed *Timestamp `gorm:"column:salt_destroyed_at"`
	Counted       *Timestamp `gorm:"column:counted_at"` // when it was counted for the figures
}

// TableName names the table.
func (caseKeyRow) TableName() string { return "case_keys" }

// sealedMark begins what is encrypted, where a column is text. JSON begins with
// something else.
const sealedMark = "sealed:"

// caseKey opens and seals what is kept of one case.
type caseKey struct {
	caseID string
	cipher keyring.Cipher
	key    []byte
	salt   []byte
	// clear is a case from before there were keys: it lies as it is.
	clear     bool
	destroyed *exchange.Destruction
	packer    *sealedPacker
}

// keysMissing is the failure of what needs the content of cases, in a program that
// was started without the key-encryption key.
func keysMissing() error {
	return fault.New(fault.Unavailable, "keys-missing", "没有密钥文件，不能读写办件内容。请用 MIANTI_KEY_FILE 指明它。")
}

// place says where a sealed text stands: it opens nowhere else.
func place(parts ...any) []byte { return []byte(strings.TrimSuffix(fmt.Sprintln(parts...), "\n")) }

// seal encrypts a text for its place.
func (k *caseKey) seal(plain []byte, where []byte) (string, error) {
	if k.destroyed != nil {
		return "", exchange.CaseDestroyed(*k.destroyed)
	}
	sealed, err := keyring.Seal(k.cipher, k.key, k.packer.pack(plain), where)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", where, err)
	}
	return sealedMark + base64.RawStdEncoding.EncodeToString(sealed), nil
}

// open decrypts what stands in a place. Of a case that has a key nothing is read
// that is not sealed: whoever can write to the database could have put it there.
func (k *caseKey) open(stored string, where []byte) ([]byte, error) {
	if k.destroyed != nil {
		return nil, exchange.CaseDestroyed(*k.destroyed)
	}
	text, sealed := strings.CutPrefix(stored, sealedMark)
	switch {
	case k.clear && !sealed:
		return []byte(stored), nil
	case k.clear == sealed:
		return nil, fmt.Errorf("open %s: %w", where, keyring.ErrUnreadable)
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, keyring.ErrUnreadable)
	}
	packed, err := keyring.Open(k.key, raw, where)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, err)
	}
	plain, err := k.packer.unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", where, err)
	}
	return plain, nil
}

// keyOf gives the key of a case. It is read from the database each time, so that
// one which was destroyed by another replica is gone here too.
func (s *Store) keyOf(ctx context.Context, db *gorm.DB, caseID string) (*caseKey, error) {
	_, key, err := s.keyRowOf(ctx, db, caseID)
	return key, err
}

// keyRowOf gives the key of a case with its row; the row is empty for a case from
// before there were keys.
func (s *Store) keyRowOf(ctx context.Context, db *gorm.DB, caseID string) (*caseKeyRow, *caseKey, error) {
	row, err := table[caseKeyRow](db).Where("case_id = ?", caseID).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return &caseKeyRow{}, &caseKey{caseID: caseID, clear: true}, nil
	}
	if err != nil {
		return nil, nil, translate(err, "read the key of a case", things{})
	}
	key, err := s.unwrapCase(ctx, &row)
	return &row, key, err
}

// keysOf gives the keys of several cases.
func (s *Store) keysOf(ctx context.Context, db *gorm.DB, caseIDs []string) (map[string]*caseKey, error) {
	rows, err := table[caseKeyRow](db).Where("case_id IN ?", caseIDs).Find(ctx)
	if err != nil {
		return nil, translate(err, "read the keys of cases", things{})
	}
	keys := make(map[string]*caseKey, len(caseIDs))
	for i := range rows {
		if keys[rows[i].CaseID], err = s.unwrapCase(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	for _, id := range caseIDs {
		if keys[id] == nil {
			keys[id] = &caseKey{caseID: id, clear: true}
		}
	}
	return keys, nil
}

// The places of the keys themselves.
func payloadKeyPlace(caseID string) []byte { return place("case_keys", caseID, "payload_key") }
func saltPlace(caseID string) []byte       { return place("case_keys", caseID, "salt") }

func (s *Store) unwrapCase(ctx context.Context, row *caseKeyRow) (*caseKey, error) {
	k := &caseKey{caseID: row.CaseID, cipher: s.cipher, packer: s.sealed}
	if row.Destroyed != nil {
		k.destroyed = &exchange.Destruction{At: row.Destroyed.Time(), Why: exchange.DestroyedFor(row.DestroyedFor)}
		return k, nil
	}
	if s.keys == nil {
		return nil, keysMissing()
	}
	var err error
	if k.key, err = s.keys.Unwrap(ctx, keyring.Wrapped{KEK: row.KEK, Bytes: row.PayloadKey}, payloadKeyPlace(row.CaseID)); err != nil {
		return nil, fmt.Errorf("unwrap the key of case %s: %w", row.CaseID, err)
	}
	if k.salt, err = s.unwrapSalt(ctx, row); err != nil {
		return nil, err
	}
	return k, nil
}

func (s *Store) unwrapSalt(ctx context.Context, row *caseKeyRow) ([]byte, error) {
	salt, err := s.keys.Unwrap(ctx, keyring.Wrapped{KEK: row.KEK, Bytes: row.Salt}, saltPlace(row.CaseID))
	if err != nil {
		return nil, fmt.Errorf("unwrap the salt of case %s: %w", row.CaseID, err)
	}
	return salt, nil
}

// caseKeyLength is enough for either cipher.
const caseKeyLength = 32

// newCaseKey makes a key for a case with this salt, and its row.
func (s *Store) newCaseKey(ctx context.Context, caseID string, salt []byte) (*caseKey, *caseKeyRow, error) {
	if s.keys == nil {
		return nil, nil, keysMissing()
	}
	k := &caseKey{caseID: caseID, cipher: s.cipher, packer: s.sealed, key: make([]byte, caseKeyLength), salt: salt}
	if _, err := rand.Read(k.key); err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	row := &caseKeyRow{CaseID: caseID}
	return k, row, s.wrapCase(ctx, k, row)
}

// wrapCase wraps what is left of a case's keys under the present key-encryption key.
func (s *Store) wrapCase(ctx context.Context, k *caseKey, row *caseKeyRow) error {
	salt, err := s.keys.Wrap(ctx, k.salt, saltPlace(k.caseID))
	if err != nil {
		return fmt.Errorf("wrap the salt of case %s: %w", k.caseID, err)
	}
	row.KEK, row.Salt = salt.KEK, salt.Bytes
	if k.key == nil {
		return nil
	}
	key, err := s.keys.Wrap(ctx, k.key, payloadKeyPlace(k.caseID))
	if err != nil {
		return fmt.Errorf("wrap the key of case %s: %w", k.caseID, err)
	}
	if key.KEK != salt.KEK {
		return fmt.Errorf("wrap the keys of case %s: the key-encryption key changed in between", k.caseID)
	}
	row.PayloadKey = key.Bytes
	return nil
}

// keyToWrite gives the key with which something of a case is about to be stored. A
// case from before there were keys gets its key now, and all that is kept of it is
// sealed. A destroyed one is refused.
func (s *Store) keyToWrite(ctx context.Context, tx *gorm.DB, caseID string) (*caseKey, error) {
	k, err := s.keyOf(ctx, tx, caseID)
	if err != nil {
		return nil, err
	}
	if k.destroyed != nil {
		return nil, exchange.CaseDestroyed(*k.destroyed)
	}
	if k.clear {
		return s.sealCase(ctx, tx, caseID)
	}
	return k, nil
}

// checkKeys tries one key of each key-encryption key in use, so that a program
// without one of them does not start.
func (s *Store) checkKeys(ctx context.Context) error {
	var keks []string
	err := s.db.WithContext(ctx).Model(&caseKeyRow{}).Where("salt_destroyed_at IS NULL").Distinct().Order("kek").Pluck("kek", &keks).Error
	if err != nil {
		return translate(err, "look for the key-encryption keys in use", things{})
	}
	for _, kek := range keks {
		row, err := table[caseKeyRow](s.db).Where("kek = ? AND salt_destroyed_at IS NULL", kek).Limit(1).Take(ctx)
		if errors.Is(err, gorm.ErrRecordNotFound) { // rewrapped just now
			continue
		}
		if err != nil {
			return translate(err, "read the key of a case", things{})
		}
		if _, err := s.unwrapSalt(ctx, &row); err != nil {
			return err
		}
	}
	return s.checkBatchKeys(ctx)
}

// lockCase holds a case's row until tx ends.
func (s *Store) lockCase(tx *gorm.DB, caseID string) error {
	return translate(tx.Exec("UPDATE cases SET version = version WHERE id = ?", caseID).Error, "lock a case", cases())
}
