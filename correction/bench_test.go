package correction_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/correction"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/internal/keytest"
	"mianti/internal/pgtest"
	"mianti/policies"
	"mianti/store"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, store.Migrate)) }

// files is a catalog of one matter of SPJ, which asks GA for identity and address.
func files() map[string][]byte {
	const head = "format: mianti-catalog/1\nkind: "
	return map[string][]byte{
		"catalog.yaml":            []byte(head + "catalog\ntitle: 校核测试目录\nversion: test-1\n"),
		"roles.yaml":              []byte(head + "roles\nroles:\n  - {code: applicant, name: 申请人, kinds: [person]}\n  - {code: child, name: 子女, kinds: [person], basis: [义务教育法11]}\n  - {code: guardian, name: 监护人, kinds: [person], basis: [义务教育法11]}\n"),
		"facts.yaml":              []byte(head + "facts\nfacts: []\n"),
		"standard-materials.yaml": []byte(head + "standard_materials\nstandard_materials: []\n"),
		"departments/SPJ.yaml":    []byte(head + "department\ndepartment: {code: SPJ, name: 市行政审批服务局, credit_code: 11370100MB9010002W}\ndatasets: []\n"),
		"departments/GA.yaml": []byte(head + `department
department: {code: GA, name: 市公安局, credit_code: 11370100MB901074XC}
datasets:
  - code: D-GA01
    name: 户籍登记
    resource_code: 3070153701003/000001
    sharing: conditional
    terms: 依法履职，按件核验
    update: realtime
    sensitivity: 3
    asked_by: [person]
    fields:
      - {code: name, name: 姓名, type: string}
      - {code: address, name: 住址, type: string}
    sources:
      - {code: GA.D-GA01.query, kind: httpjson, path: /query/D-GA01}
  - code: D-GA02
    name: 居住证
    resource_code: 3070153701003/000002
    sharing: conditional
    terms: 依法履职，按件核验
    update: realtime
    sensitivity: 2
    asked_by: [person]
    fields:
      - {code: number, name: 证号, type: string}
    sources:
      - {code: GA.D-GA02.query, kind: httpjson, path: /query/D-GA02}
`),
		"departments/MZ.yaml": []byte(head + "department\ndepartment: {code: MZ, name: 市民政局, credit_code: 11370100MB9013334W}\ndatasets: []\n"),
		"one-things/S90.yaml": []byte(head + `one_thing
one_thing: {code: S90, name: 登记一件事, handling: serial, lead: SPJ}
matters:
  - code: S90.M1
    name: 登记
    basic_code: "370131001000"
    level: 3
    department: SPJ
    days: 1
    result: {name: 登记表}
    materials:
      - code: S90.M1.a
        name: 户籍证明
        kind: certificate
        need: required
        origin: government
        subjects: [applicant, child]
        proofs: [{lookups: [{dataset: D-GA01, release: [name, address]}]}]
        chain: [{mode: data}, {mode: upload}]
      - code: S90.M1.b
        name: 居住证
        kind: certificate
        need: required
        origin: government
        subjects: [applicant]
        proofs: [{lookups: [{dataset: D-GA02}]}]
        chain: [{mode: data}, {mode: upload}]
`),
	}
}

// register is what GA's records say. It counts what it is asked.
type register struct {
	mu      sync.Mutex
	address string
	permit  bool // whether there is a residence permit
	asked   map[string]int
}

func (r *register) Ask(_ context.Context, q connectors.Query) (connectors.Reply, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[q.Dataset.Code]++
	fields := map[string]any{"name": q.Subject.Name, "address": r.address}
	if q.Dataset.Code == "D-GA02" {
		if !r.permit {
			return connectors.Reply{}, nil
		}
		fields = map[string]any{"number": "J-1"}
	}
	return connectors.Reply{Records: []connectors.Record{{Subject: q.Subject, Fields: fields}}}, nil
}

func (r *register) set(change func(*register)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *register) count(dataset string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[dataset]
}

// bench is an exchange and a desk on one database.
type bench struct {
	t     *testing.T
	db    *store.Store
	ga    *register
	x     *exchange.Exchange
	desk  *correction.Desk
	clock atomic.Pointer[time.Time]
}

