package table

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
)

// What the archives say of themselves: WinZip's AE-2 with AES-256.
const (
	methodAES  = 99
	saltLength = 16
	keyLength  = 32
	iterations = 1000
	macLength  = 10
)

// Lock gives a ZIP archive with one file in it, encrypted under a passphrase with
// AES-256 and protected against change (WinZip AE-2), which 7-Zip, WinRAR, Bandizip
// and their like open. The format stretches a passphrase little: it must be one
// that nobody guesses.
func Lock(name, passphrase string, content []byte) ([]byte, error) {
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	if _, err := deflate.Write(content); err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	if err := deflate.Close(); err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	sealed, err := sealAE2(passphrase, packed.Bytes())
	if err != nil {
		return nil, err
	}
	header := &zip.FileHeader{
		Name: name, Method: methodAES, Flags: 0x1 | 0x800,
		CompressedSize64: uint64(len(sealed)), UncompressedSize64: uint64(len(content)),
		// AE-2, vendor AE, AES-256, and under it deflate. The checksum stays zero: it
		// would tell something of what is inside.
		Extra: []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, byte(zip.Deflate), 0},
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	w, err := archive.CreateRaw(header)
	if err == nil {
		_, err = w.Write(sealed)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	return out.Bytes(), nil
}

// sealAE2 gives salt, check of the passphrase, what is encrypted, and its code.
func sealAE2(passphrase string, packed []byte) ([]byte, error) {
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	keys, err := pbkdf2.Key(sha1.New, passphrase, salt, iterations, 2*keyLength+2)
	if err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	out := bytes.NewBuffer(append(salt, keys[2*keyLength:]...))
	block, err := aes.NewCipher(keys[:keyLength])
	if err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	stream := cipher.StreamReader{S: &littleCounter{block: block}, R: bytes.NewReader(packed)}
	mac := hmac.New(sha1.New, keys[keyLength:2*keyLength])
	if _, err := io.Copy(io.MultiWriter(out, mac), stream); err != nil {
		return nil, fmt.Errorf("lock a file: %w", err)
	}
	return append(out.Bytes(), mac.Sum(nil)[:macLength]...), nil
}

// littleCounter is AES in counter mode as WinZip has it: the counter begins at one,
// its least byte first.
type littleCounter struct {
	block   cipher.Block
	counter uint64
	pad     [aes.BlockSize]byte
	used    int
}

// XORKeyStream encrypts, or decrypts, what follows.
func (c *littleCounter) XORKeyStream(dst, src []byte) {
	for i := range src {
		if c.counter == 0 || c.used == aes.BlockSize {
			c.counter++
			c.used = 0
			var in [aes.BlockSize]byte
			binary.LittleEndian.PutUint64(in[:], c.counter)
			c.block.Encrypt(c.pad[:], in[:])
		}
		dst[i] = src[i] ^ c.pad[c.used]
		c.used++
	}
}
