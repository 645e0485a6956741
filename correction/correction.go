// Package correction is how a wrong record is put right (校核): somebody says what
// is wrong, the department that holds the record checks and answers within ten
// working days, the open cases that rest on it ask again, and who does not agree
// goes up the three steps of a dispute (政务数据共享条例, art. 26, 28).
//
// Procedure holds the rules and is pure: it knows no database and reads no clock.
// Desk holds the use cases around it.
package correction

import (
	"slices"
	"time"

	"mianti/exchange"
	"mianti/policies"
)

// State (校核状态) is how far a correction has come.
type State string

// The states; docs/correction.md says which act leads from which to which.
const (
	Open        State = "open"        // 待核实
	Taken       State = "taken"       // 核实中
	Corrected   State = "corrected"   // 已更正
	Upheld      State = "upheld"      // 记录无误
	Negotiating State = "negotiating" // 部门协商, step 1
	Mediating   State = "mediating"   // 主管部门协调, step 2
	Referred    State = "referred"    // 提请本级政府决定, step 3
	Ordered     State = "ordered"     // 应予更正, 待提供部门更正
	Withdrawn   State = "withdrawn"   // 已撤回
)

// Closed reports whether nothing is awaited of anybody.
func (s State) Closed() bool { return s == Corrected || s == Upheld || s == Withdrawn }

// Reason (校核答复理由) is why a department answers as it does: a code, since what
// it says in words may be about a person.
type Reason string

// The reasons. The first three go with Corrected, the others with Upheld.
const (
	WronglyRecorded Reason = "wrongly_recorded" // 登记有误
	NotCollected    Reason = "not_collected"    // 漏归集, 已补
	OutOfDate       Reason = "out_of_date"      // 未及时更新
	RecordRight     Reason = "record_right"     // 与原始档案一致
	NotProven       Reason = "not_proven"       // 所附证明不足
	OtherProcedure  Reason = "other_procedure"  // 须经其他法定程序变更
)

// fits reports whether a reason goes with a result.
func (r Reason) fits(result State) bool {
	switch r {
	case WronglyRecorded, NotCollected, OutOfDate:
		return result == Corrected
	case RecordRight, NotProven, OtherProcedure:
		return result == Upheld
	default:
		return false
	}
}

// Light (时限灯) shows how near a deadline is.
type Light string

// The lights. Amber is three working days or fewer.
const (
	Green Light = "green"
	Amber Light = "amber"
	Red   Light = "red" // overdue
)

// Claim (异议) is what somebody says of a record. It is personal data.
type Claim struct {
	// Fields are what the record should say, by field; empty where it should exist
	// at all.
	Fields map[string]string `json:"fields,omitempty" doc:"应为什么, 按数据项代码; 未查到记录的不填"`
	// Explanation says why, in words.
	Explanation string `json:"explanation" maxLength:"2000" doc:"为什么认为有误"`
	// Paper is the digest of a paper that shows it; the paper itself stays with who
	// says so, until the department asks to see it.
	Paper string `json:"paper,omitempty" pattern:"^(sha256|sm3):[0-9a-f]{64}$" doc:"佐证材料的摘要"`
}

// Opener (提出人) is who opened a correction.
type Opener struct {
	// Department is whose case it is; empty where the person himself opened it.
	Department string `json:"department,omitempty"`
	System     string `json:"system,omitempty"`
	Person     string `json:"person,omitempty" doc:"提出人的代号"`
	// Subject is a citizen's keyed digest.
	Subject string `json:"subject,omitempty"`
}

// Term (校核期限) is until when a department has to act, by which article.
type Term struct {
	Article string    `json:"article" doc:"政务数据共享条例的条款"`
	DueAt   time.Time `json:"due_at"`
}

// Trace (校核记录) is one act on a correction.
type Trace struct {
	Act        Act       `json:"act"`
	At         time.Time `json:"at"`
	Department string    `json:"department,omitempty"`
	Person     string    `json:"person,omitempty" doc:"办理人的代号"`
	System     string    `json:"system,omitempty"`
	State      State     `json:"state" doc:"办理后的状态"`
	Reason     Reason    `json:"reason,omitempty"`
	Why        string    `json:"why,omitempty"`
	// Document is the number of the document by which the government decided.
	Document string `json:"document,omitempty" doc:"本级政府决定的文号"`
	Late     bool   `json:"late,omitempty" doc:"办理时已过期限"`
}

// Correction (校核) says that a record is wrong, with what became of that. It never
// changes: an act makes another one. The whole of it is personal data; what a list
// shows of it is not (Brief).
type Correction struct {
	ID string `json:"id"`
	exchange.RecordRef
	// Fields are those that are said to be wrong; empty for a record that was not
	// found.
	Fields   []string `json:"fields"`
	Provider string   `json:"provider" doc:"提供部门"`
	// Passed are the departments that have passed it on.
	Passed []string `json:"passed,omitempty" doc:"已转出的部门"`
	// The case in which it came up, and what was found there.
	Case       string          `json:"case"`
	CaseNumber string          `json:"case_number"`
	Receiver   string          `json:"receiver" doc:"受理办件的部门"`
	Matter     string          `json:"matter"`
	Material   string          `json:"material"`
	Party      string          `json:"party" doc:"谁的记录: 当事人在办件中的代号"`
	Revision   int             `json:"revision" doc:"目录修订号"`
	Finding    policies.Result `json:"finding" doc:"当时的核验: ok 为查到, not_found 等为未查到或未通过"`
	Evidence   string          `json:"evidence,omitempty" doc:"所依据凭据的摘要"`
	Claim      Claim           `json:"claim"`
	Opener     Opener          `json:"opener"`
	State      State           `json:"state"`
	// Step is how far the dispute has gone: 0 for none, 1 to 3 by art. 28.
	Step     int       `json:"step"`
	OpenedAt time.Time `json:"opened_at"`
	// Deadline is nil when nobody is awaited, or by no fixed day.
	Deadline *Term   `json:"deadline,omitempty"`
	Light    Light   `json:"light,omitempty"`
	Overdue  bool    `json:"overdue"`
	History  []Trace `json:"history"`
	Version  int     `json:"version"`
}

// At gives the correction as it is at a moment: its deadline can be near, or gone,
// without anybody having acted.
func (c Correction) At(days Workdays, now time.Time) Correction {
	c.Light, c.Overdue = "", false
	if c.Deadline == nil {
		return c
	}
	switch left := days.Between(now, c.Deadline.DueAt); {
	case !now.Before(c.Deadline.DueAt):
		c.Light, c.Overdue = Red, true
	case left <= amberDays:
		c.Light = Amber
	default:
		c.Light = Green
	}
	return c
}

// amberDays is from how many working days left on a deadline is near.
const amberDays = 3

// clone gives a copy that shares nothing that an act changes.
func (c Correction) clone() Correction {
	c.History, c.Passed = slices.Clone(c.History), slices.Clone(c.Passed)
	return c
}
