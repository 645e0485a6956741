package identifier

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	creditLength = 18
	// creditAlphabet leaves out I, O, S, V and Z, which are too easily misread.
	creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
)

// CreditCode checks a unified social credit code (统一社会信用代码, GB 32100) and
// returns nil or a *Problem that names the first rule it breaks.
//
// The check digit of the organisation code inside (GB 11714) is not enforced:
// codes were issued whose inner digit is wrong.
func CreditCode(code string) error {
	if n := utf8.RuneCountInString(code); n != creditLength {
		return &Problem{RuleLength, fmt.Sprintf("统一社会信用代码应为18位，现为%d位，请核对是否漏填、多填或带有空格", n)}
	}
	check := CreditCodeCheck(firstBytes(code, creditLength-1))
	if check == 0 || len(code) != creditLength || strings.IndexByte(creditAlphabet, code[17]) < 0 {
		return &Problem{RuleAlphabet, "统一社会信用代码只含半角数字和大写字母，且没有I、O、S、V、Z，请核对是否与1、0、5、U、2混淆"}
	}
	if code[17] != check {
		return &Problem{RuleCheckDigit, "统一社会信用代码的校验位不符，其中至少有一位录错，请对照营业执照或登记证书逐位核对"}
	}
	return nil
}

// CreditCodeCheck returns the check character that belongs to the first 17
// characters of a credit code, or the zero byte when they are not 17
// characters of its alphabet.
func CreditCodeCheck(first17 string) byte {
	if len(first17) != creditLength-1 {
		return 0
	}
	const size = len(creditAlphabet)
	sum, weight := 0, 1
	for i := range len(first17) {
		value := strings.IndexByte(creditAlphabet, first17[i])
		if value < 0 {
			return 0
		}
		sum += value * weight
		weight = weight * 3 % size
	}
	// The outer remainder matters: without it, codes that end in 0 (one in 31)
	// have a check value of 31, which is no character.
	return creditAlphabet[(size-sum%size)%size]
}

// OrganizationCheck returns the check character of an organisation code
// (组织机构代码, GB 11714), or the zero byte when first8 is not 8 digits and
// upper-case letters.
func OrganizationCheck(first8 string) byte {
	weights := [...]int{3, 7, 9, 10, 5, 8, 4, 2}
	if len(first8) != len(weights) {
		return 0
	}
	sum := 0
	for i, weight := range weights {
		value := value36(first8[i])
		if value < 0 {
			return 0
		}
		sum += weight * value
	}
	return "0X987654321"[sum%11]
}
