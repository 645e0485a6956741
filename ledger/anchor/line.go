package anchor

import (
	"errors"
	"strconv"
	"strings"
)

// cutLine cuts the first line off a text; every line ends in a newline.
func cutLine(text string) (line, rest string, ok bool) { return strings.Cut(text, "\n") }

// parseSize reads a tree size: decimal digits without a leading zero.
func parseSize(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, errors.New("a size is not a decimal number")
	}
	return n, nil
}
