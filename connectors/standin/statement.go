package standin

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// statement is one that the database understands.
type statement struct {
	tag     string // of a statement without rows, such as BEGIN
	timeout int    // that it sets, in milliseconds; -1 for none
	view    *template
	columns []column
	number  string // of the subject, where it stands in the statement
	state   string // what is wrong, as SQLSTATE; "" for nothing
}

type column struct {
	name string
	oid  uint32
}

// portal is a statement with its parameters.
type portal struct {
	statement
	number  string
	formats []int16
}

// answer does what one message asks for.
func (s *session) answer(ctx context.Context, message pgproto3.FrontendMessage) error {
	switch message := message.(type) {
	case *pgproto3.Query:
		return s.simple(ctx, message.String)
	case *pgproto3.Parse:
		s.prepared[message.Name] = s.database.understand(message.Query)
		if state := s.prepared[message.Name].state; state != "" {
			return s.failExtended(state)
		}
		s.backend.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		s.bind(message)
		s.backend.Send(&pgproto3.BindComplete{})
	case *pgproto3.Describe:
		s.describe(message)
	case *pgproto3.Execute:
		if state := s.execute(ctx, &s.bound); state != "" {
			return s.failExtended(state)
		}
	case *pgproto3.Close:
		s.backend.Send(&pgproto3.CloseComplete{})
	case *pgproto3.Sync:
		return s.ready()
	case *pgproto3.Flush:
		return s.backend.Flush()
	case *pgproto3.Terminate:
		return errOver
	default:
		s.fail("0A000", "不支持")
	}
	return nil
}

// failExtended answers with an error and skips to the next Sync, as the
// extended protocol has it.
func (s *session) failExtended(state string) error {
	if state == closing {
		return errOver
	}
	s.fail(state, "无法执行")
	if err := s.backend.Flush(); err != nil {
		return err
	}
	for {
		message, err := s.backend.Receive()
		if err != nil {
			return err
		}
		if _, sync := message.(*pgproto3.Sync); sync {
			return s.ready()
		}
	}
}

// simple runs a text with one statement or more.
func (s *session) simple(ctx context.Context, text string) error {
	for _, one := range strings.Split(strings.TrimSuffix(strings.TrimSpace(text), ";"), ";") {
		p := portal{statement: s.database.understand(one)}
		p.number = p.statement.number
		state := p.state
		if state == "" {
			if p.view != nil {
				s.backend.Send(s.rowDescription(&p))
			}
			state = s.execute(ctx, &p)
		}
		if state == closing {
			return errOver
		}
		if state != "" {
			s.fail(state, "无法执行")
			break
		}
	}
	return s.ready()
}

func (s *session) bind(message *pgproto3.Bind) {
	p := portal{statement: s.prepared[message.PreparedStatement], formats: append([]int16(nil), message.ResultFormatCodes...)}
	p.number = p.statement.number
	if len(message.Parameters) > 0 {
		p.number = string(message.Parameters[0]) // of a text both forms are the same
	}
	s.bound = p
}

func (s *session) describe(message *pgproto3.Describe) {
	p := s.bound
	if message.ObjectType == 'S' {
		p = portal{statement: s.prepared[message.Name]}
		var oids []uint32
		if p.view != nil && p.statement.number == "" {
			oids = append(oids, pgtype.TextOID)
		}
		s.backend.Send(&pgproto3.ParameterDescription{ParameterOIDs: oids})
	}
	if p.view == nil {
		s.backend.Send(&pgproto3.NoData{})
		return
	}
	s.backend.Send(s.rowDescription(&p))
}

func (s *session) rowDescription(p *portal) *pgproto3.RowDescription {
	out := &pgproto3.RowDescription{}
	for i, c := range p.columns {
		out.Fields = append(out.Fields, pgproto3.FieldDescription{
			Name: []byte(c.name), DataTypeOID: c.oid, DataTypeSize: -1, TypeModifier: -1, Format: p.format(i),
		})
	}
	return out
}

// format is 0 for text and 1 for binary.
func (p *portal) format(i int) int16 {
	switch {
	case len(p.formats) == 1:
		return p.formats[0]
	case i < len(p.formats):
		return p.formats[i]
	}
	return 0
}

// closing is what a statement comes to that ends the connection.
const closing = "closing"

