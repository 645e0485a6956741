package citizen

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"mianti/internal/fault"
	"mianti/ledger"
)

// Leaf (存证叶) is an entry as the log holds it: the entry's JSON, and the links of
// those whom it concerns.
type Leaf struct {
	Index int64           `json:"index"`
	Entry json.RawMessage `json:"entry"`
	Links []string        `json:"links"`
}

// Checked (核对结果) is what came of holding an export against the log.
type Checked struct {
	Sealed   int      // accesses of the export that are sealed, and were found
	Unsealed int      // that were not sealed yet when it was made
	Later    int      // in the log, made after the export
	Faults   []string // in words; none when the list is complete
}

// afterCount is how many links after the last one are looked for.
const afterCount = 1000

// Check holds an export against leaves of the log, in any order. Each access that
// counts must be in the log and in the export, as the same act; and what follows
// in the log must be later than the export. Whether the leaves are the log is not
// looked at here.
func Check(export *OwnExport, leaves func(yield func(Leaf) bool)) (*Checked, error) {
	key, err := base64.StdEncoding.DecodeString(export.Check.Key)
	if err != nil || len(key) == 0 {
		return nil, fault.New(fault.Invalid, "no-access-key", "导出文件里没有查阅密钥：与您有关的存证还没有封存。请稍后重新导出。")
	}
	count := int(export.Check.Count)
	nth := map[string]int{}
	for i, link := range ledger.Links(key, count+afterCount) {
		nth[link] = i + 1
	}
	c := checking{export: export, count: count, found: map[int]Leaf{}, out: &Checked{}}
	for leaf := range leaves {
		for _, link := range leaf.Links {
			if n := nth[link]; n > 0 {
				c.found[n] = leaf
			}
		}
	}
	c.listed(nth)
	c.complete()
	return c.out, nil
}

type checking struct {
	export *OwnExport
	count  int
	found  map[int]Leaf
	shown  map[int]bool
	out    *Checked
}

func (c *checking) fault(text string, args ...any) {
	c.out.Faults = append(c.out.Faults, fmt.Sprintf(text, args...))
}

// listed looks for each access of the export in the log.
func (c *checking) listed(nth map[string]int) {
	c.shown = map[int]bool{}
	for i := range c.export.Accesses {
		for _, p := range c.export.Accesses[i].Proof {
			if p.Nth == 0 {
				c.out.Unsealed++
				continue
			}
			n := int(p.Nth)
			if nth[p.Link] != n {
				c.fault("清单中的存证 %s 自称第 %d 条，它的查阅链却不是第 %d 条的", p.Entry, n, n)
				continue
			}
			c.shown[n] = true
			leaf, there := c.found[n]
			if !there {
				c.fault("清单中的存证 %s（第 %d 条）不在日志中", p.Entry, n)
				continue
			}
			c.same(&c.export.Accesses[i], p, leaf)
		}
	}
}

// same reports an access that the log has as another act.
func (c *checking) same(a *Access, p AccessProof, leaf Leaf) {
	var e ledger.Entry
	if err := json.NewDecoder(bytes.NewReader(leaf.Entry)).Decode(&e); err != nil {
		c.fault("日志第 %d 条不能读取", leaf.Index)
		return
	}
	fieldsAsLogged := len(e.Fields) == len(a.Fields)
	for i := range min(len(e.Fields), len(a.Fields)) {
		fieldsAsLogged = fieldsAsLogged && e.Fields[i] == a.Fields[i].Code
	}
	at := a.At
	if p.Kind == string(ledger.Outcome) && a.EndedAt != nil {
		at = *a.EndedAt
	}
	if string(e.Kind) != p.Kind || e.Case != a.Case || e.Dataset != a.Dataset || !e.At.Equal(at) || !fieldsAsLogged || (!a.Who.Self && e.Department != a.Who.Department) {
		c.fault("存证 %s（第 %d 条）在清单中与在日志中（第 %d 条）不同", p.Entry, p.Nth, leaf.Index)
		return
	}
	c.out.Sealed++
}

// complete looks for what the log has and the export has not.
func (c *checking) complete() {
	for n := 1; n <= c.count; n++ {
		if _, there := c.found[n]; !there && !c.shown[n] {
			c.fault("第 %d 条既不在日志中，也不在清单中", n)
		} else if !c.shown[n] {
			c.fault("清单缺了第 %d 条：它在日志的第 %d 条", n, c.found[n].Index)
		}
	}
	later := []int{}
	for n := range c.found {
		if n > c.count {
			later = append(later, n)
		}
	}
	slices.Sort(later)
	for _, n := range later {
		var e ledger.Entry
		if err := json.Unmarshal(c.found[n].Entry, &e); err != nil || e.At.Before(c.export.MadeAt) && !c.unsealed(e) {
			c.fault("日志中还有第 %d 条，清单没有：日志的第 %d 条", n, c.found[n].Index)
			continue
		}
		c.out.Later++
	}
}

// unsealed reports whether the export lists an entry that was not sealed yet.
func (c *checking) unsealed(e ledger.Entry) bool {
	return slices.ContainsFunc(c.export.Accesses, func(a Access) bool {
		return slices.ContainsFunc(a.Proof, func(p AccessProof) bool {
			return p.Nth == 0 && p.Kind == string(e.Kind) && a.Case == e.Case && a.Dataset == e.Dataset
		})
	})
}
