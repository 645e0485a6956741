package sqlview

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"mianti/catalog"
	"mianti/connectors/wire"
)

// columnKind is what kind of values a column holds, whatever the server calls
// its type.
type columnKind string

const (
	columnText   columnKind = "text"
	columnPadded columnKind = "padded" // text, with blanks up to the column's width
	columnNumber columnKind = "number"
	columnBits   columnKind = "bits"
	columnBool   columnKind = "bool"
	columnDate   columnKind = "date"
	columnLocal  columnKind = "local"   // a time in China's time
	columnMoment columnKind = "moment"  // a time with its zone
	columnList   columnKind = "list"    // an array of texts
	columnJSON   columnKind = "json"    // JSON
	columnOther  columnKind = "unknown" // nothing that a field can come from
)

// The limits of one value.
const (
	maxText = 4000 // characters
	maxList = 1000 // items
)

// kindOf knows the types of PostgreSQL and MySQL. A type of PostgreSQL that the
// driver has no name for, such as an enumeration, comes as its number and reads
// as text.
func kindOf(name string) columnKind {
	switch strings.TrimPrefix(name, "UNSIGNED ") {
	case "TEXT", "VARCHAR", "NAME", "UUID", "CHAR", "TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "ENUM", "SET":
		return columnText
	case "BPCHAR":
		return columnPadded
	case "INT2", "INT4", "INT8", "NUMERIC", "FLOAT4", "FLOAT8",
		"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "YEAR":
		return columnNumber
	case "BIT":
		return columnBits
	case "BOOL":
		return columnBool
	case "DATE":
		return columnDate
	case "TIMESTAMP", "DATETIME":
		return columnLocal
	case "TIMESTAMPTZ":
		return columnMoment
	case "_TEXT", "_VARCHAR", "_BPCHAR", "_NAME":
		return columnList
	case "JSON", "JSONB":
		return columnJSON
	}
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return columnText
	}
	return columnOther
}

// cell is one value of a row as the driver writes it; sent is false for NULL.
type cell struct {
	kind columnKind
	text string
	sent bool
}

// plain reads a text.
func (c cell) plain() (string, bool) {
	text := c.text
	switch c.kind {
	case columnPadded:
		text = strings.TrimRight(text, " ")
	case columnText:
	default: // a number that is kept as a number has lost its zeros
		return "", false
	}
	return text, c.sent && isText(text)
}

// value reads a field of the dataset. NULL, and an empty text where none can
// be, are no value.
func (c cell) value(kind catalog.FieldType) (value any, present, ok bool) {
	if !c.sent || c.text == "" && kind != catalog.FieldString {
		return nil, false, true
	}
	raw, ok := c.json(kind)
	if !ok || !utf8.Valid(raw) {
		return nil, false, false
	}
	if string(raw) == "null" { // JSON's own
		return nil, false, true
	}
	value, ok = wire.Value(kind, raw)
	return value, true, ok && isWithinLimits(value)
}

// json writes a value as an interface over HTTP would have sent it, so that
// what counts as a field's value is written down once.
func (c cell) json(kind catalog.FieldType) (json.RawMessage, bool) {
	switch c.kind {
	case columnText, columnPadded:
		text, ok := c.plain()
		if kind == catalog.FieldList && strings.HasPrefix(text, "[") && json.Valid([]byte(text)) {
			return json.RawMessage(text), ok // MariaDB has no other type for JSON
		}
		return quoted(text), ok
	case columnNumber:
		return json.RawMessage(c.text), json.Valid([]byte(c.text)) // no NaN, no Infinity
	case columnBits:
		return c.bits()
	case columnBool:
		return json.RawMessage(c.text), true
	case columnDate, columnLocal, columnMoment:
		return c.day(kind)
	case columnList:
		return c.list()
	case columnJSON:
		return json.RawMessage(c.text), true
	default:
		return nil, false
	}
}

// bits takes BIT(1): a byte from MySQL, a digit from PostgreSQL.
func (c cell) bits() (json.RawMessage, bool) {
	switch c.text {
	case "\x00", "0":
		return json.RawMessage("0"), true
	case "\x01", "1":
		return json.RawMessage("1"), true
	}
	return nil, false
}

// day writes a date, or the day of a time in China, for a field that is one.
func (c cell) day(kind catalog.FieldType) (json.RawMessage, bool) {
	if kind != catalog.FieldDate {
		return nil, false
	}
	if c.text == "infinity" {
		return quoted("长期"), true
	}
	at, ok := c.moment()
	return quoted(at.In(catalog.TimeZone()).Format(time.DateOnly)), ok
}

// list reads an array of PostgreSQL. One with a NULL in it is none.
func (c cell) list() (json.RawMessage, bool) {
	var items []string
	if err := pgtype.NewMap().SQLScanner(&items).Scan(c.text); err != nil {
		return nil, false
	}
	if items == nil {
		items = []string{}
	}
	for _, item := range items {
		if !isText(item) {
			return nil, false
		}
	}
	out, err := json.Marshal(items)
	return out, err == nil
}

// moment reads a time. Without a zone it is China's; a date is its beginning.
// The driver of PostgreSQL writes all three as if they were UTC.
func (c cell) moment() (time.Time, bool) {
	var at time.Time
	var err error
	switch c.kind {
	case columnMoment:
		at, err = time.Parse(time.RFC3339Nano, c.text)
	case columnDate, columnLocal, columnText:
		at, err = localTime(strings.TrimSpace(c.text), c.kind == columnText)
	default:
		return time.Time{}, false
	}
	return at, err == nil && at.Year() > 0
}

// localTime reads the spellings that the drivers and departments have for a
// time; zoned says that an offset means what it says.
func localTime(text string, zoned bool) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && !zoned {
		at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), catalog.TimeZone())
	}
	for _, layout := range []string{time.DateTime, time.DateOnly} {
		if err != nil {
			at, err = time.ParseInLocation(layout, text, catalog.TimeZone())
		}
	}
	return at, err
}

// truth reads a boolean; NULL means that nothing was said, which is no.
func (c cell) truth() (is, ok bool) {
	value, present, ok := c.value(catalog.FieldBool)
	if !present {
		return false, ok
	}
	is, isBool := value.(bool)
	return is, ok && isBool
}

func isWithinLimits(value any) bool {
	switch value := value.(type) {
	case string:
		return isText(value)
	case []string:
		for _, item := range value {
			if !isText(item) {
				return false
			}
		}
		return len(value) <= maxList
	default:
		return true
	}
}

// isText refuses text that was damaged on the way or that no record holds.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && !strings.ContainsRune(text, 0) &&
		utf8.RuneCountInString(text) <= maxText
}

func quoted(text string) json.RawMessage {
	out, _ := json.Marshal(text) // a string has a JSON
	return out
}
