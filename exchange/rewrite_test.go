package exchange_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"

	"mianti/exchange"
	"mianti/internal/keytest"
	"mianti/keyring"
)

// rewrite changes what is stored of a resolution, as somebody could who has the
// database and the key-encryption key.
func (b *bench) rewrite(table, column string, r *exchange.Resolution, from, to string) {
	b.t.Helper()
	b.query(func(db *sql.DB) error {
		var wrapped keyring.Wrapped
		var body string
		if err := db.QueryRow("SELECT kek, payload_key FROM case_keys WHERE case_id = ?", r.Case).Scan(&wrapped.KEK, &wrapped.Bytes); err != nil {
			return err
		}
		key, err := keytest.Keys().Unwrap(context.Background(), wrapped, []byte("case_keys "+r.Case+" payload_key"))
		if err != nil {
			return err
		}
		if err := db.QueryRow("SELECT body FROM "+table+" WHERE "+column+" = ?", r.ID).Scan(&body); err != nil {
			return err
		}
		raw, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(body, "sealed:"))
		if err != nil {
			return err
		}
		place := fmt.Appendf(nil, "%s %s %d body", table, r.ID, r.Version)
		plain, err := keyring.Open(key, raw, place)
		if err != nil {
			return err
		}
		if plain, err = unpacked(plain); err != nil {
			return err
		}
		if !strings.Contains(string(plain), from) {
			return fmt.Errorf("nothing of %s is %q", table, from)
		}
		changed, err := keyring.Seal(keyring.AES256GCM, key, []byte(strings.ReplaceAll(string(plain), from, to)), place)
		if err != nil {
			return err
		}
		_, err = db.Exec("UPDATE "+table+" SET body = ? WHERE "+column+" = ?", "sealed:"+base64.RawStdEncoding.EncodeToString(changed), r.ID)
		return err
	})
}

// unpacked is what was compressed before it was sealed.
func unpacked(sealed []byte) ([]byte, error) {
	reader, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return reader.DecodeAll(sealed, nil)
}
