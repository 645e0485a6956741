package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"mianti/api"
	"mianti/internal/fault"
	"mianti/keyring"
	"mianti/store"
)

// ring gives the secrets of the exchange of this database.
func (s *databaseSetting) ring(ctx context.Context, db *store.Store) (*keyring.Ring, error) {
	kek, err := s.keyEncryptionKey(ctx, db)
	if err != nil {
		return nil, err
	}
	return &keyring.Ring{Wrapper: kek, Secrets: db, Now: time.Now}, nil
}

// keyEncryptionKey reads the key that protects all others. Beside a SQLite file
// that has no secrets yet, it makes one.
func (s *databaseSetting) keyEncryptionKey(ctx context.Context, db *store.Store) (*keyring.File, error) {
	if s.KeyFile != "" {
		return readKeyFile(s.KeyFile)
	}
	path, sqlite := strings.CutPrefix(s.DatabaseURL, "sqlite:")
	if !sqlite {
		return nil, errors.New("MIANTI_KEY_FILE: 请设置密钥文件，其中的密钥保护数据库里的其他密钥和办件内容。所有实例用同一个文件；生成一个：mianti key new > mianti.key")
	}
	path += ".key"
	found, err := readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	for _, p := range keyring.Purposes() {
		if kept, err := db.SecretsOf(ctx, p); err != nil || len(kept) > 0 {
			return nil, errors.Join(fault.New(fault.Unavailable, "key-missing", "数据库的密钥文件 %s 不见了，没有它数据库里加密的内容读不出来。请把它放回去，或用 MIANTI_KEY_FILE 指明它在哪里。", path), err)
		}
	}
	return makeKeyFile(path)
}

func readKeyFile(path string) (*keyring.File, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_KEY_FILE: %w", err)
	}
	return keyring.ParseFile(content)
}

// makeKeyFile makes a file of one key. Of two processes that do so at once, both
// read the same: the file is written whole before it has its name.
func makeKeyFile(path string) (*keyring.File, error) {
	line, err := keyring.NewLine(keyring.AES256GCM)
	if err != nil {
		return nil, err
	}
	draft := path + "." + newID()
	if err := os.WriteFile(draft, []byte(line), 0o600); err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	err = os.Link(draft, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err = errors.Join(err, os.Remove(draft)); err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	return readKeyFile(path)
}

// secretOrFile gives the secret of a purpose: what a file holds, where one is
// configured, or else what is kept in the database.
func secretOrFile(ctx context.Context, ring *keyring.Ring, p keyring.Purpose, setting, file string) ([]byte, error) {
	if file != "" {
		return keyFrom(setting, file)
	}
	secret, err := ring.Secret(ctx, p, keyring.RandomBytes)
	return secret.Bytes, err
}

// subjectKey is what keys the digests of persons and bodies.
func subjectKey(ctx context.Context, ring *keyring.Ring, file string) ([]byte, error) {
	return secretOrFile(ctx, ring, keyring.Subjects, "MIANTI_SUBJECT_KEY_FILE", file)
}

// webhookKey is what the secrets of webhooks are made from.
func webhookKey(ctx context.Context, ring *keyring.Ring, file string) ([]byte, error) {
	return secretOrFile(ctx, ring, keyring.Webhooks, "MIANTI_WEBHOOK_KEY_FILE", file)
}

// signingKeys are those that sign tokens; what earlier ones signed is still
// accepted.
func (s *exchangeSettings) signingKeys(ctx context.Context, ring *keyring.Ring) (*api.SigningKeys, error) {
	if s.SigningKeyFile != "" {
		return loadSigningKey(s.SigningKeyFile)
	}
	if _, err := ring.Secret(ctx, keyring.TokenSigning, newSigningKey); err != nil {
		return nil, err
	}
	all, err := ring.All(ctx, keyring.TokenSigning)
	if err != nil {
		return nil, err
	}
	texts := make([][]byte, len(all))
	for i := range all {
		texts[i] = all[i].Bytes
	}
	return api.LoadSigningKeys(texts...)
}

func loadSigningKey(path string) (*api.SigningKeys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_SIGNING_KEY_FILE: %w", err)
	}
	return api.LoadSigningKeys(text)
}

// newSigningKey makes a key for ES256, in PEM.
func newSigningKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a signing key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
