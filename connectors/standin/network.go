package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

const (
	// dripping is the time between two bytes: an answer takes several seconds.
	dripping = 20 * time.Millisecond
	// patience is how long a whole network waits for a reader that takes nothing.
	patience = time.Second
	// cutAfter is more than the headers of an answer and less than the whole.
	cutAfter = 160
)

// Proxy is a network (网络) that is out of order when it should be. It stands
// before a listener, of a Server or of anything else.
type Proxy struct {
	inner *toxiproxy.Proxy

	changing sync.Mutex
	playing  Fault
}

// NewProxy opens a port of this machine that leads to upstream, a host with its
// port. Close ends it.
func NewProxy(upstream string) (*Proxy, error) { return NewProxyAt("127.0.0.1:0", upstream) }

// NewProxyAt does so at a host and port that is given.
func NewProxyAt(listen, upstream string) (*Proxy, error) {
	toxics.Register(string(FaultDrip), new(drip))
	toxics.Register(whole, new(passing))
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{inner: toxiproxy.NewProxy(server, "stand-in", listen, upstream)}
	if err := p.put(""); err != nil {
		return nil, err
	}
	if err := p.inner.Start(); err != nil {
		return nil, fmt.Errorf("stand-in departments: open a network: %w", err)
	}
	return p, nil
}

// Addr is the host and port at which the network begins.
func (p *Proxy) Addr() string { return p.inner.Listen }

// Close ends the network and all connections through it.
func (p *Proxy) Close() {
	_ = p.Play("") // so that nothing waits for a fault to end
	p.inner.Stop()
}

// Play lets the network have a fault, one of reset, drip, cut and hang, or none
// with "". Connections that are open have it too.
func (p *Proxy) Play(fault Fault) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if fault == p.playing {
		return nil
	}
	if _, err := toxicOf(fault); err != nil {
		return err
	}
	if err := p.inner.Toxics.RemoveToxic(context.Background(), nameOf(p.playing)); err != nil {
		return fmt.Errorf("mend the network: %w", err)
	}
	return p.put(fault)
}

// put lets a fault hold; nothing else holds.
func (p *Proxy) put(fault Fault) error {
	toxic, err := toxicOf(fault)
	if err != nil {
		return err
	}
	if _, err := p.inner.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		return fmt.Errorf("break the network: %w", err)
	}
	p.playing = fault
	return nil
}

// whole is the name of what a network does that has no fault.
const whole = "whole"

func nameOf(fault Fault) string {
	if fault == "" {
		return whole
	}
	return string(fault)
}

// toxicOf is the setting of the library that plays a fault.
func toxicOf(fault Fault) (string, error) {
	kind, attributes := "", map[string]int64{}
	switch fault {
	case "":
		kind = whole
	case FaultReset:
		kind, attributes["timeout"] = "reset_peer", 0
	case FaultDrip:
		kind = string(FaultDrip)
	case FaultCut:
		kind, attributes["bytes"] = "limit_data", cutAfter
	case FaultHang:
		kind, attributes["timeout"] = "timeout", 0
	default:
		return "", fmt.Errorf("no fault of a network is called %q", fault)
	}
	text, err := json.Marshal(map[string]any{"name": nameOf(fault), "type": kind, "stream": "downstream", "attributes": attributes})
	return string(text), err
}

// passing gives everything at once. The library does so too, but its goroutines
// wait for ever when the reader leaves in the middle of a long answer.
type passing struct{}

// Pipe passes on what comes.
func (passing) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			if stub.WriteOutput(chunk, patience) != nil {
				abandon(stub)
				return
			}
		}
	}
}

// abandon drops the rest, until the sender notices that nobody reads.
func abandon(stub *toxics.ToxicStub) {
	stub.Close()
	for chunk := range stub.Input {
		if chunk == nil {
			return
		}
	}
}

// drip gives bytes one by one.
type drip struct{}

// Pipe passes on what comes.
func (d drip) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			if !d.pass(stub, chunk) {
				return
			}
		}
	}
}

// pass gives one chunk; it is false when the toxic was taken off or nobody
// receives any more.
func (drip) pass(stub *toxics.ToxicStub, chunk *stream.StreamChunk) bool {
	tick := time.NewTicker(dripping)
	defer tick.Stop()
	for i := range chunk.Data {
		select {
		case <-stub.Interrupt:
			_ = stub.WriteOutput(&stream.StreamChunk{Data: chunk.Data[i:], Timestamp: chunk.Timestamp}, patience)
			return false
		case <-tick.C:
		}
		one := &stream.StreamChunk{Data: chunk.Data[i : i+1], Timestamp: chunk.Timestamp}
		if stub.WriteOutput(one, patience) != nil {
			abandon(stub)
			return false
		}
	}
	return true
}

// place is where a Proxy stands: before all departments, or one.
type place struct {
	proxy      *Proxy
	department string
}

// Attach lets the rules of the Server break a network that stands before it;
// an empty department means all of them.
func (s *Server) Attach(p *Proxy, department string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.places = append(s.places, place{proxy: p, department: department})
	return s.playNetwork()
}

// playNetwork brings the networks to what the rules say. The caller holds the
// lock.
func (s *Server) playNetwork() error {
	var rules []Rule
	if all := s.rules.Load(); all != nil {
		rules = *all
	}
	for _, at := range s.places {
		var fault Fault
		for i := range rules {
			if rules[i].Fault.OfNetwork() && s.leadsTo(at, rules[i].Dataset) {
				fault = rules[i].Fault
			}
		}
		if err := at.proxy.Play(fault); err != nil {
			return err
		}
	}
	return nil
}

// leadsTo says whether the questions for a dataset pass a place.
func (s *Server) leadsTo(at place, dataset string) bool {
	return dataset == "" || at.department == "" || s.templates[dataset].dataset.Department == at.department
}
