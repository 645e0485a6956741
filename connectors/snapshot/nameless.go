package snapshot

import (
	"errors"
	"io"
	"syscall"
)

// nameless keeps of a system's error only what went wrong: the rest is the name
// of the file, which may be a person's, with the number.
func nameless(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return errors.New("the file system refuses it")
}

// namelessFile is an open file whose errors do not hold its name.
type namelessFile struct {
	from io.ReaderAt
}

// ReadAt reads as io.ReaderAt says.
func (f namelessFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.from.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, nameless(err)
	}
	return n, err
}
