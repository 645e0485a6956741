package guard

import (
	"slices"
	"time"

	"mianti/catalog"
)

// closing is a time at which a source is not asked.
type closing struct{ from, until time.Time }

// maintenance gives the maintenance that is under way. Windows that touch count
// as one, so that until is when the source can really be asked.
func maintenance(windows []catalog.Window, now time.Time) (closing, bool) {
	if len(windows) == 0 {
		return closing{}, false
	}
	now = now.In(catalog.TimeZone())
	found, ok := windowAt(windows, now)
	if !ok {
		return closing{}, false
	}
	// Two windows for each day of a week is as far as it is followed: a source
	// under maintenance at all times is asked about again within the week.
	for range 14 {
		next, touches := windowAt(windows, found.until)
		if !touches {
			break
		}
		found.until = next.until
	}
	return found, true
}

// windowAt gives the window that t lies in, of those the one that ends last.
func windowAt(windows []catalog.Window, t time.Time) (closing, bool) {
	var found closing
	for _, w := range windows {
		// A window over midnight may have begun the day before.
		for _, day := range []time.Time{t, t.AddDate(0, 0, -1)} {
			c, ok := windowOn(w, day)
			if ok && !t.Before(c.from) && t.Before(c.until) && c.until.After(found.until) {
				found = c
			}
		}
	}
	return found, !found.until.IsZero()
}

// windowOn gives the window that begins on a day.
func windowOn(w catalog.Window, day time.Time) (closing, bool) {
	weekday := (int(day.Weekday())+6)%7 + 1 // Monday is 1
	if len(w.Days) > 0 && !slices.Contains(w.Days, weekday) {
		return closing{}, false
	}
	from, errFrom := clockOn(day, w.From)
	until, errUntil := clockOn(day, w.To)
	if errFrom != nil || errUntil != nil {
		return closing{}, false // refused when the catalog is loaded
	}
	if !until.After(from) {
		until = until.AddDate(0, 0, 1)
	}
	return closing{from: from, until: until}, true
}

// clockOn gives the moment of a day at which the clock shows text.
func clockOn(day time.Time, text string) (time.Time, error) {
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), 0, 0, day.Location()), nil
}
