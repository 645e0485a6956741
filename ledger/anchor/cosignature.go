package anchor

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// cosignatureType is the signature type of cosignature/v1 in a verifier key
// (https://c2sp.org/tlog-cosignature).
const cosignatureType = 0x04

// WitnessKey (见证方公钥) verifies the cosignatures of one witness. It is a
// note.Verifier.
type WitnessKey struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

// ParseWitnessKey reads a verifier key: NAME+8 hexadecimal digits+base64 of the
// type 0x04 and an Ed25519 key.
func ParseWitnessKey(vkey string) (*WitnessKey, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	digits, encoded, _ := strings.Cut(rest, "+")
	if name == "" || strings.ContainsAny(name, " \t\r\n") || len(digits) != 8 {
		return nil, errors.New("witness key: want NAME+ID+KEY")
	}
	id, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return nil, errors.New("witness key: the id is not 8 hexadecimal digits")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != cosignatureType {
		return nil, errors.New("witness key: want base64 of 0x04 and an Ed25519 key")
	}
	k := NewWitnessKey(name, raw[1:])
	if k.id != uint32(id) {
		return nil, errors.New("witness key: the id is not that of the name and the key")
	}
	return k, nil
}

// NewWitnessKey gives the verifier of a witness.
func NewWitnessKey(name string, key ed25519.PublicKey) *WitnessKey {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return &WitnessKey{name: name, id: binary.BigEndian.Uint32(sum[:4]), key: bytes.Clone(key)}
}

// Name gives the witness's name.
func (k *WitnessKey) Name() string { return k.name }

// KeyHash gives the id of the key.
func (k *WitnessKey) KeyHash() uint32 { return k.id }

// String gives the verifier key.
func (k *WitnessKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, base64.StdEncoding.EncodeToString(append([]byte{cosignatureType}, k.key...)))
}

// Verify reports whether sig, a time and a signature, cosigns the body of a
// checkpoint.
func (k *WitnessKey) Verify(body, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= math.MaxInt64 && ed25519.Verify(k.key, CosignedMessage(body, int64(at)), sig[8:])
}

// CosignedMessage gives what a cosignature/v1 signs: a header line, the line of
// the time in seconds since 1970, and the checkpoint's body.
func CosignedMessage(body []byte, at int64) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatInt(at, 10)+"\n"), body...)
}

// cosigned verifies the signature lines which a witness gave for a checkpoint.
// It gives its own, and the time of the newest; lines of other keys are
// ignored.
func (k *WitnessKey) cosigned(cp Checkpoint, lines []byte) ([]byte, time.Time, error) {
	n, err := note.Open(append(bytes.Clone(cp.Signed), lines...), note.VerifierList(k))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("verify cosignature: %w", err)
	}
	var kept bytes.Buffer
	var newest int64
	for _, sig := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || len(raw) < 12 {
			return nil, time.Time{}, errors.New("verify cosignature: a signature is too short")
		}
		newest = max(newest, int64(binary.BigEndian.Uint64(raw[4:12])))
		fmt.Fprintf(&kept, "— %s %s\n", sig.Name, sig.Base64)
	}
	return kept.Bytes(), time.Unix(newest, 0).UTC(), nil
}

// Cosign adds the signature lines of witnesses to a checkpoint, so that one
// note carries all. Lines that it has already are not added again.
func Cosign(signed []byte, lines ...[]byte) []byte {
	out := bytes.Clone(signed)
	for _, of := range lines {
		for line := range bytes.Lines(of) {
			if !bytes.Contains(out, append([]byte("\n"), line...)) {
				out = append(out, line...)
			}
		}
	}
	return out
}
