package catalog

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
)

// Bounds of an archive: small enough that one cannot fill the memory, large enough
// for ten times the catalog of a city.
const (
	maxArchiveFiles = 2_000
	maxArchiveSize  = 64 << 20 // of all files, unpacked
)

// Archive (目录压缩包) gives the folder in a ZIP archive, to be loaded. A catalog that
// stands in one folder of the archive is found there. What makes the archive
// unusable is a Fault of it; its files are judged by Load.
func Archive(data []byte) (fs.FS, Faults) {
	refused := func(code, reason string, args ...any) (fs.FS, Faults) {
		return nil, Faults{{File: "zip", Line: 1, Code: code, Reason: fmt.Sprintf(reason, args...)}}
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return refused("bad-archive", "不是完整的 ZIP 压缩包，请重新打包后再传")
	}
	if len(archive.File) > maxArchiveFiles {
		return refused("too-large", "压缩包里有 %d 个文件，最多 %d 个", len(archive.File), maxArchiveFiles)
	}
	// A reader stops at the size that is declared, so that it may be believed.
	total := uint64(0)
	for _, f := range archive.File {
		if total += f.UncompressedSize64; f.UncompressedSize64 > maxArchiveSize || total > maxArchiveSize {
			return refused("too-large", "解开后超过 %d MiB", maxArchiveSize>>20)
		}
	}
	if _, err := fs.Stat(archive, "catalog.yaml"); err == nil {
		return archive, nil
	}
	for _, f := range archive.File {
		folder, rest, nested := strings.Cut(f.Name, "/")
		if nested && rest == "catalog.yaml" {
			if inner, err := fs.Sub(archive, folder); err == nil {
				return inner, nil
			}
		}
	}
	return refused("missing-file", "压缩包里没有 catalog.yaml，请连同整个目录文件夹一起打包")
}
