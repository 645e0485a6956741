package overview

import (
	"fmt"
	"strings"
	"time"

	"mianti/figures"
)

// chart is a line over bars, worked out: what the template draws.
type chart struct {
	Width, Height int
	// Left, Right, Top and Bottom are the edges of what is drawn in.
	Left, Right, Top, Bottom float64
	Bars                     []bar
	Lines                    []string // runs of points; a day on which nothing ended breaks one
	Dots                     []dot
	Levels                   []mark // of the share
	Days                     []mark
	Most                     int // what the highest bar stands for
}

type bar struct{ X, Y, Width, Height float64 }

type dot struct{ X, Y float64 }

// mark is a label of an axis.
type mark struct {
	X, Y float64
	Text string
}

// The most days that are drawn one by one, and the most weeks.
const (
	mostDays  = 92
	mostWeeks = 70
)

// gather puts days together where there are too many to be drawn one by one: into
// weeks that begin on the first day, or into months.
func gather(days []figures.Point) (points []figures.Point, each string) {
	if len(days) <= mostDays {
		return days, "日"
	}
	key, each := func(i int, _ figures.Point) string { return days[i/7*7].Day }, "周"
	if len(days) > mostWeeks*7 {
		key, each = func(_ int, p figures.Point) string { return p.Day[:len("2026-11")] }, "月"
	}
	for i, day := range days {
		k := key(i, day)
		if n := len(points); n == 0 || points[n-1].Day != k {
			points = append(points, figures.Point{Day: k})
		}
		last := &points[len(points)-1]
		last.Exempt += day.Exempt
		last.Applicable += day.Applicable
	}
	return points, each
}

// draw works a chart out: the share as a line from 0 to 100 %, and how much was
// asked for as bars behind it.
func draw(points []figures.Point, width, height int) chart {
	c := chart{Width: width, Height: height, Left: 58, Right: float64(width) - 10, Top: 14, Bottom: float64(height) - 34}
	for _, p := range points {
		c.Most = max(c.Most, p.Applicable)
	}
	for level := 0; level <= 100; level += 25 {
		c.Levels = append(c.Levels, mark{X: c.Left, Y: c.y(float64(level) / 100), Text: fmt.Sprintf("%d%%", level)})
	}
	if len(points) == 0 {
		return c
	}
	step := (c.Right - c.Left) / float64(len(points))
	var run []string
	end := func() {
		if len(run) > 0 {
			c.Lines = append(c.Lines, strings.Join(run, " "))
		}
		run = nil
	}
	for i, p := range points {
		x := c.Left + (float64(i)+.5)*step
		if p.Applicable == 0 {
			end()
			continue
		}
		high := (c.Bottom - c.Top) * .45 * float64(p.Applicable) / float64(c.Most)
		c.Bars = append(c.Bars, bar{X: round(x - step*.35), Y: round(c.Bottom - high), Width: round(step * .7), Height: round(high)})
		c.Dots = append(c.Dots, dot{round(x), c.y(p.Share())})
		run = append(run, fmt.Sprintf("%.1f,%.1f", x, c.y(p.Share())))
	}
	end()
	c.Days = c.dayMarks(points, step)
	return c
}

func (c *chart) y(share float64) float64 { return round(c.Bottom - share*(c.Bottom-c.Top)) }

// dayMarks names so many days that their names do not touch.
func (c *chart) dayMarks(points []figures.Point, step float64) []mark {
	const room = 80 // that one name needs
	every := max(1, int(room/step)+1)
	if float64(len(points))*step < room || step >= room {
		every = 1
	}
	var marks []mark
	for i := 0; i < len(points); i += every {
		marks = append(marks, mark{X: round(c.Left + (float64(i)+.5)*step), Y: c.Bottom + 24, Text: shortDay(points[i].Day)})
	}
	return marks
}

// shortDay leaves the year out of a date.
func shortDay(day string) string {
	if at, err := time.Parse(time.DateOnly, day); err == nil {
		return fmt.Sprintf("%d-%d", at.Month(), at.Day())
	}
	return day
}

func round(n float64) float64 { return float64(int(n*10+.5)) / 10 }

// wayBar is one part of the bar in which everything that was asked for lies.
type wayBar struct {
	figures.WayCount
	X, Width float64 // of 100
	Share    float64
}

// bars puts the ways beside each other. What did not apply has no part.
func bars(ways []figures.WayCount) []wayBar {
	all := 0
	for _, w := range ways {
		if w.Way != figures.NotApplicable {
			all += w.N
		}
	}
	out, at := make([]wayBar, 0, len(ways)), 0.0
	for _, w := range ways {
		b := wayBar{WayCount: w}
		if all > 0 && w.Way != figures.NotApplicable {
			b.Share = float64(w.N) / float64(all)
			b.X, b.Width = at, b.Share*100
			at += b.Width
		}
		out = append(out, b)
	}
	return out
}
