package ledger

import "fmt"

// FaultKind says what was done to a log.
type FaultKind string

// What can have been done to a log.
const (
	Changed   FaultKind = "changed"   // not what was sealed
	Removed   FaultKind = "removed"   // sealed, and gone
	Reordered FaultKind = "reordered" // sealed at another place
	Inserted  FaultKind = "inserted"  // never sealed
	Cut       FaultKind = "cut"       // gone from the end
	Rewritten FaultKind = "rewritten" // consistent in itself, but not what was published
	Unsigned  FaultKind = "unsigned"  // a checkpoint that the log has not signed
)

// Fault is one thing that is wrong with a log, from place From to place To; they
// are the same where it is known which. -1: it has no place.
type Fault struct {
	Kind     FaultKind `json:"kind"`
	From     int64     `json:"from"`
	To       int64     `json:"to"`
	EntryID  int64     `json:"entry_id,omitempty"`
	WhatElse string    `json:"detail,omitempty"`
}

// String names the entry and says what was done.
func (f Fault) String() string {
	place := fmt.Sprintf("第 %d 条", f.From)
	switch {
	case f.From < 0:
		place = ""
	case f.To > f.From:
		place = fmt.Sprintf("第 %d 至 %d 条中", f.From, f.To)
	}
	if f.EntryID > 0 {
		place += fmt.Sprintf("（存证编号 %d）", f.EntryID)
	}
	did := map[FaultKind]string{
		Changed: "被改动", Removed: "被删除", Reordered: "顺序被调换", Inserted: "是插入的", Cut: "起的存证被截去",
		Rewritten: "被改写", Unsigned: "检查点签名无效",
	}[f.Kind]
	if f.WhatElse != "" {
		did += "：" + f.WhatElse
	}
	return place + did
}

// Report says what a verification has found.
type Report struct {
	Origin      string  `json:"origin"`
	Size        int64   `json:"size"`
	Root        Hash    `json:"root"`
	Checkpoints int64   `json:"checkpoints"` // that were held against the log
	Unseen      bool    `json:"unseen"`      // only hashes were to be had, no entries
	Faults      []Fault `json:"faults"`      // in the order of the log; at most maxFaults
}
