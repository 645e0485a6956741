package snapshot

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mianti/catalog"
)

// minKey is the shortest key, in bytes. Identity numbers can be guessed, all of
// them: only the key keeps the stored rows from being told apart.
const minKey = 32

var errKey = errors.New("the key for snapshots has fewer than 32 bytes")

// owner is whose row it is, and in which source's snapshot.
type owner struct {
	source string
	kind   catalog.PartyKind
	number string
}

// text writes the owner so that no two are written alike: none of the parts can
// hold a NUL.
func (o owner) text() string { return o.source + "\x00" + string(o.kind) + "\x00" + o.number }

// vault seals rows and opens them.
type vault struct {
	key    []byte
	pseudo []byte // what the rows' own keys are expanded from
}

func newVault(key []byte) (*vault, error) {
	if len(key) < minKey {
		return nil, errKey
	}
	pseudo, err := hkdf.Extract(sha256.New, key, nil)
	if err != nil {
		return nil, fmt.Errorf("prepare the key for snapshots: %w", err)
	}
	return &vault{key: key, pseudo: pseudo}, nil
}

// id names the key without giving it away.
func (v *vault) id() string { return hex.EncodeToString(v.digest("id", ""))[:32] }

// lookup is what the owner's rows are found by.
func (v *vault) lookup(o owner) []byte { return v.digest("lookup", o.text()) }

func (v *vault) digest(use, text string) []byte {
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte("mianti snapshot " + use + "\x00" + text))
	return mac.Sum(nil)
}

// seal encrypts a row under a key of its owner. It is bound to its snapshot: a
// row of an older one cannot be put in, nor the snapshot be made younger.
func (v *vault) seal(o owner, h *Header, plain []byte) (Sealed, error) {
	box, err := v.box(o)
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{Key: v.lookup(o), Body: box.Seal(nil, nil, plain, binding(h))}, nil
}

func (v *vault) open(o owner, h *Header, body []byte) ([]byte, error) {
	box, err := v.box(o)
	if err != nil {
		return nil, err
	}
	return box.Open(nil, nil, body, binding(h))
}

// box is AES-256-GCM, which puts a random nonce in front of what it seals.
func (v *vault) box(o owner) (cipher.AEAD, error) {
	key, err := hkdf.Expand(sha256.New, v.pseudo, "mianti snapshot row\x00"+o.text(), 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of a row: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare the cipher of a row: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// binding is what of the header a row is bound to. The moment is one that both
// databases give back as it was.
func binding(h *Header) []byte {
	return []byte(strings.Join([]string{h.Source, h.Digest, strconv.FormatInt(h.AsOf.UnixMicro(), 10)}, "\x00"))
}
