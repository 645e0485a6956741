package wire

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"mianti/connectors"
)

const (
	// skew is how far a source's clock may differ before it is remarked on.
	skew = 5 * time.Minute
	// longestRetry is how long a source can make itself be left alone.
	longestRetry = time.Hour
	// warnSkew is the remark.
	warnSkew = "clock_skew"
)

// The character sets of an answer.
const (
	charsetUTF8    = "utf-8"
	charsetGB18030 = "gb18030"
)

// read takes an answer in. A status that the caller does not understand is a
// Fault.
func (c *Client) read(ctx context.Context, call Call, response *http.Response) (Answer, error) {
	status := response.StatusCode
	if status != http.StatusOK && !slices.Contains(call.Accept, status) {
		return Answer{}, statusFault(response, c.now())
	}
	charset, kindErr := charsetOf(response.Header, call.Charset)
	if kindErr != nil && status == http.StatusOK {
		return Answer{}, kindErr
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return Answer{}, failure(ctx, err)
	case len(text) > maxBody:
		return Answer{}, Malformed("the answer is larger than 1 MiB")
	case len(text) == 0 && status == http.StatusOK:
		return Answer{}, Malformed("the answer is empty")
	}
	answer := Answer{Status: status, Header: response.Header, Size: int64(len(text)), Warnings: c.warnings(response.Header)}
	if kindErr != nil {
		return answer, nil
	}
	answer.Body, err = toUTF8(text, charset)
	return answer, err
}

// statusFault says what a status means that is no answer.
func statusFault(response *http.Response, now time.Time) *connectors.Fault {
	status := response.StatusCode
	fault := Malformed("HTTP status " + strconv.Itoa(status))
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		fault.Kind = connectors.FaultRefused
	case status == http.StatusTooManyRequests:
		fault.Kind = connectors.FaultBusy
		fault.RetryAt = retryAt(response.Header, now)
	case status >= 500 || status == http.StatusRequestTimeout:
		fault.Kind = connectors.FaultDown
		fault.RetryAt = retryAt(response.Header, now)
	}
	return fault
}

// retryAt reads Retry-After: seconds, or a time. What cannot be meant is left
// out, and no source makes itself be left alone for more than an hour.
func retryAt(header http.Header, now time.Time) time.Time {
	values := header.Values("Retry-After")
	if len(values) != 1 {
		return time.Time{}
	}
	text := strings.TrimSpace(values[0])
	if at, err := http.ParseTime(text); err == nil {
		return bounded(now, at.Sub(now))
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(text, 10, 32)
	if err != nil { // digits alone, so there are too many of them
		return now.Add(longestRetry)
	}
	return bounded(now, time.Duration(seconds)*time.Second)
}

func bounded(now time.Time, wait time.Duration) time.Time {
	if wait <= 0 {
		return time.Time{}
	}
	return now.Add(min(wait, longestRetry))
}

// charsetOf refuses every answer but JSON, and every character set but UTF-8
// and the one that is agreed.
func charsetOf(header http.Header, agreed string) (string, error) {
	if agreed == "" {
		agreed = charsetUTF8
	}
	if agreed != charsetUTF8 && agreed != charsetGB18030 {
		return "", fail(connectors.FaultMisset, "the character set of the source is neither utf-8 nor gb18030")
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", Malformed("the answer is compressed")
	}
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return "", Malformed("the answer is not of type application/json")
	}
	charset := strings.ToLower(params["charset"])
	switch charset {
	case "":
		return agreed, nil
	case charsetUTF8, agreed:
		return charset, nil
	case "gbk", "gb2312": // parts of GB 18030, by which it goes at many departments
		if agreed == charsetGB18030 {
			return agreed, nil
		}
		return "", Malformed("the answer is in another character set than agreed")
	default:
		return "", Malformed("the answer is in another character set than agreed")
	}
}

// toUTF8 converts an answer and refuses what cannot be converted. What comes
// out may be larger than what went in.
func toUTF8(text []byte, charset string) ([]byte, error) {
	if charset == charsetUTF8 {
		return text, nil // Decode looks whether it is
	}
	converted, err := simplifiedchinese.GB18030.NewDecoder().Bytes(text)
	if err != nil || bytes.ContainsRune(converted, utf8.RuneError) {
		return nil, Malformed("the answer is not valid GB 18030")
	}
	if len(converted) > maxBody {
		return nil, Malformed("the answer is larger than 1 MiB")
	}
	return converted, nil
}

// warnings are remarks on an answer that counts all the same.
func (c *Client) warnings(header http.Header) []string {
	said, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return nil
	}
	if off := c.now().Sub(said); off > skew || off < -skew {
		return []string{warnSkew}
	}
	return nil
}
