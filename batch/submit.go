package batch

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Submission (提交) is what a batch is handed in with.
type Submission struct {
	Subject string // code of a matter or a one-thing
	Purpose string
	Basis   string
	PerDay  int
	// System is in whose name the cases are registered, when a person hands the list
	// in; empty means the only one that the department has.
	System string
	File   []byte
}

// chunk is how many rows are stored at once: other requests get their turn between.
const chunk = 500

// Submit takes a list in and checks all of it. Nothing is asked: a list without
// errors is ready to be started, one with errors says which they are. An error of
// Submit itself means that nothing was kept.
func (d *Desk) Submit(ctx context.Context, by policies.Caller, in Submission) (*Batch, error) {
	rev, err := d.Catalogs.Current(ctx, in.Subject)
	if err != nil {
		return nil, fmt.Errorf("submit a batch: %w", err)
	}
	system, err := d.systemFor(ctx, by, in.System)
	if err != nil {
		return nil, err
	}
	if err := checkSubmission(rev, by, in); err != nil {
		return nil, err
	}
	now := d.Now().UTC()
	b := &Batch{
		ID: d.NewID(), Department: by.Department, System: system, Person: by.Person, Subject: in.Subject, Revision: rev.Number,
		Purpose: strings.TrimSpace(in.Purpose), Basis: strings.TrimSpace(in.Basis), PerDay: in.PerDay, State: Receiving, SubmittedAt: now, Version: 1,
	}
	b.Number = batchNumber(now, b.ID)
	r := &reception{Desk: d, batch: b, checker: checker{
		layout: newLayout(rev, in.Subject), cases: d.Cases, by: b.requester(), batch: b, numbers: map[string]int{}, same: map[[16]byte]int{},
	}}
	if err := r.receive(ctx, in.File); err != nil {
		return nil, err
	}
	return d.received(ctx, b)
}

// batchNumber is a number that people can read out, of the day and of the id.
func batchNumber(at time.Time, id string) string {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, id)
	return "PL" + at.In(catalog.TimeZone()).Format("20060102") + "-" + letters[max(0, len(letters)-8):]
}

// systemFor is the system in whose name the cases are registered.
func (d *Desk) systemFor(ctx context.Context, by policies.Caller, named string) (string, error) {
	if by.System != "" {
		return by.System, nil
	}
	all, err := d.Register.SystemsOf(ctx, by.Department)
	if err != nil {
		return "", fmt.Errorf("submit a batch: %w", err)
	}
	switch {
	case named == "" && len(all) == 1:
		return all[0], nil
	case slices.Contains(all, named):
		return named, nil
	case len(all) == 0:
		return "", fault.New(fault.Conflict, "no-system", "本部门没有登记接入系统，不能登记办件。请联系运维人员登记后再提交。")
	}
	return "", invalidBatch(fault.Detail{Location: "system", Code: "unknown-option", Message: "请选择本部门的接入系统：" + strings.Join(all, "、") + "。"})
}

// Systems are those in whose name a caller's list can be registered.
func (d *Desk) Systems(ctx context.Context, by policies.Caller) ([]string, error) {
	if by.System != "" {
		return []string{by.System}, nil
	}
	return d.Register.SystemsOf(ctx, by.Department)
}

func invalidBatch(details ...fault.Detail) error {
	return fault.New(fault.Invalid, "invalid-batch", "批量核验有 %d 处不符合要求，没有登记任何内容。", len(details)).With(details...)
}

// checkSubmission looks at all but the list.
func checkSubmission(rev *catalog.Revision, by policies.Caller, in Submission) error {
	var wrong []fault.Detail
	department := ""
	if m := rev.Matter(in.Subject); m != nil {
		department = m.Department
	} else if thing := rev.OneThing(in.Subject); thing != nil {
		department = thing.Lead
	} else {
		wrong = append(wrong, fault.Detail{Location: "subject", Code: "unknown-subject", Message: "目录中没有这个事项或一件事。请填写短码。"})
	}
	for _, text := range []struct{ at, what, value string }{{"purpose", "用途", in.Purpose}, {"basis", "法律依据", in.Basis}} {
		if n := utf8.RuneCountInString(strings.TrimSpace(text.value)); n < 5 || n > 200 || !visible(text.value) {
			wrong = append(wrong, fault.Detail{Location: text.at, Code: "length", Message: "请写明" + text.what + "，5 至 200 字，不写个人信息。"})
		}
	}
	if in.PerDay < 1 || in.PerDay > MaxRows {
		wrong = append(wrong, fault.Detail{Location: "per_day", Code: "range", Message: fmt.Sprintf("每日最多核验的行数应为 1 至 %d。", MaxRows)})
	}
	if len(wrong) > 0 {
		return invalidBatch(wrong...)
	}
	if department != by.Department {
		return fault.New(fault.Denied, "matter-of-another-department", "该事项由其他部门办理，本部门不能为它批量核验。")
	}
	return nil
}

func visible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return (unicode.IsControl(r) && r != '\n' && r != '\r') || unicode.Is(unicode.Cf, r)
	})
}

// reception takes one list in.
type reception struct {
	*Desk
	batch   *Batch
	checker checker
	rows    []Row // checked, and not stored yet
	total   int
}

