package keyring

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"mianti/internal/fault"
)

// File is a Wrapper whose keys are in a file, one a line: the name of a cipher,
// a blank, and the key in base64. The first wraps, all unwrap: to rotate, put a
// new line before the others, and take the last one out when nothing is under it
// any more.
type File struct {
	keys []fileKey
}

type fileKey struct {
	id     string
	cipher Cipher
	bytes  []byte
}

// NewLine makes a key, as a line of such a file.
func NewLine(c Cipher) (string, error) {
	key := make([]byte, c.KeyLength())
	if len(key) == 0 {
		return "", fault.New(fault.Invalid, "unknown-cipher", "没有 %q 这种加密算法。可用：%s、%s。", c, AES256GCM, SM4GCM)
	}
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return string(c) + " " + base64.StdEncoding.EncodeToString(key) + "\n", nil
}

// ParseFile reads the content of a file of keys.
func ParseFile(content []byte) (*File, error) {
	f := &File{}
	for number, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, text, _ := strings.Cut(line, " ")
		bytes, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		length := Cipher(name).KeyLength()
		if err != nil || length == 0 || len(bytes) != length {
			return nil, fault.New(fault.Invalid, "key-file", "密钥文件第 %d 行不是“算法 密钥”：算法为 %s（32 字节）或 %s（16 字节），密钥为 Base64。可用 mianti key new 生成。",
				number+1, AES256GCM, SM4GCM)
		}
		sum := sha256.Sum256(append([]byte(name+" "), bytes...))
		f.keys = append(f.keys, fileKey{id: hex.EncodeToString(sum[:6]), cipher: Cipher(name), bytes: bytes})
	}
	if len(f.keys) == 0 {
		return nil, fault.New(fault.Invalid, "key-file", "密钥文件是空的。可用 mianti key new 生成一个。")
	}
	return f, nil
}

// Present is the identifier of the key that wraps.
func (f *File) Present() string { return f.keys[0].id }

// Has says whether a key is in the file, by its identifier.
func (f *File) Has(id string) bool {
	return slices.ContainsFunc(f.keys, func(k fileKey) bool { return k.id == id })
}

// Wrap wraps under the first key.
func (f *File) Wrap(_ context.Context, plain, about []byte) (Wrapped, error) {
	key := &f.keys[0]
	sealed, err := Seal(key.cipher, key.bytes, plain, about)
	return Wrapped{KEK: key.id, Bytes: sealed}, err
}

// Unwrap unwraps with whichever key it is under.
func (f *File) Unwrap(_ context.Context, w Wrapped, about []byte) ([]byte, error) {
	for i := range f.keys {
		if f.keys[i].id == w.KEK {
			return Open(f.keys[i].bytes, w.Bytes, about)
		}
	}
	return nil, fault.New(fault.Unavailable, "key-missing",
		"密钥文件中没有编号为 %s 的密钥，数据库中的内容是用它加密的。请把含有它的那一行放回密钥文件。", w.KEK)
}
