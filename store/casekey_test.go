package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/internal/keytest"
	"mianti/keyring"
	"mianti/ledger"
	"mianti/policies"
)

// sealedCase stores a case with something in every table that keeps content.
func sealedCase(t *testing.T, s *Store, id, number string) *exchange.Case {
	t.Helper()
	c := newCase(id, number)
	c.Consents = []exchange.Consent{saidConsent("k-"+id, exchange.ConsentGiven)}
	open(t, s, c)
	c.Results = []exchange.MatterResult{{Matter: "S01.M1", Outcome: catalog.Granted, Number: "370199198805163315", ReportedAt: testTime}}
	if err := s.UpdateCase(t.Context(), c, entry(ledger.ResultReported, id)); err != nil {
		t.Fatal(err)
	}
	task := &exchange.AssistTask{
		ID: "a-" + id, Key: "key-" + id, Department: "GA", Receiver: "SPJ", Case: id, Question: "请核实王建国", Fields: []string{}, AskedAt: testTime, DueAt: testTime, State: exchange.AssistOpen,
	}
	if _, err := s.OpenAssist(t.Context(), task, nil); err != nil {
		t.Fatal(err)
	}
	task.Answer = &exchange.AssistAnswer{Result: exchange.AssistConfirmed, Officer: "李雷", Fields: map[string]any{"name": "王建国"}, At: testTime}
	if err := s.AnswerAssist(t.Context(), exchange.AssistCommit{Task: task, Entry: entry(ledger.AssistAnswered, id)}); err != nil {
		t.Fatal(err)
	}
	for version := 1; version <= 2; version++ {
		commit := exchange.Commit{Resolution: sealedResolution(c, version), Entries: []ledger.Entry{entry(ledger.Resolved, id)}}
		if version == 2 {
			commit.Inputs = &exchange.Inputs{Resolution: "r-" + id, Version: 2, Case: id, Facts: catalog.Facts{"who": "王建国"}}
		}
		if err := s.CommitResolution(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func sealedResolution(c *exchange.Case, version int) *exchange.Resolution {
	return &exchange.Resolution{
		ID: "r-" + c.ID, Case: c.ID, CaseNumber: c.Number, Revision: 1, CaseVersion: c.Version, Status: exchange.StatusComplete, Version: version,
		ResolvedAt: testTime, StartedAt: testTime, Matters: []exchange.MatterState{}, Upload: []string{}, Papers: []exchange.Paper{}, Questions: []exchange.Question{},
		Materials: []exchange.MaterialResult{{
			Code: "m1", UsedBy: []string{"m1"}, Name: "身份证", Outcome: policies.Settled, Reason: exchange.Reason{Code: policies.ReasonRecordMatches, Text: "已核验：王建国"},
			Attempts: []exchange.Attempt{{Mode: catalog.ModeData, Dataset: "GA.ID", Result: policies.Mismatch, Detail: "王建国"}, {Mode: catalog.ModeData, Result: policies.NoGrant, Detail: "grant_missing"}},
			Evidence: &exchange.Evidence{
				Dataset: "GA.ID", Department: "GA", Source: "GA.ID.api", Reference: "REF-370199198805163315", Proof: "P", ValidUntil: "2030-01-01",
				Fields: map[string]any{"name": "王建国"}, Digest: "sha256:abc", Grant: "g1",
			},
			Questions: []exchange.Question{},
		}},
	}
}

// sealedTexts are the texts of all columns that keep content, by their place.
func sealedTexts(t *testing.T, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, query := range map[string]string{
		"case": "SELECT id, body FROM cases", "facts": "SELECT id, facts FROM cases", "result": "SELECT case_id, body FROM case_results",
		"resolution": "SELECT id, body FROM resolutions", "version": "SELECT resolution_id, body FROM resolution_versions",
		"inputs": "SELECT resolution_id, body FROM resolution_inputs",
		"task":   "SELECT id, body FROM assist_tasks", "answer": "SELECT id, answer FROM assist_tasks", "consent": "SELECT id, body FROM consents",
	} {
		rows, err := s.pool.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, text string
			if err := rows.Scan(&id, &text); err != nil {
				t.Fatal(err)
			}
			out[name+" "+id] = text
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestStore_SealsWhateverIsKeptOfACase(t *testing.T) {
	t.Parallel()
	for _, cipher := range []keyring.Cipher{keyring.AES256GCM, keyring.SM4GCM} {
		t.Run(string(cipher), func(t *testing.T) {
			t.Parallel()
			eachURL(t, func(t *testing.T, url string) {
				s := openStore(t, Config{URL: url, Now: testClock, Cipher: cipher})
				ready(t, s)
				want := sealedCase(t, s, "c1", "JN-1")
				stored := sealedTexts(t, s)
				if len(stored) != 9 {
					t.Fatalf("%d texts, want one of each of nine columns", len(stored))
				}
				for where, text := range stored {
					if !strings.HasPrefix(text, sealedMark) {
						t.Errorf("%s lies in clear", where)
					}
				}
				got, err := s.Case(t.Context(), "SPJ", "c1")
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v; -want +got:\n%s", err, diff)
				}
				r, err := s.Resolution(t.Context(), "SPJ", "r-c1")
				if diff := cmp.Diff(sealedResolution(want, 2), r); err != nil || diff != "" {
					t.Errorf("%v; -want +got:\n%s", err, diff)
				}
				task, err := s.AssistTask(t.Context(), "GA", "a-c1")
				if err != nil || task.Question != "请核实王建国" || task.Answer.Officer != "李雷" {
					t.Errorf("task %+v, %v", task, err)
				}
			})
		})
	}
}

// Each text opens in its own place alone: not in another row, column, case or
// version, and not as clear text.
func TestStore_RefusesContentThatWasMoved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		sealedCase(t, s, "c1", "JN-1")
		sealedCase(t, s, "c2", "JN-2")
		readCase := func() error { _, err := s.Case(t.Context(), "SPJ", "c1"); return err }
		readResolution := func() error { _, err := s.Resolution(t.Context(), "SPJ", "r-c1"); return err }
		readTask := func() error { _, err := s.AssistTask(t.Context(), "GA", "a-c1"); return err }
		for _, tt := range []struct {
			name, table, id, column, from string
			read                          func() error
		}{
			{"another case", "cases", "c1", "body", "(SELECT body FROM cases WHERE id = 'c2')", readCase},
			{"another column", "cases", "c1", "body", "(SELECT facts FROM cases WHERE id = 'c1')", readCase},
			{"clear text", "cases", "c1", "body", `'{"parties":[],"salt":"AAAA"}'`, readCase},
			{"another case's resolution", "resolutions", "r-c1", "body", "(SELECT body FROM resolutions WHERE id = 'r-c2')", readResolution},
			{"an earlier version", "resolutions", "r-c1", "body", "(SELECT body FROM resolution_versions WHERE resolution_id = 'r-c1')", readResolution},
			{"an answer for a question", "assist_tasks", "a-c1", "body", "(SELECT answer FROM assist_tasks WHERE id = 'a-c1')", readTask},
			{"broken text", "assist_tasks", "a-c1", "body", "'sealed:%%%'", readTask},
		} {
			if err := tt.read(); err != nil {
				t.Fatalf("%s: before: %v", tt.name, err)
			}
			var kept string
			where := " WHERE id = '" + tt.id + "'"
			if err := s.pool.QueryRowContext(t.Context(), "SELECT "+tt.column+" FROM "+tt.table+where).Scan(&kept); err != nil {
				t.Fatal(err)
			}
			exec(t, s, "UPDATE "+tt.table+" SET "+tt.column+" = "+tt.from+where)
			if err := tt.read(); !errors.Is(err, keyring.ErrUnreadable) {
				t.Errorf("%s: %v, want it refused", tt.name, err)
			}
			exec(t, s, "UPDATE "+tt.table+" SET "+tt.column+" = '"+kept+"'"+where)
		}
		exec(t, s, "UPDATE case_keys SET payload_key = (SELECT k.payload_key FROM case_keys k WHERE k.case_id = 'c2') WHERE case_id = 'c1'")
		if err := readCase(); !errors.Is(err, keyring.ErrUnreadable) {
			t.Errorf("another case's key: %v, want it refused", err)
		}
	})
}

func exec(t *testing.T, s *Store, statement string) {
	t.Helper()
	if _, err := s.pool.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// inTheClear makes a case what it was before there were keys.
func inTheClear(t *testing.T, s *Store, c *exchange.Case) {
	t.Helper()
	body, err := json.Marshal(caseBody{Parties: c.Parties, Salt: c.Salt})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := json.Marshal(c.Facts)
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.keyOf(t.Context(), s.db, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(text string, where []byte) string {
		opened, err := key.open(text, where)
		if err != nil {
			t.Fatal(err)
		}
		return string(opened)
	}
	stored := sealedTexts(t, s)
	set := func(statement string, values ...any) {
		if err := s.db.Exec(statement, values...).Error; err != nil {
			t.Fatal(err)
		}
	}
	set("UPDATE cases SET body = ?, facts = ?, body_digest = 'sha256:1' WHERE id = ?", string(body), string(facts), c.ID)
	set("UPDATE case_results SET body = ? WHERE case_id = ?", plain(stored["result "+c.ID], resultPlace(c.ID, "S01.M1")), c.ID)
	set("UPDATE resolutions SET body = ? WHERE case_id = ?", plain(stored["resolution r-"+c.ID], resolutionPlace("r-"+c.ID, 2)), c.ID)
	set("UPDATE resolution_versions SET body = ? WHERE resolution_id = ?", plain(stored["version r-"+c.ID], resolutionPlace("r-"+c.ID, 1)), "r-"+c.ID)
	set("UPDATE resolution_inputs SET body = ? WHERE case_id = ?", plain(stored["inputs r-"+c.ID], inputsPlace("r-"+c.ID, 2)), c.ID)
	set("UPDATE assist_tasks SET body = ?, answer = ? WHERE case_id = ?", plain(stored["task a-"+c.ID], assistPlace("a-"+c.ID, "body")), plain(stored["answer a-"+c.ID], assistPlace("a-"+c.ID, "answer")), c.ID)
	set("UPDATE consents SET body = ? WHERE case_id = ?", plain(stored["consent k-"+c.ID], consentPlace("k-"+c.ID)), c.ID)
	set("DELETE FROM case_keys WHERE case_id = ?", c.ID)
}

func TestRewrap_SealsCasesFromBeforeThereWereKeys(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		want := sealedCase(t, s, "c1", "JN-1")
		want.Opening = "sha256:1"
		inTheClear(t, s, want)
		readAll := func() {
			t.Helper()
			got, err := s.Case(t.Context(), "SPJ", "c1")
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v; -want +got:\n%s", err, diff)
			}
			if r, err := s.Resolution(t.Context(), "SPJ", "r-c1"); err != nil || r.Materials[0].Evidence.Reference == "" {
				t.Errorf("resolution %+v, %v", r, err)
			}
			if task, err := s.AssistTask(t.Context(), "GA", "a-c1"); err != nil || task.Answer.Officer != "李雷" {
				t.Errorf("task %+v, %v", task, err)
			}
			if in, err := s.InputsOf(t.Context(), "r-c1", 2); err != nil || in.Facts["who"] != "王建国" {
				t.Errorf("inputs %+v, %v", in, err)
			}
		}
		readAll()
		got, err := s.Rewrap(t.Context(), 10)
		if diff := cmp.Diff(Rewrapping{Sealed: 1}, got); err != nil || diff != "" {
			t.Errorf("%v; -want +got:\n%s", err, diff)
		}
		want.Opening = ledger.Digest(want.Salt, "sha256:1")
		readAll()
		for where, text := range sealedTexts(t, s) {
			if !strings.HasPrefix(text, sealedMark) {
				t.Errorf("%s lies in clear", where)
			}
		}
	})
}

