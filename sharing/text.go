package sharing

import (
	"strings"
	"unicode"

	"mianti/internal/fault"
)

// blank reports whether a text says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

// digitsOfPerson is from how many digits in a row on a text is taken to hold a
// person's number. Reasons go into the ledger, which holds none.
const digitsOfPerson = 15

// textFault says what is wrong with a text that is kept; nothing where it may
// be empty.
func textFault(text string) string {
	digits := 0
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return "不能有不可见字符。"
		}
		if digits++; !unicode.IsDigit(r) {
			digits = 0
		}
		if digits == digitsOfPerson {
			return "不能含有身份号码等个人信息。"
		}
	}
	return ""
}

// required says what is wrong with a text that must be there.
func required(location, text string) []fault.Detail {
	if blank(text) {
		return []fault.Detail{{Location: location, Code: "missing", Message: "请填写。"}}
	}
	if message := textFault(text); message != "" {
		return []fault.Detail{{Location: location, Code: "invalid-text", Message: message}}
	}
	return nil
}

// checkReason refuses an act without a reason, or with one that cannot be kept.
func checkReason(location, text string) error {
	wrong := required(location, text)
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "reason-missing", "请说明理由或内容。%s", wrong[0].Message).With(wrong...)
}
