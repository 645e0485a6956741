// Package workday counts working days (工作日), by which the deadlines of
// authorities run (行政许可法 第八十二条).
//
// The State Council says each November which days of the next year are free, and
// on which Saturdays and Sundays is worked instead. Of a year that is not in the
// data it is only known which days are Saturdays and Sundays: see Known.
package workday

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

//go:embed calendar.json
var builtIn []byte

// Calendar (工作日历) knows which days are worked on. It never changes, and is
// safe for concurrent use.
type Calendar struct {
	// days are those that are not as their day of the week says, by date; true
	// means worked on.
	days  map[string]bool
	known map[int]bool
}

// Load gives the calendar that is built into the program.
func Load() (*Calendar, error) { return Parse(builtIn) }

// year is the arrangement of one year, with the notice that it follows.
type year struct {
	Year     int      `json:"year"`
	Source   string   `json:"source"`
	Holidays []period `json:"holidays"`
	Workdays []string `json:"workdays"` // 调休上班
}

// period is a holiday with the days around it that are free (放假调休).
type period struct {
	Name  string `json:"name"`
	First string `json:"first"`
	Last  string `json:"last"`
}

// Parse reads a calendar. It refuses one that contradicts itself.
func Parse(data []byte) (*Calendar, error) {
	var file struct {
		Years []year `json:"years"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("read the calendar of working days: %w", err)
	}
	c := &Calendar{days: map[string]bool{}, known: map[int]bool{}}
	for _, y := range file.Years {
		if err := c.add(y); err != nil {
			return nil, fmt.Errorf("read the calendar of working days of %d: %w", y.Year, err)
		}
	}
	return c, nil
}

func (c *Calendar) add(y year) error {
	if c.known[y.Year] || y.Source == "" {
		return fmt.Errorf("the year is there twice, or does not say where it comes from")
	}
	c.known[y.Year] = true
	for _, holiday := range y.Holidays {
		first, err := y.date(holiday.First)
		if err != nil {
			return err
		}
		last, err := y.date(holiday.Last)
		if err != nil {
			return err
		}
		if last.Before(first) {
			return fmt.Errorf("%s ends before it begins", holiday.Name)
		}
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			if err := c.set(day, false); err != nil {
				return err
			}
		}
	}
	for _, text := range y.Workdays {
		day, err := y.date(text)
		if err != nil {
			return err
		}
		if !isWeekend(day) {
			return fmt.Errorf("%s is a working day anyway", text)
		}
		if err := c.set(day, true); err != nil {
			return err
		}
	}
	return nil
}

func (y year) date(text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("%q is no date", text)
	}
	if day.Year() != y.Year {
		return day, fmt.Errorf("%s is in another year", text)
	}
	return day, nil
}

func (c *Calendar) set(day time.Time, worked bool) error {
	key := day.Format(time.DateOnly)
	if _, twice := c.days[key]; twice {
		return fmt.Errorf("%s is there twice", key)
	}
	c.days[key] = worked
	return nil
}

// Known reports whether the arrangement of a year is known. Where it is not,
// Monday to Friday count as working days, and a deadline may be too early.
func (c *Calendar) Known(year int) bool { return c.known[year] }

// Years gives the years that are known, in order.
func (c *Calendar) Years() []int {
	var out []int
	for year := range c.known {
		out = append(out, year)
	}
	slices.Sort(out)
	return out
}

// IsWorkday reports whether the day of a moment, in Asia/Shanghai, is worked on.
func (c *Calendar) IsWorkday(at time.Time) bool { return c.isWorkday(dayOf(at)) }

func (c *Calendar) isWorkday(day time.Time) bool {
	if worked, said := c.days[day.Format(time.DateOnly)]; said {
		return worked
	}
	return !isWeekend(day)
}

// Add gives the end of the n-th working day after the day of a moment: the day
// itself is not counted (民法典 第二百零一条), and the last one ends at 24:00 in
// Asia/Shanghai (第二百零三条). Of 0 days it is the end of the day itself.
func (c *Calendar) Add(from time.Time, n int) time.Time {
	day := dayOf(from)
	for n > 0 {
		if day = day.AddDate(0, 0, 1); c.isWorkday(day) {
			n--
		}
	}
	return endOf(day)
}

// Between gives how many working days after the day of from have ended by to:
// Between(from, Add(from, n)) is n.
func (c *Calendar) Between(from, to time.Time) int {
	n := 0
	for day := dayOf(from).AddDate(0, 0, 1); !endOf(day).After(to); day = day.AddDate(0, 0, 1) {
		if c.isWorkday(day) {
			n++
		}
	}
	return n
}

// zone is the time of the whole country; it has had no summer time since 1991.
func zone() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// dayOf gives the date of a moment in Asia/Shanghai, as midnight in UTC: dates
// are counted without a zone.
func dayOf(at time.Time) time.Time {
	year, month, day := at.In(zone()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// endOf gives the moment at which a date ends in Asia/Shanghai.
func endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone()).UTC()
}

func isWeekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}
