package standin

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const jsonType = "application/json; charset=utf-8"

// read takes a request's JSON; a wrong one is answered with 400.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return false
	}
	return true
}

// send gives an answer with status 200, with the faults of its text played.
// number is the one that was asked for.
func (s *Server) send(w http.ResponseWriter, b behaviour, number string, answer any) {
	body, err := encode(answer)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	now := s.today()
	w.Header().Set("Content-Type", jsonType)
	switch b.fault {
	case FaultPlainText:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	case FaultUndeclared:
		w.Header().Set("Content-Type", "application/json")
	case FaultHugeHeaders:
		w.Header().Set("X-Padding", strings.Repeat("x", 256<<10))
	case FaultGzipBomb:
		w.Header().Set("Content-Encoding", "gzip")
	case FaultSkewed:
		now = now.Add(time.Hour)
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	_, _ = w.Write(spoilt(body, b.fault, number)) // the one who asked may be gone
}

func encode(answer any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(answer)
	return body.Bytes(), err
}

// spoilt plays the faults of a text. A text that cannot have the fault stays
// as it is: a list of identifiers holds nobody's number.
func spoilt(body []byte, fault Fault, number string) []byte {
	switch fault {
	case FaultShort:
		return body[:len(body)/2]
	case FaultGzipBomb:
		return bomb()
	case FaultDeep:
		const depth = 10_000
		nested := `{"附加":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + ","
		return append([]byte(nested), bytes.TrimPrefix(body, []byte("{"))...)
	case FaultDuplicate:
		return duplicate(body, number)
	case FaultTrailing:
		return append(body, `{"code":"0","data":[]}`...)
	case FaultBOM:
		return append([]byte("\xef\xbb\xbf"), body...)
	case FaultBadUTF8:
		return replaceCharacter(body, "\xff")
	case FaultNUL:
		return replaceCharacter(body, `\u0000`)
	case FaultDamaged:
		return replaceCharacter(body, "\uFFFD")
	case FaultUndeclared:
		if text, err := simplifiedchinese.GB18030.NewEncoder().Bytes(body); err == nil {
			return text
		}
	}
	return body
}

// duplicate says a number twice under one name, somebody else's first.
func duplicate(body []byte, number string) []byte {
	quoted, err := json.Marshal(number)
	if err != nil || number == "" {
		return body
	}
	named := regexp.MustCompile(`"[A-Za-z_]+":` + regexp.QuoteMeta(string(quoted)))
	at := named.FindIndex(body)
	if at == nil {
		return body
	}
	right := string(body[at[0]:at[1]])
	wrong := strings.Replace(right, string(quoted), `"370199198503091176"`, 1)
	return []byte(string(body[:at[0]]) + wrong + "," + string(body[at[0]:]))
}

// replaceCharacter puts something in the place of the last Chinese character,
// which is within a record and not in its names only.
func replaceCharacter(body []byte, with string) []byte {
	for i := len(body); i > 0; {
		r, size := utf8.DecodeLastRune(body[:i])
		if r >= utf8.RuneSelf {
			return []byte(string(body[:i-size]) + with + string(body[i:]))
		}
		i -= size
	}
	return body
}

// bomb unpacks to 64 MiB: one packed MiB as often, which a reader takes for one
// text (RFC 1952 §2.2).
func bomb() []byte {
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	_, _ = packer.Write(make([]byte, 1<<20)) // a buffer takes everything
	_ = packer.Close()
	return bytes.Repeat(out.Bytes(), 64)
}

// playFault plays the faults of the interface. It is false when the answer has
// to be given all the same.
func playFault(w http.ResponseWriter, r *http.Request, fault Fault) bool {
	switch fault {
	case FaultDown:
		http.Error(w, "系统维护中", http.StatusServiceUnavailable)
	case FaultBroken:
		http.Error(w, "系统异常", http.StatusInternalServerError)
	case FaultLimited:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "系统繁忙", http.StatusTooManyRequests)
	case FaultUnknown:
		http.Error(w, "无权限", http.StatusUnauthorized)
	case FaultDenied:
		http.Error(w, "无权限", http.StatusForbidden)
	case FaultBadRequest:
		http.Error(w, "参数错误", http.StatusBadRequest)
	case FaultMissing:
		http.NotFound(w, r)
	case FaultNoContent:
		w.WriteHeader(http.StatusNoContent)
	case FaultRedirect:
		http.Redirect(w, r, r.URL.Path+"?moved=1", http.StatusTemporaryRedirect)
	case FaultRedirectAway:
		http.Redirect(w, r, "http://"+otherName(r.Host)+r.URL.Path+"?moved=1", http.StatusTemporaryRedirect)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>统一认证</title>")
	case FaultTruncated:
		playTruncated(w)
	case FaultNotHTTP:
		takeOver(w, func(conn net.Conn) { _, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n") })
	case FaultSlowHeaders:
		takeOver(w, playSlowHeaders)
	default:
		return playText(w, fault)
	}
	return true
}

// playText plays the faults that are a text of their own.
func playText(w http.ResponseWriter, fault Fault) bool {
	text := ""
	switch fault {
	case FaultMalformed:
		text = `{"code":"0","head":{"status":"0"},"data":[{"subject":`
	case FaultEmpty:
	case FaultNull:
		text = "null"
	case FaultArray:
		text = `[{"code":"0","data":[]}]`
	case FaultHuge:
		text = `{"code":"0","data":[],"message":"` + strings.Repeat("长", 1<<20) + `"}`
	default:
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, text)
	return true
}

func playTruncated(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "4096")
	_, _ = io.WriteString(w, `{"code":"0","data":[`)
	_ = http.NewResponseController(w).Flush() // so that the answer ends within its body
	panic(http.ErrAbortHandler)
}

// otherName is another name of the same host, if it has one.
func otherName(host string) string {
	if port, is := strings.CutPrefix(host, "127.0.0.1:"); is {
		return "localhost:" + port
	}
	return "elsewhere.invalid"
}

// takeOver answers with something else than HTTP.
func takeOver(w http.ResponseWriter, play func(net.Conn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	play(conn)
}

// playSlowHeaders goes on until the one who asked has gone.
func playSlowHeaders(conn net.Conn) {
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Slow: "); err != nil {
		return
	}
	tick := time.NewTicker(dripping)
	defer tick.Stop()
	for range int(defaultSlow / dripping) {
		<-tick.C
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
	}
}
