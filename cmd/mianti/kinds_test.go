package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"mianti/connectors/standin"
	"mianti/exchange"
)

// conclusion is what came of a material: outcome, mode and reason, and the
// result and detail of the question that was put for it.
type conclusion struct{ Outcome, Mode, Reason, Result, Detail string }

var (
	matches  = conclusion{"settled", "data", "record_matches", "ok", ""}
	licensed = conclusion{"settled", "elicense", "licence_valid", "ok", ""}
	asked    = conclusion{"verifying", "", "assist", "", ""} // a question that is not answered is no attempt yet
)

// kindsMaterials are the materials of the example, by the kind of their source.
const kindsMaterials = "abcdefghijk"

// conclusions are those of a resolution, by the last letter of the material.
func conclusions(r *exchange.Resolution) map[string]conclusion {
	out := map[string]conclusion{}
	for i := range r.Materials {
		m := &r.Materials[i]
		c := conclusion{Outcome: string(m.Outcome), Mode: string(m.Mode), Reason: string(m.Reason.Code)}
		if len(m.Attempts) > 0 { // each material has one proof with one look-up
			c.Result, c.Detail = string(m.Attempts[0].Result), m.Attempts[0].Detail
		}
		out[strings.TrimPrefix(m.Code, "K01.M1.")] = c
	}
	return out
}

// afterFault is what each material comes to when every department has a fault
// with a detail. The file was loaded before, and the officer has a telephone.
func afterFault(detail string) map[string]conclusion {
	out := map[string]conclusion{"j": matches, "k": asked}
	for _, letter := range "abdfgi" { // their chains end in an upload
		out[string(letter)] = conclusion{"upload", "", "source_down", "source_down", detail}
	}
	for _, letter := range "ceh" { // their chains wait
		out[string(letter)] = conclusion{"verifying", "", "source_retry", "source_down", detail}
	}
	return out
}

func TestKinds_EverySourceSettlesItsMaterial(t *testing.T) {
	t.Parallel()
	k := newKinds(t)
	k.loadFile(t)
	k.start(t)
	first := k.resolve(t)
	want := map[string]conclusion{"g": licensed, "k": asked}
	for _, letter := range "abcdefhij" {
		want[string(letter)] = matches
	}
	if diff := cmp.Diff(want, conclusions(first)); diff != "" {
		t.Errorf("version 1 (-want +got):\n%s", diff)
	}
	if first.Version != 1 || first.Status != exchange.StatusPending {
		t.Errorf("version %d is %s, want version 1 pending", first.Version, first.Status)
	}
	k.answer(t)
	c := k.as(t, "SL")
	c.http.Transport = patient{}
	var second exchange.Resolution
	if err := c.call(t.Context(), http.MethodGet, "/v1/resolutions/"+first.ID, nil, &second); err != nil {
		t.Fatal(err)
	}
	want["k"] = matches
	if diff := cmp.Diff(want, conclusions(&second)); diff != "" {
		t.Errorf("version 2 (-want +got):\n%s", diff)
	}
	if second.Version != 2 || second.Status != exchange.StatusComplete {
		t.Errorf("version %d is %s, want version 2 complete", second.Version, second.Status)
	}
}

// answer answers the one task of the department XC, as its officer.
func (k *kinds) answer(t *testing.T) {
	t.Helper()
	c := k.as(t, "XC")
	var tasks struct {
		Items []exchange.AssistTask `json:"items"`
	}
	if err := c.call(t.Context(), http.MethodGet, "/v1/assist-tasks", nil, &tasks); err != nil || len(tasks.Items) != 1 {
		t.Fatalf("%d tasks, want 1: %v", len(tasks.Items), err)
	}
	said, ok, err := k.standIns.Officer("D-XC01", "person", probeName, probeNumber)
	if err != nil || !ok || len(said.Rows) != 1 {
		t.Fatalf("the officer found %d rows: %v", len(said.Rows), err)
	}
	fields := map[string]any{}
	for _, code := range tasks.Items[0].Fields {
		fields[code] = said.Rows[0].Fields[code]
	}
	body := map[string]any{"result": "confirmed", "officer": "示例人员", "fields": fields}
	if err := c.call(t.Context(), http.MethodPost, "/v1/assist-tasks/"+tasks.Items[0].ID+"/answer", body, nil); err != nil {
		t.Fatal(err)
	}
}

