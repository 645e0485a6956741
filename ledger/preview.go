package ledger

// The kinds of what persons do about what was found about them (先看后用).
const (
	PreviewRead     Kind = "preview_read"
	PreviewReleased Kind = "preview_released"
	PaperChosen     Kind = "paper_chosen"
)
