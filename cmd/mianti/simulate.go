package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"mianti/catalog"
	"mianti/connectors/standin"
	"mianti/examples/jinan"
)

type simulateCommand struct {
	Listen  string        `default:"127.0.0.1:8090" help:"Address to listen on; loopback only."`
	Catalog string        `help:"Folder of a catalog. Default: the Jinan catalog that comes with the program." type:"existingdir"`
	Seed    uint64        `default:"1" help:"Seed of the generated population."`
	People  int           `default:"1000" help:"How many people to generate besides the named ones."`
	Latency time.Duration `default:"0s" help:"How long every answer takes."`
}

// Run serves the stand-in departments until it is told to stop.
func (c *simulateCommand) Run(ctx context.Context, con console) error {
	if err := loopback(c.Listen); err != nil {
		return err
	}
	if c.People < 0 || c.Latency < 0 {
		return errors.New("--people and --latency: want 0 or more")
	}
	server, err := newStandIns(catalogFolder(c.Catalog), c.Seed, c.People, c.Latency)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintf(con.Out, "替身部门 http://%s/{department}　（仅供演示与测试，数据均为虚构）\n", listener.Addr())
	fmt.Fprintf(con.Out, "故障注入：curl -d '{\"dataset\":\"D-GA01\",\"fault\":\"down\"}' http://%[1]s/_faults，curl -X DELETE http://%[1]s/_faults 清除\n", listener.Addr())
	return serveHTTP(ctx, listener, server)
}

// loopback refuses to show made-up departments to anyone but this machine.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("--listen: the stand-in departments listen on loopback only, such as 127.0.0.1:8090")
}

// catalogFolder is the catalog at a path, or the one that comes with the
// program.
func catalogFolder(path string) fs.FS {
	if path == "" {
		return jinan.Files
	}
	return os.DirFS(path)
}

func newStandIns(files fs.FS, seed uint64, people int, latency time.Duration) (*standin.Server, error) {
	rev, err := catalog.Load(files)
	if err != nil {
		return nil, err
	}
	named, err := jinan.Files.Open("population.yaml")
	if err != nil {
		return nil, fmt.Errorf("read population: %w", err)
	}
	defer named.Close()
	population, err := standin.ReadPopulation(named)
	if err != nil {
		return nil, err
	}
	return standin.New(standin.Options{
		Catalog: rev, Population: standin.Generate(population, seed, people), Today: time.Now, Latency: latency,
	})
}
