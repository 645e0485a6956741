package batch_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mianti/batch"
	"mianti/batch/table"
	"mianti/internal/fault"
	"mianti/ledger"
)

func TestSubmit_TakesAListInAndAsksNobody(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, b *bench) {
		got := b.submit(b.desk(), submission(list(1201)))
		if got.State != batch.Ready || got.Counts != (batch.Counts{Todo: 1201}) || got.System != "SW-1" || got.KeptUntil == nil {
			t.Errorf("%+v", got)
		}
		if n := b.sources.total(); n != 0 {
			t.Errorf("%d questions were asked", n)
		}
		recorded := b.entries("", ledger.BatchSubmitted)
		if len(recorded) != 1 || recorded[0].Why != got.Purpose || recorded[0].Object != "batch:"+got.ID {
			t.Errorf("recorded %+v", recorded)
		}
	})
}

func TestSubmit_TellsPlaceAndRemedyOfEachError(t *testing.T) {
	t.Parallel()
	good, other := creditCode(1), creditCode(2)
	file := "办件编号,申请人姓名或名称,申请人号码\n" +
		"A1,甲公司," + good + "\n" +
		"A1,乙公司," + other + "\n" + // its number stands above
		",丙公司," + creditCode(3)[:17] + "\n" +
		",," + creditCode(4) + "\n" +
		",甲公司," + good + "\n" + // the same as line 2
		",丁公司,9.13701E+17\n" +
		",戊公司," + creditCode(5) + ",多的一格\n" +
		"A\u202e1,己公司," + creditCode(6) + "\n"
	want := map[int]string{
		3: "办件编号: number-twice", 4: "申请人号码: length", 5: "申请人姓名或名称: missing", 6: "整行: row-twice",
		7: "申请人号码: digits-lost", 8: "第 4 列: no-heading", 9: "办件编号: missing",
	}
	eachDatabase(t, func(t *testing.T, b *bench) {
		b.numberTaken("A9")
		got := b.submit(b.desk(), submission([]byte(file+"A9,庚公司,"+creditCode(7)+"\n")))
		if got.State != batch.Invalid || got.Counts != (batch.Counts{Wrong: 8, Todo: 1}) {
			t.Errorf("%s %+v", got.State, got.Counts)
		}
		found := map[int]string{}
		for _, row := range b.rows(got.ID) {
			if row.State != batch.RowWrong {
				continue
			}
			if row.Opening != nil || len(row.Problems) != 1 || row.Problems[0].Message == "" {
				t.Errorf("row %d keeps %v, with %+v", row.Line, row.Opening, row.Problems)
			}
			found[row.Line] = row.Problems[0].Location + ": " + row.Problems[0].Code
		}
		all := map[int]string{10: "办件编号: number-taken"}
		for line, text := range want {
			all[line] = text
		}
		if diff := cmp.Diff(all, found); diff != "" {
			t.Errorf("errors (-want +got):\n%s", diff)
		}
	})
}

// numberTaken opens a case of that number.
func (b *bench) numberTaken(number string) {
	b.t.Helper()
	in := batchOpening(number)
	if _, _, err := b.x.OpenCase(b.t.Context(), taxOffice(), in); err != nil {
		b.t.Fatal(describe(err))
	}
}

