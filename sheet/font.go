package sheet

import (
	"errors"
	"fmt"
	"os"

	"codeberg.org/go-pdf/fpdf"
)

// ErrFont is a font that cannot be used.
var ErrFont = errors.New("not a TrueType font (with glyf outlines) that has Chinese letters")

// ErrLetters is a font that lacks letters of a sheet.
var ErrLetters = errors.New("the font lacks letters of the sheet")

// Font is what a PDF is set in.
type Font struct {
	bytes   []byte
	letters map[uint16]uint16 // to glyphs
}

// ReadFont reads a TrueType font, and refuses one without the letters that every
// sheet uses.
func ReadFont(file string) (font *Font, err error) {
	defer func() { // the library panics on what is cut short
		if recover() != nil {
			font, err = nil, ErrFont
		}
	}()
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	described, err := fpdf.TtfParse(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, err)
	}
	font = &Font{bytes: bytes, letters: described.Chars}
	for _, r := range "免提交材料核验单编号扫码对真伪《》【】（），。：0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*-.:/" {
		if !font.has(r) {
			return nil, fmt.Errorf("%w: it has no %q", ErrFont, r)
		}
	}
	return font, nil
}

// has reports whether the font has a letter. The library knows the basic plane
// alone.
func (f *Font) has(r rune) bool { return r > 0 && r <= 0xFFFF && f.letters[uint16(r)] != 0 }