// receive checks and stores the rows. Before the heading was read nothing is kept;
// what breaks off later is destroyed.
func (r *reception) receive(ctx context.Context, file []byte) error {
	var err error
	for row, failed := range table.Read(file) {
		if err = failed; err == nil {
			err = r.take(ctx, row)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = r.flush(ctx)
	}
	if err == nil && r.total == 0 {
		err = fault.New(fault.Invalid, "invalid-list", "名单里没有数据行，没有登记任何内容。").
			With(fault.Detail{Location: "file", Code: "no-rows", Message: "请在列名下面逐行填写。"})
	}
	if err == nil || r.total == 0 {
		return err
	}
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), endDeadline)
	defer stop()
	if dropped := r.drop(ending); dropped != nil {
		return fmt.Errorf("%w (and it could not be dropped: %w)", err, dropped)
	}
	return err
}

// endDeadline bounds what follows when a list breaks off.
const endDeadline = 10 * time.Second

// drop destroys what was stored of a list that broke off.
func (r *reception) drop(ctx context.Context) error {
	e := r.entry(ledger.BatchDestroyed, r.batch.requester(), r.batch)
	e.Why = "名单没有读完"
	_, err := r.Endings.DestroyBatch(ctx, r.batch, e)
	return err
}

func (r *reception) take(ctx context.Context, row table.Row) error {
	if r.checker.columns == nil {
		columns, err := r.checker.layout.columns(row)
		if err != nil {
			return err
		}
		r.checker.columns = columns
		return nil
	}
	if r.total == 0 {
		if err := r.Store.CreateBatch(ctx, r.batch); err != nil {
			return fmt.Errorf("submit a batch: %w", err)
		}
	}
	if r.total++; r.total > MaxRows {
		return fault.New(fault.Invalid, "invalid-list", "名单超过 %d 行，没有登记任何内容。", MaxRows).
			With(fault.Detail{Location: "file", Code: "too-many-rows", Message: "请分成几份名单提交。"})
	}
	r.rows = append(r.rows, r.checker.check(row))
	if len(r.rows) < chunk {
		return nil
	}
	return r.flush(ctx)
}

// flush stores the rows, after a look at the numbers that the department has given
// to cases already.
func (r *reception) flush(ctx context.Context) error {
	if len(r.rows) == 0 {
		return nil
	}
	var numbers []string
	for _, row := range r.rows {
		if row.State == RowTodo {
			numbers = append(numbers, row.Number)
		}
	}
	taken, err := r.Register.NumbersTaken(ctx, r.batch.Department, numbers)
	if err != nil {
		return fmt.Errorf("submit a batch: %w", err)
	}
	for i := range r.rows {
		if row := &r.rows[i]; row.State == RowTodo && slices.Contains(taken, row.Number) {
			*row = Row{Line: row.Line, State: RowWrong, Problems: []fault.Detail{{
				Location: numberHeading, Code: "number-taken", Message: "本部门已有这个编号的办件。请换一个办件编号；已有的办件可以直接核验。",
			}}}
		}
	}
	if err := r.Rows.AddBatchRows(ctx, r.batch.ID, r.rows); err != nil {
		return fmt.Errorf("submit a batch: %w", err)
	}
	r.rows = r.rows[:0]
	return nil
}

// received says what the check came to, and records it.
func (d *Desk) received(ctx context.Context, b *Batch) (*Batch, error) {
	b, err := d.Store.Batch(ctx, b.Department, b.ID)
	if err != nil {
		return nil, fmt.Errorf("submit a batch: %w", err)
	}
	b.State = Ready
	if b.Counts.Wrong > 0 {
		b.State = Invalid
	}
	e := d.entry(ledger.BatchSubmitted, b.requester(), b)
	e.Matter, e.Why, e.Basis = b.Subject, b.Purpose, []string{b.Basis}
	e.Result = fmt.Sprintf("rows %d, wrong %d, per day %d", b.Counts.Rows(), b.Counts.Wrong, b.PerDay)
	if err := d.Store.UpdateBatch(ctx, b, Act{Entries: []ledger.Entry{e}}); err != nil {
		return nil, fmt.Errorf("submit a batch: %w", err)
	}
	d.keptUntil(b)
	return b, nil
}

// Columns are those that a list for a subject can have, and Template is an empty one.
func (d *Desk) Columns(ctx context.Context, subject string) ([]Column, error) {
	l, err := d.layoutOf(ctx, subject)
	if err != nil {
		return nil, err
	}
	return l.columnsOf(), nil
}

// Template writes an empty list for a subject, as a spreadsheet.
func (d *Desk) Template(ctx context.Context, subject string, to io.Writer) error {
	l, err := d.layoutOf(ctx, subject)
	if err != nil {
		return err
	}
	return l.template(to)
}

func (d *Desk) layoutOf(ctx context.Context, subject string) (*layout, error) {
	rev, err := d.Catalogs.Current(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if rev.Matter(subject) == nil && rev.OneThing(subject) == nil {
		return nil, fault.New(fault.NotFound, "unknown-matter", "目录中没有这个事项或一件事。")
	}
	return newLayout(rev, subject), nil
}