func TestKinds_AFaultSettlesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule   standin.Rule
		detail string
	}{
		{standin.Rule{Fault: standin.FaultDown}, "down"},
		{standin.Rule{Fault: standin.FaultWrongPerson}, "wrong_subject"},
		{standin.Rule{Fault: standin.FaultSlow, Delay: 10 * time.Second}, "timeout"},
		{standin.Rule{Fault: standin.FaultReset}, "down"},
	} {
		t.Run(string(c.rule.Fault), func(t *testing.T) {
			t.Parallel()
			k := newKinds(t)
			k.loadFile(t)
			k.start(t)
			k.play(t, c.rule)
			if diff := cmp.Diff(afterFault(c.detail), conclusions(k.resolve(t))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKinds_AFileThatIsMissingOrOldSettlesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		load bool
		want conclusion
	}{
		"missing": {false, conclusion{"upload", "", "source_down", "source_down", "down"}},
		// The file is from a month ago, and may be 36 hours old.
		"old": {true, conclusion{"upload", "", "stale", "stale", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKinds(t)
			if c.load {
				k.play(t, standin.Rule{Dataset: "D-YS02", Fault: standin.FaultStale})
				k.loadFile(t)
			}
			k.start(t)
			if diff := cmp.Diff(c.want, conclusions(k.resolve(t))["j"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The network is mended from past it.
func TestKinds_FaultsOfTheNetworkAreTakenBackPastIt(t *testing.T) {
	t.Parallel()
	k := newKinds(t)
	faults := "http://" + k.standIns.places.Faults + "/_faults"
	for _, step := range []struct{ method, body string }{{http.MethodPost, `{"fault":"hang"}`}, {http.MethodDelete, ""}} {
		request, err := http.NewRequestWithContext(t.Context(), step.method, faults, strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // it is empty
		if answer.StatusCode != http.StatusNoContent {
			t.Errorf("%s: status %d", step.method, answer.StatusCode)
		}
		status := 0
		if step.method == http.MethodPost {
			status = 1
		}
		for _, source := range []string{"HJ.D-HJ01.plain", "YS.D-YS01.view"} {
			if got, text := k.try(t, source, "--source-deadline=1s"); got != status {
				t.Errorf("after %s, %s: status %d, want %d\n%s", step.method, source, got, status, text)
			}
		}
	}
}

func (k *kinds) try(t *testing.T, source string, more ...string) (int, string) {
	t.Helper()
	return runs(t, append([]string{"source", "try", source, "--catalog=" + filepath.Join(k.dir, "catalog"), "--secrets-dir=" + filepath.Join(k.dir, "secrets"),
		"--database=" + k.database(), "--subject-key-file=" + filepath.Join(k.dir, "key")}, more...)...)
}

// Every command of the page is one that the program understands, and every
// source that it tries can be tried.
func TestKinds_ThePageIsTrue(t *testing.T) {
	t.Parallel()
	k := newKinds(t)
	page, err := os.ReadFile(kindsFolder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer("examples/kinds", filepath.Join(k.dir, "catalog"), "D-YS02-*.csv", k.loadFile(t))
	tried := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		command, _, _ := strings.Cut(line, " #")
		_, command, found := strings.Cut(command, "./mianti ")
		if !strings.HasPrefix(line, "    ") || !found {
			continue
		}
		args := strings.Fields(here.Replace(command))
		parser, err := kong.New(new(commands), kong.Exit(func(int) {}), kong.Writers(new(bytes.Buffer), new(bytes.Buffer)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(line), err)
		}
		if args[0] != "source" || args[1] != "try" {
			continue
		}
		tried[args[2]] = true
		if status, text := k.try(t, args[2]); status != 0 {
			t.Errorf("%s: status %d\n%s", args[2], status, text)
		}
	}
	for _, dataset := range k.catalog.Datasets() {
		for _, source := range dataset.Sources {
			if source.Probe != nil && !tried[source.Code] {
				t.Errorf("the page does not try %s", source.Code)
			}
		}
	}
}

// The example has a dataset for each material, and no two share one.
func TestKinds_EachMaterialAsksADatasetOfItsOwn(t *testing.T) {
	t.Parallel()
	rev, err := loadCatalog(os.DirFS(kindsFolder), new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range rev.Matter("K01.M1").Materials {
		used[m.Proofs[0].Lookups[0].Dataset] = true
	}
	if len(used) != len(kindsMaterials) || len(rev.Datasets()) != len(kindsMaterials) {
		t.Errorf("%d of %d datasets are used, want %d", len(used), len(rev.Datasets()), len(kindsMaterials))
	}
}
