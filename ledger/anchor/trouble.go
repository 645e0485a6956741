package anchor

import (
	"context"
	"errors"
	"fmt"

	"mianti/connectors/egress"
)

// Trouble (锚定障碍) is why an anchor holds nothing newer. It is stable, and
// holds nothing of what the anchor said.
type Trouble string

// The troubles.
const (
	Away       Trouble = "away"            // no answer in time, or one that says: later
	Forbidden  Trouble = "forbidden"       // its address lies outside the network that is allowed
	Unknown    Trouble = "unknown_log"     // a witness does not know the log or its key
	Diverged   Trouble = "diverged"        // the log is not a continuation of what was anchored
	Unverified Trouble = "unverified"      // what it answered does not verify
	Rejected   Trouble = "rejected"        // the authority gives no time stamp
	LogAway    Trouble = "log_unavailable" // our own log gave no checkpoint or no proof
)

// Text says in Chinese what a trouble means and what to do about it.
func (t Trouble) Text() string {
	switch t {
	case "":
		return ""
	case Away:
		return "没有应答。业务不受影响；恢复后自动补上，无需处理。"
	case Forbidden:
		return "地址不在允许的网络内。请核对 MIANTI_ANCHOR_NETWORK 与锚定地址。"
	case Unknown:
		return "见证方不认识本日志或其公钥。请把本日志的公钥登记到见证方。"
	case Diverged:
		return "日志与已锚定的检查点不相承接，可能被改写或回退。请立即停用并保全数据库，用 mianti ledger verify 核查。"
	case Unverified:
		return "应答验证不通过。请核对见证方公钥或时间戳机构根证书。"
	case Rejected:
		return "时间戳机构拒绝签发。请与该机构联系。"
	case LogAway:
		return "本机日志暂时给不出检查点。请查看日志封存是否正常。"
	default:
		return "原因不明。"
	}
}

// failure is an attempt that failed.
type failure struct {
	trouble Trouble
	cause   error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %v", f.trouble, f.cause) }
func (f *failure) Unwrap() error { return f.cause }

func failed(t Trouble, format string, args ...any) error {
	return &failure{trouble: t, cause: fmt.Errorf(format, args...)}
}

// troubleOf gives the trouble of an error; what is not known to be anything
// else is Away.
func troubleOf(err error) Trouble {
	var f *failure
	if errors.As(err, &f) {
		return f.trouble
	}
	return Away
}

// notSent says why a request did not come to an answer. The cause of net/http
// is left out: it holds the address.
func notSent(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, egress.ErrForbidden):
		return failed(Forbidden, "%w", egress.ErrForbidden)
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return failed(Away, "no answer in time")
	default:
		return failed(Away, "no answer")
	}
}
