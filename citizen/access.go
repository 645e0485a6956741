package citizen

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Filter chooses accesses of one person.
type Filter struct {
	Subject    string // keyed digest
	Department string // that looked; empty for any
	Case       string // empty for any
	// From and Until bound the moment, the first included; zero for no bound.
	From, Until time.Time
	Without     []ledger.Kind // are left out
	// Before is the entry with which the page before ended, and Skip how many are
	// left out at the beginning of a page; Limit is how many a page holds.
	Before int64
	Skip   int
	Limit  int
}

// Recorded (留痕) is an entry of the ledger as one person finds it.
type Recorded struct {
	Number int64 // of the entry in the database
	Entry  ledger.Entry
	// Nth counts the person's entries in the order in which they were sealed, and
	// Link shows it in the log; 0 and empty until it is sealed.
	Nth  int64
	Link string
	// Outcome is what came of an intent; nil when nothing is recorded of it.
	Outcome *Recorded
}

// Key (查阅密钥) makes the links of one person, as many as Count.
type Key struct {
	Key   []byte
	Count int64
}

// Access (查阅) is one access to somebody's data.
type Access struct {
	ID   string      `json:"id" doc:"存证编号"`
	At   time.Time   `json:"at"`
	Kind ledger.Kind `json:"kind" doc:"存证类型"`
	What string      `json:"what" doc:"做了什么"`
	Who  Accessor    `json:"who" doc:"谁"`
	// Case and the rest say why.
	Case       string        `json:"case,omitempty"`
	CaseNumber string        `json:"case_number,omitempty" doc:"办件编号"`
	For        []AccessUse   `json:"for" doc:"用于哪些事项的哪些材料"`
	Dataset    string        `json:"dataset,omitempty"`
	Data       string        `json:"data,omitempty" doc:"哪种数据"`
	Holder     string        `json:"holder,omitempty" doc:"数据由哪个部门提供"`
	Fields     []AccessField `json:"fields" doc:"哪些数据项; 只有名称, 没有内容"`
	Mode       string        `json:"mode,omitempty" doc:"以什么方式"`
	Grounds    []string      `json:"grounds" doc:"依据"`
	Grant      string        `json:"grant,omitempty" doc:"所依据的共享授权"`
	Consent    string        `json:"consent,omitempty" doc:"所依据的授权同意"`
	Result     string        `json:"result,omitempty" doc:"结果代码"`
	Outcome    string        `json:"outcome" doc:"结果"`
	// EndedAt is when an outcome was recorded. A question of which none is recorded
	// says so: it may have been put.
	EndedAt    *time.Time    `json:"ended_at,omitempty" doc:"结果何时留痕"`
	Unfinished bool          `json:"unfinished,omitempty" doc:"没有记录到结果: 查询没有做完, 也没有给出结果"`
	Proof      []AccessProof `json:"proof" doc:"存证: 查询前一条, 查询后一条"`
}

// Accessor (查阅者) is who looked: never the name of a person.
type Accessor struct {
	Department string `json:"department,omitempty"`
	Name       string `json:"name" doc:"部门名称, 或本人"`
	System     string `json:"system,omitempty"`
	SystemName string `json:"system_name,omitempty" doc:"系统名称"`
	Duty       string `json:"duty,omitempty" doc:"由人员作出时, 其岗位; 不提供姓名"`
	Self       bool   `json:"self,omitempty" doc:"本人"`
}

// AccessUse (用途) is a material that something was looked up for.
type AccessUse struct {
	Matter   string `json:"matter"`
	Name     string `json:"name" doc:"事项"`
	Material string `json:"material,omitempty"`
	Title    string `json:"title,omitempty" doc:"材料"`
}

// AccessField (数据项) is one field, by name and never by value.
type AccessField struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// AccessProof (存证) is where an access stands in the ledger. Nth and Link are there
// once it is sealed; docs/access-list.md says how they are checked.
type AccessProof struct {
	Entry string `json:"entry" doc:"存证编号"`
	Kind  string `json:"kind"`
	Nth   int64  `json:"nth,omitempty" doc:"本人的第几条; 封存后才有"`
	Link  string `json:"link,omitempty" doc:"本人的查阅链; 封存后才有"`
}

// AccessList (查阅清单) is a page of accesses.
type AccessList struct {
	Items   []Access `json:"items"`
	Next    string   `json:"next,omitempty" doc:"下一页的 cursor; 没有则到此为止"`
	Total   int      `json:"total" doc:"符合条件的共有多少条"`
	Message string   `json:"message" doc:"说明"`
}

