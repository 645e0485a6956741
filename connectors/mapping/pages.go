package mapping

import (
	"slices"
	"strings"
	"time"

	"mianti/connectors"
	"mianti/connectors/wire"
)

// Page is one page of an answer as it was received.
type Page struct {
	Status   int
	Body     []byte // UTF-8
	Size     int64  // bytes received
	Proof    string // what binds it to the question, if anything does
	Warnings []string
}

// Gather asks for one page after the other by ask, until one is not full, and
// gives what they say together. The error is that of ask, or a
// *connectors.Fault.
func (m *Mapping) Gather(q connectors.Query, now time.Time, ask func(Request) (Page, error)) (connectors.Reply, error) {
	first, pages := 1, 1
	if p := m.call.Paging; p != nil {
		first, pages = p.First, p.Pages
	}
	var whole connectors.Reply
	for n := range pages {
		request, err := m.Request(q, first+n, now)
		if err != nil {
			return connectors.Reply{}, err
		}
		page, err := ask(request)
		if err != nil {
			return connectors.Reply{}, err
		}
		part, more, err := m.Read(q, page.Status, page.Body, now)
		if err != nil {
			return connectors.Reply{}, err
		}
		add(&whole, part, page)
		if len(whole.Records) > maxRecords {
			return connectors.Reply{}, wire.Malformed("the answer has too many records")
		}
		if !more {
			return whole, nil
		}
	}
	return connectors.Reply{}, wire.Malformed("the answer has more pages than agreed")
}

// add puts a page to those before it.
func add(whole *connectors.Reply, part connectors.Reply, page Page) {
	whole.Records = append(whole.Records, part.Records...)
	whole.Size += page.Size
	if whole.Reference == "" {
		whole.Reference = part.Reference
	}
	whole.Proof = strings.TrimSpace(whole.Proof + " " + page.Proof) // each binds its own page
	for _, warning := range slices.Concat(page.Warnings, part.Warnings) {
		if !slices.Contains(whole.Warnings, warning) {
			whole.Warnings = append(whole.Warnings, warning)
		}
	}
}
