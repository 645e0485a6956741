package figures

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/policies"
)

// Way (提交情况) is what became of one material that a matter asks for, in a case
// that is finished.
type Way string

// The ways. Only the first is exempt.
const (
	Exempt        Way = "exempt"         // 免提交
	Committed     Way = "committed"      // 以承诺代替
	Chosen        Way = "chosen"         // 申请人选择自行提交
	Uploaded      Way = "upload"         // 仍需提交
	Later         Way = "later"          // 容缺后补
	Unsettled     Way = "unsettled"      // 办结时没有结论
	NotApplicable Way = "not_applicable" // 不适用
)

// ways gives them in the order in which they are told.
func ways() []Way { return []Way{Exempt, Committed, Chosen, Uploaded, Later, Unsettled, NotApplicable} }

// Name says it in words.
func (w Way) Name() string {
	names := map[Way]string{Exempt: "免提交", Committed: "以承诺代替", Chosen: "申请人选择自行提交", Uploaded: "仍需提交", Later: "容缺后补", Unsettled: "办结时没有结论", NotApplicable: "不适用"}
	return names[w]
}

// MaterialCount (材料计数) is how often materials went one way. What a count was
// added up over is empty.
type MaterialCount struct {
	Day        string
	Department string // the matter's
	Matter     string
	OneThing   string // of the case; empty for a single matter's
	Material   string
	Way        Way
	Mode       string // that settled it
	Reason     string // why it did not go without; empty where it did
	N          int
}

// CaseCount (办件计数) is how many cases ended. AtOnce are those for which nobody
// was asked for another paper after the first answer.
type CaseCount struct {
	Day        string
	Department string // that took the case
	Subject    string // its one-thing or matter
	Finished   int
	AtOnce     int
	Withdrawn  int
}

// Finished (办结办件) is a case whose purpose is done, as it is counted.
type Finished struct {
	Case       string
	Department string
	Subject    string
	Revision   int
	DoneAt     time.Time
	Withdrawn  bool
	// First is the first version of its first resolution; nil when it has none.
	First *exchange.Resolution
	// Resolutions are the last versions of all, in their order.
	Resolutions []*exchange.Resolution
}

// Count counts one finished case. It is pure. A case that was withdrawn or never
// resolved says nothing of materials.
func Count(c *Finished, rev *catalog.Revision) ([]MaterialCount, CaseCount) {
	of := CaseCount{Day: day(c.DoneAt), Department: c.Department, Subject: c.Subject}
	if c.Withdrawn {
		of.Withdrawn = 1
		return nil, of
	}
	if c.First == nil || len(c.Resolutions) == 0 {
		return nil, of
	}
	of.Finished = 1
	if askedOnce(c) {
		of.AtOnce = 1
	}
	matters := mattersOf(c, rev)
	last := c.Resolutions[len(c.Resolutions)-1]
	counts := map[MaterialCount]int{}
	for key, ended := range conclusions(c) {
		one := MaterialCount{Day: of.Day, OneThing: last.OneThing, Material: key.material, Way: ended.way, Mode: ended.mode, Reason: ended.reason}
		if matter := matters[key.material]; matter != nil {
			one.Matter, one.Department = matter.Code, matter.Department
		}
		counts[one]++
	}
	out := make([]MaterialCount, 0, len(counts))
	for one, n := range counts {
		one.N = n
		out = append(out, one)
	}
	slices.SortFunc(out, compareCounts)
	return out, of
}

// compareCounts orders counts by what tells them apart, so that those who add to
// the same ones do not wait for each other in a circle.
func compareCounts(a, b MaterialCount) int {
	return cmp.Or(
		strings.Compare(a.Day, b.Day), strings.Compare(a.Department, b.Department), strings.Compare(a.Matter, b.Matter), strings.Compare(a.OneThing, b.OneThing),
		strings.Compare(a.Material, b.Material), strings.Compare(string(a.Way), string(b.Way)), strings.Compare(a.Mode, b.Mode), strings.Compare(a.Reason, b.Reason),
	)
}

// mattersOf gives the matters of a case's materials.
func mattersOf(c *Finished, rev *catalog.Revision) map[string]*catalog.Matter {
	out := map[string]*catalog.Matter{}
	for _, r := range c.Resolutions {
		for _, state := range r.Matters {
			matter := rev.Matter(state.Code)
			if matter == nil {
				continue
			}
			for i := range matter.Materials {
				out[matter.Materials[i].Code] = matter
			}
		}
	}
	return out
}

// asking is one material of one matter, of one party.
type asking struct{ material, party string }

type conclusion struct {
	way          Way
	mode, reason string
}

// conclusions gives what became of each asking of a case: what its last
// resolution says, or where that says no more than that the matter is decided,
// the last one before it that says something.
func conclusions(c *Finished) map[asking]conclusion {
	known, last := map[asking]conclusion{}, map[asking]bool{}
	for _, r := range c.Resolutions {
		clear(last)
		for i := range r.Materials {
			m := &r.Materials[i]
			now := conclude(m)
			for _, use := range m.UsedBy {
				key := asking{material: use}
				if m.Subject != nil {
					key.party = m.Subject.Party
				}
				last[key] = true
				before, had := known[key]
				decided := m.Reason.Code == policies.ReasonMatterDecided
				handedIn := before.way == Uploaded && now.mode == string(catalog.ModeHistory)
				if !had || !decided && !handedIn {
					known[key] = now
				}
			}
		}
	}
	for key := range known {
		if !last[key] { // the case no longer asks for it
			delete(known, key)
		}
	}
	return known
}

func conclude(m *exchange.MaterialResult) conclusion {
	out := conclusion{way: Unsettled, mode: string(m.Mode), reason: string(m.Reason.Code)}
	switch m.Outcome {
	case policies.Settled:
		out.way, out.reason = Exempt, ""
	case policies.Committed:
		out.way, out.reason = Committed, ""
	case policies.Deferred:
		out.way = Later
	case policies.NotApplicable:
		out.way, out.mode, out.reason = NotApplicable, "", ""
	case policies.Upload:
		out.way, out.mode = Uploaded, ""
		if m.Reason.Code == policies.ReasonChosePaper || m.Reason.Code == policies.ReasonConsentRefused {
			out.way = Chosen
		}
	default: // still open when the case ended
		out.mode = ""
	}
	return out
}

// askedOnce reports whether no later answer asks for a paper that the first does
// not.
func askedOnce(c *Finished) bool {
	first := map[exchange.Paper]bool{}
	for _, p := range c.First.Papers {
		first[exchange.Paper{Code: p.Code, Party: p.Party}] = true
	}
	return !slices.ContainsFunc(c.Resolutions, func(r *exchange.Resolution) bool {
		return slices.ContainsFunc(r.Papers, func(p exchange.Paper) bool { return !first[exchange.Paper{Code: p.Code, Party: p.Party}] })
	})
}
