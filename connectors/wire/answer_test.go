package wire

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/connectors"
)

func TestDo_SaysWhenToAskAgain(t *testing.T) {
	t.Parallel()
	now := clock()
	for _, c := range []struct {
		name, after string
		want        time.Time
	}{
		{"seconds", "30", now.Add(30 * time.Second)},
		{"a time", "Mon, 23 Nov 2026 00:02:00 GMT", now.Add(2 * time.Minute)},
		{"an hour", "3600", now.Add(time.Hour)},
		{"more than an hour", "3601", now.Add(time.Hour)},
		{"more than a number holds", "99999999999999999999", now.Add(time.Hour)},
		{"a time in ten years", "Mon, 23 Nov 2036 00:00:00 GMT", now.Add(time.Hour)},
		{"now", "0", time.Time{}},
		{"negative", "-30", time.Time{}},
		{"a time that is over", "Sun, 22 Nov 2026 23:59:00 GMT", time.Time{}},
		{"a fraction", "1.5", time.Time{}},
		{"garbled", "soon", time.Time{}},
		{"unsaid", "", time.Time{}},
	} {
		for status, kind := range map[int]connectors.FaultKind{
			429: connectors.FaultBusy, 503: connectors.FaultDown, 500: connectors.FaultDown, 408: connectors.FaultDown,
		} {
			url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(status)
			})
			_, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url})
			wantFault(t, err, kind)
			if got := connectors.RetryAt(err); !got.Equal(c.want) {
				t.Errorf("%s after %d: %v, want %v", c.name, status, got, c.want)
			}
		}
	}
}

func TestDo_SaysNotWhenToAskAgainAfterARefusal(t *testing.T) {
	t.Parallel()
	url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusForbidden)
	})
	_, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url})
	wantFault(t, err, connectors.FaultRefused)
	if at := connectors.RetryAt(err); !at.IsZero() {
		t.Errorf("asks again at %v", at)
	}
}

func TestDo_ReadsTheCharacterSetThatIsAgreed(t *testing.T) {
	t.Parallel()
	// 济南, 龘 (beyond GB 2312) and 𠮷 (of four bytes) in GB 18030.
	inGB := "{\"a\":\"\xbc\xc3\xc4\xcf\xfd\x93\x95\x34\xb2\x35\"}"
	const inUTF8 = `{"a":"济南龘𠮷"}`
	for _, c := range []struct {
		name, agreed, kind, body string
		want                     connectors.FaultKind
	}{
		{"as agreed, unsaid", "gb18030", "application/json", inGB, ""},
		{"as agreed, said", "gb18030", "application/json; charset=GB18030", inGB, ""},
		{"UTF-8 though not agreed", "gb18030", "application/json; charset=utf-8", inUTF8, ""},
		{"UTF-8, unsaid", "gb18030", "application/json", "{\"a\":\"\xff\"}", connectors.FaultMalformed},
		{"cut in a character", "gb18030", "application/json", "{\"a\":\"\xbc", connectors.FaultMalformed},
		{"a lost character", "gb18030", "application/json", "{\"a\":\"\x84\x31\xa4\x37\"}", connectors.FaultMalformed},
		{"not agreed", "", "application/json; charset=gb18030", inGB, connectors.FaultMalformed},
		{"another", "gb18030", "application/json; charset=big5", inGB, connectors.FaultMalformed},
		{"unknown here", "big5", "application/json", inUTF8, connectors.FaultMisset},
		{"larger than allowed in UTF-8", "gb18030", "application/json", `"` + strings.Repeat("\xbc\xc3", maxBody/2-1) + `"`, connectors.FaultMalformed},
	} {
		url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			_, _ = io.WriteString(w, c.body)
		})
		answer, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url, Charset: c.agreed})
		if err == nil && string(answer.Body) != inUTF8 {
			t.Errorf("%s: got %q", c.name, answer.Body)
		}
		wantFault(t, err, c.want)
	}
}

func TestDo_RemarksOnAClockThatIsOff(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]bool{
		"Mon, 23 Nov 2026 00:00:00 GMT": false,
		"Mon, 23 Nov 2026 00:05:00 GMT": false,
		"Mon, 23 Nov 2026 00:05:01 GMT": true,
		"Sun, 22 Nov 2026 23:54:59 GMT": true,
		"yesterday":                     false,
		"":                              false,
	} {
		url := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			if date != "" {
				w.Header().Set("Date", date)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{}`)
		})
		answer, err := newClient(t).Do(t.Context(), Call{Query: local(), Method: http.MethodGet, URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(answer.Warnings, "clock_skew"); got != want {
			t.Errorf("%q: remarked on is %v, want %v", date, got, want)
		}
	}
}
