package citizen_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/citizen"
	"mianti/ledger"
)

// The moment, the person's key, and the acts that concern him, in the order in
// which they were sealed.
func moment() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func ownKey() []byte { return bytes.Repeat([]byte{7}, 32) }

func acts() []ledger.Entry {
	return []ledger.Entry{
		{Kind: ledger.CaseOpened, At: moment(), Department: "SPJ", Case: "c1"},
		{Kind: ledger.Intent, At: moment().Add(time.Minute), Department: "SPJ", Case: "c1", Dataset: "D", Fields: []string{"name"}},
		{Kind: ledger.Outcome, At: moment().Add(2 * time.Minute), Department: "SPJ", Case: "c1", Dataset: "D", Fields: []string{"name"}},
		{Kind: ledger.Read, At: moment().Add(3 * time.Minute), Department: "SPJ", Case: "c1"},
	}
}

// logOf puts acts of the person between those of others.
func logOf(t *testing.T, acts ...ledger.Entry) []citizen.Leaf {
	t.Helper()
	links := ledger.Links(ownKey(), len(acts))
	var leaves []citizen.Leaf
	for i, e := range acts {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(len(leaves))
		leaves = append(leaves, citizen.Leaf{Index: at, Entry: text, Links: []string{"0123"}}, citizen.Leaf{Index: at + 1, Entry: text, Links: []string{"4567", links[i]}})
	}
	return leaves
}

// exported is the list of those acts.
func exported() *citizen.OwnExport {
	links := ledger.Links(ownKey(), 4)
	proof := func(n int, kind ledger.Kind) citizen.AccessProof {
		return citizen.AccessProof{Entry: "e", Kind: string(kind), Nth: int64(n), Link: links[n-1]}
	}
	a := acts()
	ended := a[2].At
	who := citizen.Accessor{Department: "SPJ"}
	return &citizen.OwnExport{
		MadeAt: moment().Add(time.Hour),
		Check:  &citizen.LinkKey{Key: base64.StdEncoding.EncodeToString(ownKey()), Count: 4},
		Accesses: []citizen.Access{
			{Kind: ledger.Read, At: a[3].At, Case: "c1", Who: who, Proof: []citizen.AccessProof{proof(4, ledger.Read)}},
			{
				Kind: ledger.Intent, At: a[1].At, EndedAt: &ended, Case: "c1", Dataset: "D", Who: who, Fields: []citizen.AccessField{{Code: "name"}},
				Proof: []citizen.AccessProof{proof(2, ledger.Intent), proof(3, ledger.Outcome)},
			},
			{Kind: ledger.CaseOpened, At: a[0].At, Case: "c1", Who: who, Proof: []citizen.AccessProof{proof(1, ledger.CaseOpened)}},
		},
	}
}

func TestCheck_FindsEachAccessAndNothingElse(t *testing.T) {
	t.Parallel()
	later := ledger.Entry{Kind: ledger.Read, At: moment().Add(2 * time.Hour), Department: "SPJ", Case: "c1"}
	got, err := citizen.Check(exported(), slices.Values(logOf(t, append(acts(), later)...)))
	if err != nil || len(got.Faults) != 0 || got.Sealed != 4 || got.Later != 1 {
		t.Errorf("%+v, %v; want four found, one later, no fault", got, err)
	}
}

func TestCheck_NamesWhatWasLeftOutOrChanged(t *testing.T) {
	t.Parallel()
	hidden := ledger.Entry{Kind: ledger.Read, At: moment().Add(30 * time.Minute), Department: "GA", Case: "c9"}
	for _, tt := range []struct {
		name   string
		change func(e *citizen.OwnExport)
		acts   []ledger.Entry
		want   string
	}{
		{"an access is left out", func(e *citizen.OwnExport) { e.Accesses = e.Accesses[1:] }, acts(), "清单缺了第 4 条"},
		{"with the count made to fit", func(e *citizen.OwnExport) { e.Accesses, e.Check.Count = e.Accesses[1:], 3 }, acts(), "日志中还有第 4 条"},
		{"one more in the log, before the export", func(*citizen.OwnExport) {}, append(acts(), hidden), "日志中还有第 5 条"},
		{"not in the log", func(*citizen.OwnExport) {}, acts()[:3], "（第 4 条）不在日志中"},
		{"neither here nor there", func(e *citizen.OwnExport) { e.Check.Count = 5 }, acts(), "第 5 条既不在日志中"},
		{"another department", func(e *citizen.OwnExport) { e.Accesses[0].Who.Department = "GA" }, acts(), "（第 4 条）在清单中与在日志中"},
		{"another time", func(e *citizen.OwnExport) { e.Accesses[0].At = moment() }, acts(), "（第 4 条）在清单中与在日志中"},
		{"a field less", func(e *citizen.OwnExport) { e.Accesses[1].Fields = nil }, acts(), "（第 2 条）在清单中与在日志中"},
		{"another's link", func(e *citizen.OwnExport) { e.Accesses[0].Proof[0].Link = "0123" }, acts(), "自称第 4 条"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			export := exported()
			tt.change(export)
			got, err := citizen.Check(export, slices.Values(logOf(t, tt.acts...)))
			if err != nil || !strings.Contains(strings.Join(got.Faults, "\n"), tt.want) {
				t.Errorf("faults %q, %v; want one with %q", got.Faults, err, tt.want)
			}
		})
	}
}

func TestCheck_NeedsTheKey(t *testing.T) {
	t.Parallel()
	export := exported()
	export.Check.Key = ""
	if _, err := citizen.Check(export, slices.Values(logOf(t, acts()...))); err == nil {
		t.Error("an export without a key was checked")
	}
}
