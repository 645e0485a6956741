package batch

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mianti/batch/table"
	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// List gives rows of a batch of the caller's department.
func (d *Desk) List(ctx context.Context, by policies.Caller, f RowFilter) ([]Row, error) {
	b, err := d.Store.Batch(ctx, by.Department, f.Batch)
	if err != nil {
		return nil, err
	}
	if b.DestroyedAt != nil {
		return nil, destroyed(b)
	}
	return d.Rows.BatchRows(ctx, f)
}

// rowsOf gives all rows of some states, some at a time.
func (d *Desk) rowsOf(ctx context.Context, id string, states ...RowState) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for after := 0; ; {
			rows, err := d.Rows.BatchRows(ctx, RowFilter{Batch: id, States: states, After: after, Limit: chunk})
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.Line
			}
			if len(rows) < chunk {
				return
			}
		}
	}
}

// Errors gives the errors of a list as a spreadsheet: line, place and remedy. They
// hold nothing of what the list says.
func (d *Desk) Errors(ctx context.Context, by policies.Caller, id string) ([]byte, error) {
	b, err := d.Store.Batch(ctx, by.Department, id)
	if err != nil {
		return nil, err
	}
	if b.DestroyedAt != nil {
		return nil, destroyed(b)
	}
	var out bytes.Buffer
	err = table.Write(&out, table.Sheet{Name: "错误", Heading: []string{"行号", "位置", "怎样改正"}, Rows: func(yield func([]string, error) bool) {
		for row, err := range d.rowsOf(ctx, id, RowWrong) {
			for _, p := range row.Problems {
				if !yield([]string{strconv.Itoa(row.Line), p.Location, p.Message}, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}})
	return out.Bytes(), err
}

// minPassphrase is the shortest passphrase that a result is locked with, in
// characters: the format of the archive does not make a short one strong.
const minPassphrase = 16

// NewPassphrase makes one that nobody guesses and people can type: 100 bits, without
// letters that look alike.
func NewPassphrase() (string, error) {
	const letters = "23456789abcdefghijkmnpqrstuvwxyz" // 32 of them
	raw := make([]byte, 20)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a passphrase: %w", err)
	}
	var out strings.Builder
	for i, b := range raw {
		if i > 0 && i%5 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[b%32])
	}
	return out.String(), nil
}

// File (结果文件) is what the requester gets.
type File struct {
	Name    string
	Content []byte
}

// Result gives the results of a batch so far, to who handed it in and nobody else:
// a spreadsheet in an archive that is encrypted under his passphrase. It is made
// when it is asked for, in memory, and kept nowhere. That it was given out is
// recorded before it is.
func (d *Desk) Result(ctx context.Context, by policies.Caller, id, passphrase string) (*File, error) {
	b, err := d.Store.Batch(ctx, by.Department, id)
	if err != nil {
		return nil, err
	}
	switch n := utf8.RuneCountInString(passphrase); {
	case !b.RequestedBy(by):
		return nil, notTheRequester()
	case b.DestroyedAt != nil:
		return nil, destroyed(b)
	case b.StartedAt == nil:
		return nil, fault.New(fault.Conflict, "batch-not-started", "批次还没有开始，没有结果。请先开始核验。")
	case n < minPassphrase || n > 200 || !visible(passphrase) || strings.ContainsAny(passphrase, "\r\n"):
		return nil, fault.New(fault.Invalid, "invalid-passphrase", "口令不能使用，没有给出结果。").
			With(fault.Detail{Location: "body.passphrase", Code: "length", Message: fmt.Sprintf("请用 %d 至 200 个字符的口令，最好由系统生成。", minPassphrase)})
	}
	rev, err := d.Catalogs.Revision(ctx, b.Revision, b.Subject)
	if err != nil {
		return nil, fmt.Errorf("read the results of a batch: %w", err)
	}
	var sheet bytes.Buffer
	if err := table.Write(&sheet, d.resultSheet(ctx, b, rev)); err != nil {
		return nil, fmt.Errorf("read the results of a batch: %w", err)
	}
	locked, err := table.Lock(b.Number+"-核验结果.xlsx", passphrase, sheet.Bytes())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(locked)
	e := d.entry(ledger.BatchRead, by, b)
	e.Result, e.Digest = fmt.Sprintf("rows %d", b.Counts.Rows()), "sha256:"+hex.EncodeToString(sum[:])
	if err := d.Register.Append(ctx, []ledger.Entry{e}); err != nil {
		return nil, fault.New(fault.Unavailable, "not-recorded", "读取未能留痕，因此没有给出结果。请稍后重试。").Because(err)
	}
	return &File{Name: b.Number + ".zip", Content: locked}, nil
}

// resultSheet has one row for each material of each row, so that it can be
// filtered.
func (d *Desk) resultSheet(ctx context.Context, b *Batch, rev *catalog.Revision) table.Sheet {
	heading := []string{"行号", "办件编号", "当事人", "核验", "材料", "谁的材料", "结论", "理由或怎样处理"}
	return table.Sheet{Name: "核验结果", Heading: heading, Rows: func(yield func([]string, error) bool) {
		for row, err := range d.rowsOf(ctx, b.ID) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, cells := range resultRows(rev, row) {
				if !yield(cells, nil) {
					return
				}
			}
		}
	}}
}