func TestSubmit_KeepsNothingOfAListThatIsNone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*batch.Submission)
		code   string
		at     string
	}{
		"a column of something else": {func(in *batch.Submission) { in.File = []byte("申请人姓名,手机号\n王建国,1\n") }, "invalid-list", "第 1 行第 2 列"},
		"a column twice":             {func(in *batch.Submission) { in.File = []byte("申请人姓名,申请人名称\n王,王\n") }, "invalid-list", "第 1 行第 2 列"},
		"no party":                   {func(in *batch.Submission) { in.File = []byte("办件编号\n1\n") }, "invalid-list", "第 1 行"},
		"no rows":                    {func(in *batch.Submission) { in.File = []byte("申请人姓名\n") }, "invalid-list", "file"},
		"rows that break off":        {func(in *batch.Submission) { in.File = append(list(600), '"', 'x') }, "invalid-list", "file"},
		"no purpose":                 {func(in *batch.Submission) { in.Purpose = " 查 " }, "invalid-batch", "purpose"},
		"no basis":                   {func(in *batch.Submission) { in.Basis = "" }, "invalid-batch", "basis"},
		"no quota":                   {func(in *batch.Submission) { in.PerDay = 0 }, "invalid-batch", "per_day"},
		"no matter":                  {func(in *batch.Submission) { in.Subject = "X" }, "invalid-batch", "subject"},
	}
	b := newBench(t, sqlite(t))
	for name, c := range cases {
		in := submission(list(1))
		c.change(&in)
		_, err := b.desk().Submit(t.Context(), taxOffice(), in)
		if f := wantFault(t, err, fault.Invalid, c.code); len(f.Details) != 1 || f.Details[0].Location != c.at {
			t.Errorf("%s: %+v, want %s", name, f.Details, c.at)
		}
	}
	in := submission(list(1))
	in.Subject = "S05.M3"
	_, err := b.desk().Submit(t.Context(), taxOffice(), in)
	wantFault(t, err, fault.Denied, "matter-of-another-department")
	kept, err := b.desk().Batches(t.Context(), taxOffice(), batch.Filter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept { // the one that broke off, whose rows are destroyed
		if k.DestroyedAt == nil || k.State != batch.Cancelled {
			t.Errorf("kept %+v", k)
		}
	}
}

func TestTemplate_IsAListThatIsTakenIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	var out bytes.Buffer
	if err := b.desk().Template(t.Context(), "S02.M1", &out); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	headings, err := book.GetRows("名单")
	if err != nil || len(headings) != 1 {
		t.Fatal(headings, err)
	}
	if diff := cmp.Diff([]string{"办件编号", "申请人姓名或名称", "申请人号码"}, headings[0]); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
	for i, text := range []string{"税迁-1", "济南示例有限公司", creditCode(1)} {
		if err := book.SetCellStr("名单", fmt.Sprintf("%c2", 'A'+i), text); err != nil {
			t.Fatal(err)
		}
	}
	var filled bytes.Buffer
	if err := book.Write(&filled); err != nil {
		t.Fatal(err)
	}
	if got := b.submit(b.desk(), submission(filled.Bytes())); got.State != batch.Ready || got.Counts.Todo != 1 {
		t.Errorf("%+v", got)
	}
}

func TestErrors_AreInertWhateverTheListHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t, sqlite(t))
	got := b.submit(b.desk(), submission([]byte("申请人姓名或名称,申请人号码\n=cmd|'/c calc'!A1,1\n")))
	file, err := b.desk().Errors(t.Context(), taxOffice(), got.ID)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for row, err := range table.Read(file) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		for _, cell := range row.Cells {
			if strings.HasPrefix(cell.Text, "=") || strings.Contains(cell.Text, "calc") {
				t.Errorf("line %d holds %q", row.Line, cell.Text)
			}
		}
	}
	if rows != 2 {
		t.Errorf("%d rows, want a heading and one error", rows)
	}
}

// BenchmarkValidate checks and stores the longest list, and tells how much memory
// it took beyond what was there before.
func BenchmarkValidate(bm *testing.B) {
	b := newBench(bm, sqlite(bm))
	file := list(batch.MaxRows)
	bm.ReportAllocs()
	var most uint64
	for bm.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := b.submit(b.desk(), submission(file))
		runtime.ReadMemStats(&after)
		if got.Counts.Todo != batch.MaxRows {
			bm.Fatalf("%+v", got.Counts)
		}
		most = max(most, after.HeapSys-min(after.HeapSys, before.HeapSys))
	}
	bm.ReportMetric(float64(most)/(1<<20), "MiB-heap-growth")
	bm.ReportMetric(float64(len(file))/(1<<20), "MiB-file")
}
