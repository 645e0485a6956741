package identifier

import (
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	citizenLength = 18
	// citizenEarliestYear is before the birth of anyone who was given a number.
	citizenEarliestYear = 1800
	citizenCheckDigits  = "10X98765432"
)

// CitizenID checks a citizen's number (公民身份号码, GB 11643) and returns nil or
// a *Problem that names the first rule it breaks. The letter x must be in
// upper case; see Normalize. Whether the birthday lies in the past is left to
// callers, who know what day it is.
func CitizenID(number string) error {
	if n := utf8.RuneCountInString(number); n != citizenLength {
		return citizenLengthProblem(n)
	}
	check := CitizenIDCheck(firstBytes(number, citizenLength-1))
	if check == 0 || len(number) != citizenLength || !isCitizenCheck(number[17]) {
		return &Problem{RuleAlphabet, "公民身份号码的前17位应为半角数字，末位应为半角数字或大写字母X，请改正后重试"}
	}
	if !isBirthday(number[6:14]) {
		return &Problem{RuleDate, "公民身份号码第7至14位不是存在的出生日期，请对照证件核对这8位"}
	}
	if number[17] != check {
		return &Problem{RuleCheckDigit, "公民身份号码的校验位不符，其中至少有一位录错，请对照证件逐位核对"}
	}
	return nil
}

// CitizenIDCheck returns the check digit that belongs to the first 17 digits
// of a citizen's number, or the zero byte when they are not 17 digits.
func CitizenIDCheck(first17 string) byte {
	weights := [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	if len(first17) != len(weights) {
		return 0
	}
	sum := 0
	for i, weight := range weights {
		c := first17[i]
		if c < '0' || c > '9' {
			return 0
		}
		sum += weight * int(c-'0')
	}
	return citizenCheckDigits[sum%11]
}

func citizenLengthProblem(n int) *Problem {
	if n == 15 {
		return &Problem{RuleLength, "15位的旧公民身份号码已经停用，请填写现用证件上的18位号码"}
	}
	return &Problem{RuleLength, fmt.Sprintf("公民身份号码应为18位，现为%d位，请核对是否漏填、多填或带有空格", n)}
}

func isCitizenCheck(c byte) bool { return c == 'X' || ('0' <= c && c <= '9') }

func isBirthday(digits string) bool {
	day, err := time.Parse("20060102", digits)
	return err == nil && day.Year() >= citizenEarliestYear
}

// firstBytes returns at most n bytes of s; a wide character cut in half is
// refused by the alphabet check that follows.
func firstBytes(s string, n int) string {
	return s[:min(n, len(s))]
}
