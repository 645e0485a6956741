package exchange

import "mianti/policies"

// GrantSet (现行授权) are the grants for some matters with their index. Nobody changes
// one.
type GrantSet struct {
	Grants []policies.Grant
	Index  *policies.Grants
	// Digest names the set where it is kept for replays; empty when it is not, and the
	// inputs of a resolution hold the grants themselves.
	Digest string
}

// NewGrantSet makes one.
func NewGrantSet(grants []policies.Grant) *GrantSet {
	return &GrantSet{Grants: grants, Index: policies.IndexGrants(grants)}
}

// StopSet (现行停用) are the stops in force with their index. Nobody changes one.
type StopSet struct {
	Stops []policies.Stop
	Index policies.Stops
}

// NewStopSet makes one.
func NewStopSet(stops []policies.Stop) *StopSet {
	return &StopSet{Stops: stops, Index: policies.IndexStops(stops)}
}
