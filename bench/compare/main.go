// Command compare holds the exchange against other ways of asking the same five
// sources, side by side in one run, and writes the figures and the charts of
// docs/performance.md. Its other commands are the servers that it starts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run     runCommand     `cmd:"" help:"Measure, and write the figures and the charts."`
	Sources sourcesCommand `cmd:"" help:"Serve the five stand-in departments."`
	Floor   floorCommand   `cmd:"" help:"Serve the floor: net/http, five questions at once, merged."`
	Gin     ginCommand     `cmd:"" help:"Serve the same with Gin, decoded and encoded again."`
	Usual   usualCommand   `cmd:"" help:"Serve the same work as the exchange, written the usual way."`
}

func main() {
	var c commands
	at := kong.Parse(&c, kong.Name("compare"), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	at.BindTo(ctx, (*context.Context)(nil))
	err := at.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
