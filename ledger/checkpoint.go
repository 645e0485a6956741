package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"mianti/internal/fault"
)

// Tree is a state of the log: how many leaves, and the hash over all of them.
type Tree struct {
	Size int64
	Root Hash
}

// Checkpoint (检查点) is a state of the log that it has signed. Note is the signed
// text as it was published (C2SP tlog-checkpoint, signed-note).
type Checkpoint struct {
	Origin string // names the log
	Tree
	Note string
}

// Signer signs checkpoints (Ed25519, RFC 8032).
type Signer struct {
	signer note.Signer
	vkey   string
}

// NewSigner makes the signer of the log that is named by origin, from the 32
// bytes of an Ed25519 seed.
func NewSigner(origin string, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the key of checkpoints has %d bytes, want %d", len(seed), ed25519.SeedSize)
	}
	public, ok := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("the key of checkpoints has no public half")
	}
	vkey, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, fmt.Errorf("name the key of checkpoints: %w", err)
	}
	_, rest, _ := strings.Cut(vkey, "+")
	hash, _, _ := strings.Cut(rest, "+")
	const ed25519Kind = 1 // signed-note
	secret := base64.StdEncoding.EncodeToString(append([]byte{ed25519Kind}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + origin + "+" + hash + "+" + secret)
	if err != nil {
		return nil, fault.New(fault.Invalid, "ledger-origin", "日志名称 %q 不能有空格或加号，请改用域名加路径，例如 mianti.example/v1/ledger", origin)
	}
	return &Signer{signer: signer, vkey: vkey}, nil
}

// VKey is the public key, as a note's verifier takes it: name, hash and key.
func (s *Signer) VKey() string { return s.vkey }

// Origin is the name of the log whose checkpoints it signs.
func (s *Signer) Origin() string { return s.signer.Name() }

// Sign publishes a state of the log.
func (s *Signer) Sign(tree Tree) (Checkpoint, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", s.Origin(), tree.Size, tree.Root)
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return Checkpoint{Origin: s.Origin(), Tree: tree, Note: string(signed)}, nil
}

// Keys (验证公钥) are the keys under which checkpoints are believed.
type Keys struct{ known note.Verifiers }

// ParseKeys reads verifier keys of notes, such as "mianti.example/v1/ledger+…+…".
func ParseKeys(vkeys []string) (Keys, error) {
	verifiers := make([]note.Verifier, 0, len(vkeys))
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
		if err != nil {
			return Keys{}, fault.New(fault.Invalid, "ledger-key", "检查点公钥 %q 不能识别，应形如 名称+8位十六进制+base64", vkey)
		}
		verifiers = append(verifiers, verifier)
	}
	return Keys{known: note.VerifierList(verifiers...)}, nil
}

// Open reads a signed checkpoint, and checks that the log it names has signed it
// with a known key. Other signatures, such as those of witnesses, are let be.
func (k Keys) Open(signed string) (Checkpoint, error) {
	if k.known == nil {
		return Checkpoint{}, badCheckpoint("没有可用的检查点公钥")
	}
	opened, err := note.Open([]byte(signed), k.known)
	if err != nil {
		return Checkpoint{}, badCheckpoint("签名无效，或不是用已知的公钥签的").Because(err)
	}
	c, err := parseCheckpointText(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	for _, signature := range opened.Sigs {
		if signature.Name == c.Origin {
			c.Note = signed
			return c, nil
		}
	}
	return Checkpoint{}, badCheckpoint("没有日志 " + c.Origin + " 自己的签名")
}

// ReadCheckpoint reads a checkpoint without asking who has signed it.
func ReadCheckpoint(signed string) (Checkpoint, error) {
	text, _, found := strings.Cut(signed, "\n\n")
	if !found {
		return Checkpoint{}, badCheckpoint("缺少签名")
	}
	c, err := parseCheckpointText(text + "\n")
	c.Note = signed
	return c, err
}

// parseCheckpointText reads the three lines; more may follow, and mean nothing
// here (tlog-checkpoint: extension lines).
func parseCheckpointText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, badCheckpoint("不足三行")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, badCheckpoint("第二行不是条数")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return Checkpoint{}, badCheckpoint("第三行不是哈希")
	}
	return Checkpoint{Origin: lines[0], Tree: Tree{Size: size, Root: root}}, nil
}

func badCheckpoint(why string) *fault.Error {
	return fault.New(fault.Invalid, "bad-checkpoint", "检查点不可用：%s。请核对文件与公钥。", why)
}

// SignedBy reports whether it names the signer's log and key.
func (c Checkpoint) SignedBy(s *Signer) bool {
	keys, err := ParseKeys([]string{s.VKey()})
	if err != nil {
		return false
	}
	_, err = keys.Open(c.Note)
	return err == nil
}
