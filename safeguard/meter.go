package safeguard

import (
	"cmp"
	"maps"
	"slices"

	"mianti/catalog"
	"mianti/ledger"
	"mianti/policies"
)

// Kind (计量对象类别) is what uses are counted for.
type Kind string

// The kinds.
const (
	KindGrant  Kind = "grant"
	KindSystem Kind = "system"
	KindPerson Kind = "person" // an operator: whoever acts in person
	KindMatter Kind = "matter"
)

func kinds() []Kind { return []Kind{KindGrant, KindMatter, KindPerson, KindSystem} }

// Name is what a kind is called.
func (k Kind) Name() string {
	return map[Kind]string{KindGrant: "共享授权", KindSystem: "接入系统", KindPerson: "操作人", KindMatter: "事项"}[k]
}

// Meter (计量对象) is one grant, system, person or matter.
type Meter struct {
	Kind Kind   `json:"kind" enum:"grant,system,person,matter"`
	ID   string `json:"id"`
}

func (m Meter) compare(other Meter) int {
	return cmp.Or(cmp.Compare(m.Kind, other.Kind), cmp.Compare(m.ID, other.ID))
}

// Tally (用量) is what is added to a meter in a window.
type Tally struct {
	Meter
	Window
	Calls    int64
	Subjects []string // distinct, by keyed digest, in order
	Outcomes int64
	Unknown  int64 // outcomes that found nobody of that number and name
}

// Add adds what another adds to the same meter in the same window.
func (t *Tally) Add(other *Tally) {
	t.Calls, t.Outcomes, t.Unknown = t.Calls+other.Calls, t.Outcomes+other.Outcomes, t.Unknown+other.Unknown
	if len(other.Subjects) > 0 {
		t.Subjects = slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Subjects, other.Subjects))))
	}
}

// SortTallies puts tallies in the order in which they are counted.
func SortTallies(tallies []Tally) {
	slices.SortFunc(tallies, func(a, b Tally) int {
		return cmp.Or(a.compare(b.Meter), cmp.Compare(a.Span, b.Span), a.Start.Compare(b.Start))
	})
}

// Total (累计用量) is what a meter has come to in a window.
type Total struct {
	Meter
	Window
	Calls    int64 `json:"calls"`
	Subjects int64 `json:"subjects"`
	Outcomes int64 `json:"outcomes"`
	Unknown  int64 `json:"unknown"`
}

// CountIntents says what the questions of a round add. A question counts once for each meter; subjects are whom each is about, as
// keyed digests, or empty. The order is always the same, so that two that count
// at once do not wait for each other in a ring.
func CountIntents(intents []ledger.Entry, subjects []string) []Tally {
	calls := map[Meter]int64{}
	about := map[Meter]map[string]bool{}
	for i := range intents {
		for _, m := range metersOf(&intents[i]) {
			calls[m]++
			if about[m] == nil {
				about[m] = map[string]bool{}
			}
			if subjects[i] != "" {
				about[m][subjects[i]] = true
			}
		}
	}
	var out []Tally
	for _, m := range slices.SortedFunc(maps.Keys(calls), Meter.compare) {
		for _, span := range []Span{SpanDay, SpanHour} {
			out = append(out, Tally{
				Meter: m, Window: WindowAt(span, intents[0].At), Calls: calls[m], Subjects: slices.Sorted(maps.Keys(about[m])),
			})
		}
	}
	return out
}

// metersOf are what a look-up counts for, each once.
func metersOf(e *ledger.Entry) []Meter {
	all := append(actors(e), Meter{KindGrant, e.Grant}, Meter{KindMatter, e.Matter})
	for _, also := range e.Also {
		all = append(all, Meter{KindGrant, also.Grant}, Meter{KindMatter, also.Matter})
	}
	all = slices.DeleteFunc(all, func(m Meter) bool { return m.ID == "" })
	slices.SortFunc(all, Meter.compare)
	return slices.Compact(all)
}

// actors are who made a look-up.
func actors(e *ledger.Entry) []Meter {
	return []Meter{{KindSystem, e.System}, {KindPerson, e.Person}}
}

// CountOutcomes says what the outcomes among some entries add, by hours. An
// officer's answer is none of it: a person looked.
func CountOutcomes(entries []ledger.Entry) []Tally {
	byMeter := map[Meter]*Tally{}
	for i := range entries {
		e := &entries[i]
		if e.Kind != ledger.Outcome || e.Mode == string(catalog.ModeAssist) {
			continue
		}
		for _, m := range actors(e) {
			if m.ID == "" {
				continue
			}
			if byMeter[m] == nil {
				byMeter[m] = &Tally{Meter: m, Window: WindowAt(SpanHour, e.At)}
			}
			byMeter[m].Outcomes++
			if e.Result == string(policies.NotFound) || e.Result == string(policies.Mismatch) {
				byMeter[m].Unknown++
			}
		}
	}
	var out []Tally
	for _, m := range slices.SortedFunc(maps.Keys(byMeter), Meter.compare) {
		out = append(out, *byMeter[m])
	}
	return out
}
