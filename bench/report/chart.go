package report

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Bars is a chart of groups of lying bars, one group below the other.
type Bars struct {
	Title  string
	Unit   string // stands behind the values, such as "ms"
	Groups []Group
	// Log has the lengths follow the logarithm, for values that lie far apart.
	Log bool
}

// Group is some bars under a heading.
type Group struct {
	Name string
	Bars []Bar
}

// Bar is one value.
type Bar struct {
	Name  string
	Value float64
	Ours  bool // it is the one that the page is about
}

// Sizes of the charts, in units of the picture.
const (
	width      = 760
	labelWidth = 230
	valueWidth = 110
	barHeight  = 20
	barStep    = 26
	headHeight = 34
	groupGap   = 14
	margin     = 14
)

// style follows the page: dark where the reader has chosen dark.
const style = `<style>
text{font:13px system-ui,"Noto Sans CJK SC",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.group{font-weight:600}
.ground{fill:#ffffff;stroke:#d1d9e0}.bar{fill:#8c959f}.ours{fill:#0969da}.line{stroke:#d1d9e0}
.s0{stroke:#0969da;fill:#0969da}.s1{stroke:#bc4c00;fill:#bc4c00}.s2{stroke:#1a7f37;fill:#1a7f37}.s3{stroke:#8250df;fill:#8250df}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.ground{fill:#0d1117;stroke:#3d444d}.bar{fill:#656c76}.ours{fill:#4493f8}.line{stroke:#3d444d}
.s0{stroke:#4493f8;fill:#4493f8}.s1{stroke:#f0883e;fill:#f0883e}.s2{stroke:#3fb950;fill:#3fb950}.s3{stroke:#ab7df8;fill:#ab7df8}}
</style>`

// SVG draws the chart.
func (c *Bars) SVG() []byte {
	height := margin + headHeight
	for _, g := range c.Groups {
		height += headHeight + len(g.Bars)*barStep + groupGap
	}
	var b strings.Builder
	open(&b, c.Title, width, height)
	y := margin + headHeight
	for _, g := range c.Groups {
		fmt.Fprintf(&b, `<text class="group" x="%d" y="%d">%s</text>`+"\n", margin, y+18, html.EscapeString(g.Name))
		y += headHeight
		for _, bar := range g.Bars {
			c.bar(&b, bar, y, g.most())
			y += barStep
		}
		y += groupGap
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (g Group) most() float64 {
	most := 0.0
	for _, bar := range g.Bars {
		most = max(most, bar.Value)
	}
	return most
}

func (c *Bars) bar(b *strings.Builder, bar Bar, y int, most float64) {
	class, room := "bar", float64(width-2*margin-labelWidth-valueWidth)
	if bar.Ours {
		class = "ours"
	}
	length := 0.0
	switch {
	case most <= 0:
	case c.Log:
		length = room * math.Log1p(bar.Value) / math.Log1p(most)
	default:
		length = room * bar.Value / most
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, margin+labelWidth-10, y+15, html.EscapeString(bar.Name))
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="3"/>`, class, margin+labelWidth, y, max(length, 1), barHeight)
	fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", float64(margin+labelWidth)+max(length, 1)+8, y+15, html.EscapeString(strings.TrimSpace(Short(bar.Value)+" "+c.Unit)))
}

// Lines is a chart of one value over sizes that grow tenfold.
type Lines struct {
	Title string
	Unit  string
	// Series are drawn in one picture, each with a line of its own.
	Series []Series
}

// Series is one line.
type Series struct {
	Name   string
	Points []Point
}

// Point is the value at one size.
type Point struct{ Size, Value float64 }

const (
	plotHeight = 260
	plotLeft   = 70
	keyHeight  = 24
)

// SVG draws the chart: sizes by their logarithm, values from zero.
func (c *Lines) SVG() []byte {
	least, most, top := math.Inf(1), 0.0, 0.0
	for _, s := range c.Series {
		for _, p := range s.Points {
			least, most, top = min(least, p.Size), max(most, p.Size), max(top, p.Value)
		}
	}
	height := margin + headHeight + plotHeight + 40 + keyHeight*len(c.Series) + margin
	var b strings.Builder
	open(&b, c.Title, width, height)
	ground := margin + headHeight + plotHeight
	x := func(size float64) float64 {
		return plotLeft + (width-plotLeft-2*margin)*(math.Log10(size)-math.Log10(least))/max(math.Log10(most)-math.Log10(least), 1)
	}
	y := func(value float64) float64 { return float64(ground) - plotHeight*value/max(top*1.08, 1e-9) }
	for i := range 5 {
		value := top * float64(i) / 4
		fmt.Fprintf(&b, `<line class="line" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, width-margin, y(value), y(value), plotLeft-8, y(value)+4, Short(value))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`+"\n", margin, margin+headHeight-2, html.EscapeString(c.Unit))
	for size := least; size <= most*1.001 && size > 0; size *= 10 {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(size), ground+20, Thousands(size))
	}
	for i, s := range c.Series {
		var points []string
		for _, p := range s.Points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(p.Size), y(p.Value)))
			fmt.Fprintf(&b, `<circle class="s%d" cx="%.1f" cy="%.1f" r="4"/>`, i%4, x(p.Size), y(p.Value))
		}
		fmt.Fprintf(&b, `<polyline class="s%d" points="%s" style="fill:none" stroke-width="2"/>`+"\n", i%4, strings.Join(points, " "))
		at := ground + 44 + keyHeight*i
		fmt.Fprintf(&b, `<rect class="s%d" x="%d" y="%d" width="14" height="14" rx="3"/><text x="%d" y="%d">%s</text>`+"\n", i%4, plotLeft, at-12, plotLeft+22, at, html.EscapeString(s.Name))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func open(b *strings.Builder, title string, width, height int) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n%s\n",
		width, height, width, height, html.EscapeString(title), style)
	fmt.Fprintf(b, `<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", width-1, height-1)
	fmt.Fprintf(b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, margin+16, html.EscapeString(title))
}

// Short writes a value with about three digits.
func Short(value float64) string {
	switch {
	case value == 0:
		return "0"
	case math.Abs(value) >= 100:
		return Thousands(math.Round(value))
	case math.Abs(value) >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

// Thousands writes a whole number with a space between its thousands.
func Thousands(value float64) string {
	digits := strconv.FormatFloat(value, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
