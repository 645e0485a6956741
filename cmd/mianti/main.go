// Command mianti is the exchange: the server, the stand-in departments, and the
// tools of those who run it. It is the only place that reads the environment
// and the clock and that wires the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"mianti/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// commands is the command line. Every setting can also come from the
// environment; docs/configuration.md lists them.
type commands struct {
	Serve     serveCommand      `cmd:"" help:"Run the exchange."`
	Demo      demoCommand       `cmd:"" help:"Run everything in one process, and resolve one case of every one-thing."`
	Resolve   resolveCommand    `cmd:"" help:"Open a case from a YAML file through the API and show what is settled."`
	Simulate  simulateCommand   `cmd:"" help:"Serve the stand-in departments."`
	Migrate   migrateCommand    `cmd:"" help:"Bring the database to the schema of this version."`
	Catalog   catalogCommands   `cmd:"" help:"Check and load catalogs."`
	Source    sourceCommands    `cmd:"" help:"Connect departments: try, check and load their sources."`
	System    systemCommands    `cmd:"" help:"Register the systems that may ask."`
	Person    personCommands    `cmd:"" help:"Give the people who sign in their duties."`
	Grant     grantCommands     `cmd:"" help:"Give departments the right to use records."`
	Ledger    ledgerCommands    `cmd:"" help:"Verify and prove the record of all acts."`
	Explain   explainCommand    `cmd:"" help:"Say from the record why the look-ups of a case were allowed or denied."`
	Replay    replayCommand     `cmd:"" help:"Work a past resolution out again from what was recorded."`
	Stop      stopCommands      `cmd:"" help:"End a use at once, and allow it again."`
	Quota     quotaCommands     `cmd:"" help:"Bound how much is looked up."`
	Alarm     alarmCommands     `cmd:"" help:"See what is unusual."`
	Access    accessCommands    `cmd:"" help:"Check the list of who looked at your data."`
	Receipt   receiptCommands   `cmd:"" help:"Check receipts, offline."`
	Key       keyCommands       `cmd:"" help:"Make and change keys."`
	Retention retentionCommands `cmd:"" help:"Destroy what has been kept long enough, and see what is."`
	Doctor    doctorCommand     `cmd:"" help:"Check settings, clocks, keys, schema, database, sources, catalog, ledger and backups, and say what to do."`
	Backup    backupCommands    `cmd:"" help:"Copy the database, and check copies."`
	Restore   restoreCommand    `cmd:"" help:"Put the database back from a backup, and verify the ledger."`
	Version   versionCommand    `cmd:"" help:"Print the version, and the schema that it works with."`
}

// console is where a command prints: results to Out, progress and messages to
// Err.
type console struct {
	Out io.Writer
	Err io.Writer
}

// run runs one command line and gives the exit status: 0 done, 1 failed, 2 a
// wrong command line, 130 interrupted.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var cmds commands
	exited := -1
	parser, err := kong.New(&cmds,
		kong.Name("mianti"), kong.Description("免提 — a data-sharing exchange that lets applicants skip what a department already holds."),
		kong.UsageOnError(), kong.Writers(out, errs), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(console{Out: out, Err: errs}))
	if err != nil {
		fmt.Fprintln(errs, "mianti:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help has been printed
		return exited
	}
	if err != nil {
		parser.Errorf("%s", err)
		var wrong *kong.ParseError
		if errors.As(err, &wrong) {
			_ = wrong.Context.PrintUsage(true)
		}
		return 2
	}
	err = parsed.Run()
	if err == nil {
		return 0
	}
	if ctx.Err() != nil { // stopped by the user: what broke off then is no failure
		fmt.Fprintln(errs, "mianti: 已中断")
		return interrupted
	}
	printError(errs, err)
	return 1
}

// interrupted is the exit status of a program that was stopped by SIGINT.
const interrupted = 130

// printError prints a failure with all of its details.
func printError(w io.Writer, err error) {
	fmt.Fprintln(w, "mianti:", err)
	if f := fault.As(err); f != nil {
		for _, d := range f.Details {
			fmt.Fprintf(w, "  %s: %s\n", d.Location, d.Message)
		}
	}
}
