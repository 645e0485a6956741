package policies

import "time"

// Stop (停用) ends a use at once: the kill switch. It is not a grant's state,
// which follows a procedure (条例, art. 27); it is pulled first and argued over
// later.
type Stop struct {
	Kind   StopKind  `json:"kind" enum:"system,grant,dataset,source"`
	ID     string    `json:"id"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// StopKind says what is stopped.
type StopKind string

// What can be stopped.
const (
	StopSystem  StopKind = "system"
	StopGrant   StopKind = "grant"
	StopDataset StopKind = "dataset"
	StopSource  StopKind = "source"
)

// Stops are the stops in force. The zero value stops nothing.
type Stops struct {
	held map[stopKey]bool
}

type stopKey struct {
	kind StopKind
	id   string
}

// IndexStops makes an index.
func IndexStops(stops []Stop) Stops {
	index := Stops{held: make(map[stopKey]bool, len(stops))}
	for _, s := range stops {
		index.held[stopKey{s.Kind, s.ID}] = true
	}
	return index
}

// Holds reports whether something is stopped.
func (s Stops) Holds(kind StopKind, id string) bool { return s.held[stopKey{kind, id}] }