func resultRows(rev *catalog.Revision, row Row) [][]string {
	name := ""
	if row.Opening != nil && len(row.Opening.Parties) > 0 {
		name = row.Opening.Parties[0].Name
	}
	head := []string{strconv.Itoa(row.Line), row.Number, name, row.Text()}
	var out [][]string
	add := func(cells ...string) { out = append(out, append(append([]string(nil), head...), cells...)) }
	for _, o := range row.Outcomes {
		role := ""
		if r := rev.Role(o.Role); r != nil {
			role = r.Name
		}
		add(o.Name, role, OutcomeText(o.Outcome), o.Reason)
	}
	for _, p := range row.Problems {
		add("", p.Location, "", p.Message)
	}
	if out == nil {
		add("", "", "", "")
	}
	return out
}

// Text says in Chinese where a row stands.
func (r Row) Text() string {
	switch r.State {
	case RowWrong:
		return "校验有误，未核验"
	case RowTodo:
		return "未核验"
	case RowWaiting:
		return "核验中"
	case RowFailed:
		return "没有核验成"
	case RowDone:
		return "全部核实"
	case RowLacking:
		return "尚需补充"
	default:
		return string(r.State)
	}
}

// OutcomeText says an outcome in Chinese.
func OutcomeText(o policies.Outcome) string {
	text, known := map[policies.Outcome]string{
		policies.Settled: "已核实", policies.Committed: "告知承诺", policies.Deferred: "容缺后补", policies.Verifying: "核验中",
		policies.AwaitingPrior: "等待前序结果", policies.NeedsConsent: "需要本人授权", policies.NeedsFact: "需要补充情形", policies.Upload: "仍需提交",
	}[o]
	if !known {
		return string(o)
	}
	return text
}

// expireSome bounds what one pass destroys.
const expireSome = 100

// Expire destroys what has been kept long enough, and gives how many batches. Any
// number of processes may do so at once.
func (d *Desk) Expire(ctx context.Context) (int, error) {
	due, err := d.Endings.DueBatches(ctx, d.Now().Add(-d.Keep).Truncate(time.Second), expireSome)
	if err != nil {
		return 0, fmt.Errorf("end batches: %w", err)
	}
	n := 0
	for i := range due {
		e := d.entry(ledger.BatchDestroyed, policies.Caller{}, &due[i])
		e.Why = "保存期限届满"
		done, err := d.Endings.DestroyBatch(ctx, &due[i], e)
		if err != nil {
			return n, fmt.Errorf("end batches: %w", err)
		}
		if done {
			n++
		}
	}
	return n, nil
}
