package main

import (
	"context"
	"errors"
	"fmt"

	"mianti/keyring"
	"mianti/store"
)

type keyRewrapCommand struct {
	databaseSetting
	Cipher keyring.Cipher `env:"MIANTI_CIPHER" enum:"aes-256-gcm,sm4-gcm" default:"aes-256-gcm" help:"What content that is still in clear is encrypted with."`
}

// rewrapBatch is how many cases are rewrapped between two lines of progress.
const rewrapBatch = 500

// Run puts the keys of all cases and all secrets under the first key of the file,
// and encrypts the cases that are still in clear. The exchange may go on meanwhile,
// if it was started with the same file; run it again until nothing is left.
func (c *keyRewrapCommand) Run(ctx context.Context, con console) error {
	db, err := c.openUnlocked(ctx, c.Cipher)
	if err != nil {
		return err
	}
	return errors.Join(c.rewrap(ctx, db, con), db.Close())
}

func (c *keyRewrapCommand) rewrap(ctx context.Context, db *store.Store, con console) error {
	ring, err := c.ring(ctx, db)
	if err != nil {
		return err
	}
	secrets := 0
	for _, p := range keyring.Purposes() {
		n, err := ring.Rewrap(ctx, p)
		if err != nil {
			return err
		}
		secrets += n
	}
	var all store.Rewrapping
	for {
		step, err := db.Rewrap(ctx, rewrapBatch)
		if err != nil {
			return err
		}
		all.Sealed, all.Wrapped, all.Left = all.Sealed+step.Sealed, all.Wrapped+step.Wrapped, step.Left
		if step.Left == 0 || step.Sealed+step.Wrapped == 0 {
			break
		}
		fmt.Fprintf(con.Err, "还剩 %d 个办件……\n", step.Left)
	}
	fmt.Fprintf(con.Out, "新加密 %d 个办件；换到新密钥下的有 %d 个办件、%d 个其他密钥；还剩 %d 个办件。\n", all.Sealed, all.Wrapped, secrets, all.Left)
	if all.Left > 0 {
		return errors.New("还有办件没有换到新密钥下：请再运行一次，旧密钥先不要删")
	}
	fmt.Fprintln(con.Out, "没有内容再用旧密钥了。确认所有实例都已换用新的密钥文件后，可以删去文件中的旧密钥；此后旧备份中的内容不能再解开。")
	return nil
}
