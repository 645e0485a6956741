package load

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// readyLine is what the bench's own servers say when they listen.
var readyLine = regexp.MustCompile(`^listening (\S+)$`)

// Departments' stand-ins, in a process of their own.
type RunningSources struct {
	*Process
	Addresses map[string]string // by department, as http://host:port
}

// StartSources starts the five departments, which answer at once.
func StartSources(t Tools) (*RunningSources, error) {
	p, all, err := Start(readyLine, t.Bench, "sources")
	if err != nil {
		return nil, err
	}
	s := &RunningSources{Process: p, Addresses: map[string]string{}}
	for i, address := range strings.Split(all, ",") {
		s.Addresses[Departments()[i]] = "http://" + address
	}
	return s, nil
}

// List gives the addresses in the order of Departments, separated by commas.
func (s *RunningSources) List() string {
	var all []string
	for _, department := range Departments() {
		all = append(all, s.Addresses[department])
	}
	return strings.Join(all, ",")
}

// SetDelay has every answer of the sources take so long, such as "20ms".
func (s *RunningSources) SetDelay(delay string) error {
	_, err := s.control("/_delay/" + delay)
	return err
}

// Asked is how many questions the sources have had so far.
func (s *RunningSources) Asked() (int64, error) { return s.control("/_asked") }

func (s *RunningSources) control(path string) (asked int64, err error) {
	var answer struct {
		Asked int64
		Error string
	}
	if err := getJSON(http.DefaultClient, s.Addresses[Departments()[0]]+path, &answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, fmt.Errorf("sources: %s", answer.Error)
	}
	return answer.Asked, nil
}

// StartServer starts one of the servers beside which the exchange is held: "floor",
// "gin" or "usual", with its arguments. What it said before it listened is in Said.
func StartServer(t Tools, name string, args ...string) (*Process, *Target, error) {
	p, address, err := Start(readyLine, t.Bench, append([]string{name}, args...)...)
	if err != nil {
		return nil, nil, err
	}
	request := Request(http.MethodPost, "/", address, Opening(0, MeasuredMatter))
	return p, &Target{
		Name: name, Address: address, PID: p.PID,
		Request:     func(int64) []byte { return request },
		Allocations: func() (int64, error) { return allocations("http://" + address + "/_allocations") },
	}, nil
}

func allocations(url string) (int64, error) {
	var answer struct{ Mallocs int64 }
	return answer.Mallocs, getJSON(http.DefaultClient, url, &answer)
}
