package sqlview_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
)

// written is how a value is written in SQL, and what must come of it; nil means
// that the answer is malformed, absent that there is no value.
type written struct {
	sql  string
	kind catalog.FieldType
	want any
}

// absent stands for a field without a value.
type absent struct{}

// everywhere are those that both servers understand.
func everywhere() []written {
	return []written{
		{"'一'", catalog.FieldString, "一"},
		{"''", catalog.FieldString, ""},
		{"NULL", catalog.FieldString, absent{}},
		{"NULL", catalog.FieldNumber, absent{}},
		{"''", catalog.FieldDate, absent{}},
		{"7", catalog.FieldString, nil}, // it has lost its zeros
		{"7", catalog.FieldNumber, 7.0},
		{"-12.50", catalog.FieldNumber, -12.5},
		{"CAST(0.1 AS decimal(30,20))", catalog.FieldNumber, 0.1},
		{"'12.5'", catalog.FieldNumber, 12.5},
		{"'十二'", catalog.FieldNumber, nil},
		{"1", catalog.FieldBool, true},
		{"0", catalog.FieldBool, false},
		{"2", catalog.FieldBool, nil},
		{"'是'", catalog.FieldBool, true},
		{"'无'", catalog.FieldBool, false},
		{"'也许'", catalog.FieldBool, nil},
		{"DATE '2024-02-29'", catalog.FieldDate, "2024-02-29"},
		{"DATE '2024-02-29'", catalog.FieldString, nil},
		{"DATE '9999-12-31'", catalog.FieldDate, "9999-12-31"},
		{"TIMESTAMP '2024-11-23 23:59:59'", catalog.FieldDate, "2024-11-23"},
		{"TIMESTAMP '2024-11-23 00:00:00.5'", catalog.FieldDate, "2024-11-23"},
		{"'2024-11-23'", catalog.FieldDate, "2024-11-23"},
		{"'20241123'", catalog.FieldDate, "2024-11-23"},
		{"'长期'", catalog.FieldDate, "9999-12-31"},
		{"'2024-02-30'", catalog.FieldDate, nil},
		{"20241123", catalog.FieldDate, nil},
		{"'甲、乙；丙'", catalog.FieldList, []string{"甲", "乙", "丙"}},
		{"'[\"甲\"]'", catalog.FieldList, []string{"甲"}},
		{"'[1]'", catalog.FieldList, nil},
		{"'[甲]'", catalog.FieldList, []string{"[甲]"}}, // no JSON
		{"7", catalog.FieldList, nil},
		{"'<script>alert(1)</script>'", catalog.FieldString, "<script>alert(1)</script>"},
		{"'=1+1'", catalog.FieldString, "=1+1"},
	}
}

func inPostgres() []written {
	return []written{
		{"'一'::char(5)", catalog.FieldString, "一"}, // the blanks are the column's
		{"' 一 '::text", catalog.FieldString, " 一 "},
		{"'一'::name", catalog.FieldString, "一"},
		{"'ok'::share.state", catalog.FieldString, "ok"},
		{"'57d5f3f6-2f3c-4c1c-9a70-9d2f2a4d8f11'::uuid", catalog.FieldString, "57d5f3f6-2f3c-4c1c-9a70-9d2f2a4d8f11"},
		{"'\\x41'::bytea", catalog.FieldString, nil},
		{"'10.0.0.1'::inet", catalog.FieldString, nil},
		{"interval '1 day'", catalog.FieldString, nil},
		{"1::smallint", catalog.FieldNumber, 1.0},
		{"9007199254740992::bigint", catalog.FieldNumber, 9007199254740992.0},
		{"1.5::real", catalog.FieldNumber, 1.5},
		{"1e300::double precision", catalog.FieldNumber, 1e300},
		{"'NaN'::numeric", catalog.FieldNumber, nil},
		{"'Infinity'::float8", catalog.FieldNumber, nil},
		{"true", catalog.FieldBool, true},
		{"false", catalog.FieldBool, false},
		{"true", catalog.FieldString, nil},
		{"B'1'", catalog.FieldBool, true},
		{"'infinity'::date", catalog.FieldDate, "9999-12-31"},
		{"'-infinity'::date", catalog.FieldDate, nil},
		{"date '0044-03-15 BC'", catalog.FieldDate, nil},
		{"timestamptz '2024-11-23 16:30:00+00'", catalog.FieldDate, "2024-11-24"}, // the day in China
		{"timestamptz '2024-11-23 15:30:00+00'", catalog.FieldDate, "2024-11-23"},
		{"ARRAY['甲', '乙，\"丙\"', '']", catalog.FieldList, []string{"甲", "乙，\"丙\"", ""}},
		{"ARRAY[]::varchar[]", catalog.FieldList, []string{}},
		{"ARRAY['甲', NULL]", catalog.FieldList, nil},
		{"ARRAY[1, 2]", catalog.FieldList, nil},
		{"array_fill('甲'::text, ARRAY[1000])", catalog.FieldList, strings.Split(strings.Repeat("甲,", 999)+"甲", ",")},
		{"array_fill('甲'::text, ARRAY[1001])", catalog.FieldList, nil},
		{"ARRAY[repeat('甲', 4001)]", catalog.FieldList, nil},
		{`'["甲", "乙"]'::jsonb`, catalog.FieldList, []string{"甲", "乙"}},
		{`'{"a": 1}'::jsonb`, catalog.FieldList, nil},
		{`'null'::json`, catalog.FieldList, absent{}},
		{"1 / 0", catalog.FieldNumber, nil}, // the database itself gives up
	}
}

