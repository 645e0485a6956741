package snapshot

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	// abandoned is after how long a claim belongs to a process that is gone.
	abandoned = time.Hour
	// claimTime is how the time of a claim is written. The file's own time stays
	// what it was when it is moved.
	claimTime = "20060102T150405Z"
	claimMark = 8 // letters that tell two claims of one second apart
)

// claim is a file that this process is loading. Moving it is what makes it
// ours: only one of several processes can.
type claim struct {
	entry string // its name in the folder of work: time, mark and name
	name  string
}

// claim takes a file; nil when somebody else has.
func (p *pass) claim(name string) (*claim, error) {
	if err := p.root.MkdirAll(p.path(folderWork), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of work of source %s: %w", p.code, err)
	}
	stamped := p.folder.now().UTC().Format(claimTime) + "-" + rand.Text()[:claimMark] + "-" + name
	err := p.root.Rename(p.path(folderIn, name), p.path(folderWork, stamped))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take a file of source %s: %w", p.code, err)
	}
	return &claim{entry: stamped, name: name}, nil
}

// claimOf reads an entry of the folder of work.
func claimOf(entry string) (c claim, at time.Time, ok bool) {
	stamp, rest, _ := strings.Cut(entry, "-")
	mark, name, found := strings.Cut(rest, "-")
	at, err := time.Parse(claimTime, stamp)
	return claim{entry: entry, name: name}, at, found && err == nil && len(mark) == claimMark && name != ""
}

// giveBack returns the files of processes that ended while they loaded.
func (p *pass) giveBack() error {
	entries, err := fs.ReadDir(p.root.FS(), p.path(folderWork))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the folder of work of source %s: %w", p.code, err)
	}
	var all []error
	for _, entry := range entries {
		c, at, ok := claimOf(entry.Name())
		if ok && at.Add(abandoned).Before(p.folder.now()) {
			all = append(all, p.move(&c, folderIn))
		}
	}
	return errors.Join(all...)
}

// move puts a claimed file into another folder. A name that is taken there gets
// the claim's time and mark in front, so that nothing is overwritten and the
// moment at its end can still be read.
func (p *pass) move(c *claim, folder string) error {
	if err := p.root.MkdirAll(p.path(folder), 0o700); err != nil {
		return fmt.Errorf("make a folder of source %s: %w", p.code, err)
	}
	err := p.root.Rename(p.path(folderWork, c.entry), p.path(folder, p.freeName(c, folder)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // given back by another process
	}
	if err != nil {
		return fmt.Errorf("move a file of source %s: %w", p.code, err)
	}
	return nil
}

func (p *pass) freeName(c *claim, folder string) string {
	if _, err := p.root.Lstat(p.path(folder, c.name)); errors.Is(err, fs.ErrNotExist) {
		return c.name
	}
	return c.entry
}

// fail moves a file to the failed ones and writes beside it what is wrong.
func (p *pass) fail(c *claim, faults RowErrors) error {
	name := p.freeName(c, folderFailed)
	if err := p.move(c, folderFailed); err != nil {
		return err
	}
	out, err := p.root.OpenFile(p.path(folderFailed, name+".errors.csv"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the errors of a file of source %s: %w", p.code, err)
	}
	_, err = faults.WriteTo(out)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write the errors of a file of source %s: %w", p.code, err)
	}
	return nil
}