func TestStore_SealsACaseFromBeforeWhenItIsWritten(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Store) {
		ready(t, s)
		c := sealedCase(t, s, "c1", "JN-1")
		inTheClear(t, s, c)
		c.Facts["agent"] = true
		if err := s.UpdateCase(t.Context(), c, entry(ledger.FactsChanged, "c1")); err != nil {
			t.Fatal(err)
		}
		for where, text := range sealedTexts(t, s) {
			if !strings.HasPrefix(text, sealedMark) {
				t.Errorf("%s lies in clear", where)
			}
		}
		if got, err := s.Case(t.Context(), "SPJ", "c1"); err != nil || got.Facts["agent"] != true {
			t.Errorf("case %+v, %v", got, err)
		}
	})
}

// The key-encryption key is changed while a server with the old and the new one
// goes on; then the old one goes.
func TestRewrap_PutsKeysUnderTheFirstKeyWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		before := openStore(t, Config{URL: url, Now: testClock, Keys: keytest.Keys(1)})
		ready(t, before)
		sealedCase(t, before, "c1", "JN-1")
		sealedCase(t, before, "c2", "JN-2")
		if _, err := Open(t.Context(), Config{URL: url, Now: testClock, Keys: keytest.Keys(2)}); fault.As(err) == nil || fault.As(err).Code != "key-missing" {
			t.Fatalf("a server without the key that everything is under: %v, want key-missing", err)
		}
		running := openStore(t, Config{URL: url, Now: testClock, Keys: keytest.Keys(2, 1)})
		for left := 1; left >= 0; left-- {
			got, err := running.Rewrap(t.Context(), 1)
			if diff := cmp.Diff(Rewrapping{Wrapped: 1, Left: left}, got); err != nil || diff != "" {
				t.Fatalf("%v; -want +got:\n%s", err, diff)
			}
			for _, id := range []string{"c1", "c2"} { // whichever key it is under
				if _, err := running.Case(t.Context(), "SPJ", id); err != nil {
					t.Errorf("with %d left: %v", left, err)
				}
			}
		}
		after := openStore(t, Config{URL: url, Now: testClock, Keys: keytest.Keys(2)})
		if _, err := after.Case(t.Context(), "SPJ", "c1"); err != nil {
			t.Errorf("without the old key: %v", err)
		}
		if _, err := before.Case(t.Context(), "SPJ", "c1"); fault.As(err) == nil || fault.As(err).Code != "key-missing" {
			t.Errorf("with the old key alone: %v, want key-missing", err)
		}
	})
}

func TestStore_KeepsNothingWithoutKeys(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		s, err := Open(t.Context(), Config{URL: url, Now: testClock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		ready(t, s)
		if _, err := s.OpenCase(t.Context(), newCase("c1", "JN-1")); fault.As(err) == nil || fault.As(err).Code != "keys-missing" {
			t.Errorf("OpenCase: %v, want keys-missing", err)
		}
		if stored := sealedTexts(t, s); len(stored) != 0 {
			t.Errorf("%d texts were stored", len(stored))
		}
	})
}
