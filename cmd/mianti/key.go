package main

import (
	"fmt"

	"mianti/keyring"
)

type keyCommands struct {
	New    keyNewCommand    `cmd:"" help:"Make a key for MIANTI_KEY_FILE, and print it."`
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
