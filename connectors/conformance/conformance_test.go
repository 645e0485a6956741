package conformance_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/httpjson"
	"mianti/connectors/wire"
)

// twisted asks an honest connector and changes what it says.
type twisted struct {
	honest connectors.Connector
	twist  func(connectors.Query, connectors.Reply, error) (connectors.Reply, error)
}

func (c twisted) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	reply, err := c.honest.Ask(ctx, q)
	return c.twist(q, reply, err)
}

// faulty are the cases that end in a fault at the kind httpjson.
func faulty() []string {
	return []string{
		"as it will be in ten years", "wrong person", "two subjects", "no subject", "numbers for texts",
		"slow", "slower than the source may be", "deadline shorter than the source's", "slow headers",
		"down", "server error", "busy", "too many requests", "denied", "not known", "bad request", "wrong status",
		"no content", "redirect", "redirect to another host", "wrong content type", "plain text", "huge headers", "not HTTP",
		"malformed", "truncated", "complete but short", "empty", "null", "list instead of object", "huge",
		"compressed though not asked", "nested deep", "name twice", "more after the end", "byte order mark", "bad UTF-8",
		"undeclared GB18030", "NUL in a text", "lost character", "reset", "cut", "hangs", "drips", "cancelled", "no listener",
	}
}

// answered are the cases in which the source gives a record.
func answered() []string {
	return []string{
		"found", "found with every type", "expired", "no longer in force", "revoked", "mismatch", "several",
		"as it was a month ago", "extra fields", "field left out", "number in small letters",
		"script in a value", "formula in a value", "line break in a value", "clock an hour ahead",
	}
}

func TestRun_CatchesABrokenConnector(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		twist func(connectors.Query, connectors.Reply, error) (connectors.Reply, error)
		want  []string // the cases that notice
	}{
		{
			"none", func(_ connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) { return r, err }, nil,
		},
		{
			"takes a fault for no record",
			func(_ connectors.Query, r connectors.Reply, _ error) (connectors.Reply, error) { return r, nil },
			faulty(),
		},
		{
			"takes a fault for a record",
			func(q connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				if err != nil {
					r.Records = []connectors.Record{{Subject: q.Subject, Fields: map[string]any{"name": q.Subject.Name}}}
				}
				return r, nil
			},
			faulty(),
		},
		{
			"says whom a fault is about",
			func(q connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				if err != nil {
					err = &connectors.Fault{Kind: connectors.KindOf(err), Cause: errors.Join(err, errors.New(q.Subject.Number)), RetryAt: connectors.RetryAt(err)}
				}
				return r, err
			},
			faulty(),
		},
		{
			"finds nobody",
			func(connectors.Query, connectors.Reply, error) (connectors.Reply, error) {
				return connectors.Reply{}, nil
			},
			append(append(faulty(), answered()...), "many at once"),
		},
		{
			"says that every record is in force",
			func(_ connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				for i := range r.Records {
					r.Records[i].Revoked = false
				}
				return r, err
			},
			[]string{"no longer in force", "revoked"},
		},
		{
			"says that every record is new",
			func(_ connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				for i := range r.Records {
					r.Records[i].AsOf = conformance.Today()
				}
				return r, err
			},
			[]string{"as it was a month ago"},
		},
		{
			"says what was asked instead of what was answered",
			func(q connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				for i := range r.Records {
					r.Records[i].Subject = q.Subject
				}
				return r, err
			},
			[]string{"mismatch"},
		},
		{
			"says the same of every fault",
			func(_ connectors.Query, r connectors.Reply, err error) (connectors.Reply, error) {
				if err != nil {
					err = &connectors.Fault{Kind: connectors.FaultDown, Cause: errors.Unwrap(err)}
				}
				return r, err
			},
			except(faulty(), "down", "server error", "huge headers", "not HTTP", "truncated", "reset", "cut", "cancelled", "no listener"),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kind := conformance.Kind{
				Name: catalog.SourceHTTPJSON,
				New: func(t *testing.T) (connectors.Connector, conformance.Department) {
					return twisted{honest: honest(t), twist: c.twist}, conformance.Serve(t, conformance.Plain)
				},
			}
			var got []string
			for name, err := range conformance.Verdicts(t, kind) {
				if err != nil {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("cases that notice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCases_AreAllKnownToThisTest(t *testing.T) {
	t.Parallel()
	want := append(append(faulty(), answered()...), "no such record", "no such person", "another name", "many at once")
	got := conformance.Cases(catalog.SourceHTTPJSON)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOverHTTP_NamesNoCaseOfOtherKinds(t *testing.T) {
	t.Parallel()
	names := conformance.OverHTTP("there is no HTTP")
	for _, name := range []string{"found", "wrong person", "slow", "malformed", "truncated", "reset", "X-Road binds nothing"} {
		if _, listed := names[name]; listed {
			t.Errorf("%q can happen without HTTP, or only at X-Road", name)
		}
	}
	for _, name := range []string{"redirect", "huge headers", "byte order mark", "name twice", "clock an hour ahead"} {
		if names[name] == "" {
			t.Errorf("%q cannot happen without HTTP", name)
		}
	}
}

func except(names []string, others ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(others, name) })
}

func honest(t *testing.T) connectors.Connector {
	t.Helper()
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	return httpjson.New(client, conformance.Today)
}