func inMariaDB() []written {
	return []written{
		{"CAST(1 AS unsigned)", catalog.FieldNumber, 1.0},
		{"CAST(1.5 AS double)", catalog.FieldNumber, 1.5},
		{"b'1'", catalog.FieldString, nil},
		{"flag", catalog.FieldBool, true},
		{"fixed", catalog.FieldString, "一"},
		{"choice", catalog.FieldString, "乙"},
		{"CAST('0000-00-00' AS date)", catalog.FieldDate, nil},
		{"large", catalog.FieldString, "一"},
		{"raw", catalog.FieldString, nil},
		{"spent", catalog.FieldNumber, 2024.0},
		{"JSON_ARRAY('甲', '乙、丙')", catalog.FieldList, []string{"甲", "乙、丙"}}, // its JSON is a text
	}
}

func TestAsk_GivesValuesAsTheDatasetSays(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, d *database) {
		own := inPostgres()
		if d.isPostgres() {
			d.exec(t, "CREATE TYPE share.state AS ENUM ('ok')", "CREATE TABLE share.held (number text)", "INSERT INTO share.held VALUES ('"+known+"')")
		} else {
			own = inMariaDB()
			d.exec(t, "CREATE TABLE "+d.schema+".held (number varchar(40), flag bit(1), fixed char(5), choice enum('甲', '乙'), large longtext, raw varbinary(10), spent year)",
				"INSERT INTO "+d.schema+".held VALUES ('"+known+"', b'1', '一', '乙', '一', 'A', 2024)")
		}
		c, _ := d.connector(t)
		for i, w := range append(everywhere(), own...) {
			view := fmt.Sprintf("v%d", i)
			d.exec(t, "CREATE VIEW "+d.schema+"."+view+" AS SELECT "+w.sql+" AS value, '冯涛' AS name, number FROM "+d.schema+".held")
			q := d.query(known)
			q.Source = d.source(view)
			q.Source.View.Revoked = ""
			q.Dataset = &catalog.Dataset{Fields: []catalog.Field{{Code: "value", Name: "值", Type: w.kind}}}
			q.Fields = []string{"value"}
			reply, err := c.Ask(within(t, patience), q)
			if w.want == nil {
				if connectors.KindOf(err) != connectors.FaultMalformed || err == nil {
					t.Errorf("%s as %s: got %v, %v, want malformed", w.sql, w.kind, reply.Records, err)
				}
				continue
			}
			if err != nil || len(reply.Records) != 1 {
				t.Errorf("%s as %s: got %v, %v, want %v", w.sql, w.kind, reply.Records, err, w.want)
				continue
			}
			want := map[string]any{"value": w.want}
			if w.want == (absent{}) {
				want = map[string]any{}
			}
			if diff := cmp.Diff(want, reply.Records[0].Fields); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", w.sql, w.kind, diff)
			}
		}
	})
}

func TestAsk_SaysHowOldARecordIs(t *testing.T) {
	t.Parallel()
	// 16:30 in UTC is half past midnight in China.
	want := time.Date(2024, 11, 23, 16, 30, 0, 0, time.UTC)
	eachServer(t, func(t *testing.T, d *database) {
		d.view(t, cardRow)
		forms := map[string]time.Time{
			"TIMESTAMP '2024-11-24 00:30:00'": want,
			"'2024-11-24 00:30:00'":           want,
			"'2024-11-23T16:30:00Z'":          want,
			"'2024-11-24T00:30:00+08:00'":     want,
			"DATE '2024-11-24'":               want.Add(-30 * time.Minute),
			"NULL":                            {},
		}
		if d.isPostgres() {
			forms["timestamptz '2024-11-23 16:30:00+00'"] = want
		} else {
			d.exec(t, "UPDATE "+d.schema+".held SET as_of = '2024-11-23 16:30:00'") // the server is in UTC
			forms["as_of"] = want
		}
		c, _ := d.connector(t)
		n := 0
		for form, want := range forms {
			n++
			view := fmt.Sprintf("v%d", n)
			d.exec(t, "CREATE VIEW "+d.schema+"."+view+" AS SELECT "+form+" AS moment, name, number, revoked, valid_to FROM "+d.schema+".held")
			q := d.query(known)
			q.Source = d.source(view)
			q.Source.View.AsOf = "moment"
			reply, err := c.Ask(within(t, patience), q)
			if err != nil || len(reply.Records) != 1 || !reply.Records[0].AsOf.Equal(want) {
				t.Errorf("%s: got %v, %v, want %v", form, reply.Records, err, want)
			}
		}
		for _, form := range []string{"'gestern'", "7", "TIMESTAMP '2999-01-01 00:00:00'", "'2024-13-01'"} {
			n++
			view := fmt.Sprintf("v%d", n)
			d.exec(t, "CREATE VIEW "+d.schema+"."+view+" AS SELECT "+form+" AS moment, name, number, revoked, valid_to FROM "+d.schema+".held")
			q := d.query(known)
			q.Source = d.source(view)
			q.Source.View.AsOf = "moment"
			_, err := c.Ask(within(t, patience), q)
			checkFault(t, err, connectors.FaultMalformed)
		}
	})
}
