// Package backup keeps copies of the database as folders: the files of the copy, and
// a manifest that says what they hold and by which digests they are known. A folder
// has its name, and its manifest, only when all of it is there and on the disk.
//
// The keys that the copy is encrypted under are never in it.
package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mianti/internal/fault"
	"mianti/keyring"
	"mianti/store"
)

// The files of a backup.
const (
	ManifestName  = "manifest.json"
	DestroyedName = "destroyed.jsonl" // what had been destroyed by then; see store.Destroyed
	PostgresName  = "database.dump"   // pg_dump's custom format
	SQLiteName    = "database.sqlite"
	sealName      = "manifest.seal"
)

// format is the form of manifests that this program writes.
const format = 1

// Manifest (备份清单) says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Made    time.Time `json:"made"`
	Program string    `json:"program"` // the version of mianti
	Tool    string    `json:"tool"`    // what made the copy
	store.Contents
	Files []File `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Bytes is how long all files are together.
func (m *Manifest) Bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

// Folder is a backup that is being made. Until Finish it bears another name and has no
// manifest, so that one which was broken off is not taken for whole.
type Folder struct{ path, draft string }

// partialSuffix ends the name of a folder that is not finished.
const partialSuffix = ".partial"

// New begins a backup in a folder that is not there yet, readable by its owner alone.
func New(path string) (*Folder, error) {
	path = filepath.Clean(path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Conflict, "backup-exists", "%s 已经存在。每次备份用一个新文件夹，例如以日期命名。", path)
	}
	f := &Folder{path: path, draft: path + partialSuffix}
	if err := os.RemoveAll(f.draft); err != nil {
		return nil, fmt.Errorf("remove a backup that was broken off: %w", err)
	}
	if err := os.MkdirAll(f.draft, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the backup: %w", err)
	}
	return f, nil
}

// Path is where a file of the backup is written.
func (f *Folder) Path(name string) string { return filepath.Join(f.draft, name) }

// Discard removes what was written.
func (f *Folder) Discard() error { return os.RemoveAll(f.draft) }

// Finish digests the files, writes the manifest, has all of it on the disk, and gives
// the folder its name. keys authenticates the manifest; nil leaves it as it is. It
// gives the manifest's digest.
func (f *Folder) Finish(ctx context.Context, m *Manifest, keys keyring.Wrapper) (string, error) {
	m.Format, m.Files = format, nil
	entries, err := os.ReadDir(f.draft)
	if err != nil {
		return "", fmt.Errorf("look at the backup: %w", err)
	}
	for _, entry := range entries {
		file, err := digest(ctx, f.draft, entry.Name(), nil)
		if err != nil {
			return "", err
		}
		m.Files = append(m.Files, file)
		if err := sync(f.Path(entry.Name())); err != nil {
			return "", err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the manifest: %w", err)
	}
	sum := hexSum(text)
	if err := f.write(ManifestName, text); err != nil {
		return "", err
	}
	if keys != nil {
		seal, err := sealOf(ctx, keys, sum)
		if err != nil {
			return "", err
		}
		if err := f.write(sealName, seal); err != nil {
			return "", err
		}
	}
	if err := sync(f.draft); err != nil {
		return "", err
	}
	if err := os.Rename(f.draft, f.path); err != nil {
		return "", fmt.Errorf("name the backup: %w", err)
	}
	return sum, sync(filepath.Dir(f.path))
}

func (f *Folder) write(name string, text []byte) error {
	if err := os.WriteFile(f.Path(name), text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return sync(f.Path(name))
}

// sync has a file, or the names in a folder, on the disk.
func sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("put the backup on the disk: %w", err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("put the backup on the disk: %w", err)
	}
	return nil
}

// seal is the digest of a manifest under the key-encryption key: whoever has only the
// backup can change both, and not this.
type seal struct {
	KEK   string `json:"kek"`
	Bytes string `json:"seal"`
}

// sealPurpose binds a seal to what it is for.
const sealPurpose = "backup manifest"

func sealOf(ctx context.Context, keys keyring.Wrapper, sum string) ([]byte, error) {
	wrapped, err := keys.Wrap(ctx, []byte(sum), []byte(sealPurpose))
	if err != nil {
		return nil, fmt.Errorf("seal the manifest: %w", err)
	}
	return json.Marshal(seal{KEK: wrapped.KEK, Bytes: base64.StdEncoding.EncodeToString(wrapped.Bytes)})
}

// Checked is what was found of a backup.
type Checked struct {
	Manifest Manifest
	Digest   string // of the manifest
	// Sealed says that the manifest has a seal, and Authentic that it was opened: the
	// manifest is the one that the owner of the key wrote.
	Sealed, Authentic bool
}

// Verify reads a backup and holds every file against the manifest. keys, if given,
// opens the seal. progress is told how many bytes were read of how many. A backup that
// was changed is a fault.Invalid that names the file.
func Verify(ctx context.Context, path string, keys keyring.Wrapper, progress func(done, total int64)) (*Checked, error) {
	text, err := os.ReadFile(filepath.Join(path, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Invalid, "backup-incomplete", "%s 里没有 %s：这不是备份，或备份没有做完。", path, ManifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	c := &Checked{Digest: hexSum(text)}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&c.Manifest); err != nil || c.Manifest.Format < 1 || len(c.Manifest.Files) == 0 {
		return nil, changed(ManifestName, "读不懂")
	}
	if c.Manifest.Format > format {
		return nil, fault.New(fault.Invalid, "backup-newer", "备份清单是第 %d 种格式，本程序只认识到第 %d 种：请用不低于 %s 的 mianti。", c.Manifest.Format, format, c.Manifest.Program)
	}
	if err := c.openSeal(ctx, path, keys); err != nil {
		return nil, err
	}
	var before int64
	total := c.Manifest.Bytes()
	for _, want := range c.Manifest.Files {
		if filepath.Base(want.Name) != want.Name {
			return nil, changed(ManifestName, "文件名不对")
		}
		got, err := digest(ctx, path, want.Name, func(n int64) {
			if progress != nil {
				progress(before+n, total)
			}
		})
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, changed(want.Name, "不见了")
		case err != nil:
			return nil, err
		case got != want:
			return nil, changed(want.Name, "与清单不符")
		}
		before += want.Bytes
	}
	return c, nil
}

func changed(name, how string) error {
	return fault.New(fault.Invalid, "backup-changed", "备份不可用：%s %s。请换用另一份备份。", name, how)
}

func (c *Checked) openSeal(ctx context.Context, path string, keys keyring.Wrapper) error {
	text, err := os.ReadFile(filepath.Join(path, sealName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the seal of the manifest: %w", err)
	}
	c.Sealed = true
	if keys == nil {
		return nil
	}
	var s seal
	if json.Unmarshal(text, &s) != nil {
		return changed(sealName, "读不懂")
	}
	raw, err := base64.StdEncoding.DecodeString(s.Bytes)
	if err != nil {
		return changed(sealName, "读不懂")
	}
	sum, err := keys.Unwrap(ctx, keyring.Wrapped{KEK: s.KEK, Bytes: raw}, []byte(sealPurpose))
	if errors.Is(err, fault.Unavailable) { // under a key that is not in the file
		return err
	}
	if err != nil || string(sum) != c.Digest {
		return changed(ManifestName, "不是用本系统密钥封的那一份")
	}
	c.Authentic = true
	return nil
}

// digest reads a file of a backup.
func digest(ctx context.Context, folder, name string, progress func(int64)) (File, error) {
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return File{}, fmt.Errorf("read the backup: %w", err)
	}
	defer file.Close()
	sum, block, length := sha256.New(), make([]byte, 1<<20), int64(0)
	for {
		if ctx.Err() != nil {
			return File{}, ctx.Err()
		}
		n, err := file.Read(block)
		sum.Write(block[:n])
		length += int64(n)
		if progress != nil {
			progress(length)
		}
		if errors.Is(err, io.EOF) {
			return File{Name: name, Bytes: length, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
		}
		if err != nil {
			return File{}, fmt.Errorf("read %s of the backup: %w", name, err)
		}
	}
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
