package snapshot

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// The limits of an XLSX file. Real ones have a dozen parts.
const (
	maxParts     = 1000
	maxUnzipped  = 64 << 20 // all parts together
	maxPart      = 16 << 20 // a part that is kept in memory as a whole
	maxOther     = 2 << 20  // a part that is neither a sheet nor the shared strings
	maxDirectory = 1 << 20  // bytes that list the parts
	maxDepth     = 32       // of XML
	// maxStrings bounds what the library keeps of a part with very many very
	// short texts; it is some hundred bytes for each.
	maxStrings = 200_000
)

func notXLSX() RowErrors {
	return wholeFile(CodeFile, "不是正常的 .xlsx 文件，可能没有传完、设有密码或已损坏，请重新保存后再送")
}

func tooLarge() RowErrors {
	return wholeFile(CodeSize, "文件内容过多（解压后超过 64 MiB，或不同的文字超过20万条、16 MiB，或样式、图片等超过 2 MiB），请改用 CSV 格式")
}

// sharedStrings is the part that the texts of all sheets are in.
const sharedStrings = "xl/sharedStrings.xml"

// allowed is how large a part may be. The library keeps most parts as structures
// of many times their size; only sheets are read as a stream.
func allowed(part string) uint64 {
	folder, name := path.Split(strings.ToLower(part))
	switch {
	case part == sharedStrings:
		return maxPart
	case folder == "xl/worksheets/" && strings.HasSuffix(name, ".xml"):
		return maxUnzipped
	default:
		return maxOther
	}
}

// archive is the parts of an XLSX file, by name. Nothing of it is unpacked
// before all of it was looked at.
type archive map[string]*zip.File

func openArchive(f File) (archive, error) {
	if f.Size > maxUnzipped {
		return nil, tooLarge()
	}
	if err := checkDirectory(f); err != nil {
		return nil, err
	}
	reader, err := zip.NewReader(f.Content, f.Size)
	if err != nil || len(reader.File) > maxParts {
		return nil, notXLSX()
	}
	parts, total := archive{}, uint64(0)
	names := map[string]bool{}
	for _, part := range reader.File {
		// Two parts of one name would be read as one by some and as the other by
		// others.
		name := strings.ToLower(part.Name)
		if names[name] || !fs.ValidPath(strings.TrimSuffix(part.Name, "/")) || strings.Contains(part.Name, `\`) || part.Mode()&fs.ModeType&^fs.ModeDir != 0 {
			return nil, notXLSX()
		}
		names[name] = true
		if total += min(part.UncompressedSize64, maxUnzipped+1); total > maxUnzipped || part.UncompressedSize64 > allowed(part.Name) {
			return nil, tooLarge()
		}
		parts[part.Name] = part
	}
	return parts, nil
}

// checkDirectory looks at the end of the file, which says how long the list of
// parts is, before the list is read into memory.
func checkDirectory(f File) error {
	const length = 22 // of the end, without a remark
	if f.Size < length {
		return notXLSX()
	}
	start, end := make([]byte, 4), make([]byte, length)
	if _, err := f.Content.ReadAt(start, 0); err != nil {
		return notXLSX()
	}
	if _, err := f.Content.ReadAt(end, f.Size-length); err != nil && !errors.Is(err, io.EOF) {
		return notXLSX()
	}
	size, offset := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	if string(start) != "PK\x03\x04" || !bytes.HasPrefix(end, []byte("PK\x05\x06")) || size > maxDirectory || offset+size != f.Size-length {
		return notXLSX()
	}
	return nil
}

// element is one element of a part's XML, with what it is in.
type element struct {
	name  string
	attrs []xml.Attr
	depth int // 1 is the outermost
}

func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// walk reads a part to its end and calls each for every element. Documents that
// declare entities are refused.
func (a archive) walk(name string, each func(element)) error {
	part, err := a.open(name)
	if err != nil {
		return err
	}
	defer part.Close() // only read: its error says nothing
	decoder := xml.NewDecoder(part)
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return notXLSX()
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return notXLSX()
			}
			each(element{name: token.Name.Local, attrs: token.Attr, depth: depth})
		case xml.EndElement:
			depth--
		case xml.Directive:
			return notXLSX()
		}
	}
}

func (a archive) open(name string) (io.ReadCloser, error) {
	part := a[name]
	if part == nil {
		return nil, notXLSX()
	}
	reader, err := part.Open()
	if err != nil {
		return nil, notXLSX()
	}
	return reader, nil
}

// bookPart finds the part that lists the sheets. It may not lie where larger
// parts are allowed.
func (a archive) bookPart() (string, error) {
	book, disguised := "", false
	err := a.walk("_rels/.rels", func(e element) {
		if e.name != "Relationship" || !strings.HasSuffix(e.attr("Type"), "/officeDocument") {
			return
		}
		target := strings.TrimPrefix(e.attr("Target"), "/")
		disguised = disguised || allowed(target) != maxOther
		if book == "" {
			book = target
		}
	})
	if err == nil && disguised {
		err = notXLSX()
	}
	return book, err
}

// sheetPart finds the part that holds a sheet; the first sheet when name is
// empty.
func (a archive) sheetPart(name string) (sheet, part string, err error) {
	book, err := a.bookPart()
	if err != nil {
		return "", "", err
	}
	targets := map[string]string{}
	err = a.walk(path.Join(path.Dir(book), "_rels", path.Base(book)+".rels"), func(e element) {
		if e.name == "Relationship" {
			targets[e.attr("Id")] = e.attr("Target")
		}
	})
	if err != nil {
		return "", "", err
	}
	id := ""
	err = a.walk(book, func(e element) {
		if e.name == "sheet" && id == "" && (name == "" || e.attr("name") == name) {
			sheet, id = e.attr("name"), e.attr("id")
		}
	})
	target := targets[id]
	switch {
	case err != nil:
		return "", "", err
	case id == "":
		return "", "", wholeFile(CodeFile, "没有目录里说的工作表，请核对工作表的名称")
	case strings.HasPrefix(target, "/"):
		return sheet, target[1:], nil
	default:
		return sheet, path.Join(path.Dir(book), target), nil
	}
}
