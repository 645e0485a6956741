package keyring_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mianti/internal/fault"
	"mianti/keyring"
)

func kek(t *testing.T, lines ...string) *keyring.File {
	t.Helper()
	f, err := keyring.ParseFile([]byte(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func line(t *testing.T, c keyring.Cipher) string {
	t.Helper()
	text, err := keyring.NewLine(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// memory keeps secrets for a test.
type memory struct {
	all map[keyring.Purpose][]keyring.Stored
}

func (m *memory) SecretsOf(_ context.Context, p keyring.Purpose) ([]keyring.Stored, error) {
	return m.all[p], nil
}

func (m *memory) AddSecret(_ context.Context, s keyring.Stored) error {
	for _, known := range m.all[s.Purpose] {
		if known.Number == s.Number {
			return fault.New(fault.Conflict, "duplicate", "已有")
		}
	}
	m.all[s.Purpose] = append([]keyring.Stored{s}, m.all[s.Purpose]...)
	return nil
}

func (m *memory) RewrapSecret(_ context.Context, s keyring.Stored) error {
	for i := range m.all[s.Purpose] {
		if m.all[s.Purpose][i].Number == s.Number {
			m.all[s.Purpose][i] = s
		}
	}
	return nil
}

func newRing(f *keyring.File, m *memory) *keyring.Ring {
	return &keyring.Ring{Wrapper: f, Secrets: m, Now: func() time.Time { return time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC) }}
}

func TestSeal_OpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	key, other := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	for _, c := range []keyring.Cipher{keyring.AES256GCM, keyring.SM4GCM} {
		sealed, err := keyring.Seal(c, key, []byte("plain text"), []byte("cases|c1|body"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("plain text")) {
			t.Errorf("%s: the text is in what is sealed", c)
		}
		plain, err := keyring.Open(key, sealed, []byte("cases|c1|body"))
		if err != nil || string(plain) != "plain text" {
			t.Errorf("%s: opened as %q, %v", c, plain, err)
		}
		for name, attempt := range map[string]func() ([]byte, error){
			"another key":   func() ([]byte, error) { return keyring.Open(other, sealed, []byte("cases|c1|body")) },
			"another place": func() ([]byte, error) { return keyring.Open(key, sealed, []byte("cases|c2|body")) },
			"cut":           func() ([]byte, error) { return keyring.Open(key, sealed[:9], []byte("cases|c1|body")) },
			"empty":         func() ([]byte, error) { return keyring.Open(key, nil, []byte("cases|c1|body")) },
			"another cipher": func() ([]byte, error) {
				changed := bytes.Clone(sealed)
				changed[0] ^= 3
				return keyring.Open(key, changed, []byte("cases|c1|body"))
			},
			"every bit changed in turn": func() ([]byte, error) {
				for i := range sealed {
					changed := bytes.Clone(sealed)
					changed[i] ^= 0x40
					if plain, err := keyring.Open(key, changed, []byte("cases|c1|body")); err == nil {
						return plain, nil
					}
				}
				return nil, keyring.ErrUnreadable
			},
		} {
			if plain, err := attempt(); !errors.Is(err, keyring.ErrUnreadable) {
				t.Errorf("%s, %s: %q, %v; want ErrUnreadable", c, name, plain, err)
			}
		}
	}
}

func TestSeal_RefusesAShortKey(t *testing.T) {
	t.Parallel()
	if _, err := keyring.Seal(keyring.AES256GCM, make([]byte, 31), nil, nil); err == nil {
		t.Error("a key of 31 bytes was taken for AES-256")
	}
	if _, err := keyring.Seal("rot13", make([]byte, 32), nil, nil); err == nil {
		t.Error("a cipher that there is not was taken")
	}
}

func TestParseFile_SaysWhichLineIsWrong(t *testing.T) {
	t.Parallel()
	good := line(t, keyring.AES256GCM)
	for name, tt := range map[string]struct{ content, says string }{
		"empty":           {"\n# nothing\n", "空的"},
		"no base64":       {good + "aes-256-gcm %%%\n", "第 2 行"},
		"a short key":     {"aes-256-gcm AAAA\n", "第 1 行"},
		"another cipher":  {"rot13 AAAA\n", "第 1 行"},
		"SM4 with 32":     {strings.Replace(good, "aes-256-gcm", "sm4-gcm", 1), "第 1 行"},
		"one word a line": {"changeme\n", "第 1 行"},
	} {
		_, err := keyring.ParseFile([]byte(tt.content))
		if f := fault.As(err); f == nil || !strings.Contains(f.Message, tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		} else if strings.Contains(f.Message, "AAAA") || strings.Contains(f.Message, "changeme") {
			t.Errorf("%s: the message shows the key: %s", name, f.Message)
		}
	}
}

func TestRing_GivesTheSameSecretToAll(t *testing.T) {
	t.Parallel()
	f, kept := kek(t, line(t, keyring.AES256GCM)), &memory{all: map[keyring.Purpose][]keyring.Stored{}}
	first, err := newRing(f, kept).Secret(t.Context(), keyring.Subjects, keyring.RandomBytes)
	if err != nil {
		t.Fatal(err)
	}
	again, err := newRing(f, kept).Secret(t.Context(), keyring.Subjects, keyring.RandomBytes)
	if err != nil || !bytes.Equal(first.Bytes, again.Bytes) || len(first.Bytes) != 32 {
		t.Errorf("the second replica has %x, the first %x, %v", again.Bytes, first.Bytes, err)
	}
	for _, s := range kept.all[keyring.Subjects] {
		if bytes.Contains(s.Wrapped.Bytes, first.Bytes) {
			t.Error("the secret is kept as it is")
		}
	}
}

// late is a keeper in which another replica adds a secret just before this one.
type late struct {
	*memory
	before func()
}

func (l *late) AddSecret(ctx context.Context, s keyring.Stored) error {
	if l.before != nil {
		before := l.before
		l.before = nil
		before()
	}
	return l.memory.AddSecret(ctx, s)
}

func TestRing_TakesTheSecretOfAQuickerReplica(t *testing.T) {
	t.Parallel()
	f, kept := kek(t, line(t, keyring.AES256GCM)), &memory{all: map[keyring.Purpose][]keyring.Stored{}}
	var quicker keyring.Secret
	slow := newRing(f, kept)
	slow.Secrets = &late{memory: kept, before: func() {
		quicker, _ = newRing(f, kept).Secret(t.Context(), keyring.Webhooks, keyring.RandomBytes)
	}}
	got, err := slow.Secret(t.Context(), keyring.Webhooks, keyring.RandomBytes)
	if err != nil || !bytes.Equal(got.Bytes, quicker.Bytes) || len(got.Bytes) == 0 {
		t.Errorf("the slower replica has %x, the quicker %x, %v", got.Bytes, quicker.Bytes, err)
	}
}

func TestRing_RotatesAndKeepsTheOld(t *testing.T) {
	t.Parallel()
	ring := newRing(kek(t, line(t, keyring.SM4GCM)), &memory{all: map[keyring.Purpose][]keyring.Stored{}})
	old, err := ring.Secret(t.Context(), keyring.Evidence, keyring.RandomBytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Rotate(t.Context(), keyring.Evidence, []byte("the new one")); err != nil {
		t.Fatal(err)
	}
	all, err := ring.All(t.Context(), keyring.Evidence)
	if err != nil || len(all) != 2 || string(all[0].Bytes) != "the new one" || !bytes.Equal(all[1].Bytes, old.Bytes) {
		t.Errorf("all = %v, %v; want the new one and then the old", all, err)
	}
	present, err := ring.Secret(t.Context(), keyring.Evidence, keyring.RandomBytes)
	if err != nil || string(present.Bytes) != "the new one" {
		t.Errorf("present = %q, %v", present.Bytes, err)
	}
}

func TestRing_RewrapsUnderANewKey(t *testing.T) {
	t.Parallel()
	oldLine, newLine := line(t, keyring.AES256GCM), line(t, keyring.AES256GCM)
	kept := &memory{all: map[keyring.Purpose][]keyring.Stored{}}
	secret, err := newRing(kek(t, oldLine), kept).Secret(t.Context(), keyring.Subjects, keyring.RandomBytes)
	if err != nil {
		t.Fatal(err)
	}
	// The new key alone does not read what the old one wrapped, and says what to do.
	_, err = newRing(kek(t, newLine), kept).All(t.Context(), keyring.Subjects)
	if f := fault.As(err); f == nil || f.Code != "key-missing" {
		t.Errorf("with the new key alone: %v, want key-missing", err)
	}
	both := newRing(kek(t, newLine, oldLine), kept)
	for _, want := range []int{1, 0} { // the second time there is nothing to do
		if n, err := both.Rewrap(t.Context(), keyring.Subjects); err != nil || n != want {
			t.Errorf("rewrapped %d, %v; want %d", n, err, want)
		}
	}
	all, err := newRing(kek(t, newLine), kept).All(t.Context(), keyring.Subjects)
	if err != nil || len(all) != 1 || !bytes.Equal(all[0].Bytes, secret.Bytes) {
		t.Errorf("with the new key alone, afterwards: %v, %v", all, err)
	}
}

// A secret that somebody moved to another purpose or number does not unwrap.
func TestRing_NoticesAMovedSecret(t *testing.T) {
	t.Parallel()
	kept := &memory{all: map[keyring.Purpose][]keyring.Stored{}}
	ring := newRing(kek(t, line(t, keyring.AES256GCM)), kept)
	if _, err := ring.Secret(t.Context(), keyring.Subjects, keyring.RandomBytes); err != nil {
		t.Fatal(err)
	}
	moved := kept.all[keyring.Subjects][0]
	moved.Purpose = keyring.Webhooks
	kept.all[keyring.Webhooks] = []keyring.Stored{moved}
	if _, err := ring.Secret(t.Context(), keyring.Webhooks, keyring.RandomBytes); !errors.Is(err, keyring.ErrUnreadable) {
		t.Errorf("a moved secret: %v, want ErrUnreadable", err)
	}
}
