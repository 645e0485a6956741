package snapshot

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// abandoned is after how long a claim belongs to a process that is gone.
	abandoned = time.Hour
	// claimTime is how the time of a claim is written. The file's own time stays
	// what it was when it is moved.
	claimTime   = "20060102T150405Z"
	claimMark   = 8   // letters that tell two claims of one second apart
	maxFileName = 255 // bytes of a file's name
)

// claim is a file that this process is loading. Moving it is what makes it
// ours: only one of several processes can.
type claim struct {
	stamp string // the folder of work that it has for itself: time and mark
	name  string // as it was sent, which may be as long as a name can be
}

// claim takes a file; nil when somebody else has.
func (p *pass) claim(name string) (*claim, error) {
	c := &claim{stamp: p.folder.now().UTC().Format(claimTime) + "-" + rand.Text()[:claimMark], name: name}
	if err := p.root.MkdirAll(p.path(folderWork, c.stamp), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of work of source %s: %w", p.code, nameless(err))
	}
	err := p.root.Rename(p.path(folderIn, name), p.work(c))
	if err == nil {
		return c, nil
	}
	p.leave(c.stamp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, fmt.Errorf("take a file of source %s: %w", p.code, nameless(err))
}

func (p *pass) work(c *claim) string { return p.path(folderWork, c.stamp, c.name) }

// leave removes the folder of a claim that is over. One that cannot be removed
// does no harm, and is tried again with those that were abandoned.
func (p *pass) leave(stamp string) { _ = p.root.Remove(p.path(folderWork, stamp)) }

// isAbandoned says that an entry of the folder of work is a claim of a process
// that is gone.
func (p *pass) isAbandoned(entry fs.DirEntry) bool {
	stamp, mark, _ := strings.Cut(entry.Name(), "-")
	at, err := time.Parse(claimTime, stamp)
	return entry.IsDir() && err == nil && len(mark) == claimMark && at.Add(abandoned).Before(p.folder.now())
}

// giveBack returns the files of processes that ended while they loaded. What
// cannot be returned is told once.
func (p *pass) giveBack() error {
	entries, err := p.list(folderWork)
	var all []error
	for _, entry := range entries {
		if !p.isAbandoned(entry) {
			continue
		}
		files, unread := p.list(folderWork, entry.Name())
		err = errors.Join(err, unread)
		for _, file := range files {
			c := &claim{stamp: entry.Name(), name: file.Name()}
			if err := p.move(c, folderIn); err != nil && p.isNew(p.work(c)) {
				all = append(all, err)
			}
		}
		p.leave(entry.Name())
	}
	if err != nil && p.isNew(p.path(folderWork)) {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// list reads a folder of the source's; one that is not there is empty.
func (p *pass) list(parts ...string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(p.root.FS(), p.path(parts...))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read a folder of source %s: %w", p.code, nameless(err))
	}
	return entries, nil
}

// move puts a claimed file into another folder. A name that is taken there gets
// the claim's time and mark in front, so that nothing is overwritten and the
// moment at its end can still be read.
func (p *pass) move(c *claim, folder string) error {
	_, err := p.moveAs(c, folder)
	return err
}

// moveAs gives the name that the file has there.
func (p *pass) moveAs(c *claim, folder string) (string, error) {
	if err := p.root.MkdirAll(p.path(folder), 0o700); err != nil {
		return "", fmt.Errorf("make a folder of source %s: %w", p.code, nameless(err))
	}
	name := c.name
	if _, err := p.root.Lstat(p.path(folder, name)); !errors.Is(err, fs.ErrNotExist) {
		name = c.stamped(name, "")
	}
	err := p.root.Rename(p.work(c), p.path(folder, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // else given back by another process
		return "", fmt.Errorf("move a file of source %s: %w", p.code, nameless(err))
	}
	p.leave(c.stamp)
	return name, nil
}

// stamped puts the claim's time and mark before a name and cuts the name's
// beginning to what there is room for.
func (c *claim) stamped(name, ending string) string {
	from := max(0, len(c.stamp)+len("-")+len(name)+len(ending)-maxFileName)
	for from < len(name) && !utf8.RuneStart(name[from]) {
		from++
	}
	return c.stamp + "-" + name[from:] + ending
}

// fail moves a file to the failed ones and writes beside it what is wrong. It
// says whether the file lies there.
func (p *pass) fail(c *claim, faults RowErrors) (moved bool, err error) {
	name, err := p.moveAs(c, folderFailed)
	if err != nil {
		return false, err
	}
	const ending = ".errors.csv"
	report := name + ending
	if len(report) > maxFileName {
		report = c.stamped(c.name, ending)
	}
	out, err := p.root.OpenFile(p.path(folderFailed, report), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = faults.WriteTo(out)
		err = errors.Join(err, out.Close())
	}
	if err != nil {
		return true, fmt.Errorf("write the errors of a file of source %s: %w", p.code, nameless(err))
	}
	return true, nil
}
