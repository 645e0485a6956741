// Package secret gives the secrets that a catalog refers to by name: from a
// folder with one file each, or from the environment. It never writes one
// anywhere, nor puts one into an error, a text or a log.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/catalog"
)

const (
	// largest is far more than a key or a chain of certificates.
	largest = 64 << 10
	// fresh is how long a secret is used before it is looked up again.
	fresh = 10 * time.Second
	// prefix begins the name of a secret's environment variable.
	prefix = "MIANTI_SECRET_"
	// forAll are the permissions that would let every user of the machine read a
	// secret.
	forAll fs.FileMode = 0o004
)

// Options are where secrets are. Either Dir or Getenv may be left out; Now MUST
// be set.
type Options struct {
	Dir    string              // folder with a file for each secret, named like it
	Getenv func(string) string // of the environment
	Now    func() time.Time
}

// Store keeps connectors.Secrets. A secret that is changed is noticed within
// ten seconds. It is safe for use by many goroutines.
type Store struct {
	options Options

	mu    sync.Mutex
	known map[catalog.SecretRef]entry
}

type entry struct {
	value []byte
	until time.Time
}

// New returns a Store.
func New(o Options) *Store {
	return &Store{options: o, known: map[catalog.SecretRef]entry{}}
}

// Secret gives what a reference stands for, without the line break at its end.
// The folder is looked at before the environment. An error names the reference
// and where it was looked for.
func (s *Store) Secret(ref catalog.SecretRef) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if e, ok := s.known[ref]; ok && now.Before(e.until) {
		return bytes.Clone(e.value), nil
	}
	delete(s.known, ref)
	value, err := s.read(ref)
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", string(ref), err)
	}
	s.known[ref] = entry{value: value, until: now.Add(fresh)}
	return bytes.Clone(value), nil
}

// Missing gives an error for each of the secrets that cannot be had, in the
// order of their names.
func (s *Store) Missing(refs []catalog.SecretRef) []error {
	var missing []error
	for _, ref := range slices.Compact(slices.Sorted(slices.Values(refs))) {
		if _, err := s.Secret(ref); err != nil {
			missing = append(missing, err)
		}
	}
	return missing
}

// String holds no secret.
func (s *Store) String() string { return "secrets (redacted)" }

// GoString holds no secret.
func (s *Store) GoString() string { return s.String() }

// LogValue holds no secret.
func (s *Store) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s *Store) read(ref catalog.SecretRef) ([]byte, error) {
	if !isName(string(ref)) {
		return nil, errors.New("the name of a secret is made of lower-case letters, digits and hyphens")
	}
	value, err := s.readFile(string(ref))
	if err != nil {
		return nil, err
	}
	variable := Variable(ref)
	if value == nil && s.options.Getenv != nil {
		value = []byte(s.options.Getenv(variable))
	}
	value = bytes.TrimRight(value, "\r\n")
	switch {
	case len(value) > largest:
		return nil, errors.New("it is larger than 64 KiB")
	case len(value) > 0:
		return value, nil
	case s.options.Dir == "":
		return nil, fmt.Errorf("set %s, or name a folder of secrets with a file of that name", variable)
	default:
		return nil, fmt.Errorf("neither is there such a file, with something in it, in %s, nor is %s set", s.options.Dir, variable)
	}
}

// readFile gives what the secret's file holds, nil if there is none.
func (s *Store) readFile(name string) ([]byte, error) {
	if s.options.Dir == "" {
		return nil, nil
	}
	// A root follows no symbolic link out of the folder.
	root, err := os.OpenRoot(s.options.Dir)
	if err != nil {
		return nil, errors.New("the folder of secrets cannot be opened")
	}
	defer root.Close() // nothing was written: its error says nothing
	// A pipe would wait for its writer when it is opened.
	switch info, err := root.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, errors.New("its file cannot be reached without leaving the folder of secrets")
	case !info.Mode().IsRegular():
		return nil, errors.New("what has its name in the folder of secrets is no file")
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, errors.New("its file may not be read by this program")
	}
	defer file.Close() // likewise
	if info, err := file.Stat(); err != nil || info.Mode()&forAll != 0 {
		return nil, errors.New("its file can be read by every user of this machine: take that permission away (chmod o-r)")
	}
	value, err := io.ReadAll(io.LimitReader(file, largest+2))
	if err != nil {
		return nil, errors.New("its file cannot be read")
	}
	return value, nil
}

// Variable is the name of a secret's environment variable.
func Variable(ref catalog.SecretRef) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(string(ref), "-", "_"))
}

func isName(name string) bool {
	return name != "" && len(name) <= 128 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
