package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mianti/citizen"
	"mianti/ledger"
)

// bundleOf writes entries as the log publishes them, each with its link.
func bundleOf(t *testing.T, links []string, entries ...ledger.Entry) []byte {
	t.Helper()
	var bundle []byte
	for i, e := range entries {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := json.Marshal(citizen.Leaf{Index: int64(i), Entry: text, Links: links[i : i+1]})
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))), leaf...)
	}
	return bundle
}

func TestAccessVerify_SaysWhetherTheListIsComplete(t *testing.T) {
	t.Parallel()
	key, at := bytes.Repeat([]byte{7}, 32), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	links := ledger.Links(key, 2)
	entry := ledger.Entry{Kind: ledger.Read, At: at, Department: "SPJ", Case: "c1"}
	access := func(n int) citizen.Access {
		return citizen.Access{
			Kind: ledger.Read, At: at, Case: "c1", Who: citizen.Accessor{Department: "SPJ"},
			Proof: []citizen.AccessProof{{Entry: "e", Kind: "read", Nth: int64(n), Link: links[n-1]}},
		}
	}
	folder := t.TempDir()
	entries := filepath.Join(folder, "tile", "entries")
	bundle := bundleOf(t, links, entry, entry)
	if err := os.MkdirAll(filepath.Join(entries, "000.p"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(entries, "000.p", "2"), bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(accesses ...citizen.Access) (string, error) {
		export := citizen.OwnExport{
			MadeAt: at.Add(time.Hour), Accesses: accesses,
			Check: &citizen.LinkKey{Key: base64.StdEncoding.EncodeToString(key), Count: 2},
		}
		text, err := json.Marshal(export)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, "export.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = (&accessVerifyCommand{Export: file, Entries: entries}).Run(t.Context(), console{Out: &out})
		return out.String(), err
	}
	if out, err := verify(access(2), access(1)); err != nil || !strings.Contains(out, "清单完整") {
		t.Errorf("the whole list: %v\n%s", err, out)
	}
	if out, err := verify(access(1)); err == nil || !strings.Contains(out, "清单缺了第 2 条") {
		t.Errorf("an access was left out: %v\n%s", err, out)
	}
	if _, err := splitBundle(bundle[:len(bundle)-1]); err == nil {
		t.Error("half a leaf was read")
	}
}
