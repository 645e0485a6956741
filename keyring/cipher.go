package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/sm4"
)

// Cipher (加密算法) names an authenticated cipher.
type Cipher string

// The ciphers: AES-256 in GCM (NIST SP 800-38D), and SM4 in GCM (GB/T 32907).
const (
	AES256GCM Cipher = "aes-256-gcm"
	SM4GCM    Cipher = "sm4-gcm"
)

// KeyLength is the length of a cipher's key in bytes; 0 for a cipher that there
// is not.
func (c Cipher) KeyLength() int {
	switch c {
	case AES256GCM:
		return 32
	case SM4GCM:
		return 16
	}
	return 0
}

// The first byte of what is sealed names its cipher.
const (
	markAES256GCM byte = 1
	markSM4GCM    byte = 2
)

// ErrUnreadable says that something sealed cannot be opened: the key is another
// one, or it has been changed, or it stands in another place.
var ErrUnreadable = errors.New("what is sealed cannot be opened: another key, or it has been changed or moved")

// Seal encrypts with a random nonce. about is bound to it, and MUST be given to
// open it again.
func Seal(c Cipher, key, plain, about []byte) ([]byte, error) {
	aead, err := newAEAD(c, key)
	if err != nil {
		return nil, err
	}
	mark := markAES256GCM
	if c == SM4GCM {
		mark = markSM4GCM
	}
	out := make([]byte, 1+aead.NonceSize(), 1+aead.NonceSize()+len(plain)+aead.Overhead())
	out[0] = mark
	if _, err := rand.Read(out[1:]); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	return aead.Seal(out, out[1:], plain, about), nil
}

// Open decrypts what Seal has made, or is ErrUnreadable. A key that is longer
// than the cipher's is cut.
func Open(key, sealed, about []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, ErrUnreadable
	}
	var c Cipher
	switch sealed[0] {
	case markAES256GCM:
		c = AES256GCM
	case markSM4GCM:
		c = SM4GCM
	default:
		return nil, ErrUnreadable
	}
	aead, err := newAEAD(c, key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 1+aead.NonceSize() {
		return nil, ErrUnreadable
	}
	nonce, text := sealed[1:1+aead.NonceSize()], sealed[1+aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, text, about)
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

// newAEAD makes a cipher of a key that is at least as long as it needs.
func newAEAD(c Cipher, key []byte) (cipher.AEAD, error) {
	length := c.KeyLength()
	if length == 0 {
		return nil, fmt.Errorf("unknown cipher %q", c)
	}
	if len(key) < length {
		return nil, fmt.Errorf("a key for %s has %d bytes, this one %d", c, length, len(key))
	}
	newBlock := aes.NewCipher
	if c == SM4GCM {
		newBlock = sm4.NewCipher
	}
	block, err := newBlock(key[:length])
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
