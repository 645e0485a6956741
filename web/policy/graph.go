package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mianti/catalog"
)

// The measures of a drawing, in its own units.
const (
	nodeWidth  = 176
	nodeHeight = 58
	layerGap   = 64
	rowGap     = 18
	margin     = 10
	lineLength = 11 // characters of a name on one line
	mostDrawn  = 60 // matters; more are listed only
)

// graph is the matters of a one-thing, drawn: each in the layer after all that it
// waits for, and a line from a matter to whoever waits for it.
type graph struct {
	Width, Height int
	Nodes         []node
	Edges         []edge
	Conditional   bool // some matters depend on the situation
	Fed           bool // some lines carry a result
}

// node is a matter in the drawing.
type node struct {
	X, Y        int
	Code, Title string
	Lines       []string
	Conditional bool
}

// edge is a line; Feeds says that the result is a material of the later matter.
type edge struct {
	Path     string
	Feeds    bool
	From, To string
}

// layersOf puts the matters of a one-thing in layers: each in the first one after
// all that it waits for, by after and by prior. The loader has refused cycles.
func layersOf(thing *catalog.OneThing) [][]*catalog.Matter {
	at := map[string]int{}
	var depth func(m *catalog.Matter) int
	depth = func(m *catalog.Matter) int {
		if known, done := at[m.Code]; done {
			return known
		}
		at[m.Code] = 0
		deepest := 0
		for _, code := range waitsFor(m) {
			if i := slices.IndexFunc(thing.Matters, func(x catalog.Matter) bool { return x.Code == code }); i >= 0 {
				deepest = max(deepest, depth(&thing.Matters[i])+1)
			}
		}
		at[m.Code] = deepest
		return deepest
	}
	var layers [][]*catalog.Matter
	for i := range thing.Matters {
		m := &thing.Matters[i]
		for len(layers) <= depth(m) {
			layers = append(layers, nil)
		}
	}
	for i := range thing.Matters {
		m := &thing.Matters[i]
		layers[at[m.Code]] = append(layers[at[m.Code]], m)
	}
	return layers
}

