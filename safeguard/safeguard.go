// Package safeguard (防滥用) keeps what may be asked from being asked too much:
// stops that end a use at once, quotas, alarms, and the rate of failed logins.
//
// What is counted is in the database, so that all replicas agree. The rules are
// pure; the use cases around them store each act together with its entry in the
// ledger. Nothing of this package knows a person: a subject is a keyed digest,
// an operator an opaque identifier. docs/safeguards.md says what an alarm means.
package safeguard

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Config is what a Safeguard is made of. All fields are required.
type Config struct {
	Stops  StopKeeper
	Owners Owners
	Quotas QuotaKeeper
	Alarms AlarmKeeper
	Logins LoginKeeper
	Rules  Rules
	Now    func() time.Time
}

// Safeguard (防滥用) holds the use cases. It is safe for concurrent use.
type Safeguard struct {
	Config
}

// New returns a Safeguard.
func New(c Config) *Safeguard { return &Safeguard{Config: c} }

// entry is the record of an act about something other than a case.
func (s *Safeguard) entry(kind ledger.Kind, by policies.Caller, object, why string) ledger.Entry {
	return ledger.Entry{
		Kind: kind, At: s.Now().UTC(), System: by.System, Person: by.Person, Department: by.Department, Object: object, Why: why,
	}
}

// maxReason is the longest reason, in characters.
const maxReason = 200

// number finds what could be somebody's number: reasons go into the ledger,
// which holds no personal data.
var number = regexp.MustCompile(`[0-9]{11,}`)

// checkReason gives the reason without the spaces around it, or says why it is
// none.
func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	problem := ""
	switch {
	case reason == "":
		problem = "请说明理由。"
	case utf8.RuneCountInString(reason) > maxReason:
		problem = "理由最多 200 字。"
	case !utf8.ValidString(reason) || strings.ContainsFunc(reason, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		problem = "理由中不能有不可见字符。"
	case number.MatchString(reason):
		problem = "理由会长期留存，不能写入证件、电话等号码。请用文字说明。"
	default:
		return reason, nil
	}
	return "", fault.New(fault.Invalid, "invalid-reason", "理由不符合要求，没有登记。").
		With(fault.Detail{Location: "body.reason", Code: "invalid-reason", Message: problem})
}
