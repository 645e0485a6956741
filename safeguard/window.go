package safeguard

import (
	"time"

	"mianti/catalog"
)

// Span (计量周期) is how long a window is.
type Span string

// The spans.
const (
	SpanHour Span = "hour"
	SpanDay  Span = "day"
)

// Window (计量时段) is an hour or a day of Asia/Shanghai, from its start to
// before its end.
type Window struct {
	Span  Span      `json:"span" enum:"hour,day"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// WindowAt gives the window that a moment is in.
func WindowAt(span Span, at time.Time) Window {
	local := at.In(catalog.TimeZone())
	start := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), 0, 0, 0, catalog.TimeZone())
	length := time.Hour
	if span == SpanDay {
		start = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, catalog.TimeZone())
		length = 24 * time.Hour // there is no summer time
	}
	return Window{Span: span, Start: start.UTC(), End: start.Add(length).UTC()}
}

// The hours in which offices work, of Asia/Shanghai.
const (
	opens  = 8
	closes = 18
)

// OffHours reports whether no office works at a moment: before 08:00, from
// 18:00 on, and on a day that is not worked on.
func (r *Rules) OffHours(at time.Time) bool {
	local := at.In(catalog.TimeZone())
	if local.Hour() < opens || local.Hour() >= closes {
		return true
	}
	if r.IsWorkday != nil {
		return !r.IsWorkday(at)
	}
	return local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
}
