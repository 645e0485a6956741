package sharing_test

import (
	"testing"
	"time"

	"mianti/catalog"
	"mianti/sharing"
)

// The expected days are counted by hand from the State Council's notice for 2026
// (internal/workday/calendar.json): 15 to 23 February free, 14 and 28 February
// worked; 20 September worked, 25 to 27 September and 1 to 7 October free, 10
// October worked.

func TestSubmit_SetsWhenTheReplyIsDue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		class catalog.Sharing
		at    string
		last  string // the last day
	}{
		{"unconditional, an ordinary Monday", catalog.SharingUnconditional, "2026-11-23 09:00", "2026-11-24"},
		{"unconditional, over the weekend", catalog.SharingUnconditional, "2026-11-27 09:00", "2026-11-30"},
		{"unconditional, before a Sunday that is worked", catalog.SharingUnconditional, "2026-09-19 09:00", "2026-09-20"},
		{"unconditional, before the National Day", catalog.SharingUnconditional, "2026-09-30 23:59", "2026-10-08"},
		{"unconditional, on a holiday", catalog.SharingUnconditional, "2026-10-03 12:00", "2026-10-08"},
		{"conditional, an ordinary Monday", catalog.SharingConditional, "2026-11-23 09:00", "2026-12-07"},
		// 20, 21, 22, 23, 24, 28, 29, 30 September, 8, 9 October.
		{"conditional, over the National Day", catalog.SharingConditional, "2026-09-18 09:00", "2026-10-09"},
		// 21, 22, 23, 24, 28, 29, 30 September, 8, 9, 10 October (a Saturday).
		{"conditional, to a Saturday that is worked", catalog.SharingConditional, "2026-09-20 09:00", "2026-10-10"},
		// 13, 14, 24, 25, 26, 27, 28 February, 2, 3, 4 March.
		{"conditional, over the Spring Festival", catalog.SharingConditional, "2026-02-12 09:00", "2026-03-04"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := submitted(t, c.class, shanghai(t, c.at))
			wantDue(t, r, "21", c.last)
		})
	}
}

// wantDue checks that a deadline is the end of a day in Shanghai.
func wantDue(t *testing.T, r sharing.Request, article, last string) {
	t.Helper()
	want := shanghai(t, last+" 00:00").Add(24 * time.Hour)
	if r.Deadline == nil || r.Deadline.Article != article || !r.Deadline.DueAt.Equal(want) {
		t.Fatalf("deadline %+v, want %s by article %s", r.Deadline, want, article)
	}
	if r.At(want.Add(-time.Microsecond)).Overdue || !r.At(want).Overdue {
		t.Error("overdue does not begin with the end of the last day")
	}
}

func TestSubmit_CountsDaysInShanghai(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, at, last string }{
		// Friday 9 October, 23:30 UTC, is Saturday the 10th in Shanghai, which is
		// worked: the day itself does not count, and the next is Monday the 12th.
		{"Friday night in UTC is a Saturday that is worked", "2026-10-09T23:30:00Z", "2026-10-12"},
		{"Friday afternoon in UTC is Friday night", "2026-10-09T15:59:59Z", "2026-10-10"},
		{"Sunday in UTC is Monday", "2026-11-22T16:30:00Z", "2026-11-24"},
		{"Friday night in UTC is an ordinary Saturday", "2026-11-27T23:30:00Z", "2026-11-30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			wantDue(t, submitted(t, catalog.SharingUnconditional, at), "21", c.last)
		})
	}
}

func TestApply_TheClockStandsStillDuringCompletion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                       string
		class                      catalog.Sharing
		submitted, asked, answered string
		last                       string
	}{
		// Tuesday 3 and Wednesday 4 November are gone; eight days are left: 17–20, 23–26.
		{"after two days", catalog.SharingConditional, "2026-11-02 09:00", "2026-11-05 10:00", "2026-11-16 09:00", "2026-11-26"},
		{"on the same day", catalog.SharingConditional, "2026-11-02 09:00", "2026-11-02 10:00", "2026-11-03 09:00", "2026-11-17"},
		// The tenth day, Monday the 16th, is not over: one is left.
		{"on the last day", catalog.SharingConditional, "2026-11-02 09:00", "2026-11-16 23:59", "2026-11-30 09:00", "2026-12-01"},
		{"one day alone", catalog.SharingUnconditional, "2026-11-02 09:00", "2026-11-03 10:00", "2026-11-06 09:00", "2026-11-09"},
		// Asked after 20–24 and 28–30 September, answered in the holidays: 8 and 9 October.
		{"over the National Day", catalog.SharingConditional, "2026-09-18 09:00", "2026-10-01 09:00", "2026-10-05 09:00", "2026-10-09"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := submitted(t, c.class, shanghai(t, c.submitted))
			r = apply(t, r, shanghai(t, c.asked), event(sharing.AskCompletion, c.class))
			if r.Deadline != nil || r.At(shanghai(t, "2027-06-01 00:00")).Overdue {
				t.Fatalf("a deadline runs during completion: %+v", r.Deadline)
			}
			r = apply(t, r, shanghai(t, c.answered), event(sharing.Complete, c.class))
			wantDue(t, r, "21", c.last)
		})
	}
}

