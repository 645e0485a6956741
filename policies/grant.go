package policies

import (
	"slices"
	"time"
)

// Grant (共享授权) lets a department use fields of a dataset for one matter
// until a date (政务数据共享条例, art. 20, 25).
type Grant struct {
	ID         string
	Department string   // who may use them
	Matter     string   // what for, by short code
	Dataset    string   // which
	Fields     []string // which of its fields
	Basis      string   // 使用依据, in words
	From       time.Time
	Until      time.Time // from this moment on it is no longer in force
	State      GrantState
}

// GrantState says whether a grant may be used.
type GrantState string

// The states (条例, art. 27).
const (
	GrantActive     GrantState = "active"
	GrantSuspended  GrantState = "suspended"
	GrantTerminated GrantState = "terminated"
)

// Grants is an index of grants, safe for concurrent reading once made.
type Grants struct {
	byUse map[grantKey][]Grant
}

type grantKey struct{ department, matter, dataset string }

// IndexGrants makes an index.
func IndexGrants(grants []Grant) *Grants {
	index := &Grants{byUse: make(map[grantKey][]Grant, len(grants))}
	for _, g := range grants {
		key := grantKey{g.Department, g.Matter, g.Dataset}
		index.byUse[key] = append(index.byUse[key], g)
	}
	return index
}

// covers says why a grant does not serve for these fields at this moment, or
// that it does.
func (g *Grant) covers(fields []string, now time.Time) (ReasonOfDecision, bool) {
	switch {
	case g.State == GrantSuspended:
		return GrantIsSuspended, false
	case g.State != GrantActive:
		return GrantIsTerminated, false
	case now.Before(g.From):
		return GrantNotYet, false
	case !now.Before(g.Until):
		return GrantExpired, false
	}
	for _, field := range fields {
		if !slices.Contains(g.Fields, field) {
			return GrantLacksField, false
		}
	}
	return GrantCovers, true
}

// serves is covers, for a grant that is not stopped.
func (g *Grant) serves(a Access, now time.Time) (ReasonOfDecision, bool) {
	if a.Stops.Holds(StopGrant, g.ID) {
		return GrantStopped, false
	}
	return g.covers(a.Fields, now)
}
