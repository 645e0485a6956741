package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/guard"
	"mianti/exchange"
	"mianti/policies"
)

// sixSources is a catalog of one matter with a material from each of six
// departments. The source of the fifth may take two seconds.
func sixSources() map[string][]byte {
	files := map[string][]byte{
		"catalog.yaml": []byte("format: mianti-catalog/1\nkind: catalog\ntitle: 六个数源\nversion: \"1\"\n"),
		"facts.yaml":   []byte("format: mianti-catalog/1\nkind: facts\nfacts:\n  - {code: unused, type: bool, ask: 不用回答}\n"),
		"roles.yaml":   []byte("format: mianti-catalog/1\nkind: roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n"),
	}
	var materials strings.Builder
	for i, department := range departments() {
		files["departments/"+department+".yaml"] = fmt.Appendf(nil, `format: mianti-catalog/1
kind: department
department: {code: %[1]s, name: 示例%[1]s局, credit_code: 11370100MB901074XC}
datasets:
  - code: D-%[1]s01
    name: 示例登记%[1]s
    resource_code: 307015370100%[2]d/000001
    sharing: unconditional
    update: realtime
    sensitivity: 1
    asked_by: [person]
    fields: [{code: name, name: 姓名, type: string}]
    sources: [{code: %[1]s.D-%[1]s01.query, kind: httpjson, path: /query}]
`, department, i)
		fmt.Fprintf(&materials, `      - code: S01.M1.%c
        name: 示例材料%s
        kind: proof
        need: required
        basis: [示例规定1]
        origin: government
        subjects: [applicant]
        proofs: [{lookups: [{dataset: D-%[2]s01}]}]
        chain: [{mode: data}, {mode: upload}]
`, 'a'+i, department)
	}
	files["standard-materials.yaml"] = []byte("format: mianti-catalog/1\nkind: standard_materials\nstandard_materials:\n  - {code: STD-ID, name: 身份证明}\n")
	files["one-things/S01.yaml"] = []byte(`format: mianti-catalog/1
kind: one_thing
one_thing: {code: S01, name: 示例一件事, handling: serial, lead: AA}
matters:
  - code: S01.M1
    name: 示例事项
    basic_code: "370131001000"
    level: 3
    department: AA
    days: 1
    result: {name: 示例结果}
    materials:
` + materials.String())
	return files
}

// departments are three that are well, one that is down, one that hangs, and one
// that gives the record of somebody else.
func departments() []string { return []string{"AA", "BB", "CC", "DD", "EE", "FF"} }

// troubled answers for the six. EE does not even listen to its caller: it goes
// on after it was given up.
func troubled(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	reply := connectors.Reply{Records: []connectors.Record{{Subject: q.Subject, Fields: map[string]any{"name": q.Subject.Name}}}}
	switch q.Dataset.Department {
	case "DD":
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultDown}
	case "EE":
		time.Sleep(time.Minute)
	case "FF":
		reply.Records[0].Subject.Number = stranger
	}
	return reply, nil
}

// TestResolve_OfSixSourcesTheThreeThatAreWellSettleInTime shows that a case is
// answered within its deadline, whatever some of its sources do.
func TestResolve_OfSixSourcesTheThreeThatAreWellSettleInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, troubled, func(c *exchange.Config) {
		c.Deadline, c.SourceDeadline = 3*time.Second, 2*time.Second
	})
	b.saveCatalog(sixSources())
	if err := b.store.SaveSystem(t.Context(), exchange.System{ID: "AA-1", Department: "AA"}); err != nil {
		t.Fatal(err)
	}
	rev, err := b.config.Catalogs.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.SaveGrants(t.Context(), grantsFor(rev)); err != nil {
		t.Fatal(err)
	}
	inBubble(t, b, func(t *testing.T) {
		log := &bytes.Buffer{}
		b.config.Sources = guard.New(guard.Config{
			Connectors: map[catalog.SourceKind]connectors.Connector{catalog.SourceHTTPJSON: b.sources},
			Now:        time.Now, Log: slog.New(slog.NewJSONHandler(log, nil)),
		})
		b.x = exchange.New(b.config)
		c := b.open(as("AA"), exchange.Opening{Number: "JN-T-6", OneThing: "S01", Parties: []catalog.Party{person("p1", "王建国", wang, "applicant")}})
		begun := time.Now()
		r := b.resolve(as("AA"), c.ID)
		if took := time.Since(begun); took > b.config.SourceDeadline+50*time.Millisecond {
			t.Errorf("took %s, want the deadline of one question, %s, and 50 ms at most", took, b.config.SourceDeadline)
		}
		for i, want := range []string{"", "", "", "down", "timeout", "wrong_subject"} {
			m := b.material(r, fmt.Sprintf("S01.M1.%c", 'a'+i), "p1")
			if want == "" {
				if m.Outcome != policies.Settled {
					t.Errorf("%s is %s, want settled", m.Code, m.Outcome)
				}
				continue
			}
			if m.Outcome != policies.Upload || m.Reason.Code != "source_down" || m.Attempts[0].Detail != want || m.Reason.Text == "" {
				t.Errorf("%s is %s for %s (%s), want upload for source_down (%s)", m.Code, m.Outcome, m.Reason.Code, m.Attempts[0].Detail, want)
			}
		}
		if text := asJSON(t, r) + log.String() + b.log.String(); strings.Contains(text, stranger) {
			t.Error("the number of somebody else is in the answer or in the log")
		}
		time.Sleep(time.Minute) // of the bubble's time: until EE has come to its end
	})
}
