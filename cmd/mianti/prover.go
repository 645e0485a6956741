package main

import (
	"context"
	"errors"

	"mianti/evidence"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/ledger/anchor"
	"mianti/store"
)

// prover proves from the log that what is released was recorded.
type prover struct{ log *store.Log }

// ProveResolution gives the leaf of the entry by which a version of a resolution
// was released, and the proof that it is in the log; nothing while it is being
// sealed.
func (p prover) ProveResolution(ctx context.Context, resolution string, version int) ([]byte, string, error) {
	row, err := p.log.RowOfResolution(ctx, resolution, version)
	if err != nil || row == nil || row.Index < 0 {
		return nil, "", err
	}
	checkpoint, err := p.log.Checkpoint(ctx)
	if errors.Is(err, fault.Unavailable) || err == nil && row.Index >= checkpoint.Size {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	proof, err := ledger.ProveInclusion(ctx, p.log, checkpoint, row.Index)
	if err != nil {
		return nil, "", err
	}
	return row.Leaf().Encode(), proof.String(), nil
}

// checkpointKeys are those of the log and of its witnesses.
type checkpointKeys struct {
	log     *store.Log
	anchors *anchor.Worker
}

// CheckpointKeys gives them.
func (k checkpointKeys) CheckpointKeys(ctx context.Context) (ours, witnesses []string, err error) {
	ours, err = k.log.VKeys(ctx)
	return ours, k.anchors.WitnessKeys(), err
}

// inLog checks that a leaf is in the log of a checkpoint that these keys signed.
func inLog(leaf []byte, proof string, trust evidence.TrustDocument) error {
	keys, err := ledger.ParseKeys(trust.Checkpoint)
	if err != nil {
		return err
	}
	read, err := ledger.ParseLeaf(leaf)
	if err != nil {
		return err
	}
	inclusion, err := ledger.ParseProof(proof)
	if err != nil {
		return err
	}
	_, err = ledger.VerifyReceipt(ledger.NewReceipt(read, inclusion), keys)
	return err
}
