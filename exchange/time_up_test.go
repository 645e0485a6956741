package exchange_test

import (
	"io/fs"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"mianti/catalog"
	"mianti/examples/jinan"
	"mianti/exchange"
)

// caseFile is what a test needs of a case file.
type caseFile struct {
	Case struct {
		Number   string
		OneThing string `yaml:"one_thing"`
		Facts    map[string]any
		Parties  []partyOfFile
	}
}

func readCaseFile(t *testing.T, name string) exchange.Opening {
	t.Helper()
	content, err := jinan.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file caseFile
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	in := exchange.Opening{Number: file.Case.Number, OneThing: file.Case.OneThing, Facts: file.Case.Facts}
	for _, p := range file.Case.Parties {
		in.Parties = append(in.Parties, p.party())
	}
	return in
}

// TestResolve_EndsWhenItsTimeIsUpBeforeTheFirstQuestion resolves the cases of
// every one-thing without any time. Among them are several materials that want
// different fields of one record.
func TestResolve_EndsWhenItsTimeIsUpBeforeTheFirstQuestion(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept, func(c *exchange.Config) { c.Deadline = time.Nanosecond })
	rev, err := b.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(jinan.Files, "cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		in := readCaseFile(t, name)
		if in.OneThing == "" {
			continue
		}
		by := as(rev.OneThing(in.OneThing).Lead)
		c := b.open(by, in)
		done := make(chan error, 1)
		go func() {
			_, err := b.x.Resolve(t.Context(), by, c.ID, nil)
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %s", name, describe(err))
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the resolution does not end", name)
		}
	}
	if n := len(b.sources.questions()); n != 0 {
		t.Errorf("%d questions were asked after the time was up", n)
	}
}

// partyOfFile is a party as a case file writes it.
type partyOfFile struct {
	ID, Kind, Name, Number, Consent string
	Roles                           []string
}

func (p partyOfFile) party() catalog.Party {
	return catalog.Party{
		ID: p.ID, Roles: p.Roles, Kind: catalog.PartyKind(p.Kind), Name: p.Name, Number: p.Number, Consent: catalog.ConsentState(p.Consent),
	}
}
