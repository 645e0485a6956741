package reduction

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Chart (减材料图) is bars, one for each row, worked out: what a page or Chart.SVG draws.
// A bar is as long as the row has materials, and is divided by what becomes of them.
type Chart struct {
	Width, Height int
	Bars          []Bar
	Keys          []Class // the classes that occur, in their order
	// Left out are the rows for which there was no room.
	LeftOut int
}

// Bar (一行的条) is one row of a chart.
type Bar struct {
	Code, Name string
	Y          int
	Parts      []Part
	// Text says the numbers, and is written at TextX.
	Text  string
	TextX float64
}

// Part (条的一段) is one class of a bar.
type Part struct {
	Class    Class
	N        int
	X, Width float64
}

// The sizes of a chart, in its own units.
const (
	chartWidth = 960
	nameWidth  = 300
	textWidth  = 170
	barHeight  = 18
	rowHeight  = 30
	headHeight = 40
	mostBars   = 60
)

// Draw works out a chart of rows. Names of more than 20 characters are cut.
func Draw(rows []ReportRow) Chart {
	c := Chart{Width: chartWidth}
	if len(rows) > mostBars {
		c.LeftOut = len(rows) - mostBars
		rows = rows[:mostBars]
	}
	most, occurs := 1, map[Class]bool{}
	for i := range rows {
		most = max(most, rows[i].Materials)
	}
	unit := float64(chartWidth-nameWidth-textWidth) / float64(most)
	for i := range rows {
		r := &rows[i]
		bar := Bar{Code: r.Code, Name: short(r.Name), Y: headHeight + i*rowHeight, TextX: nameWidth}
		for _, class := range Classes() {
			n := r.Of(class)
			if n == 0 {
				continue
			}
			occurs[class] = true
			part := Part{Class: class, N: n, X: bar.TextX, Width: float64(n) * unit}
			bar.TextX += part.Width
			bar.Parts = append(bar.Parts, part)
		}
		bar.Text = fmt.Sprintf("%d → %d", r.Materials, r.Still)
		c.Bars = append(c.Bars, bar)
	}
	for _, class := range Classes() {
		if occurs[class] {
			c.Keys = append(c.Keys, class)
		}
	}
	c.Height = headHeight + len(rows)*rowHeight + 10
	return c
}

func short(name string) string {
	const most = 20
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

// color is that of a class on white; each is told from its neighbours in grey too.
func color(class Class) string {
	return map[Class]string{
		Cancelled: "#c5d5e4", Joined: "#9ab6d1", Exempt: "#3f77a8", Committed: "#7fa87f", Deferred: "#e0b45c", Uploaded: "#c0563b",
	}[class]
}

// SVG writes the chart as a picture of its own, with what it shows as its title.
func (c *Chart) SVG(title string) []byte {
	var w bytes.Buffer // never fails
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="13"><title>`, c.Width, c.Height, c.Width, c.Height)
	text(&w, title)
	fmt.Fprintf(&w, `</title><rect width="%d" height="%d" fill="#ffffff"/>`, c.Width, c.Height)
	for i, class := range c.Keys {
		x := 10 + i*110
		fmt.Fprintf(&w, `<rect x="%d" y="12" width="14" height="14" fill="%s"/><text x="%d" y="24">`, x, color(class), x+20)
		text(&w, class.Name())
		w.WriteString(`</text>`)
	}
	for _, bar := range c.Bars {
		fmt.Fprintf(&w, `<text x="%d" y="%d" text-anchor="end">`, nameWidth-8, bar.Y+barHeight-4)
		text(&w, bar.Name)
		w.WriteString(`</text>`)
		for _, p := range bar.Parts {
			fmt.Fprintf(&w, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>`, p.X, bar.Y, p.Width, barHeight, color(p.Class))
			text(&w, fmt.Sprintf("%s %d", p.Class.Name(), p.N))
			w.WriteString(`</title></rect>`)
		}
		fmt.Fprintf(&w, `<text x="%.1f" y="%d">`, bar.TextX+8, bar.Y+barHeight-4)
		text(&w, bar.Text)
		w.WriteString(`</text>`)
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}

func text(w *bytes.Buffer, of string) {
	_ = xml.EscapeText(w, []byte(of)) // a bytes.Buffer never fails
}
