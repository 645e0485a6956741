package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"mianti/connectors/standin"
)

// standInPlaces are the addresses of the stand-in departments, each a loopback
// host with a port.
type standInPlaces struct {
	Departments string // HTTP
	// Database is where their views are; empty for none.
	Database string
	// Faults is where the departments answer past the network, so that faults of
	// the network can be set and taken back; empty for a network without faults.
	Faults string
}

// standIns are the stand-in departments in every shape that they have, behind a
// network that can be out of order.
type standIns struct {
	*standin.Server
	places standInPlaces // as they are, with their ports
	direct net.Listener
	views  net.Listener // nil without a database
	// networks stand before direct and views.
	networks []*standin.Proxy
}

// openStandIns opens all ports, so that whoever is told of them can connect.
// Serve or Close ends them.
func openStandIns(server *standin.Server, at standInPlaces) (*standIns, error) {
	s := &standIns{Server: server}
	if err := s.open(at); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *standIns) open(at standInPlaces) error {
	var err error
	if at.Faults == "" {
		s.direct, s.places.Departments, err = listenAt(at.Departments)
	} else if s.direct, s.places.Faults, err = listenAt(at.Faults); err == nil {
		s.places.Departments, err = s.before(at.Departments, s.places.Faults)
	}
	if err != nil || at.Database == "" {
		return err
	}
	if at.Faults == "" {
		s.views, s.places.Database, err = listenAt(at.Database)
		return err
	}
	behind := ""
	if s.views, behind, err = listenAt("127.0.0.1:0"); err != nil {
		return err
	}
	s.places.Database, err = s.before(at.Database, behind)
	return err
}

func listenAt(address string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	return listener, listener.Addr().String(), nil
}

// before puts a network before an address, and gives where it begins.
func (s *standIns) before(listen, upstream string) (string, error) {
	network, err := standin.NewProxyAt(listen, upstream)
	if err != nil {
		return "", err
	}
	s.networks = append(s.networks, network)
	return network.Addr(), s.Attach(network, "")
}

// Serve answers until ctx ends, or until one of the parts fails.
func (s *standIns) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	parts := []func() error{func() error { return serveHTTP(ctx, s.direct, s.Server) }}
	if s.views != nil {
		parts = append(parts, func() error { return standin.NewDatabase(s.Server).Serve(ctx, s.views) })
	}
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part() }()
	}
	defer context.AfterFunc(ctx, s.closeNetworks)() // what hangs in them would be waited for
	var failed error
	for range parts {
		failed = errors.Join(failed, <-ended)
		stop()
	}
	s.closeNetworks()
	return failed
}

// Close gives up the ports of departments that are not served.
func (s *standIns) Close() error {
	s.closeNetworks()
	var failed error
	for _, listener := range []net.Listener{s.direct, s.views} {
		if listener != nil {
			failed = errors.Join(failed, listener.Close())
		}
	}
	return failed
}

func (s *standIns) closeNetworks() {
	for _, network := range s.networks {
		network.Close()
	}
}

// printHints prints a line for each kind, with how to try it.
func (s *standIns) printHints(w io.Writer) {
	base := "http://" + s.places.Departments
	fmt.Fprintf(w, "替身部门 %s/{department}　（仅供演示与测试，数据均为虚构）\n", base)
	for _, line := range [][2]string{
		{"接口（httpjson）", "POST /{department}/query/{dataset}，另一种报文 /rest/{dataset}"},
		{"须认证的接口", "POST /{department}/signed/{header|hmac|hmac-sm3|sm2|oauth2}/{dataset}，令牌 /{department}/oauth/token"},
		{"电子证照（elicense）", "POST /{department}/elicense/queryCertInfoByHolderCode 等"},
		{"X-Road（xroad）", "POST /r1/{instance}/{class}/{department}/{subsystem}/{dataset}"},
		{"文件（snapshot）", "curl -OJ " + base + "/{department}/snapshot/{dataset}.csv，再 mianti source load"},
		{"人工协查（assist）", "没有接口：用部门的系统答复 POST /v1/assist-tasks/{id}/answer"},
	} {
		fmt.Fprintf(w, "  %s　%s\n", line[0], line[1])
	}
	if s.places.Database != "" {
		fmt.Fprintf(w, "  库表（sqlview）　postgres://%s/share，视图如 ga.d_ga01，密码 %s\n", s.places.Database, standin.DemoSecret)
	}
	faults := s.places.Departments
	if s.places.Faults != "" {
		faults = s.places.Faults
	}
	fmt.Fprintf(w, "故障注入：curl -d '{\"dataset\":\"D-GA01\",\"fault\":\"down\"}' http://%[1]s/_faults，curl -X DELETE http://%[1]s/_faults 清除\n", faults)
	if s.places.Faults != "" {
		fmt.Fprintf(w, "网络故障：curl -d '{\"fault\":\"reset\"}' http://%s/_faults，另有 drip、cut、hang；对所有部门的接口和库表一起生效\n", faults)
	}
}