func TestApply_AnExtensionHoldsOnceTheAuthorityConsents(t *testing.T) {
	t.Parallel()
	r := submitted(t, catalog.SharingConditional, shanghai(t, "2026-09-18 09:00"))
	r = apply(t, r, shanghai(t, "2026-09-28 09:00"), event(sharing.AskExtension, ""))
	wantDue(t, r, "21", "2026-10-09") // nobody has consented yet
	r = apply(t, r, shanghai(t, "2026-10-09 23:59"), event(sharing.ConsentExtension, ""))
	// The 11th is Saturday 10 October, the 12th to 16th 12–16, the 17th to 20th 19–22.
	wantDue(t, r, "21", "2026-10-22")
	if r.Extension.ConsentedBy != "DSJ" || r.Extension.ConsentedAt == nil {
		t.Errorf("extension %+v does not say who consented", r.Extension)
	}
	// Eight of the twenty days are gone; the twelve left begin after Monday 12 October:
	// 13–16, 19–23, 26–28.
	r = apply(t, r, shanghai(t, "2026-10-08 09:00"), event(sharing.AskCompletion, ""))
	r = apply(t, r, shanghai(t, "2026-10-12 09:00"), event(sharing.Complete, catalog.SharingConditional))
	wantDue(t, r, "21", "2026-10-28")
}

func TestApply_AnExtensionIsInTimeOrNotAtAll(t *testing.T) {
	t.Parallel()
	r := submitted(t, catalog.SharingConditional, shanghai(t, "2026-11-23 09:00"))
	over := shanghai(t, "2026-12-08 00:00")
	if _, err := procedure(t).Apply(r, event(sharing.AskExtension, ""), by(sharing.AskExtension), over); code(err) != "extension-too-late" {
		t.Errorf("asked for late: %v", err)
	}
	r = apply(t, r, over.Add(-1), event(sharing.AskExtension, ""))
	if _, err := procedure(t).Apply(r, event(sharing.ConsentExtension, ""), by(sharing.ConsentExtension), over); code(err) != "extension-too-late" {
		t.Errorf("consented to late: %v", err)
	}
}

func TestApply_ALateDecisionStillCounts(t *testing.T) {
	t.Parallel()
	r := submitted(t, catalog.SharingConditional, shanghai(t, "2026-08-03 09:00"))
	r = apply(t, r, shanghai(t, "2026-09-18 09:00"), event(sharing.Decide, ""))
	wantDue(t, r, "22", "2026-10-22") // twenty working days after the decision
}

func TestClause_OfTheCatalogRunsByTheSameClock(t *testing.T) {
	t.Parallel()
	days, from := procedure(t).Days, shanghai(t, "2026-09-18 09:00")
	for _, c := range []struct {
		name   string
		clause sharing.Clause
		longer int
		last   string
	}{
		{"update", sharing.CatalogUpdate(), 0, "2026-10-09"},
		{"update, with consent to five days more", sharing.CatalogUpdate(), 5, "2026-10-15"}, // 10, 12–15 October
		{"update, never more than five days more", sharing.CatalogUpdate(), 9, "2026-10-15"},
		{"update, never less than its days", sharing.CatalogUpdate(), -3, "2026-10-09"},
		{"review", sharing.CatalogReview(), 0, "2026-09-21"}, // Sunday the 20th, Monday
		{"review is never longer", sharing.CatalogReview(), 2, "2026-09-21"},
		{"delivery is never longer", sharing.Delivery(), 5, "2026-10-22"},
	} {
		if got, want := c.clause.Due(days, from, c.longer), shanghai(t, c.last+" 00:00").Add(24*time.Hour); !got.Equal(want) {
			t.Errorf("%s: due at %s, want %s", c.name, got, want)
		}
	}
}
