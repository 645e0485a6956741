package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ExchangeConfig says how an exchange is prepared and run.
type ExchangeConfig struct {
	Tools    Tools
	Folder   string          // for its key and its catalog
	Sources  *RunningSources // whom the catalog names
	Database string          // URL
	// DatabasePID is the database server's first process, whose time is counted; 0
	// for none.
	DatabasePID int
	Systems     int // how many systems are registered, each with its cases; 0 means 1
	Cases       int // how many cases each system opens, each of a person of its own
	// Arguments are more ones for serve.
	Arguments []string
	// Fill, if given, puts catalog and grants into the database, which has its
	// schema, instead of the catalog of the measurement and its grants.
	Fill func(ctx context.Context, database string) error
	// Matter, if given, is the matter that the nth case is for.
	Matter func(n int) string
}

// Exchange is a database with a catalog, grants and systems, on which nodes run.
type Exchange struct {
	config  ExchangeConfig
	Key     string   // file of the key-encryption key
	secrets []string // of the systems
}

// Node is a running exchange.
type Node struct {
	*Process
	URL      string
	Metrics  string // where it tells Prometheus what it did
	exchange *Exchange
	client   *http.Client
	cases    [][]string // by system
}

var (
	secretLine  = regexp.MustCompile(`：([A-Za-z0-9_-]{43})\s*$`)
	addressLine = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)
)

// Issuer is what all nodes call themselves.
const Issuer = "https://mianti.test"

// PrepareExchange lays the schema, loads the catalog of the measurement, gives the
// grants that it needs, and registers the systems.
func PrepareExchange(ctx context.Context, c ExchangeConfig) (*Exchange, error) {
	c.Systems = max(c.Systems, 1)
	x := &Exchange{config: c, Key: filepath.Join(c.Folder, "mianti.key")}
	catalog := filepath.Join(c.Folder, "catalog")
	if err := WriteCatalog(catalog, c.Sources.Addresses); err != nil {
		return nil, err
	}
	at := "--database=" + c.Database
	key, err := x.command(ctx, "key", "new")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(x.Key, []byte(key), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(x.safeguards(), []byte(generous), 0o600); err != nil {
		return nil, err
	}
	if c.Fill == nil {
		c.Fill = func(ctx context.Context, _ string) error {
			for _, args := range [][]string{{"catalog", "load", catalog, at}, {"grant", "from-catalog", at}} {
				if _, err := x.command(ctx, args...); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if _, err := x.command(ctx, "migrate", at); err != nil {
		return nil, err
	}
	if err := c.Fill(ctx, c.Database); err != nil {
		return nil, err
	}
	for i := range c.Systems {
		said, err := x.command(ctx, "system", "add", systemID(i), "--department="+AskingDepartment, "--name="+systemID(i), at)
		if err != nil {
			return nil, err
		}
		secret := secretLine.FindStringSubmatch(said)
		if secret == nil {
			return nil, errors.New("system add printed no secret")
		}
		x.secrets = append(x.secrets, secret[1])
	}
	return x, nil
}

func (x *Exchange) matter(n int) string {
	if x.config.Matter == nil {
		return MeasuredMatter
	}
	return x.config.Matter(n)
}

func systemID(i int) string { return "load-" + strconv.Itoa(i) }

func (x *Exchange) safeguards() string { return filepath.Join(x.config.Folder, "safeguards.json") }

// generous are quotas that a measurement does not reach. They are counted all the
// same.
const generous = `{"quotas":{
 "system":{"calls_per_hour":1000000000,"calls_per_day":1000000000,"subjects_per_hour":1000000000,"subjects_per_day":1000000000},
 "grant":{"calls_per_hour":1000000000,"calls_per_day":1000000000,"subjects_per_hour":1000000000,"subjects_per_day":1000000000},
 "matter":{"calls_per_hour":1000000000,"calls_per_day":1000000000,"subjects_per_hour":1000000000,"subjects_per_day":1000000000},
 "person":{"calls_per_hour":1000000000,"calls_per_day":1000000000,"subjects_per_hour":1000000000,"subjects_per_day":1000000000}}}`

func (x *Exchange) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, x.config.Tools.Mianti, args...)
	var said, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("mianti %s: %w\n%s%s", strings.Join(args, " "), err, &said, &wrong)
	}
	return said.String(), nil
}

// StartNode runs an exchange on the database: as many as are started. wrap, if
// given, is a command before it, such as taskset with its arguments.
func (x *Exchange) StartNode(wrap ...string) (*Node, error) {
	args := append([]string{}, wrap...)
	args = append(args, x.config.Tools.Mianti, "serve", "--listen=127.0.0.1:0", "--issuer="+Issuer, "--database="+x.config.Database,
		"--key-file="+x.Key, "--safeguard-file="+x.safeguards(), "--log-level=WARN")
	args = append(args, x.config.Arguments...)
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	metrics := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), "MIANTI_METRICS_LISTEN="+metrics)
	p, address, err := StartCommand(addressLine, cmd)
	if err != nil {
		return nil, err
	}
	return &Node{
		Process: p, URL: "http://" + address, Metrics: "http://" + metrics + "/metrics", exchange: x,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: answerTimeout},
	}, nil
}

