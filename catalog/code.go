package catalog

import (
	"strconv"
	"strings"
)

// Alias is the name of a dataset in checks: "D-GA01" is "ga01".
func Alias(dataset string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(dataset, "D-"), "-", "_"))
}

// implementationCode makes the 31-character code of a matter (实施编码,
// GB/T 39554.1) of the department's credit code, the level and the basic code.
func implementationCode(department *Department, m *Matter) string {
	return department.CreditCode + strconv.Itoa(m.Level) + m.BasicCode
}
