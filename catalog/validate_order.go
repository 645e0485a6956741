package catalog

import (
	"slices"
	"strings"
)

// validateOrder reports every cycle of matters that wait for each other.
func (l *loader) validateOrder(o *oneThingFile) {
	search := cycleSearch{loader: l, file: o, state: map[string]int{}, reported: map[string]bool{}}
	for i := range o.Matters {
		search.visit(i)
	}
}

// cycleSearch goes along after and prior, depth first.
type cycleSearch struct {
	loader *loader
	file   *oneThingFile
	state  map[string]int // 0 not seen, 1 on the path, 2 done
	path   []string
	// reported keeps a cycle that several materials close from being told again.
	reported map[string]bool
}

func (c *cycleSearch) visit(i int) {
	m := &c.file.Matters[i]
	if m.Code == "" || c.state[m.Code] != 0 {
		return
	}
	c.state[m.Code] = 1
	c.path = append(c.path, m.Code)
	at := c.file.at.in("matters", i)
	for j, code := range m.After {
		c.follow(at.in("after", j), code)
	}
	for j := range m.Materials {
		for k, code := range m.Materials[j].Prior {
			c.follow(at.in("materials", j, "prior", k), code)
		}
	}
	c.path = c.path[:len(c.path)-1]
	c.state[m.Code] = 2
}

func (c *cycleSearch) follow(at spot, code string) {
	if c.state[code] == 1 {
		cycle := strings.Join(append(slices.Clone(c.path[slices.Index(c.path, code):]), code), " → ")
		if !c.reported[cycle] {
			c.reported[cycle] = true
			c.loader.report(at, "matter-cycle", "事项互相等待：%s", cycle)
		}
		return
	}
	next := slices.IndexFunc(c.file.Matters, func(m Matter) bool { return m.Code == code })
	if next >= 0 {
		c.visit(next)
	}
}
