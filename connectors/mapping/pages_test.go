package mapping_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/mapping"
)

// paged is a source of pages with two records each, at most three of them.
func paged() *catalog.Source {
	s := described(catalog.HTTPAnswer{Records: "/d", Reference: "/no", Code: "/c", OK: []string{"0"}, NotFound: []string{"9"}})
	s.HTTP.Query = map[string]string{"p": "${page}"}
	s.HTTP.Paging = &catalog.Paging{First: 0, Size: 2, Pages: 3}
	return s
}

func page(records int) string {
	return `{"c": 0, "no": "S", "d": [` + strings.TrimSuffix(strings.Repeat(`{"zjhm": "`+number+`"},`, records), ",") + `]}`
}

func TestGather_AsksUntilAPageIsNotFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		pages   []string
		records int
		asked   []string
		fault   connectors.FaultKind
	}{
		{"none", []string{page(0)}, 0, []string{"/q?p=0"}, ""},
		{"less than a page", []string{page(1)}, 1, []string{"/q?p=0"}, ""},
		{"a page", []string{page(2), page(0)}, 2, []string{"/q?p=0", "/q?p=1"}, ""},
		{"a page, then no record by code", []string{page(2), `{"c": 9}`}, 2, []string{"/q?p=0", "/q?p=1"}, ""},
		{"as much as agreed", []string{page(2), page(2), page(1)}, 5, []string{"/q?p=0", "/q?p=1", "/q?p=2"}, ""},
		{"more than agreed", []string{page(2), page(2), page(2)}, 0, []string{"/q?p=0", "/q?p=1", "/q?p=2"}, connectors.FaultMalformed},
		{"a bad second page", []string{page(2), `{"c": 5}`}, 0, []string{"/q?p=0", "/q?p=1"}, connectors.FaultMalformed},
		{"somebody else on the second page", []string{page(2), strings.ReplaceAll(page(1), number, otherNumber)}, 0, []string{"/q?p=0", "/q?p=1"}, connectors.FaultWrongSubject},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := paged()
			var asked []string
			got, err := compile(t, s).Gather(query(s), today(), func(r mapping.Request) (mapping.Page, error) {
				body := c.pages[len(asked)]
				asked = append(asked, r.Target)
				return mapping.Page{Status: 200, Body: []byte(body), Size: 7, Proof: fmt.Sprint("p", len(asked)), Warnings: []string{"w"}}, nil
			})
			wantFault(t, err, c.fault)
			if len(got.Records) != c.records {
				t.Errorf("%d records, want %d", len(got.Records), c.records)
			}
			if diff := cmp.Diff(c.asked, asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if err == nil && (got.Size != int64(7*len(asked)) || got.Reference != "S" || len(got.Warnings) != 1) {
				t.Errorf("size %d, reference %q, warnings %v", got.Size, got.Reference, got.Warnings)
			}
			if err == nil && len(asked) == 2 && got.Proof != "p1 p2" {
				t.Errorf("proof %q", got.Proof)
			}
		})
	}
}

func TestGather_EndsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	s := paged()
	want := &connectors.Fault{Kind: connectors.FaultTimeout}
	asked := 0
	_, err := compile(t, s).Gather(query(s), today(), func(mapping.Request) (mapping.Page, error) {
		asked++
		return mapping.Page{}, want
	})
	if !errors.Is(err, want) || asked != 1 {
		t.Errorf("got %v after %d pages", err, asked)
	}
}

func TestGather_TakesNoMoreThanAnyoneCanChooseFrom(t *testing.T) {
	t.Parallel()
	s := paged()
	s.HTTP.Paging = &catalog.Paging{First: 1, Size: 60, Pages: 9}
	asked := 0
	_, err := compile(t, s).Gather(query(s), today(), func(mapping.Request) (mapping.Page, error) {
		asked++
		return mapping.Page{Status: 200, Body: []byte(page(60))}, nil
	})
	wantFault(t, err, connectors.FaultMalformed)
	if asked != 2 {
		t.Errorf("asked for %d pages", asked)
	}
}