// eachBench runs a test on each kind of database.
func eachBench(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
		if err := store.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		test(t, newBench(t, url))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newBench(t, pgtest.Database(t)))
	})
}

func newBench(t *testing.T, url string) *bench {
	t.Helper()
	b := &bench{t: t, ga: &register{address: "历下区旧地址", asked: map[string]int{}}}
	b.set(shanghai(t, "2026-11-23 09:00"))
	now := func() time.Time { return *b.clock.Load() }
	var err error
	if b.db, err = store.Open(t.Context(), store.Config{URL: url, Keys: keytest.Keys(), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.db.Close() })
	if _, err := b.db.SaveRevision(t.Context(), files(), store.RevisionMeta{Title: "测试"}); err != nil {
		t.Fatal(err)
	}
	for _, department := range []string{"SPJ", "GA", "MZ"} {
		if err := b.db.SaveSystem(t.Context(), exchange.System{ID: department + "-1", Department: department}); err != nil {
			t.Fatal(err)
		}
	}
	var grants []policies.Grant
	for dataset, fields := range map[string][]string{"D-GA01": {"name", "address"}, "D-GA02": {"number"}} {
		grants = append(grants, policies.Grant{
			ID: dataset, Department: "SPJ", Matter: "S90.M1", Dataset: dataset, Fields: fields, From: now().AddDate(-1, 0, 0), Until: now().AddDate(1, 0, 0), State: policies.GrantActive,
		})
	}
	if err := b.db.SaveGrants(t.Context(), grants); err != nil {
		t.Fatal(err)
	}
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%04d", ids.Add(1)) }
	catalogs := store.NewCatalogs(b.db)
	b.x = exchange.New(exchange.Config{
		Catalogs: catalogs, Cases: b.db, Resolutions: b.db, Submissions: b.db, Journal: b.db, Grants: b.db, Consents: b.db, Records: b.db,
		Keys: b.db, Queue: b.db, Systems: b.db, Sources: b.ga,
		Locate: func(string, *catalog.Source) (string, catalog.Network) {
			return "http://127.0.0.1:1", catalog.NetworkLocal
		},
		Desk:       &exchange.Desk{Assists: b.db, Cases: b.db, Now: now, NewID: newID, Due: func(from time.Time, days int) time.Time { return from.AddDate(0, 0, days) }},
		SubjectKey: bytes.Repeat([]byte{7}, 32), Now: now, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	b.desk = correction.New(correction.Config{
		Catalogs: catalogs, Corrections: b.db, Exchange: b.x, Journal: b.db, Procedure: procedure(t), Now: now, NewID: newID,
	})
	return b
}

func (b *bench) set(now time.Time) { b.clock.Store(&now) }

// people of the unassigned area 370199.
func applicant() catalog.Party {
	return catalog.Party{ID: "p1", Roles: []string{"applicant", "guardian"}, Kind: catalog.KindPerson, Name: "郑丽华", Number: "370199198704202485"}
}

func child() catalog.Party {
	return catalog.Party{ID: "p2", Roles: []string{"child"}, Kind: catalog.KindPerson, Name: "冯乐乐", Number: "370199201908051134"}
}

func stranger() catalog.Party {
	return catalog.Party{ID: "p1", Roles: []string{"applicant", "guardian"}, Kind: catalog.KindPerson, Name: "马强", Number: "370199198805163315"}
}

// citizen is a party who has signed in himself.
func (b *bench) citizen(p catalog.Party) policies.Caller {
	return policies.Caller{Person: "person-" + p.Number[10:14], Subject: b.x.SubjectOf(p.Kind, p.Number), Duties: []policies.Duty{policies.DutyCitizen}}
}

func (b *bench) open(number string, parties ...catalog.Party) *exchange.Case {
	b.t.Helper()
	c, _, err := b.x.OpenCase(b.t.Context(), system("SPJ"), exchange.Opening{Number: number, OneThing: "S90", Parties: parties})
	if err != nil {
		b.t.Fatalf("%v %+v", err, err)
	}
	return c
}

func (b *bench) resolve(id string) *exchange.Resolution {
	b.t.Helper()
	r, err := b.x.Resolve(b.t.Context(), system("SPJ"), id, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) read(id string) *exchange.Resolution {
	b.t.Helper()
	r, err := b.x.Resolution(b.t.Context(), system("SPJ"), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// material is the conclusion for a material of a party.
func material(t *testing.T, r *exchange.Resolution, code, party string) *exchange.MaterialResult {
	t.Helper()
	for i := range r.Materials {
		if m := &r.Materials[i]; m.Code == code && m.Subject != nil && m.Subject.Party == party {
			return m
		}
	}
	t.Fatalf("no %s of %s", code, party)
	return nil
}

// work runs the jobs that have come due until none is left, and gives the kinds and
// the keys of those that ran. Events are delivered to nobody: their payloads are
// told.
func (b *bench) work() (told []string) {
	b.t.Helper()
	for {
		kinds := []string{exchange.JobContinue, exchange.JobReflow, exchange.JobReconsider, correction.JobNotice, exchange.JobEvent}
		found, err := b.db.Claim(b.t.Context(), "test", kinds, 50, time.Minute)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(found) == 0 {
			slices.Sort(told)
			return told
		}
		for _, job := range found {
			handler := map[string]func(context.Context, jobs.Job) error{
				exchange.JobContinue: b.x.ContinueJob, exchange.JobReflow: b.x.ReflowJob, exchange.JobReconsider: b.x.ReconsiderJob,
				correction.JobNotice: b.desk.NoticeJob, exchange.JobEvent: func(_ context.Context, job jobs.Job) error { told = append(told, job.Payload); return nil },
			}[job.Kind]
			if err := handler(b.t.Context(), job); err != nil {
				b.t.Fatalf("%s %s: %v", job.Kind, job.Payload, err)
			}
			if done, err := b.db.Finish(b.t.Context(), "test", job); err != nil || !done {
				b.t.Fatalf("finish: %t %v", done, err)
			}
		}
	}
}

// wrongAddress says that the address of a party is wrong.
func wrongAddress(c *exchange.Case, party string) correction.Submission {
	return correction.Submission{
		ContestRef: exchange.ContestRef{Case: c.ID, Material: "S90.M1.a", Party: party, Dataset: "D-GA01"},
		Claim:      correction.Claim{Fields: map[string]string{"address": "历下区新地址"}, Explanation: "已于九月迁入新址"},
	}
}

func (b *bench) submit(by policies.Caller, in correction.Submission) *correction.View {
	b.t.Helper()
	v, err := b.desk.Submit(b.t.Context(), by, in)
	if err != nil {
		b.t.Fatalf("submit: %v (%s)", err, code(err))
	}
	return v
}

func (b *bench) act(by policies.Caller, id string, e correction.Event) *correction.View {
	b.t.Helper()
	v, err := b.desk.Act(b.t.Context(), by, id, 0, e)
	if err != nil {
		b.t.Fatalf("%s: %v", e.Act, err)
	}
	return v
}

// newSQLiteBench is a bench on a file, where the kind of database is no matter.
func newSQLiteBench(t *testing.T) *bench {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "mianti.db")
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return newBench(t, url)
}

// list0 is the id of the one correction that GA has.
func list0(t *testing.T, b *bench) string {
	t.Helper()
	list, err := b.desk.List(t.Context(), officer("o", "GA"), correction.AsProvider, correction.Filter{Limit: 2})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d corrections, %v", len(list), err)
	}
	return list[0].ID
}

// together does things at once, and counts the codes of how they end.
func together(do ...func() error) map[string]int {
	results := make([]error, len(do))
	var all sync.WaitGroup
	for i := range do {
		all.Go(func() { results[i] = do[i]() })
	}
	all.Wait()
	out := map[string]int{}
	for _, err := range results {
		out[code(err)]++
	}
	return out
}

// asFault is what a caller is told of a failure.
func asFault(err error) string {
	f := fault.As(err)
	if f == nil {
		return err.Error()
	}
	return string(f.Kind) + " " + f.Code + " " + f.Message
}
