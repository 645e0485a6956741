package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"mianti/catalog"
)

// Format is how a file is written.
type Format string

// The formats, as the file's name ends.
const (
	FormatCSV  Format = "csv"
	FormatXLSX Format = "xlsx"
)

// File is a file that a department sent. It is read more than once.
type File struct {
	Name    string // its last part tells the format, and the moment from which it is
	Content io.ReaderAt
	Size    int64
}

// FormatOf tells the format by a file's name; empty for one that is not read.
func FormatOf(name string) Format {
	switch ending := Format(strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))); ending {
	case FormatCSV, FormatXLSX:
		return ending
	default:
		return ""
	}
}

// AsOf reads the moment from which a file is out of its name, in China's time:
// "<anything>-20261123.csv" is of the beginning of that day,
// "<anything>-20261123T2200.xlsx" of ten in the evening.
func AsOf(name string) (time.Time, bool) {
	pattern := regexp.MustCompile(`-([0-9]{8})(T[0-9]{4})?\.[A-Za-z]+$`)
	found := pattern.FindStringSubmatch(name)
	if found == nil {
		return time.Time{}, false
	}
	layout := "20060102"
	if found[2] != "" {
		layout += "T1504"
	}
	at, err := time.ParseInLocation(layout, found[1]+found[2], catalog.TimeZone())
	return at, err == nil
}

// digest is of the content, and of all that says how it is read: the same file
// under another description is another snapshot.
func (f File) digest(d *catalog.Dataset, s *catalog.Source) (string, error) {
	hash := sha256.New()
	description := struct {
		Fields   []catalog.Field
		Snapshot *catalog.Snapshot
	}{d.Fields, s.Snapshot}
	if err := json.NewEncoder(hash).Encode(description); err != nil {
		return "", fmt.Errorf("digest the description of a file: %w", err)
	}
	if _, err := io.Copy(hash, io.NewSectionReader(f.Content, 0, f.Size)); err != nil {
		return "", fmt.Errorf("read a file: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
