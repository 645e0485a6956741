package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	folderPrefix = "mianti-postgres-"
	lockName     = "lock"
)

// folder is where one server writes. It is locked as long as its test binary
// lives, so that those of killed ones can be told and removed.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder in parent, and removes those that killed test
// binaries left there.
func newFolder(parent string) (*folder, error) {
	if err := sweep(parent); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), os.RemoveAll(path))
	}
	return &folder{path: path, lock: lock}, nil
}

// takeLock gives the lock its name only when it is held: sweep leaves a folder
// without one alone.
func takeLock(path string) (*os.File, error) {
	lock, err := os.CreateTemp(path, lockName)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := os.Rename(lock.Name(), filepath.Join(path, lockName)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// remove deletes the folder with all its files.
func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Close())
}

// sweep removes the folders in parent whose test binary is gone.
func sweep(parent string) error {
	found, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range found {
		if err := sweepOne(path); err != nil {
			return fmt.Errorf("remove what a killed test binary left: %w", err)
		}
	}
	return nil
}

func sweepOne(path string) error {
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	if err != nil {
		return nil //nolint:nilerr // being made, being removed, or another user's
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil //nolint:nilerr // its test binary is alive
	}
	return os.RemoveAll(path)
}

// folderParent is in memory where there is one, unless somebody set TMPDIR to
// a place of their own.
func folderParent() string {
	const usual = "/tmp"
	if chosen := os.TempDir(); chosen != usual {
		return chosen
	}
	if memory := memoryFolder(); memory != "" {
		return memory
	}
	return usual
}