// waitsFor are the matters that come before one, each once.
func waitsFor(m *catalog.Matter) []string {
	codes := slices.Clone(m.After)
	for i := range m.Materials {
		codes = append(codes, m.Materials[i].Prior...)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func feeds(from string, to *catalog.Matter) bool {
	return slices.ContainsFunc(to.Materials, func(m catalog.Material) bool { return slices.Contains(m.Prior, from) })
}

// newGraph draws a one-thing; nil where there is nothing to draw.
func newGraph(thing *catalog.OneThing) *graph {
	if len(thing.Matters) < 2 || len(thing.Matters) > mostDrawn {
		return nil
	}
	layers := layersOf(thing)
	l := newLayout(thing, layers)
	for range 6 {
		l.sweep()
	}
	return l.draw()
}

// place is a matter, or a point where a line passes through a layer.
type place struct {
	matter     *catalog.Matter // nil for a point
	layer, row int
	y          int
	up, down   []*place
}

// link is a line with all the places on its way.
type link struct {
	way   []*place
	feeds bool
}

// layout orders the places of each layer so that lines cross little.
type layout struct {
	layers [][]*place
	links  []link
}

func newLayout(thing *catalog.OneThing, layers [][]*catalog.Matter) *layout {
	l := &layout{layers: make([][]*place, len(layers))}
	at := map[string]*place{}
	for i, layer := range layers {
		for _, m := range layer {
			p := &place{matter: m, layer: i}
			at[m.Code], l.layers[i] = p, append(l.layers[i], p)
		}
	}
	for i := range thing.Matters {
		to := &thing.Matters[i]
		before := waitsFor(to)
		for _, code := range before {
			from := at[code]
			fed := from != nil && feeds(code, to)
			if from == nil || !fed && implied(at, before, code) {
				continue
			}
			l.connect(from, at[to.Code], fed)
		}
	}
	return l
}

// implied reports whether another of those before comes after the one already: its
// line would say nothing.
func implied(at map[string]*place, before []string, code string) bool {
	seen := map[string]bool{}
	var reaches func(from string) bool
	reaches = func(from string) bool {
		p := at[from]
		if p == nil || seen[from] {
			return false
		}
		seen[from] = true
		return slices.ContainsFunc(waitsFor(p.matter), func(c string) bool { return c == code || reaches(c) })
	}
	return slices.ContainsFunc(before, func(c string) bool { return c != code && reaches(c) })
}

// connect makes a line, with a point in each layer that it passes through.
func (l *layout) connect(from, to *place, fed bool) {
	way := []*place{from}
	for i := from.layer + 1; i < to.layer; i++ {
		p := &place{layer: i}
		l.layers[i] = append(l.layers[i], p)
		way = append(way, p)
	}
	way = append(way, to)
	for i := 1; i < len(way); i++ {
		way[i-1].down, way[i].up = append(way[i-1].down, way[i]), append(way[i].up, way[i-1])
	}
	l.links = append(l.links, link{way, fed})
}

// sweep goes through the layers forth and back, and puts each place where its
// neighbours are on average.
func (l *layout) sweep() {
	l.number()
	for i := 1; i < len(l.layers); i++ {
		l.arrange(i, func(p *place) []*place { return p.up })
	}
	for i := len(l.layers) - 2; i >= 0; i-- {
		l.arrange(i, func(p *place) []*place { return p.down })
	}
}

func (l *layout) number() {
	for _, layer := range l.layers {
		for row, p := range layer {
			p.row = row
		}
	}
}

func (l *layout) arrange(i int, neighbours func(*place) []*place) {
	weight := map[*place]float64{}
	for _, p := range l.layers[i] {
		near := neighbours(p)
		weight[p] = float64(p.row)
		if len(near) > 0 {
			sum := 0
			for _, n := range near {
				sum += n.row
			}
			weight[p] = float64(sum) / float64(len(near))
		}
	}
	slices.SortStableFunc(l.layers[i], func(a, b *place) int {
		switch {
		case weight[a] < weight[b]:
			return -1
		case weight[a] > weight[b]:
			return 1
		}
		return 0
	})
	for row, p := range l.layers[i] {
		p.row = row
	}
}

// heightOf is what a place takes of its layer; a line needs less than a matter.
func (p *place) heightOf() int {
	if p.matter == nil {
		return 8
	}
	return nodeHeight
}

// draw gives each place its measures, each layer centred.
func (l *layout) draw() *graph {
	g := &graph{Width: 2*margin + len(l.layers)*nodeWidth + (len(l.layers)-1)*layerGap}
	heights := make([]int, len(l.layers))
	for i, layer := range l.layers {
		for _, p := range layer {
			heights[i] += p.heightOf() + rowGap
		}
		g.Height = max(g.Height, heights[i]-rowGap)
	}
	for i, layer := range l.layers {
		y := margin + (g.Height-(heights[i]-rowGap))/2
		for _, p := range layer {
			p.y = y
			y += p.heightOf() + rowGap
		}
	}
	g.Height += 2 * margin
	for _, layer := range l.layers {
		for _, p := range layer {
			if p.matter != nil {
				g.Nodes = append(g.Nodes, node{
					X: p.x(), Y: p.y, Code: p.matter.Code, Title: p.matter.Name, Lines: lines(p.matter.Name), Conditional: p.matter.When != "",
				})
				g.Conditional = g.Conditional || p.matter.When != ""
			}
		}
	}
	for _, one := range l.links {
		g.Edges = append(g.Edges, edge{Path: pathOf(one.way), Feeds: one.feeds, From: one.way[0].matter.Code, To: one.way[len(one.way)-1].matter.Code})
		g.Fed = g.Fed || one.feeds
	}
	return g
}

func (p *place) x() int { return margin + p.layer*(nodeWidth+layerGap) }

func (p *place) middle() int { return p.y + p.heightOf()/2 }

// pathOf draws a line from the right of its first place to the left of its last.
func pathOf(way []*place) string {
	var out strings.Builder
	x, y := way[0].x()+nodeWidth, way[0].middle()
	fmt.Fprintf(&out, "M%d %d", x, y)
	for _, p := range way[1:] {
		bend := layerGap / 2
		fmt.Fprintf(&out, " C%d %d %d %d %d %d", x+bend, y, p.x()-bend, p.middle(), p.x(), p.middle())
		x, y = p.x(), p.middle()
		if p.matter == nil {
			x += nodeWidth
			fmt.Fprintf(&out, " H%d", x)
		}
	}
	return out.String()
}

// lines breaks a name into two lines at most; the whole of it is in the title.
func lines(name string) []string {
	name, _, _ = strings.Cut(name, "(")
	if utf8.RuneCountInString(name) <= lineLength {
		return []string{name}
	}
	runes := []rune(name)
	if len(runes) <= 2*lineLength {
		half := (len(runes) + 1) / 2
		return []string{string(runes[:half]), string(runes[half:])}
	}
	return []string{string(runes[:lineLength]), string(runes[lineLength:2*lineLength-1]) + "…"}
}
