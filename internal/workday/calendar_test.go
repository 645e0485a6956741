package workday_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/internal/workday"
)

func load(t *testing.T) *workday.Calendar {
	t.Helper()
	c, err := workday.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// moment reads a moment of Asia/Shanghai.
func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05 -0700", text+" +0800")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The expected dates are counted by hand on the notices of the State Council.
func TestAdd_CountsWorkingDaysAfterTheDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, from string
		n          int
		want       string // the last day, which counts to its end
	}{
		{"within a week", "2026-11-23 09:30:00", 2, "2026-11-25"},   // Monday
		{"over a weekend", "2026-11-26 23:59:59", 2, "2026-11-30"},  // Thursday
		{"from a Saturday", "2026-11-28 10:00:00", 1, "2026-11-30"}, // its Monday
		{"no days", "2026-11-23 00:00:00", 0, "2026-11-23"},         // the day itself
		{"the first minute of a day", "2026-11-24 00:00:00", 1, "2026-11-25"},
		{"its last second", "2026-11-24 23:59:59", 1, "2026-11-25"},

		// 春节 2025: 28 January to 4 February; Sunday 26 January and Saturday 8
		// February are worked.
		{"春节 2025, 调休周日", "2025-01-24 15:00:00", 1, "2025-01-26"},
		{"春节 2025, 节前最后一天", "2025-01-24 15:00:00", 2, "2025-01-27"},
		{"春节 2025, 节后第一天", "2025-01-24 15:00:00", 3, "2025-02-05"},
		{"春节 2025, 调休周六", "2025-01-24 15:00:00", 6, "2025-02-08"},
		{"春节 2025, 之后", "2025-01-24 15:00:00", 7, "2025-02-10"},
		{"春节 2025, 节中收到", "2025-01-30 10:00:00", 1, "2025-02-05"},

		// 清明 Friday to Sunday; 劳动节 1 to 5 May, Sunday 27 April is worked.
		{"清明 2025", "2025-04-03 10:00:00", 1, "2025-04-07"},
		{"劳动节 2025", "2025-04-25 10:00:00", 5, "2025-05-06"}, // 27, 28, 29, 30 April, 6 May
		{"端午 2025", "2025-05-30 10:00:00", 1, "2025-06-03"},

		// 国庆、中秋 2025: 1 to 8 October; Sunday 28 September and Saturday 11
		// October are worked.
		{"国庆 2025, 节前", "2025-09-26 17:00:00", 3, "2025-09-30"},
		{"国庆 2025, 节后", "2025-09-26 17:00:00", 4, "2025-10-09"},
		{"国庆 2025, 调休周六", "2025-09-26 17:00:00", 6, "2025-10-11"},
		{"国庆 2025, 之后", "2025-09-26 17:00:00", 7, "2025-10-13"},

		// 元旦 2026: 1 to 3 January; Sunday 4 January is worked.
		{"元旦 2026", "2025-12-31 09:00:00", 1, "2026-01-04"},
		{"元旦 2026, 之后", "2025-12-31 09:00:00", 2, "2026-01-05"},

		// 春节 2026: 15 to 23 February; Saturdays 14 and 28 February are worked.
		{"春节 2026, 节前周六", "2026-02-13 09:00:00", 1, "2026-02-14"},
		{"春节 2026, 节后", "2026-02-13 09:00:00", 2, "2026-02-24"},
		{"春节 2026, 节后周六", "2026-02-13 09:00:00", 6, "2026-02-28"},
		{"春节 2026, 之后", "2026-02-13 09:00:00", 7, "2026-03-02"},

		{"劳动节 2026", "2026-04-30 09:00:00", 4, "2026-05-09"}, // 6, 7, 8 May, Saturday 9 May
		{"端午 2026", "2026-06-18 09:00:00", 1, "2026-06-22"},

		// Sunday 20 September is worked, 25 to 27 September and 1 to 7 October are
		// free, Saturday 10 October is worked: 20, 21–24, 28–30, 8, 9, 10, 12.
		{"中秋 2026", "2026-09-18 09:00:00", 6, "2026-09-28"},
		{"国庆 2026, 节后", "2026-09-18 09:00:00", 9, "2026-10-08"},
		{"国庆 2026, 调休周六", "2026-09-18 09:00:00", 11, "2026-10-10"},
		{"二十个工作日", "2026-09-18 09:00:00", 20, "2026-10-22"}, // 12th–16th: 12–16 October, 17th–20th: 19–22

		// Nothing is known of this year: 1 January is a Friday.
		{"an unknown year", "2027-12-30 09:00:00", 3, "2028-01-04"}, // Thursday: Friday, Monday, Tuesday
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calendar, from := load(t), moment(t, c.from)
			got := calendar.Add(from, c.n)
			if want := moment(t, c.want+" 00:00:00").Add(24 * time.Hour); !got.Equal(want) {
				t.Fatalf("Add(%s, %d) = %v, want %v", c.from, c.n, got, want)
			}
			if n := calendar.Between(from, got); n != c.n {
				t.Errorf("Between = %d, want %d", n, c.n)
			}
			if n := calendar.Between(from, got.Add(-time.Microsecond)); c.n > 0 && n != c.n-1 {
				t.Errorf("Between, a moment before = %d, want %d", n, c.n-1)
			}
		})
	}
}

