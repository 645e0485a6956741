// Package batch are the pages on which clerks have lists verified (批量核验): hand one
// in, look at its errors, start it, watch it, and get its results.
package batch

import (
	"context"
	"embed"
	"errors"
	"io"
	"net/http"

	"mianti/batch"
	"mianti/policies"
	"mianti/web/frame"
)

//go:embed pages style.css text.en.json
var files embed.FS

// Lists shows batches and their rows.
type Lists interface {
	Batch(ctx context.Context, by policies.Caller, id string) (*batch.Batch, error)
	Batches(ctx context.Context, by policies.Caller, f batch.Filter) ([]batch.Batch, error)
	List(ctx context.Context, by policies.Caller, f batch.RowFilter) ([]batch.Row, error)
	Errors(ctx context.Context, by policies.Caller, id string) ([]byte, error)
}

// Intake takes lists in.
type Intake interface {
	Submit(ctx context.Context, by policies.Caller, in batch.Submission) (*batch.Batch, error)
	Columns(ctx context.Context, subject string) ([]batch.Column, error)
	Template(ctx context.Context, subject string, to io.Writer) error
	Systems(ctx context.Context, by policies.Caller) ([]string, error)
}

// Acts moves batches on.
type Acts interface {
	Start(ctx context.Context, by policies.Caller, id string, leaveOut bool) (*batch.Batch, error)
	Pause(ctx context.Context, by policies.Caller, id, why string) (*batch.Batch, error)
	Resume(ctx context.Context, by policies.Caller, id, why string) (*batch.Batch, error)
	Cancel(ctx context.Context, by policies.Caller, id, why string) (*batch.Batch, error)
}

// Results gives results out.
type Results interface {
	Result(ctx context.Context, by policies.Caller, id, passphrase string) (*batch.File, error)
}

// Config is what the pages stand on. All fields are required, but for those that
// name a default.
type Config struct {
	Lists   Lists
	Intake  Intake
	Acts    Acts
	Results Results
	// Draining, if given, is closed when the server is about to end: streams then end
	// too.
	Draining <-chan struct{}
}

// section is the pages, wired.
type section struct {
	Config
	uploads chan struct{} // lists that are being received: each is held in memory
	streams chan struct{} // streams that are open
}

// Bounds of what goes on at once.
const (
	maxUploads = 2
	maxStreams = 200
)

// New gives the section.
func New(c Config) (frame.Section, error) {
	if c.Lists == nil || c.Intake == nil || c.Acts == nil || c.Results == nil {
		return frame.Section{}, errors.New("web/batch: a required part of the configuration is missing")
	}
	s := &section{Config: c, uploads: make(chan struct{}, maxUploads), streams: make(chan struct{}, maxStreams)}
	clerk := []policies.Duty{policies.DutyClerk}
	page := func(path string, handle func(*frame.Visit) (frame.Answer, error)) frame.Page {
		return frame.Page{Path: path, Duties: clerk, Handle: handle}
	}
	form := func(path string, handle func(*frame.Visit) (frame.Answer, error)) frame.Page {
		return frame.Page{Method: http.MethodPost, Path: path, Duties: clerk, Handle: handle}
	}
	hand := form("/batch/new", s.handIn)
	hand.MaxBody = batch.MaxFile + 1<<20 // and the fields beside the file
	return frame.Section{
		Name: "batch", Files: files,
		Menu: []frame.MenuItem{{Title: "批量核验", Path: "/batch", Duties: clerk}},
		Pages: []frame.Page{
			page("/batch", s.list), page("/batch/new", s.newBatch), hand, page("/batch/template/:code", s.template),
			page("/batch/:id", s.show), page("/batch/:id/events", s.events), page("/batch/:id/errors", s.errors),
			form("/batch/:id/start", s.start), form("/batch/:id/pause", s.pause), form("/batch/:id/resume", s.resume),
			page("/batch/:id/cancel", s.askCancel), form("/batch/:id/cancel", s.cancel),
			form("/batch/:id/result", s.result),
		},
	}, nil
}

// xlsxType is the media type of a spreadsheet.
const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
