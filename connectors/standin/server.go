// Package standin plays the departments (替身部门): it serves the records of every
// dataset of a catalog, in every shape that the connectors speak, from a
// population that fits together. It is for trying Mianti out, for its tests and
// for measuring it, never for real data.
//
// For every dataset, and everyone of a kind that the dataset can be asked by,
// there is one good record, unless a Rule says otherwise. Who asks has to give
// name and number; a wrong pair is answered just as one without a record.
//
// Paths below /{department}: query/{dataset} for plain JSON, rest/{dataset} for
// another JSON shape, signed/{method}/{dataset} for plain JSON to those who prove
// who they are, oauth/token, elicense/… for electronic licences, r1/… for X-Road,
// and snapshot/{dataset}.csv or .xlsx for files. /_faults sets rules. A Database
// speaks PostgreSQL's protocol, Server.Officer answers for a person at a desk,
// and a Proxy is the network before any of them.
package standin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mianti/catalog"
)

const (
	defaultSlow = 30 * time.Second
	maxRequest  = 1 << 20
	maxPurpose  = 200
)

// Catalog is what the stand-ins need of a catalog; *catalog.Revision has it.
type Catalog interface {
	Datasets() []*catalog.Dataset
	Department(code string) *catalog.Department
}

// Options are what a Server is made from. Catalog, Population and Today are
// needed.
type Options struct {
	Catalog    Catalog
	Population *Population
	// Today gives the time at which the records are as they should be; its date
	// in China counts.
	Today func() time.Time
	// Latency is how long every answer takes.
	Latency time.Duration
}

// Server is the stand-in for all departments. It is an http.Handler, safe for
// use by many goroutines, and starts none.
type Server struct {
	catalog   Catalog
	today     func() time.Time
	latency   time.Duration
	registry  *registry
	templates map[string]*template     // by dataset code
	licences  map[licenceKey]*template // datasets that are licences
	counts    map[string]*atomic.Int64 // by dataset code
	gate      *gate
	links     links
	mux       *http.ServeMux

	changing sync.Mutex             // of rules and places
	rules    atomic.Pointer[[]Rule] // replaced, never changed
	places   []place
}

// New returns a Server, or why the catalog, the population and the rules for
// records do not fit together.
func New(o Options) (*Server, error) {
	if o.Catalog == nil || o.Population == nil || o.Today == nil {
		return nil, errors.New("stand-in departments: catalog, population and today are needed")
	}
	registry, err := newRegistry(o.Population)
	if err != nil {
		return nil, fmt.Errorf("stand-in departments: %w", err)
	}
	china := catalog.TimeZone()
	s := &Server{
		catalog: o.Catalog, today: func() time.Time { return o.Today().In(china) }, latency: o.Latency, registry: registry,
		templates: map[string]*template{}, licences: map[licenceKey]*template{}, counts: map[string]*atomic.Int64{},
	}
	if err := s.addDatasets(); err != nil {
		return nil, fmt.Errorf("stand-in departments: %w", err)
	}
	s.gate = newGate(s.today)
	s.links = links{open: map[string]link{}}
	s.mux = s.routes()
	return s, nil
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{department}/query/{dataset}", s.query)
	mux.HandleFunc("POST /{department}/rest/{dataset}", s.rest)
	mux.HandleFunc("POST /{department}/signed/{method}/{dataset}", s.signed)
	mux.HandleFunc("POST /{department}/oauth/token", s.issueToken)
	mux.HandleFunc("POST /{department}/elicense/queryCertInfoByHolderCode", s.findLicences)
	mux.HandleFunc("POST /{department}/elicense/queryCertInfo", s.readLicence)
	mux.HandleFunc("POST /{department}/elicense/verifyCertInfo", s.verifyLicence)
	mux.HandleFunc("POST /{department}/elicense/downloadUrl", s.linkLicence)
	mux.HandleFunc("POST /{department}/elicense/downloadFile", s.downloadLicence)
	mux.HandleFunc("GET /{department}/elicense/file/{name}", s.readLink)
	mux.HandleFunc("GET /{department}/snapshot/{file}", s.snapshot)
	mux.HandleFunc("POST /{site}/r1/{instance}/{class}/{department}/{subsystem}/{dataset}", s.xroad)
	mux.HandleFunc("POST /r1/{instance}/{class}/{department}/{subsystem}/{dataset}", s.xroad)
	mux.HandleFunc("POST /_faults", s.postFault)
	mux.HandleFunc("DELETE /_faults", s.deleteFaults)
	return mux
}

// addDatasets prepares the records of every dataset, and makes one of each for
// a try, so that a wrong rule is found here and not by the one who asks.
func (s *Server) addDatasets() error {
	rules, err := readRecordRules()
	if err != nil {
		return err
	}
	var faults []error
	for _, d := range s.catalog.Datasets() {
		t, err := rules.template(d)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		s.templates[d.Code] = t
		s.counts[d.Code] = new(atomic.Int64)
		faults = append(faults, s.addLicence(t))
		for _, kind := range d.AskedBy {
			if all := s.registry.byKind[kind]; len(all) > 0 {
				_, err := t.holdings(all[0], s.today())
				faults = append(faults, err)
			}
		}
	}
	return errors.Join(faults...)
}

// ServeHTTP answers for the departments.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	s.mux.ServeHTTP(w, r)
}

// SetRules replaces all rules.
func (s *Server) SetRules(rules ...Rule) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	checked := make([]Rule, 0, len(rules))
	for _, rule := range rules {
		rule, err := s.checked(rule)
		if err != nil {
			return fmt.Errorf("set a rule of the stand-in departments: %w", err)
		}
		checked = append(checked, rule)
	}
	s.rules.Store(&checked)
	return s.playNetwork()
}

// AddRule adds a rule, which goes before those that are there.
func (s *Server) AddRule(rule Rule) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	rule, err := s.checked(rule)
	if err != nil {
		return fmt.Errorf("add a rule of the stand-in departments: %w", err)
	}
	var rules []Rule
	if old := s.rules.Load(); old != nil {
		rules = slices.Clone(*old)
	}
	rules = append(rules, rule)
	s.rules.Store(&rules)
	return s.playNetwork()
}

// ClearRules lets everything answer well again.
func (s *Server) ClearRules() {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.rules.Store(nil)
	_ = s.playNetwork() // mending cannot fail: what is taken off was put on
}

// Counts says how many questions came for each dataset that was asked. A
// licence is one question, though it takes two calls.
func (s *Server) Counts() map[string]int {
	out := map[string]int{}
	for code, count := range s.counts {
		if n := count.Load(); n > 0 {
			out[code] = int(n)
		}
	}
	return out
}

// wait takes the time that an answer needs. It is false when the one who asked
// has gone.
func (s *Server) wait(ctx context.Context, delay time.Duration) bool {
	delay += s.latency
	if delay <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
