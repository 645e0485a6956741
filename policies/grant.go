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
		g.Fields = slices.Sorted(slices.Values(g.Fields))
		key := grantKey{g.Department, g.Matter, g.Dataset}
		index.byUse[key] = append(index.byUse[key], g)
	}
	return index
}

// serves reports whether the grant covers all of these fields at a moment, and
// is not stopped.
func (g *Grant) serves(fields []string, stops Stops, now time.Time) bool {
	return g.failings(fields, stops, now) == [4]ReasonOfDecision{}
}

// failings are the reasons why a grant does not serve; empty where there is
// none.
func (g *Grant) failings(fields []string, stops Stops, now time.Time) [4]ReasonOfDecision {
	stopped := ReasonOfDecision("")
	if stops.Holds(StopGrant, g.ID) {
		stopped = GrantIsStopped
	}
	return [4]ReasonOfDecision{stopped, g.byState(), g.byTerm(now), g.byFields(fields)}
}

func (g *Grant) byState() ReasonOfDecision {
	switch g.State {
	case GrantActive:
		return ""
	case GrantSuspended:
		return GrantIsSuspended
	default:
		return GrantIsTerminated
	}
}

// byTerm holds a moment against the term. It is in force from its first moment
// on, and no longer at its last.
func (g *Grant) byTerm(now time.Time) ReasonOfDecision {
	switch {
	case now.Before(g.From):
		return GrantNotYet
	case !now.Before(g.Until):
		return GrantExpired
	default:
		return ""
	}
}

// byFields looks for every field in the grant's, which are sorted.
func (g *Grant) byFields(fields []string) ReasonOfDecision {
	for _, field := range fields {
		if _, found := slices.BinarySearch(g.Fields, field); !found {
			return GrantLacksField
		}
	}
	return ""
}