// execute runs a statement and says what is wrong, as SQLSTATE.
func (s *session) execute(ctx context.Context, p *portal) string {
	if p.state != "" {
		return p.state
	}
	if p.view == nil {
		s.settle(p)
		if p.tag == "" {
			s.backend.Send(&pgproto3.EmptyQueryResponse{})
			return ""
		}
		s.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte(p.tag)})
		return ""
	}
	server := s.database.server
	code := p.view.dataset.Code
	server.counts[code].Add(1)
	b := server.behaviour(code, p.number)
	if !s.wait(ctx, b.delay+server.latency) {
		return "57014"
	}
	if state := stateOf(b.fault); state != "" {
		return state
	}
	rows, err := s.rows(p, b)
	if err != nil {
		return "XX000"
	}
	for _, row := range rows {
		if b.fault == FaultTruncated {
			_ = s.backend.Flush()
			_, _ = s.conn.Write([]byte{'D', 0, 0, 1, 0, 0, 9}) // the beginning of a row
			return closing
		}
		s.backend.Send(&pgproto3.DataRow{Values: row})
	}
	s.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT " + strconv.Itoa(len(rows)))})
	return ""
}

// settle keeps what a statement without rows says.
func (s *session) settle(p *portal) {
	switch {
	case p.tag == "BEGIN":
		s.status = 'T'
	case p.tag == "COMMIT" || p.tag == "ROLLBACK":
		s.status = 'I'
	case p.timeout >= 0:
		s.timeout = time.Duration(p.timeout) * time.Millisecond
	}
}

// wait is false when the statement was cancelled, or took longer than it may.
func (s *session) wait(ctx context.Context, delay time.Duration) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.timeout > 0 && s.timeout < delay {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, s.timeout)
		defer end()
	}
	s.mutex.Lock()
	s.interrupt = cancel
	s.mutex.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// stateOf is what a fault of the interface is to a database.
func stateOf(fault Fault) string {
	switch fault {
	case FaultDown:
		return "57P01"
	case FaultBroken:
		return "XX000"
	case FaultBusy, FaultLimited:
		return "53300"
	case FaultDenied, FaultUnknown:
		return "42501"
	case FaultMissing:
		return "42P01"
	}
	return ""
}

// understand reads a statement.
func (d *Database) understand(text string) statement {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), ";"))
	out := statement{timeout: -1}
	word, _, _ := strings.Cut(strings.ToUpper(text)+" ", " ")
	switch word {
	case "", "--":
		return out // nothing to do, or a comment that asks whether we are there
	case "START":
		out.tag = "BEGIN"
		return out
	case "END":
		out.tag = "COMMIT"
		return out
	case "BEGIN", "COMMIT", "ROLLBACK", "DISCARD", "DEALLOCATE", "RESET":
		out.tag = word
		return out
	case "SET":
		out.tag = word
		limit := regexp.MustCompile(`(?i)statement_timeout\s*(?:=|to)\s*'?(\d+)`).FindStringSubmatch(text)
		if limit != nil {
			out.timeout, _ = strconv.Atoi(limit[1]) // digits only: at worst too many
		}
		return out
	case "SELECT":
		return d.understandSelect(text, out)
	}
	out.state = "42501" // there is nothing to write
	return out
}

func (d *Database) understandSelect(text string, out statement) statement {
	shape := regexp.MustCompile(`(?is)^select\s+(.+?)\s+from\s+(\S+)(?:\s+(?:as\s+)?\w+)?\s+where\s+\(?(\S+)\s*=\s*(?:\$1|'([^']*)')`)
	match := shape.FindStringSubmatch(text)
	if match == nil || bare(match[3]) != "subject_number" {
		out.state = "42601"
		return out
	}
	out.number = match[4]
	if out.view = d.view(match[2]); out.view == nil {
		out.state = "42P01"
		return out
	}
	for _, item := range strings.Split(match[1], ",") {
		name := bare(strings.Fields(item + " ")[0])
		oid := columnType(out.view.dataset, name)
		if oid == 0 {
			out.state = "42703"
			return out
		}
		out.columns = append(out.columns, column{name: name, oid: oid})
	}
	return out
}

// bare is an identifier without its quotes, its table and its cast.
func bare(name string) string {
	name, _, _ = strings.Cut(strings.TrimSpace(name), "::")
	name = strings.ReplaceAll(name, `"`, "")
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		name = name[at+1:]
	}
	return name
}
