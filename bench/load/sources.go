package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Departments are the five departments that are asked, one dataset each, each at a
// port of its own.
func Departments() []string { return []string{"GA", "RS", "SW", "ZR", "MZ"} }

// Sources answers the questions of Mianti's plain JSON (mapping.Plain) with records
// of some 510 bytes about whoever is asked for. It speaks HTTP/1.1 by hand, because
// what it costs is taken from what is measured. Besides, at every port:
//
//	GET /_delay/20ms   from now on an answer takes 20 ms
//	GET /_asked        how many questions there were so far
type Sources struct {
	delay atomic.Int64 // nanoseconds
	asked atomic.Int64
	asOf  string
}

// NewSources answers at once. asOf is the time of all records.
func NewSources(asOf time.Time) *Sources { return &Sources{asOf: asOf.Format(time.RFC3339)} }

// Serve answers as one department until ctx ends.
func (s *Sources) Serve(ctx context.Context, listener net.Listener, department string) error {
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	var open sync.WaitGroup
	defer open.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sources: %w", err)
		}
		open.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			s.talk(conn, department)
		})
	}
}

// talk answers one connection to its end.
func (s *Sources) talk(conn net.Conn, department string) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 8<<10)
	var question, answer, out []byte
	for {
		path, body, err := readQuestion(in, question)
		if err != nil {
			return
		}
		question = body
		answer = answer[:0]
		if strings.HasPrefix(path, "/_") {
			answer = append(answer, s.control(path)...)
		} else {
			n := s.asked.Add(1)
			if delay := s.delay.Load(); delay > 0 {
				time.Sleep(time.Duration(delay))
			}
			answer = s.record(answer, department, n, body)
		}
		out = append(out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(answer)), 10)
		out = append(append(out, "\r\n\r\n"...), answer...)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

var errTooLong = errors.New("a question is shorter")

// readQuestion reads one request; the body is put into the buffer.
func readQuestion(in *bufio.Reader, buffer []byte) (path string, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", nil, err
	}
	words := bytes.Fields(line)
	if len(words) != 3 {
		return "", nil, fmt.Errorf("not HTTP: %q", line)
	}
	path = string(words[1])
	h, err := readHead(in)
	if err != nil {
		return "", nil, err
	}
	if h.length > 1<<20 {
		return "", nil, errTooLong
	}
	if cap(buffer) < h.length {
		buffer = make([]byte, h.length)
	}
	body = buffer[:h.length]
	_, err = io.ReadFull(in, body)
	return path, body, err
}

func (s *Sources) control(path string) string {
	if text, found := strings.CutPrefix(path, "/_delay/"); found {
		delay, err := time.ParseDuration(text)
		if err != nil {
			return `{"error":"no span of time"}`
		}
		s.delay.Store(int64(delay))
	}
	return fmt.Sprintf(`{"asked":%d,"delay":%q}`, s.asked.Load(), time.Duration(s.delay.Load()))
}

// record is the answer about whoever the question names.
func (s *Sources) record(out []byte, department string, n int64, question []byte) []byte {
	out = append(out, `{"code":"0","message":"成功","serial":"`...)
	out = append(append(out, department...), '-')
	out = strconv.AppendInt(out, n, 10)
	out = append(out, `","data":[{"subject":{"name":"`...)
	out = append(out, textOf(question, `"name":"`)...)
	out = append(out, `","number":"`...)
	out = append(out, textOf(question, `"number":"`)...)
	out = append(append(out, `"},"as_of":"`...), s.asOf...)
	out = append(out, `","revoked":false,"record":{"姓名":"`...)
	out = append(out, textOf(question, `"name":"`)...)
	out = append(out, `","状态":"正常","等级":3,"有效期止":"2039-12-31","登记日期":"2019-06-18",`...)
	out = append(out, `"登记机关":"示例市登记机关第一分中心","住所":"示例市示例区新城路二十号一号楼一单元一千五百零一室",`...)
	return append(out, `"编号":"370199-2019-000000123456","备注":"本记录由示例数源生成，不对应任何真实的人或单位"}}]}`...)
}

// textOf finds the text after a key; what is asked for has no escapes in it.
func textOf(question []byte, key string) []byte {
	at := bytes.Index(question, []byte(key))
	if at < 0 {
		return nil
	}
	rest := question[at+len(key):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil
	}
	return rest[:end]
}
