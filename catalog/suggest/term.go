package suggest

import (
	"math/bits"
	"slices"
	"strings"
)

// term is a key, made ready to be compared with others.
type term struct {
	key      string
	runes    []rune
	weights  []float64 // what each character tells
	kind     string
	optional []span // where words stand that tell little
	contrary uint64 // which of the contrary words it has, by their place in the list
}

// span is a part of a text, in characters.
type span struct{ from, to int }

// term makes a key ready.
func (a *Assistant) term(key string) *term {
	t := &term{key: key, runes: []rune(key), kind: a.words.kind(key)}
	t.weights = make([]float64, len(t.runes))
	for i, r := range t.runes {
		t.weights[i] = a.index.weight(r)
	}
	if t.kind != formKind {
		t.optional = spansOf(t.runes, a.words.optional)
	}
	for i, word := range a.words.contraries {
		if strings.Contains(key, word) {
			t.contrary |= 1 << i
		}
	}
	return t
}

// formKind is the kind of forms, which are told by what they are for and nothing else.
const formKind = "form"

// spansOf finds where words stand in a text.
func spansOf(text []rune, words [][]rune) []span {
	var out []span
	for _, word := range words {
		for at := 0; at+len(word) <= len(text); at++ {
			if slices.Equal(text[at:at+len(word)], word) {
				out = append(out, span{at, at + len(word)})
			}
		}
	}
	return out
}

// against gives two words that make two terms two papers; empty where there are none.
func (w *words) against(x, y *term) (string, string) {
	onlyX, onlyY := x.contrary&^y.contrary, y.contrary&^x.contrary
	if onlyX == 0 || onlyY == 0 {
		return "", ""
	}
	for _, group := range w.groups {
		if p, q := onlyX&group, onlyY&group; p != 0 && q != 0 {
			return w.contraries[bits.TrailingZeros64(p)], w.contraries[bits.TrailingZeros64(q)]
		}
	}
	return "", ""
}