func TestAdd_LooksAtTheDateInShanghai(t *testing.T) {
	t.Parallel()
	// Tuesday 00:30 in Shanghai is Monday 16:30 in UTC.
	got := load(t).Add(time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC), 1)
	if want := time.Date(2026, 11, 25, 16, 0, 0, 0, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("Add = %v, want %v, the end of Wednesday in Shanghai", got, want)
	}
}

func TestBetween_OfAMomentBeforeIsNone(t *testing.T) {
	t.Parallel()
	if n := load(t).Between(moment(t, "2026-11-23 09:00:00"), moment(t, "2026-11-02 09:00:00")); n != 0 {
		t.Errorf("Between = %d", n)
	}
}

func TestIsWorkday_FollowsTheNotice(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]bool{
		"2025-01-01": false, "2025-01-26": true, "2025-01-28": false, "2025-02-04": false, "2025-02-05": true,
		"2025-10-08": false, "2025-10-11": true, "2025-10-12": false,
		"2026-01-02": false, "2026-01-04": true, "2026-02-14": true, "2026-02-23": false, "2026-02-24": true,
		"2026-09-20": true, "2026-09-25": false, "2026-10-07": false, "2026-10-10": true, "2026-11-24": true, "2026-11-28": false,
	} {
		for _, clock := range []string{" 00:00:00", " 23:59:59"} {
			if got := load(t).IsWorkday(moment(t, day+clock)); got != want {
				t.Errorf("IsWorkday(%s%s) = %v, want %v", day, clock, got, want)
			}
		}
	}
}

// A year has 13 public holidays (全国年节及纪念日放假办法, 2024). All that a notice
// does besides is to exchange days for each other, so that exactly as many
// weekdays are lost: a slip in the data would show.
func TestCalendar_LosesThirteenWeekdaysAYear(t *testing.T) {
	t.Parallel()
	calendar := load(t)
	for _, year := range calendar.Years() {
		lost := 0
		for day := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
			if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
				lost++
			}
			if calendar.IsWorkday(day) {
				lost--
			}
		}
		if lost != 13 {
			t.Errorf("%d loses %d weekdays", year, lost)
		}
	}
}

func TestKnown_SaysOfWhichYearsThereIsANotice(t *testing.T) {
	t.Parallel()
	calendar := load(t)
	if got := calendar.Years(); !slices.Equal(got, []int{2025, 2026}) {
		t.Errorf("Years = %v", got)
	}
	for year, want := range map[int]bool{2024: false, 2025: true, 2026: true, 2027: false} {
		if calendar.Known(year) != want {
			t.Errorf("Known(%d) = %v", year, !want)
		}
	}
}

func TestParse_RefusesACalendarThatContradictsItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, years, want string }{
		{"no notice", `{"year":2025}`, "where it comes from"},
		{"a year twice", `{"year":2025,"source":"s"},{"year":2025,"source":"s"}`, "twice"},
		{"no date", `{"year":2025,"source":"s","workdays":["2025-02-30"]}`, "no date"},
		{"another year", `{"year":2025,"source":"s","workdays":["2026-01-04"]}`, "another year"},
		{"worked anyway", `{"year":2025,"source":"s","workdays":["2025-01-27"]}`, "anyway"},
		{"backwards", `{"year":2025,"source":"s","holidays":[{"name":"春节","first":"2025-02-04","last":"2025-01-28"}]}`, "春节 ends before"},
		{"free and worked", `{"year":2025,"source":"s","holidays":[{"name":"春节","first":"2025-01-26","last":"2025-01-28"}],"workdays":["2025-01-26"]}`, "twice"},
		{"an unknown field", `{"year":2025,"source":"s","free":[]}`, "unknown field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := workday.Parse([]byte(`{"years":[` + c.years + `]}`))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse: %v, want %q", err, c.want)
			}
		})
	}
}
