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
	Listen         string        `default:"127.0.0.1:8090" help:"Address to listen on; loopback only."`
	ListenDatabase string        `default:"127.0.0.1:8091" help:"Address at which PostgreSQL's protocol is spoken; loopback only. Empty: none."`
	ListenFaults   string        `default:"127.0.0.1:8092" help:"Address past the network, to set faults at while the network is out of order; loopback only. Empty: a network without faults."`
	Catalog        string        `help:"Folder of a catalog. Default: the Jinan catalog that comes with the program." type:"existingdir"`
	Seed           uint64        `default:"1" help:"Seed of the generated population."`
	People         int           `default:"1000" help:"How many people to generate besides the named ones."`
	Latency        time.Duration `default:"0s" help:"How long every answer takes."`
}

// Run serves the stand-in departments until it is told to stop.
func (c *simulateCommand) Run(ctx context.Context, con console) error {
	if err := c.checkAddresses(); err != nil {
		return err
	}
	if c.People < 0 || c.Latency < 0 {
		return errors.New("--people and --latency: want 0 or more")
	}
	server, err := newStandIns(catalogFolder(c.Catalog), c.Seed, c.People, c.Latency)
	if err != nil {
		return err
	}
	all, err := openStandIns(server, standInPlaces{Departments: c.Listen, Database: c.ListenDatabase, Faults: c.ListenFaults})
	if err != nil {
		return err
	}
	all.printHints(con.Out)
	return all.Serve(ctx)
}

func (c *simulateCommand) checkAddresses() error {
	if err := loopback("--listen", c.Listen); err != nil {
		return err
	}
	for flag, address := range map[string]string{"--listen-database": c.ListenDatabase, "--listen-faults": c.ListenFaults} {
		if address == "" {
			continue
		}
		if err := loopback(flag, address); err != nil {
			return err
		}
	}
	return nil
}

// loopback refuses to show made-up departments to anyone but this machine.
func loopback(flag, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("%s: the stand-in departments listen on loopback only, such as 127.0.0.1:8090", flag)
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
