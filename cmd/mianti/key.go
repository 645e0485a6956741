package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mianti/catalog"
	"mianti/evidence"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/store"
)

type keyCommands struct {
	New    keyNewCommand    `cmd:"" help:"Make a key for MIANTI_KEY_FILE, and print it."`
	List   keyListCommand   `cmd:"" help:"List which keys there are, and none of them."`
	Rotate keyRotateCommand `cmd:"" help:"Make a new key the present one of a purpose."`
	Rewrap keyRewrapCommand `cmd:"" help:"Put everything under the first key of MIANTI_KEY_FILE, and encrypt what is still in clear."`
}

type keyNewCommand struct {
	Cipher keyring.Cipher `enum:"aes-256-gcm,sm4-gcm" default:"aes-256-gcm" help:"aes-256-gcm, or sm4-gcm."`
}

// Run prints a line for the file of keys.
func (c *keyNewCommand) Run(con console) error {
	line, err := keyring.NewLine(c.Cipher)
	if err != nil {
		return err
	}
	fmt.Fprint(con.Out, line)
	return nil
}

type keyListCommand struct{ databaseSetting }

// Run lists what is kept of each purpose, newest first: never a key.
func (c *keyListCommand) Run(ctx context.Context, con console) error {
	db, ring, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	var rows [][]string
	for _, p := range keyring.Purposes() {
		secrets, err := ring.All(ctx, p)
		if err != nil {
			return err
		}
		until := "现用"
		for _, s := range secrets {
			about, err := describeKey(s)
			if err != nil {
				return err
			}
			rows = append(rows, []string{string(p), fmt.Sprint(s.Number), clockTime(s.Created), until, about})
			until = clockTime(s.Created) + " 停用"
		}
	}
	fmt.Fprintln(con.Out, newTable(rows, 14, 6, 18, 22, 52).Headers("用途", "编号", "启用", "状态", "说明"))
	return nil
}

// describeKey says what a key is, for those that have a public half.
func describeKey(s keyring.Secret) (string, error) {
	if s.Purpose != keyring.Evidence {
		return "", nil
	}
	key, err := evidence.ReadKey(s.Bytes, s.Created, time.Time{})
	if err != nil {
		return "", fmt.Errorf("read evidence key %d: %w", s.Number, err)
	}
	return string(key.Public().Algorithm()) + " " + key.Public().ID(), nil
}

// clockTime is a moment in Shanghai.
func clockTime(at time.Time) string { return at.In(catalog.TimeZone()).Format("2006-01-02 15:04") }

type keyRotateCommand struct {
	databaseSetting
	evidenceSetting
	Purpose keyring.Purpose `arg:"" enum:"evidence,token-signing" help:"evidence or token-signing."`
}

// Run makes a new key the present one. It counts at once for evidence; what signs
// tokens is read when the exchange starts. What earlier keys signed still holds.
func (c *keyRotateCommand) Run(ctx context.Context, con console) error {
	db, ring, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	plain, err := c.make()
	if err != nil {
		return err
	}
	// Before it is done: a rotation that nobody knows of is worse than an entry of
	// one that failed.
	entry := ledger.Entry{Kind: ledger.KeyRotated, At: time.Now().UTC(), Person: ledger.Operator, Object: "key:" + string(c.Purpose)}
	if err := db.Append(ctx, []ledger.Entry{entry}); err != nil {
		return err
	}
	secret, err := ring.Rotate(ctx, c.Purpose, plain)
	if err != nil {
		return err
	}
	about, err := describeKey(secret)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已换用 %s 的第 %d 个密钥 %s。此前签名的仍可核对。\n", c.Purpose, secret.Number, about)
	return nil
}

func (c *keyRotateCommand) make() ([]byte, error) {
	if c.Purpose == keyring.Evidence {
		return evidence.NewKey(c.EvidenceAlgorithm)
	}
	return newSigningKey()
}

// open gives the database and its secrets.
func (s *databaseSetting) open(ctx context.Context) (*store.Store, *keyring.Ring, error) {
	db, err := store.Open(ctx, store.Config{URL: s.DatabaseURL, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	ring, err := s.ring(ctx, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, ring, nil
}