// Query (清单查询) chooses what of the list is shown.
type Query struct {
	Department  string
	From, Until time.Time
	// Others leaves out what the person read himself.
	Others bool
	Cursor string
	Limit  int
}

// List gives a page of the accesses to the caller's data, newest first. What is
// recorded while somebody turns the pages comes before the first one, so that
// nothing is shown twice or left out.
func (z *Citizen) List(ctx context.Context, by policies.Caller, q Query) (*AccessList, error) {
	before, err := parseCursor(q.Cursor)
	if err != nil {
		return nil, err
	}
	if err := z.record(ctx, ledger.AccessListRead, by, ""); err != nil {
		return nil, err
	}
	f := q.filter(by)
	list := &AccessList{Items: []Access{}}
	if list.Total, err = z.Accesses.CountAccesses(ctx, f); err != nil {
		return nil, fmt.Errorf("count accesses: %w", err)
	}
	f.Before, f.Limit = before, q.Limit+1
	found, err := z.Accesses.AccessesOf(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list accesses: %w", err)
	}
	if len(found) > q.Limit {
		found = found[:q.Limit]
		list.Next = strconv.FormatInt(found[len(found)-1].Number, 10)
	}
	if list.Items, err = z.tell(ctx, by, found); err != nil {
		return nil, err
	}
	list.Message = q.message(list.Total)
	return list, nil
}

func (q Query) filter(by policies.Caller) Filter {
	f := Filter{Subject: by.Subject, Department: q.Department, From: q.From, Until: q.Until}
	if q.Others {
		f.Without = readings()
	}
	return f
}

// readings are the kinds of what a person reads of his own.
func readings() []ledger.Kind {
	return []ledger.Kind{ledger.AccessListRead, ledger.AccessKeyRead, ledger.OwnCasesRead, ledger.OwnDataExported}
}

// message explains an empty list, and says how to read one that is not.
func (q Query) message(total int) string {
	narrowed := q.Department != "" || !q.From.IsZero() || !q.Until.IsZero()
	switch {
	case total > 0:
		return "最近的在前。查询与其结果是一条；没有记录到结果的会注明。数据项只列名称，不含内容。"
	case narrowed:
		return "在所选的部门与时间内，没有人查询过您的数据。"
	default:
		return nothingYet
	}
}

func parseCursor(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	before, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || before <= 0 {
		return 0, fault.New(fault.Invalid, "bad-cursor", "翻页标记无效。请从第一页重新查询。").
			With(fault.Detail{Location: "query.cursor", Code: "bad-cursor", Message: "请从第一页重新查询。"})
	}
	return before, nil
}

// LinkKey (查阅密钥) is what a person checks with that his list is complete.
type LinkKey struct {
	Key   string `json:"key,omitempty" doc:"base64; 请妥善保管: 有它的人能在日志中找出与您有关的存证"`
	Count int64  `json:"count" doc:"已封存的与您有关的存证条数"`
	How   string `json:"how" doc:"怎样核对"`
}

// LinkKey gives the key of the caller's links.
func (z *Citizen) LinkKey(ctx context.Context, by policies.Caller) (*LinkKey, error) {
	if err := z.record(ctx, ledger.AccessKeyRead, by, ""); err != nil {
		return nil, err
	}
	key, err := z.Accesses.AccessKey(ctx, by.Subject)
	if errors.Is(err, fault.NotFound) {
		return &LinkKey{How: "与您有关的存证还没有封存，请稍后再取。"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of an access list: %w", err)
	}
	return linkKey(key), nil
}

func linkKey(key Key) *LinkKey {
	return &LinkKey{Key: base64.StdEncoding.EncodeToString(key.Key), Count: key.Count, How: howToCheck}
}

const howToCheck = "第 n 条的查阅链是以本密钥对十进制数 n 的 HMAC-SHA256（小写十六进制）。" +
	"日志的每条存证都列出它的查阅链：第 1 至 count 条都应在日志中、也在您的清单中，第 count+1 条不应在日志中。" +
	"这样清单就是完整的。导出后可用 mianti access verify 离线核对。"

// all gives every access of a filter.
func (z *Citizen) all(ctx context.Context, f Filter) ([]Recorded, error) {
	f.Limit = exportPage
	var all []Recorded
	for {
		page, err := z.Accesses.AccessesOf(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("list accesses: %w", err)
		}
		all = slices.Concat(all, page)
		if len(page) < f.Limit {
			return all, nil
		}
		f.Before = page[len(page)-1].Number
	}
}

// exportPage is how many accesses are read at once for an export.
const exportPage = 1000
