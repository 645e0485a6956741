package standin

import (
	"fmt"
	"time"

	"mianti/catalog"
)

// OfficerAnswer is what an officer of a department says when asked (协查).
type OfficerAnswer struct {
	// Found says that there is a record; Rows are what it says.
	Found bool
	Rows  []Row
	// After is how long the officer took.
	After time.Duration
}

// Officer answers a task as an officer of the department would who looks into
// the register. ok is false when nobody answers: the fault is slow, down, hang
// or of that kind.
func (s *Server) Officer(dataset string, kind catalog.PartyKind, name, number string) (answer OfficerAnswer, ok bool, err error) {
	t := s.templates[dataset]
	if t == nil {
		return OfficerAnswer{}, false, fmt.Errorf("no dataset is called %q", dataset)
	}
	s.counts[dataset].Add(1)
	b := s.behaviour(dataset, number)
	switch b.fault {
	case FaultSlow, FaultDown, FaultBroken, FaultBusy, FaultLimited:
		return OfficerAnswer{}, false, nil
	}
	held, err := s.held(t, s.registry.lookUp(kind, name, number), b)
	if err != nil {
		return OfficerAnswer{}, false, fmt.Errorf("records of %s: %w", dataset, err)
	}
	rows := rowsFrom(held)
	return OfficerAnswer{Found: len(rows) > 0, Rows: rows, After: b.delay + s.latency}, true, nil
}