// Token signs a system in. A token is good for ten minutes.
func (n *Node) Token(ctx context.Context, system int) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(systemID(system), n.exchange.secrets[system])
	var answer struct {
		Token string `json:"access_token"`
	}
	return answer.Token, n.do(request, &answer)
}

func (n *Node) do(request *http.Request, out any) error {
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	return readJSON(response, out)
}

func getJSON(client *http.Client, url string, out any) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	return readJSON(response, out)
}

func readJSON(response *http.Response, out any) error {
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: status %d: %.500s", response.Request.URL.Path, response.StatusCode, content)
	}
	return json.Unmarshal(content, out)
}

// OpenCases opens the cases of all systems, and gives their ids by system.
func (n *Node) OpenCases(ctx context.Context) ([][]string, error) {
	const openers = 16
	c := &n.exchange.config
	n.cases = make([][]string, c.Systems)
	for system := range c.Systems {
		token, err := n.Token(ctx, system)
		if err != nil {
			return nil, err
		}
		ids := make([]string, c.Cases)
		errs := make([]error, openers)
		var group sync.WaitGroup
		for opener := range openers {
			group.Go(func() {
				for i := opener; i < len(ids) && errs[opener] == nil; i += openers {
					ids[i], errs[opener] = n.open(ctx, token, system*c.Cases+i)
				}
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		n.cases[system] = ids
	}
	return n.cases, nil
}

// Adopt gives a node the cases that another one on its database has opened.
func (n *Node) Adopt(cases [][]string) { n.cases = cases }

func (n *Node) open(ctx context.Context, token string, number int) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL+"/v1/cases", bytes.NewReader(Opening(number, n.exchange.matter(number))))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	var opened struct{ ID string }
	return opened.ID, n.do(request, &opened)
}

// Target resolves the cases of a system by turns: as many callers as there are
// cases never meet at one. It signs in anew, so make one for each few minutes.
func (n *Node) Target(ctx context.Context, name string, system int) (*Target, error) {
	token, err := n.Token(ctx, system)
	if err != nil {
		return nil, err
	}
	if system >= len(n.cases) || len(n.cases[system]) == 0 {
		return nil, errors.New("no cases: open or adopt them first")
	}
	host := strings.TrimPrefix(n.URL, "http://")
	var requests [][]byte
	for _, id := range n.cases[system] {
		requests = append(requests, Request(http.MethodPost, "/v1/cases/"+id+"/resolutions", host, []byte("{}"), "Authorization: Bearer "+token))
	}
	return &Target{
		Name: name, Address: host, PID: n.PID, DatabasePID: n.exchange.config.DatabasePID,
		Request: func(i int64) []byte { return requests[i%int64(len(requests))] },
		Check:   checkResolution, Allocations: n.allocations(ctx),
	}, nil
}

// checkResolution wants all eight materials settled.
func checkResolution(a Answer) error {
	if a.Status/100 != 2 {
		return fmt.Errorf("status %d: %.300s", a.Status, a.Body)
	}
	if !bytes.Contains(a.Body, []byte(`"settled":8`)) {
		return fmt.Errorf("not all eight materials are settled: %.2000s", a.Body)
	}
	return nil
}

// WithEvidence is a target whose every resolution is followed by getting the
// signed evidence of all that it settled, as one request.
func WithEvidence(t *Target, name string) *Target {
	out := *t
	out.Name = name
	out.Then = func(c *Conn, first Answer) error {
		id := resolutionID.FindSubmatch(first.Body)
		if id == nil {
			return fmt.Errorf("no resolution in %.300s", first.Body)
		}
		header := bearer.Find(t.Request(0))
		answer, err := c.Do(Request(http.MethodGet, "/v1/resolutions/"+string(id[1])+"/evidence", t.Address, nil, string(header)))
		if err != nil {
			return err
		}
		if answer.Status/100 != 2 {
			return fmt.Errorf("evidence: status %d: %.300s", answer.Status, answer.Body)
		}
		return nil
	}
	return &out
}

var (
	resolutionID = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)
	bearer       = regexp.MustCompile(`Authorization: [^\r]+`)
)

// allocations reads the runtime's own count among the metrics; nil where a node does
// not tell it.
func (n *Node) allocations(ctx context.Context) func() (int64, error) {
	read := func() (int64, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.Metrics, nil)
		if err != nil {
			return 0, err
		}
		response, err := n.client.Do(request)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			return 0, err
		}
		found := mallocs.FindSubmatch(content)
		if found == nil {
			return 0, errors.New("no count of allocations among the metrics")
		}
		count, err := strconv.ParseFloat(string(found[1]), 64)
		return int64(count), err
	}
	if _, err := read(); err != nil {
		return nil
	}
	return read
}

var mallocs = regexp.MustCompile(`(?m)^(?:go_memstats_mallocs_total|go_gc_heap_allocs_objects_total)\s+(\S+)$`)

// Ready waits until a node answers, at most so long.
func (n *Node) Ready(ctx context.Context, most time.Duration) error {
	until := time.Now().Add(most)
	for {
		_, err := n.Token(ctx, 0)
		if err == nil || time.Now().After(until) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Cases are the cases that a node has opened or adopted, by system.
func (n *Node) Cases() [][]string { return n.cases }
