package ledger

import (
	"encoding/base64"
	"encoding/json"

	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/fault"
)

// Receipt (凭证) is a leaf and the proof that it is in the log: it can be kept in
// a file, and checked without the exchange.
type Receipt struct {
	// Evidence is the evidence that the entry tells of, as a compact JWS; empty for
	// none. VerifyReceipt does not look at it.
	Evidence string `json:"evidence,omitempty"`
	// Leaf is the leaf as it was sealed, in base64.
	Leaf string `json:"leaf"`
	// Proof is the text of an InclusionProof (C2SP tlog-proof).
	Proof string `json:"proof"`
}

// NewReceipt makes the receipt of a leaf.
func NewReceipt(leaf Leaf, proof InclusionProof) Receipt {
	return Receipt{Leaf: base64.StdEncoding.EncodeToString(leaf.Encode()), Proof: proof.String()}
}

// Verified is what a receipt shows.
type Verified struct {
	Leaf       Leaf
	Entry      Entry
	Checkpoint Checkpoint
}

// ParseReceipt reads the file of a receipt. Members that it does not know are let
// be: others may be added to it.
func ParseReceipt(file []byte) (Receipt, error) {
	var r Receipt
	if err := json.Unmarshal(file, &r); err != nil || r.Leaf == "" || r.Proof == "" {
		return Receipt{}, fault.New(fault.Invalid, "bad-receipt", "凭证文件不可读：应为含 leaf 和 proof 的 JSON。").Because(err)
	}
	return r, nil
}

// VerifyReceipt checks that the receipt's leaf is in the log whose keys these
// are. It needs nothing but the two.
func VerifyReceipt(r Receipt, keys Keys) (Verified, error) {
	text, err := base64.StdEncoding.DecodeString(r.Leaf)
	if err != nil {
		return Verified{}, badReceiptLeaf(err)
	}
	leaf, err := ParseLeaf(text)
	if err != nil {
		return Verified{}, badReceiptLeaf(err)
	}
	entry, err := leaf.Read()
	if err != nil {
		return Verified{}, badReceiptLeaf(err)
	}
	proof, err := ParseProof(r.Proof)
	if err != nil {
		return Verified{}, err
	}
	checkpoint, err := proof.Check(tlog.RecordHash(text), keys)
	if err != nil {
		return Verified{}, err
	}
	if leaf.Index != proof.Index {
		return Verified{}, fault.New(fault.Invalid, "bad-proof", "证明不成立：存证是第 %d 条，证明说的是第 %d 条。", leaf.Index, proof.Index)
	}
	return Verified{Leaf: leaf, Entry: entry, Checkpoint: checkpoint}, nil
}

func badReceiptLeaf(cause error) error {
	return fault.New(fault.Invalid, "bad-receipt", "凭证中的存证不可读，可能被改动过。").Because(cause)
}
