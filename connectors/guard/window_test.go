package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func TestMaintenance_IsByTheClockOfChina(t *testing.T) {
	t.Parallel()
	night := []catalog.Window{{From: "22:00", To: "02:00"}}
	friday := []catalog.Window{{Days: []int{5}, From: "22:00", To: "02:00"}}
	weekend := []catalog.Window{{Days: []int{6, 7}, From: "08:00", To: "20:00"}}
	touching := []catalog.Window{{From: "12:00", To: "13:00"}, {From: "13:00", To: "14:30"}}
	overlapping := []catalog.Window{{From: "12:00", To: "13:00"}, {From: "12:30", To: "12:45"}}
	allDay := []catalog.Window{{Days: []int{3}, From: "00:00", To: "12:00"}, {Days: []int{3}, From: "12:00", To: "00:00"}}
	always := []catalog.Window{{From: "00:00", To: "12:00"}, {From: "12:00", To: "00:00"}}
	for _, c := range []struct {
		name    string
		windows []catalog.Window
		now     string // in UTC; China is eight hours ahead
		from    string // empty when it is asked
		until   string
	}{
		{"none", nil, "2026-11-25T15:00:00Z", "", ""},
		{"before", night, "2026-11-25T13:59:59Z", "", ""},
		{"at its begin", night, "2026-11-25T14:00:00Z", "2026-11-25T14:00:00Z", "2026-11-25T18:00:00Z"},
		{"after midnight", night, "2026-11-25T17:59:59Z", "2026-11-25T14:00:00Z", "2026-11-25T18:00:00Z"},
		{"at its end", night, "2026-11-25T18:00:00Z", "", ""},
		{"Friday evening", friday, "2026-11-27T15:00:00Z", "2026-11-27T14:00:00Z", "2026-11-27T18:00:00Z"},
		{"the morning after Friday", friday, "2026-11-27T17:00:00Z", "2026-11-27T14:00:00Z", "2026-11-27T18:00:00Z"},
		{"the morning of Friday", friday, "2026-11-26T17:00:00Z", "", ""},
		{"Saturday evening", friday, "2026-11-28T15:00:00Z", "", ""},
		{"Sunday", weekend, "2026-11-29T04:00:00Z", "2026-11-29T00:00:00Z", "2026-11-29T12:00:00Z"},
		{"Monday", weekend, "2026-11-30T04:00:00Z", "", ""},
		{"two that touch", touching, "2026-11-25T04:30:00Z", "2026-11-25T04:00:00Z", "2026-11-25T06:30:00Z"},
		{"one in another", overlapping, "2026-11-25T04:40:00Z", "2026-11-25T04:00:00Z", "2026-11-25T05:00:00Z"},
		{"a whole Wednesday", allDay, "2026-11-25T02:00:00Z", "2026-11-24T16:00:00Z", "2026-11-25T16:00:00Z"},
		{"the begin of Thursday", allDay, "2026-11-25T16:00:00Z", "", ""},
		{"always: the first and 14 more half days", always, "2026-11-25T02:00:00Z", "2026-11-24T16:00:00Z", "2026-12-02T04:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			moment := func(text string) (m time.Time) {
				if text == "" {
					return m
				}
				m, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			got, ok := maintenance(c.windows, moment(c.now))
			if ok != (c.from != "") || !got.from.Equal(moment(c.from)) || !got.until.Equal(moment(c.until)) {
				t.Errorf("closed %v from %v until %v, want from %q until %q", ok, got.from, got.until, c.from, c.until)
			}
		})
	}
}

func TestAsk_MakesNoCallDuringMaintenance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins at midnight UTC, which is eight in China.
		d := &department{answer: answers}
		g, _ := newGuard(d)
		q := newQuery(catalog.Limits{})
		q.Source.Maintenance = []catalog.Window{{From: "07:30", To: "08:10"}}
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := g.Ask(ctx, q)
		wantKind(t, kindOf(err), connectors.FaultMaintenance)
		end := begun.Add(10 * time.Minute)
		if got := connectors.RetryAt(err); !got.Equal(end) {
			t.Errorf("retry at %v, want %v", got, end)
		}
		h := g.Health()[0]
		if h.State != StateMaintenance || !h.RetryAt.Equal(end) || !h.Since.Equal(begun.Add(-30*time.Minute)) {
			t.Errorf("health %+v, want maintenance since 07:30 until 08:10", h)
		}
		d.wantCalls(t, 0)
		time.Sleep(10 * time.Minute)
		kind, _ := ask(g, q, time.Second)
		wantKind(t, kind, "")
	})
}
