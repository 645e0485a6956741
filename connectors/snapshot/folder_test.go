package snapshot_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors/snapshot"
	"mianti/internal/fault"
)

// inbox is a folder of snapshots in a test.
type inbox struct {
	t   *testing.T
	dir string
	m   *memory
	now time.Time
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	return &inbox{t: t, dir: t.TempDir(), m: newMemory(), now: testNow()}
}

// folder is one process that looks after the inbox.
func (b *inbox) folder() *snapshot.Folder {
	find := func(code string) (*catalog.Dataset, *catalog.Source) {
		if code != source().Code {
			return nil, nil
		}
		return dataset(), source()
	}
	now := func() time.Time { return b.now }
	return snapshot.NewFolder(b.dir, snapshot.NewLoader(snapshot.Options{Rows: b.m, Key: testKey(), Now: now}), find, now)
}

// put writes a file that was last changed that long ago.
func (b *inbox) put(name, text string, age time.Duration) {
	b.t.Helper()
	at := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	changed := b.now.Add(-age)
	if err := os.Chtimes(at, changed, changed); err != nil {
		b.t.Fatal(err)
	}
}

func (b *inbox) pass(f *snapshot.Folder) []snapshot.Outcome {
	b.t.Helper()
	all, err := f.LoadFolder(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// files are the paths of all files below the source's folder.
func (b *inbox) files() []string {
	b.t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(filepath.Join(b.dir, source().Code)), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func (b *inbox) wantFiles(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.files()); diff != "" {
		b.t.Errorf("files (-want +got):\n%s", diff)
	}
}

const (
	in     = "CC.D-CC01.file/in/"
	work   = "CC.D-CC01.file/work/"
	minute = time.Minute
)

func goodText() string { return heading + good + "\r\n" }

func TestLoadFolder_LoadsWhatIsThere(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.put(in+"名单-20261123.csv", goodText(), minute)
	b.put(in+"旧-20261122.csv", goodText(), minute)
	all := b.pass(b.folder())
	if len(all) != 2 || all[0].File != "旧-20261122.csv" || all[0].Err != nil || all[1].Err != nil || all[1].Report.Rows != 1 {
		t.Errorf("outcomes %+v, want both loaded, the older first", all)
	}
	b.wantFiles("done/名单-20261123.csv", "done/旧-20261122.csv")
	if b.m.headers[source().Code].Seq != 2 {
		t.Errorf("header %+v", b.m.headers[source().Code])
	}
}

func TestLoadFolder_WaitsUntilAFileIsWhole(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	f := b.folder()
	b.put(in+"名单-20261123.csv", heading, 0)
	if all := b.pass(f); len(all) > 0 {
		t.Errorf("taken at once: %+v", all)
	}
	b.put(in+"名单-20261123.csv", goodText(), 0) // it has grown
	if all := b.pass(f); len(all) > 0 {
		t.Errorf("taken while it grows: %+v", all)
	}
	if all := b.pass(f); len(all) != 1 || all[0].Report.Rows != 1 {
		t.Errorf("left alone since the last pass: %+v", all)
	}
	b.put(in+"次-20261123.csv", goodText(), 0)
	b.now = b.now.Add(11 * time.Second)
	if all := b.pass(b.folder()); len(all) != 1 {
		t.Errorf("left alone for eleven seconds: %+v", all)
	}
}

func TestLoadFolder_LeavesOthersAlone(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	for _, name := range []string{".名单-20261123.csv", "名单-20261123.csv.part", "名单-20261123.csv.tmp", "说明.txt"} {
		b.put(in+name, goodText(), minute)
	}
	b.put("outside.csv", goodText(), minute)
	link := filepath.Join(b.dir, filepath.FromSlash(in), "链接-20261123.csv")
	if err := os.Symlink(filepath.Join(b.dir, "outside.csv"), link); err != nil {
		t.Fatal(err)
	}
	if all := b.pass(b.folder()); len(all) > 0 {
		t.Errorf("outcomes %+v, want none", all)
	}
	if got := len(b.files()); got != 5 {
		t.Errorf("%d files are left, want all 5", got)
	}
}

func TestLoadFolder_FollowsNoLinkOutOfItsFolder(t *testing.T) {
	t.Parallel()
	b, outside := newInbox(t), t.TempDir()
	if err := os.Mkdir(filepath.Join(b.dir, source().Code), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "名单-20261123.csv"), []byte(goodText()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(b.dir, source().Code, "in")); err != nil {
		t.Fatal(err)
	}
	b.now = time.Now().Add(minute)
	for _, o := range b.pass(b.folder()) {
		if o.Err == nil {
			t.Errorf("a file from outside was loaded: %+v", o)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "名单-20261123.csv")); err != nil {
		t.Errorf("the file outside: %v", err)
	}
}

func TestLoadFolder_SaysWhatIsWrongBesideTheFile(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.put(in+"名单-20261123.csv", heading+"冯涛,1,否,,,,,,\r\n", minute)
	b.put(in+"名单.csv", goodText(), minute)
	all := b.pass(b.folder())
	if len(all) != 2 || !all[0].Failed || !all[1].Failed || all[0].Err == nil {
		t.Errorf("outcomes %+v, want both failed", all)
	}
	b.wantFiles("failed/名单-20261123.csv", "failed/名单-20261123.csv.errors.csv", "failed/名单.csv", "failed/名单.csv.errors.csv")
	report := filepath.Join(b.dir, source().Code, "failed", "名单-20261123.csv.errors.csv")
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\r\n2,公民身份号码,subject-number,") || strings.Contains(string(text), "冯涛") {
		t.Errorf("the report says:\n%s", text)
	}
}

func TestLoadFolder_OverwritesNothing(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	for _, text := range []string{goodText(), heading + good + "\r\n" + good + "\r\n"} {
		b.put(in+"名单-20261123.csv", text, minute)
		if all := b.pass(b.folder()); len(all) != 1 || all[0].Err != nil {
			t.Errorf("outcomes %+v", all)
		}
	}
	if got := b.files(); len(got) != 2 || !slices.ContainsFunc(got, func(name string) bool { return strings.HasSuffix(name, "-名单-20261123.csv") }) {
		t.Errorf("files %q, want both", got)
	}
}

func TestLoadFolder_GivesAFileBackThatIsNotToBlame(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.m.failAfter = 1
	b.put(in+"名单-20261123.csv", goodText(), minute)
	if all := b.pass(b.folder()); len(all) != 1 || all[0].Failed || !errors.Is(all[0].Err, errBroken) {
		t.Errorf("outcomes %+v, want one that is tried again", all)
	}
	b.wantFiles("in/名单-20261123.csv")
	b.m.failAfter = 0
	if all := b.pass(b.folder()); len(all) != 1 || all[0].Err != nil {
		t.Errorf("outcomes %+v, want it loaded", all)
	}
}

func TestLoadFolder_TakesOverFromAProcessThatIsGone(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.put(work+"20261123T225900Z-ABCDEFGH/老-20261123.csv", goodText(), 2*time.Hour) // 61 minutes ago
	b.put(work+"20261123T230100Z-ABCDEFGH/新-20261123.csv", goodText(), 2*time.Hour) // 59
	if all := b.pass(b.folder()); len(all) != 1 || all[0].File != "老-20261123.csv" || all[0].Err != nil {
		t.Errorf("outcomes %+v, want the one that was abandoned", all)
	}
	b.wantFiles("done/老-20261123.csv", "work/20261123T230100Z-ABCDEFGH/新-20261123.csv")
}

func TestLoadFolder_LoadsOnceWhenSeveralLook(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	for _, day := range []string{"20", "21", "22", "23"} {
		b.put(in+"名单-202611"+day+".csv", goodText(), minute)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	loaded := 0
	for range 4 {
		group.Go(func() {
			all, err := b.folder().LoadFolder(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			loaded += len(all)
		})
	}
	group.Wait()
	if loaded != 4 || len(b.files()) == 0 {
		t.Errorf("%d files were taken, want each of the four once", loaded)
	}
	if got := b.m.headers[source().Code].AsOf.Format(time.DateOnly); got != "2026-11-22" { // in UTC
		t.Errorf("served is the one of %s, want the newest", got)
	}
}

func TestLoadFolder_TellsOfAFolderThatIsNoSources(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.put("CC.D-CC99.file/in/名单-20261123.csv", goodText(), minute)
	all := b.pass(b.folder())
	if len(all) != 1 || !errors.Is(all[0].Err, fault.NotFound) || all[0].Failed {
		t.Errorf("outcomes %+v, want one that says so", all)
	}
	if _, err := snapshot.NewFolder(filepath.Join(b.dir, "none"), nil, nil, testNow).LoadFolder(t.Context()); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

func TestLoadFolder_TellsNoNameOfAFile(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	name := "冯涛" + feng + "-20261123.csv"
	b.put("CC.D-CC01.file/failed/"+name+".errors.csv/x", "", minute) // the report cannot be written
	b.put(in+name, heading+"冯涛,1,否,,,,,,\r\n", minute)
	all := b.pass(b.folder())
	if len(all) != 1 || !all[0].Failed || all[0].Err == nil {
		t.Fatalf("outcomes %+v, want one that failed", all)
	}
	if text := all[0].Err.Error(); strings.Contains(text, feng) || !strings.Contains(text, syscall.EISDIR.Error()) {
		t.Errorf("the error says %q, want the cause without the name", text)
	}
}

func TestLoadFolder_TakesNamesAsLongAsTheyCanBe(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	const most, end = 255, "-20261123.csv"
	long := strings.Repeat("名", (most-len(end))/len("名")) + end
	for i, text := range []string{goodText(), heading + good + "\r\n" + good + "\r\n", heading + "冯涛,1,否,,,,,,\r\n"} {
		b.put(in+long, text, minute)
		if all := b.pass(b.folder()); len(all) != 1 || all[0].Failed != (i == 2) || (all[0].Err != nil) != (i == 2) || errors.Is(all[0].Err, syscall.ENAMETOOLONG) {
			t.Errorf("file %d: outcomes %+v", i, all)
		}
	}
	done, failed := 0, 0
	for _, name := range b.files() {
		switch {
		case strings.HasPrefix(name, "done/") && strings.HasSuffix(name, end):
			done++
		case strings.HasPrefix(name, "failed/"):
			failed++
		}
	}
	if done != 2 || failed != 2 {
		t.Errorf("files %q, want two done, one failed and its report", b.files())
	}
}

func TestLoadFolder_TellsOnceOfAFileThatCannotBeMoved(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	f := b.folder()
	blocked := filepath.Join(b.dir, filepath.FromSlash(work))
	b.put(strings.TrimSuffix(work, "/"), "", minute) // a file where the folder should be
	b.put(in+"名单-20261123.csv", goodText(), minute)
	about := func() int {
		return len(slices.DeleteFunc(b.pass(f), func(o snapshot.Outcome) bool { return o.Err == nil }))
	}
	if got := about(); got == 0 {
		t.Error("nothing is told of it")
	}
	if got := about(); got > 0 {
		t.Errorf("told again %d times", got)
	}
	b.put(in+"名单-20261123.csv", goodText(), 2*minute)
	if got := about(); got != 1 {
		t.Errorf("told %d times of another file of that name, want once", got)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if all := b.pass(f); len(all) != 1 || all[0].Err != nil {
		t.Errorf("outcomes %+v, want it loaded once it can be", all)
	}
}
