package mapping

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/connectors"
	"mianti/connectors/wire"
)

// Read reads one page of an answer. more says that there may be another page.
// The error is a *connectors.Fault.
func (m *Mapping) Read(q connectors.Query, status int, body []byte, now time.Time) (reply connectors.Reply, more bool, err error) {
	absent := slices.Contains(m.call.Answer.NotFoundStatus, status)
	switch {
	case absent && len(m.meanings) == 0:
		return connectors.Reply{}, false, nil // the status is all that the source says
	case !absent && status != http.StatusOK:
		return connectors.Reply{}, false, statusFault(status)
	}
	// A source that gives codes gives one here too: a gateway's 404 has none.
	tree, err := wire.Parse(body)
	if err != nil {
		return connectors.Reply{}, false, err
	}
	means, err := m.meaning(tree)
	if err != nil {
		return connectors.Reply{}, false, err
	}
	items, found, err := m.records(tree)
	switch {
	case means == meansNotFound && m.holdsSubject(items):
		return connectors.Reply{}, false, wire.Malformed("the status says that there is no record, and there is one")
	case means == meansNotFound:
		items = nil
	case err != nil:
		return connectors.Reply{}, false, err
	case !found:
		return connectors.Reply{}, false, wire.Malformed("the answer has no records where they should be")
	}
	if err := m.checkSubjects(q, items); err != nil {
		return connectors.Reply{}, false, err
	}
	if absent && len(items) > 0 {
		return connectors.Reply{}, false, wire.Malformed("the HTTP status says that there is no record, and there is one")
	}
	if err := m.readReference(q, tree, &reply); err != nil {
		return connectors.Reply{}, false, err
	}
	for _, item := range items {
		record, err := m.record(q, item, now)
		if err != nil {
			return connectors.Reply{}, false, err
		}
		reply.Records = append(reply.Records, record)
	}
	return reply, m.call.Paging != nil && len(items) >= m.call.Paging.Size, nil
}

// statusFault is what an HTTP status means that is no answer.
func statusFault(status int) *connectors.Fault {
	text := "HTTP status " + strconv.Itoa(status)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return newFault(connectors.FaultRefused, text)
	case status == http.StatusTooManyRequests:
		return newFault(connectors.FaultBusy, text)
	case status == http.StatusRequestTimeout || status >= 500:
		return wire.Down(text)
	default:
		return wire.Malformed(text)
	}
}

// meaning reads the source's own status. Only success and "no record" are no
// fault.
func (m *Mapping) meaning(tree any) (meaning, error) {
	if len(m.meanings) == 0 {
		return meansOK, nil
	}
	code, found := m.at.code.in(tree)
	text, ok := scalar(code)
	if found != isThere || !ok {
		return "", wire.Malformed("the answer has no status where it should be")
	}
	means := m.meanings[text]
	if means == meansOK || means == meansNotFound {
		return means, nil
	}
	return "", statusOf(means, text)
}

func statusOf(means meaning, code string) *connectors.Fault {
	text := "the answer has " + wire.StatusText(code)
	switch means {
	case meansRefused:
		return newFault(connectors.FaultRefused, text)
	case meansBusy:
		return newFault(connectors.FaultBusy, text)
	default:
		return wire.Malformed(text + ", which is not described")
	}
}

// records are the records of an answer; found is false when nothing says
// whether there are any.
func (m *Mapping) records(tree any) (items []any, found bool, err error) {
	at, finding := m.at.records.in(tree)
	if finding != isThere {
		return nil, false, nil
	}
	switch at := at.(type) {
	case nil:
		if m.plain {
			return nil, true, wire.Malformed("null stands where the list of records should be")
		}
		return nil, true, nil
	case map[string]any:
		return []any{at}, true, nil
	case []any:
		if len(at) > maxRecords {
			return nil, true, wire.Malformed("the answer has too many records")
		}
		return at, true, nil
	default:
		return nil, true, wire.Malformed("the records are neither a list nor an object")
	}
}

// readReference reads the source's number of the answer. It is kept for years,
// so one that holds whom it is about is not taken.
func (m *Mapping) readReference(q connectors.Query, tree any, reply *connectors.Reply) error {
	if m.at.reference == nil {
		return nil
	}
	at, finding := m.at.reference.in(tree)
	if finding == isMissing || at == nil && finding == isThere {
		return nil
	}
	text, ok := scalar(at)
	if !ok || finding == isBroken || utf8.RuneCountInString(text) > maxReference || hasControl(text) {
		return wire.Malformed("the reference of the answer is not a short text")
	}
	if names(text, q.Subject.Number) || names(text, q.Subject.Name) {
		reply.Warnings = append(reply.Warnings, WarningReference)
		return nil
	}
	reply.Reference = text
	return nil
}

// WarningReference says that the source's number of an answer was dropped: it
// holds the subject's own name or number.
const WarningReference = "reference_personal"

func names(text, identity string) bool {
	return identity != "" && strings.Contains(strings.ToUpper(text), strings.ToUpper(identity))
}

func newFault(kind connectors.FaultKind, reason string) *connectors.Fault {
	f := misset(reason)
	f.Kind = kind
	return f
}
