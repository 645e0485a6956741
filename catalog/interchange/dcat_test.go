package interchange_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/catalog/interchange"
	"os"
)

// ld is a node of JSON-LD as it was written.
type ld map[string]any

func graphOf(t *testing.T, rev *catalog.Revision) (map[string]ld, string) {
	t.Helper()
	var out bytes.Buffer
	if err := interchange.ExportDCAT(&out, rev, "https://mianti.example.gov.cn/"); err != nil {
		t.Fatal(err)
	}
	var document struct {
		Context map[string]string `json:"@context"`
		Graph   []ld              `json:"@graph"`
	}
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]ld{}
	for _, n := range document.Graph {
		id, _ := n["@id"].(string)
		if nodes[id] != nil || id == "" {
			t.Errorf("node %q is there twice, or has no name", id)
		}
		nodes[id] = n
		for key := range n {
			prefix, _, compact := strings.Cut(key, ":")
			if !strings.HasPrefix(key, "@") && (!compact || document.Context[prefix] == "") {
				t.Errorf("%s: the context does not say what %s is", id, key)
			}
		}
	}
	return nodes, out.String()
}

// refers gives what a property refers to.
func (n ld) refers(key string) []string {
	list, many := n[key].([]any)
	if !many {
		list = []any{n[key]}
	}
	var out []string
	for _, one := range list {
		if m, ok := one.(map[string]any); ok {
			id, _ := m["@id"].(string)
			out = append(out, id)
		}
	}
	return out
}

// TestDCAT_HasWhatDCATAPMakesMandatory holds the export against the mandatory
// properties of DCAT-AP 2.1.1 and 3.0, and every reference in it against a node.
func TestDCAT_HasWhatDCATAPMakesMandatory(t *testing.T) {
	t.Parallel()
	rev := ship(t).rev
	nodes, _ := graphOf(t, rev)
	mandatory := map[string][]string{
		"dcat:Catalog": {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"}, "dcat:Dataset": {"dct:title", "dct:description"},
		"dcat:Distribution": {"dcat:accessURL"}, "dcat:DataService": {"dct:title", "dcat:endpointURL"}, "foaf:Agent": {"foaf:name"},
	}
	count := map[string]int{}
	for id, n := range nodes {
		kind, _ := n["@type"].(string)
		count[kind]++
		if mandatory[kind] == nil {
			t.Errorf("%s is a %q", id, kind)
		}
		for _, key := range mandatory[kind] {
			if n[key] == nil {
				t.Errorf("%s (%s) has no %s", id, kind, key)
			}
		}
	}
	if want := len(rev.Datasets()); count["dcat:Dataset"] != want || count["dcat:Distribution"] != want || count["dcat:Catalog"] != 1 {
		t.Errorf("nodes %v, want %d datasets and distributions", count, want)
	}
	for _, d := range rev.Datasets() {
		n := nodes["https://mianti.example.gov.cn/v1/datasets/"+d.Code]
		for _, key := range []string{"dct:publisher", "dcat:distribution"} {
			if to := n.refers(key); len(to) != 1 || nodes[to[0]] == nil {
				t.Errorf("%s: %s leads to %v, which is nothing here", d.Code, key, to)
			}
		}
		title, _ := n["dct:title"].(map[string]any)
		if title["@value"] != d.Name || title["@language"] != "zh" {
			t.Errorf("%s is called %v", d.Code, title)
		}
	}
	catalogNode := nodes["https://mianti.example.gov.cn/v1/datasets"]
	for _, to := range catalogNode.refers("dcat:dataset") {
		if nodes[to] == nil {
			t.Errorf("the catalog lists %s, which is nothing here", to)
		}
	}
	daily := nodes["https://mianti.example.gov.cn/v1/datasets/D-GA02"] // update: daily, sharing: conditional
	if got := daily.refers("dct:accrualPeriodicity"); got[0] != "http://publications.europa.eu/resource/authority/frequency/DAILY" {
		t.Errorf("renewed %v", got)
	}
	if got := daily.refers("dct:accessRights"); got[0] != "http://publications.europa.eu/resource/authority/access-right/RESTRICTED" {
		t.Errorf("may be had by %v", got)
	}
}

// TestDCAT_TellsNothingOfWhereASourceIs uses the catalog that has a source of every
// kind, with addresses, secrets, views and columns.
func TestDCAT_TellsNothingOfWhereASourceIs(t *testing.T) {
	t.Parallel()
	rev, err := catalog.Load(os.DirFS("../../examples/kinds"))
	if err != nil {
		t.Fatal(err)
	}
	_, text := graphOf(t, rev)
	looked := 0
	for _, d := range rev.Datasets() {
		for _, s := range d.Sources {
			hidden := []string{s.Address, s.Path, s.Code}
			if s.View != nil {
				hidden = append(hidden, s.View.Name)
			}
			if s.XRoad != nil {
				hidden = append(hidden, s.XRoad.Client, s.XRoad.Service)
			}
			if s.Auth != nil && s.Auth.HMAC != nil {
				hidden = append(hidden, string(s.Auth.HMAC.Secret), s.Auth.HMAC.Key)
			}
			for _, h := range hidden {
				if h == "" || strings.HasPrefix("https://mianti.example.gov.cn/v1/datasets/"+d.Code, h) {
					continue
				}
				if looked++; strings.Contains(text, `"`+h) || strings.Contains(text, h+`"`) {
					t.Errorf("%s: the export tells %q of %s", d.Code, h, s.Code)
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d texts were looked for", looked)
	}
}
