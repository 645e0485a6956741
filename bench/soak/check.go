package main

import (
	"fmt"
	"slices"
)

// Answer is what a caller was answered, with a status of 2xx, when he had a case
// resolved.
type Answer struct {
	Key        string `json:"key"` // the Idempotency-Key
	Case       string `json:"case"`
	Resolution string `json:"resolution"`
	Version    int    `json:"version"`
	Digest     string `json:"digest"` // of the body
}

// Log is everything that callers were answered.
type Log struct {
	Answers  []Answer       `json:"answers"`
	Reads    map[string]int `json:"reads"`    // how often a resolution was given out
	Openings []string       `json:"openings"` // cases
}

// Stored is a resolution as it is stored.
type Stored struct {
	Case     string `json:"case"`
	Version  int    `json:"version"`          // the latest
	Digest   string `json:"digest,omitempty"` // of the latest, as it is given out; empty: it cannot be read
	Versions []int  `json:"versions"`         // the earlier ones
}

// Trail is what the ledger says of a resolution.
type Trail struct {
	Resolved  map[int]int64    `json:"resolved"` // the number of the entry, by version
	Intents   map[string]int64 `json:"intents"`  // the number of the entry, by what was asked
	Outcomes  map[string]int64 `json:"outcomes"` // likewise
	Reads     int              `json:"reads"`    // entries of kind read
	Unlabeled int              `json:"unlabeled,omitempty"`
}

// Record is what is found when all is over.
type Record struct {
	Resolutions map[string]Stored `json:"resolutions"`
	Keys        map[string]string `json:"keys"` // the resolution of a key
	Trails      map[string]*Trail `json:"trails"`
	Opened      map[string]int    `json:"opened"` // entries by case
}

// Findings are what a check of the answers against the record found.
type Findings struct {
	Lost       []string // answered, and not stored as it was answered
	Unrecorded []string // answered or stored, and not in the ledger
	Doubled    []string // a key with more than one resolution, or a resolution with none
	// Orphans are intents without an outcome of requests that were never answered:
	// their node was killed, or could not store what came of them. Later are those of
	// resolutions that went on by themselves after their answer.
	Orphans, Later int
}

// check holds what was answered against what is found.
func check(l Log, r Record) Findings {
	var f Findings
	answered := map[string]int64{} // up to which entry its look-ups must have come to an end
	byKey := map[string]string{}
	for _, a := range l.Answers {
		f.stored(a, r)
		answered[a.Resolution] = max(answered[a.Resolution], f.entered(a, r))
		if first, again := byKey[a.Key]; again && first != a.Resolution {
			f.Doubled = append(f.Doubled, fmt.Sprintf("key %s was answered with %s and with %s", a.Key, first, a.Resolution))
		}
		byKey[a.Key] = a.Resolution
		if kept := r.Keys[a.Key]; kept != a.Resolution {
			f.Doubled = append(f.Doubled, fmt.Sprintf("key %s was answered with %s and is kept for %q", a.Key, a.Resolution, kept))
		}
	}
	f.lookups(answered, r)
	f.owners(r)
	for id, times := range l.Reads {
		if t := r.Trails[id]; t == nil || t.Reads < times {
			f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("resolution %s was given out %d times, of which not all are in the ledger", id, times))
		}
	}
	for _, id := range l.Openings {
		if r.Opened[id] != 1 {
			f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("case %s was opened, with %d entries of it", id, r.Opened[id]))
		}
	}
	for _, list := range []*[]string{&f.Lost, &f.Unrecorded, &f.Doubled} {
		slices.Sort(*list)
	}
	return f
}

// stored wants the version that was answered: the latest one word for word, an earlier
// one among those that are kept.
func (f *Findings) stored(a Answer, r Record) {
	s, found := r.Resolutions[a.Resolution]
	switch {
	case !found || s.Digest == "":
		f.Lost = append(f.Lost, fmt.Sprintf("resolution %s was answered and cannot be read", a.Resolution))
	case s.Case != a.Case:
		f.Lost = append(f.Lost, fmt.Sprintf("resolution %s was answered for case %s and is stored for %s", a.Resolution, a.Case, s.Case))
	case s.Version == a.Version && s.Digest != a.Digest:
		f.Lost = append(f.Lost, fmt.Sprintf("resolution %s says something else than what was answered", a.Resolution))
	case s.Version != a.Version && !slices.Contains(s.Versions, a.Version):
		f.Lost = append(f.Lost, fmt.Sprintf("version %d of resolution %s was answered and is not kept", a.Version, a.Resolution))
	}
}

// entered wants an entry of the version that was answered, and gives its number.
func (f *Findings) entered(a Answer, r Record) int64 {
	t := r.Trails[a.Resolution]
	if t == nil || t.Resolved[a.Version] == 0 {
		f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("version %d of resolution %s was answered without an entry of it", a.Version, a.Resolution))
		return 0
	}
	return t.Resolved[a.Version]
}

// lookups wants an outcome for every intent that was written before the answer, and
// an intent before every outcome.
func (f *Findings) lookups(answered map[string]int64, r Record) {
	for id, t := range r.Trails {
		for ask, at := range t.Intents {
			_, came := t.Outcomes[ask]
			until, wasAnswered := answered[id]
			switch {
			case came:
			case wasAnswered && at < until:
				f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("resolution %s was answered, and look-up %s has no outcome", id, ask))
			case wasAnswered || len(t.Resolved) > 0:
				f.Later++
			default:
				f.Orphans++
			}
		}
		for ask, at := range t.Outcomes {
			if begun, intended := t.Intents[ask]; !intended || begun > at {
				f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("resolution %s: look-up %s came to an end without an intent before it", id, ask))
			}
		}
		if t.Unlabeled > 0 {
			f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("resolution %s: %d look-ups do not say which they are", id, t.Unlabeled))
		}
	}
}

// owners wants each stored resolution to be the one of one key: all were asked for
// with one.
func (f *Findings) owners(r Record) {
	keys := map[string]int{}
	for _, id := range r.Keys {
		keys[id]++
	}
	for id := range r.Resolutions {
		if keys[id] != 1 {
			f.Doubled = append(f.Doubled, fmt.Sprintf("resolution %s is that of %d keys", id, keys[id]))
		}
		if t := r.Trails[id]; t == nil || len(t.Resolved) == 0 {
			f.Unrecorded = append(f.Unrecorded, fmt.Sprintf("resolution %s is stored without an entry of it", id))
		}
	}
}
