package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
)

// files takes one kind of content.
type files struct{}

func (files) LoadSnapshot(_ context.Context, _ *catalog.Dataset, s *catalog.Source, f exchange.SnapshotFile) (exchange.SnapshotReport, error) {
	text := make([]byte, f.Size)
	if _, err := f.Content.ReadAt(text, 0); err != nil && err != io.EOF {
		return exchange.SnapshotReport{}, err
	}
	if string(text) != "姓名,号码\n" {
		return exchange.SnapshotReport{}, fault.New(fault.Invalid, "invalid-snapshot", "文件有 1 处错误。").With(fault.Detail{Location: "row 2", Code: "subject-number", Message: "号码不正确"})
	}
	return exchange.SnapshotReport{Source: s.Code, AsOf: f.AsOf, Rows: 0}, nil
}

// newFiles is a harness whose D-GA01 comes as a file.
func newFiles(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.memory.rev.Dataset("D-GA01").Sources[0].Kind = catalog.SourceSnapshot
	h.config.Exchange.Snapshots = files{}
	return h
}

func TestSnapshot_TakesAFileOfTheDepartmentThatHoldsTheDataset(t *testing.T) {
	t.Parallel()
	h := newFiles(t)
	const at = "/v1/sources/GA.D-GA01.query/snapshots?as_of=2026-11-22"
	w := h.call(other, http.MethodPost, at, "姓名,号码\n", "Content-Type", "text/csv; charset=utf-8")
	var report exchange.SnapshotReport
	decode(t, w, &report)
	// The day begins at midnight in China.
	if w.Code != http.StatusCreated || report.Source != "GA.D-GA01.query" || report.AsOf.UTC().Format("2006-01-02 15:04") != "2026-11-21 16:00" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	p := wantProblem(t, h.call(other, http.MethodPost, at, "x", "Content-Type", "text/csv"), 422, "invalid-snapshot")
	if len(p.Errors) != 1 || p.Errors[0].Location != "row 2" {
		t.Errorf("errors %+v", p.Errors)
	}
}

func TestSnapshot_RefusesWhatItMayNotOrCannotTake(t *testing.T) {
	t.Parallel()
	h := newFiles(t)
	for _, c := range []struct {
		name, system, target, kind, body, code string
		status                                 int
	}{
		{"another department", ownSystem, "GA.D-GA01.query/snapshots?as_of=2026-11-22", "text/csv", "x", "unknown-source", 404},
		{"no such source", other, "GA.X/snapshots?as_of=2026-11-22", "text/csv", "x", "unknown-source", 404},
		{"another type", other, "GA.D-GA01.query/snapshots?as_of=2026-11-22", "application/json", "{}", "unsupported-media-type", 415},
		{"no date", other, "GA.D-GA01.query/snapshots", "text/csv", "x", "invalid-request", 422},
		{"no such date", other, "GA.D-GA01.query/snapshots?as_of=2026-02-30", "text/csv", "x", "invalid-request", 422},
		{"tomorrow", other, "GA.D-GA01.query/snapshots?as_of=2026-11-24", "text/csv", "x", "invalid-request", 422},
		{"65 MiB", other, "GA.D-GA01.query/snapshots?as_of=2026-11-22", "text/csv", strings.Repeat("x", 65<<20), "too-large", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantProblem(t, h.call(c.system, http.MethodPost, "/v1/sources/"+c.target, c.body, "Content-Type", c.kind), c.status, c.code)
		})
	}
	h.memory.rev.Dataset("D-GA01").Sources[0].Kind = catalog.SourceHTTPJSON
	wantProblem(t, h.call(other, http.MethodPost, "/v1/sources/GA.D-GA01.query/snapshots?as_of=2026-11-22", "x", "Content-Type", "text/csv"), 422, "no-snapshot-source")
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the file was received")
	return 0, io.EOF
}

func TestSnapshot_RefusesAFileBeforeItIsReceived(t *testing.T) {
	t.Parallel()
	h := newFiles(t)
	for _, c := range []struct {
		name, system, source, code string
		size                       int64
		status                     int
	}{
		{"another department's source", ownSystem, "GA.D-GA01.query", "unknown-source", 1 << 20, 404},
		{"no source", other, "GA.X", "unknown-source", 1 << 20, 404},
		{"too large", other, "GA.D-GA01.query", "too-large", 65 << 20, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(http.MethodPost, "/v1/sources/"+c.source+"/snapshots?as_of=2026-11-22", "", "Content-Type", "text/csv", "Authorization", "Bearer "+h.token(c.system))
			r.Body, r.ContentLength = io.NopCloser(unread{t}), c.size
			wantProblem(t, h.send(r), c.status, c.code)
		})
	}
	empty := h.call(other, http.MethodPost, "/v1/sources/GA.D-GA01.query/snapshots?as_of=2026-11-22", "", "Content-Type", "text/csv")
	wantProblem(t, empty, 400, "missing-body")
}

// slowBody gives its content when it is told to.
type slowBody struct {
	reading chan<- struct{}
	goOn    <-chan struct{}
	content io.Reader
}

func (s *slowBody) Read(p []byte) (int, error) {
	s.reading <- struct{}{}
	<-s.goOn
	return s.content.Read(p)
}

func TestSnapshot_ReceivesTwoFilesAtOnceAndNoMore(t *testing.T) {
	t.Parallel()
	h := newFiles(t)
	const at = "/v1/sources/GA.D-GA01.query/snapshots?as_of=2026-11-22"
	token := h.token(other)
	reading, goOn, codes := make(chan struct{}, 100), make(chan struct{}), make(chan int, 2)
	for range 2 {
		go func() {
			r := request(http.MethodPost, at, "", "Content-Type", "text/csv", "Authorization", "Bearer "+token)
			r.Body, r.ContentLength = io.NopCloser(&slowBody{reading, goOn, strings.NewReader("姓名,号码\n")}), -1
			codes <- h.send(r).Code
		}()
		<-reading
	}
	w := h.call(other, http.MethodPost, at, "姓名,号码\n", "Content-Type", "text/csv")
	wantProblem(t, w, 503, "unavailable")
	if w.Header().Get("Retry-After") == "" {
		t.Error("nobody says when to try again")
	}
	close(goOn)
	for range 2 {
		if code := <-codes; code != http.StatusCreated {
			t.Errorf("one of the two: %d", code)
		}
	}
}
