package main

import (
	"context"
	"errors"

	"mianti/api"
	"mianti/keyring"
)

// ready does what a resolution would do, as far as nothing is asked or recorded by it,
// and says which part of it works.
func (n *node) ready(ring *keyring.Ring) func(context.Context) []api.Part {
	return func(ctx context.Context) []api.Part {
		database := n.store.Ready(ctx)
		if database != nil { // the others would only wait for it
			return []api.Part{api.PartOf("database", database)}
		}
		_, catalog := n.catalogs.Current(ctx)
		parts := []api.Part{api.PartOf("database", nil), api.PartOf("keys", unwrapsKeys(ctx, ring)), api.PartOf("catalog", catalog)}
		if catalog != nil {
			return parts
		}
		return append(parts, api.PartOf("settlement", n.exchange.SelfTest(ctx)))
	}
}

// unwrapsKeys opens a key of the database with the key file.
func unwrapsKeys(ctx context.Context, ring *keyring.Ring) error {
	all, err := ring.All(ctx, keyring.SheetNumbers)
	if err == nil && len(all) == 0 {
		return errors.New("the key that numbers sheets is gone")
	}
	return err
}
