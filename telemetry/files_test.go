package telemetry_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mianti/telemetry"
)

const (
	files    = "../deploy/observe"
	runbooks = "docs/runbooks/"
)

// panel is a panel of a dashboard, as far as it can go wrong.
type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		Expr       string `json:"expr"`
		Datasource struct {
			Type, UID string
		} `json:"datasource"`
	} `json:"targets"`
}

func readDashboard(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(files, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID           string  `json:"uid"`
		SchemaVersion int     `json:"schemaVersion"`
		Panels        []panel `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	if board.UID == "" || board.SchemaVersion == 0 || len(board.Panels) == 0 {
		t.Fatalf("uid %q, schema %d, %d panels: that is no dashboard", board.UID, board.SchemaVersion, len(board.Panels))
	}
	return board.Panels
}

// rule is an alert.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func readAlerts(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	readYAML(t, filepath.Join(files, "alerts.yaml"), &file)
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there is no alert")
	}
	return all
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// vocabulary gives the labels of every metric that there is, by name: ours, and what the
// Go library tells of the process.
func vocabulary(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{"up": nil}
	for _, d := range whole().Listed() {
		if d.Kind != telemetry.KindHistogram {
			known[d.Name] = d.Labels
			continue
		}
		known[d.Name+"_bucket"] = append(slices.Clone(d.Labels), "le")
		known[d.Name+"_sum"], known[d.Name+"_count"] = d.Labels, d.Labels
	}
	for line := range strings.Lines(scrape(t, whole())) {
		if name := regexp.MustCompile(`^(go|process)_\w+`).FindString(line); name != "" {
			known[name] = nil
		}
	}
	// Of another program: node_exporter, beside PostgreSQL.
	for _, name := range []string{"node_filesystem_avail_bytes", "node_filesystem_size_bytes"} {
		known[name] = []string{"fstype", "mountpoint", "device"}
	}
	return known
}

// queryFaults holds a query against what there is.
func queryFaults(known map[string][]string, query string) []string {
	var faults []string
	for _, found := range regexp.MustCompile(`\b(up|(?:mianti|go|process|node)_\w+)(\{([^}]*)\})?`).FindAllStringSubmatch(query, -1) {
		name, matchers := found[1], found[3]
		labels, ok := known[name]
		if !ok {
			faults = append(faults, "no metric "+name)
			continue
		}
		for _, matcher := range regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)`).FindAllStringSubmatch(matchers, -1) {
			if label := matcher[1]; label != "job" && label != "instance" && !slices.Contains(labels, label) {
				faults = append(faults, name+" has no label "+label)
			}
		}
	}
	return faults
}

func TestFiles_AskOnlyForWhatThereIs(t *testing.T) {
	t.Parallel()
	known := vocabulary(t)
	for _, p := range readDashboard(t) {
		for _, target := range p.Targets {
			for _, fault := range queryFaults(known, target.Expr) {
				t.Errorf("dashboard, %s: %s", p.Title, fault)
			}
		}
	}
	for _, r := range readAlerts(t) {
		for _, fault := range queryFaults(known, r.Expr) {
			t.Errorf("alert %s: %s", r.Alert, fault)
		}
	}
	planted := queryFaults(known, `rate(mianti_gone_total[5m]) / mianti_jobs_due{colour="red",kind="x"} + process_cpu_seconds_total`)
	if want := []string{"no metric mianti_gone_total", "mianti_jobs_due has no label colour"}; !slices.Equal(planted, want) {
		t.Errorf("of what was planted it found %q, want %q", planted, want)
	}
}

func TestDashboard_IsWhole(t *testing.T) {
	t.Parallel()
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range readDashboard(t) {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: want an id of its own and a title", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if !slices.Contains([]string{"timeseries", "stat", "table"}, p.Type) || len(p.Targets) == 0 {
			t.Errorf("%s: type %s with %d queries", p.Title, p.Type, len(p.Targets))
		}
		for _, target := range p.Targets {
			if target.Expr == "" || target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: query %q of %q, want one of the chosen source", p.Title, target.Expr, target.Datasource.UID)
			}
		}
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%s lies outside the grid: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if under := taken[[2]int{x, y}]; under != "" {
					t.Fatalf("%s lies on %s", p.Title, under)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestAlerts_HaveARunbookAndATestEach(t *testing.T) {
	t.Parallel()
	var tests struct {
		Tests []struct {
			Rules []struct {
				Name string `yaml:"alertname"`
				Want []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	readYAML(t, filepath.Join(files, "alerts_test.yaml"), &tests)
	rings := map[string]bool{}
	for _, test := range tests.Tests {
		for _, r := range test.Rules {
			rings[r.Name] = rings[r.Name] || len(r.Want) > 0
		}
	}
	linked := map[string]bool{}
	for _, r := range readAlerts(t) {
		page := r.Annotations["runbook_url"]
		linked[page] = true
		text, err := os.ReadFile(filepath.Join("..", page))
		if err != nil || !strings.HasPrefix(page, runbooks) {
			t.Errorf("%s: no runbook: %v", r.Alert, err)
			continue
		}
		if !strings.Contains(string(text), "`"+r.Alert+"`") {
			t.Errorf("%s does not name %s", page, r.Alert)
		}
		for _, part := range []string{"**What it means.**", "**Who suffers.**", "**Look**", "**Do**"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s does not say %s", page, part)
			}
		}
		if !slices.Contains([]string{"page", "ticket", "notice"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
			t.Errorf("%s: severity %q, summary %q", r.Alert, r.Labels["severity"], r.Annotations["summary"])
		}
		if !rings[r.Alert] {
			t.Errorf("no test makes %s ring", r.Alert)
		}
		delete(rings, r.Alert)
	}
	for _, name := range slices.Sorted(maps.Keys(rings)) {
		t.Errorf("alerts_test.yaml tests %s, which is no alert", name)
	}
	pages, err := filepath.Glob(filepath.Join("..", runbooks, "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d runbooks, %v", len(pages), err)
	}
	for _, page := range pages {
		if !linked[runbooks+filepath.Base(page)] {
			t.Errorf("no alert leads to %s", page)
		}
	}
}

// TestPromtool_TakesTheFiles has Prometheus' own tool check rules and configuration, run
// the tests of the rules, and read every query of the dashboard.
func TestPromtool_TakesTheFiles(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	switch {
	case err != nil && testing.Short():
		t.Skip("promtool is not on this machine")
	case err != nil:
		t.Fatalf("%v: bash tools/install-test-tools.sh promtool", err)
	}
	queries := t.TempDir() + "/queries.yaml"
	if err := os.WriteFile(queries, dashboardAsRules(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"check", "config", "prometheus.yaml"}, {"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}, {"check", "rules", queries},
	} {
		command := exec.CommandContext(t.Context(), promtool, args...)
		command.Dir = files
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// dashboardAsRules makes a rule of each query, so that promtool reads it.
func dashboardAsRules(t *testing.T) []byte {
	t.Helper()
	variables := strings.NewReplacer("$job", "mianti", "$instance", ".*")
	type recorded struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []recorded
	for _, p := range readDashboard(t) {
		for i, target := range p.Targets {
			rules = append(rules, recorded{fmt.Sprintf("panel:%d:%d", p.ID, i), variables.Replace(target.Expr)})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
