package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"mianti/catalog"
)

// PreviewState (先看后用的状态) is what the person has said to what was found.
type PreviewState string

// The states. Whoever has released may still choose paper, and the other way round.
const (
	PreviewAwaited  PreviewState = "awaiting"
	PreviewReleased PreviewState = "released"
	PreviewPaper    PreviewState = "paper"
)

// Preview (先看后用) is what a person has said to what was found about him for a
// material.
type Preview struct {
	Material string
	Party    string
	Content  string // ContentOf what he was shown
	State    PreviewState
}

// ContentOf is the digest of what evidence says, whenever it was asked: a person
// who has seen it has seen this. It is made of personal data, and is no secret
// keeper of it.
func ContentOf(evidence []Evidence) string {
	type record struct {
		Dataset, ValidUntil string
		Fields              map[string]any
	}
	said := make([]record, len(evidence))
	for i, e := range evidence {
		said[i] = record{e.Dataset, e.ValidUntil, e.Fields}
	}
	text, _ := json.Marshal(said) // made of what JSON knows
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// previewed holds back what the person has not released. Only the very content
// that he has seen is released; of anything else he is shown a new preview.
func (w *walk) previewed(out Settlement) Settlement {
	if !slices.ContainsFunc(w.r.Uses, func(use catalog.Use) bool { return use.Material.Preview }) || w.r.Party == nil {
		return out
	}
	content := ContentOf(out.Evidence)
	for _, p := range w.s.Previews {
		if p.Material != w.r.Material().Code || p.Party != w.r.Party.ID || p.Content != content {
			continue
		}
		switch p.State {
		case PreviewReleased:
			out.Content = content
			return out
		case PreviewPaper:
			return w.end(Upload, "", ReasonChosePaper, func(up *Settlement) { up.Content = content })
		}
	}
	return w.end(NeedsConsent, "", ReasonPreviewAwaited, func(held *Settlement) { held.Previewed, held.Content = out.Evidence, content })
}
