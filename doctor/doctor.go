// Package doctor judges how an exchange is set up and how it does: each check says
// what it found, and what to do about it. It asks nothing itself; whoever calls it
// hands in the facts.
package doctor

import "fmt"

// Level (级别) says how grave a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Skipped Level = "skipped" // was not looked at
	Warn    Level = "warn"    // it works, and should not stay so
	Fail    Level = "fail"    // it does not work, or is not safe
)

// Finding (检查结果) is what one check found.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Found string `json:"found"`
	// Do says what to do; empty when nothing is to be done.
	Do string `json:"do,omitempty"`
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, Found: fmt.Sprintf(format, args...)}
}

func found(level Level, check, do, format string, args ...any) Finding {
	return Finding{Check: check, Level: level, Found: fmt.Sprintf(format, args...), Do: do}
}

// NotLookedAt is the finding of a check that was left out.
func NotLookedAt(check, why string) Finding {
	return Finding{Check: check, Level: Skipped, Found: why}
}

// Failed is the finding of a check that could not be made, or that refused.
func Failed(check, do string, err error) Finding {
	return Finding{Check: check, Level: Fail, Found: err.Error(), Do: do}
}

// Good is the finding of a check with nothing to say but what it saw.
func Good(check, saw string) Finding { return Finding{Check: check, Level: OK, Found: saw} }

// Worst is the gravest level among findings.
func Worst(all []Finding) Level {
	worst := OK
	for _, f := range all {
		if f.Level == Fail || f.Level == Warn && worst == OK {
			worst = f.Level
		}
	}
	return worst
}
