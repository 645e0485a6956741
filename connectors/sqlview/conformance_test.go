package sqlview_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/sqlview"
	"mianti/connectors/standin"
)

func TestConnector_KeepsTheContract(t *testing.T) {
	newPostgres(t) // so that the server is there before goroutines are counted
	notFor := conformance.OverHTTP("a database speaks no HTTP")
	notFor["another name"] = "a view is asked by the number alone, and the caller compares the names"
	notFor["empty"] = "an answer without rows is an answer"
	conformance.Run(t, conformance.Kind{
		Name: sqlview.Kind,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			d := newViews(t)
			c := sqlview.New(sqlview.Options{
				Secrets: &secrets{held: map[catalog.SecretRef]string{"cc-db": d.password}}, Now: conformance.Today,
			})
			t.Cleanup(c.Close)
			return c, d
		},
		NotFor: notFor,
	})
}

// views is a department whose database has a view for each dataset of the
// trial. The views play the faults of records and texts, the server those of an
// interface, and a proxy those of the network.
type views struct {
	*database
	t       *testing.T
	network *standin.Proxy
}

// A column of a view, and the expression that it shows.
type shown map[string]string

func newViews(t *testing.T) *views {
	t.Helper()
	d := newPostgres(t)
	network, err := standin.NewProxy(d.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.Close)
	v := &views{database: d, t: t, network: network}
	d.exec(t, "CREATE TABLE share.people (subject_name text, subject_number text)",
		// Bytes as they are, whether they are characters or not.
		"CREATE CAST (bytea AS text) WITHOUT FUNCTION",
		"CREATE COLLATION share.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
	for _, p := range conformance.People() {
		if _, err := d.admin.ExecContext(t.Context(), "INSERT INTO share.people VALUES ($1, $2)", p.Name, p.Number); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// columns are what a view shows when nothing is wrong.
func columns(dataset string) shown {
	today := conformance.Today().Format("2006-01-02 15:04:05Z07:00")
	out := shown{
		"subject_name": "subject_name", "subject_number": "subject_number", "as_of": "timestamptz '" + today + "'", "revoked": "false",
		"name": "subject_name",
	}
	if dataset == conformance.Card {
		maps.Copy(out, shown{"citizen_id": "subject_number", "address": "1 / (length(subject_number) - 18)", "valid_to": "date '2029-11-23'"})
	} else {
		maps.Copy(out, shown{"trial_number": "1.0::numeric", "trial_flag": "false", "trial_day": "date '2024-11-23'", "trial_list": "ARRAY['示例示例名单']"})
	}
	return out
}

func viewName(dataset string) string {
	return "share." + strings.ToLower(strings.ReplaceAll(dataset, "-", "_"))
}

// Query asks through the network.
func (v *views) Query(dataset string, s connectors.Subject) connectors.Query {
	source := *v.source("")
	source.View = &catalog.View{
		Name: viewName(dataset), SubjectName: "subject_name", SubjectNumber: "subject_number", AsOf: "as_of", Revoked: "revoked",
	}
	return conformance.Query(dataset, source, "postgres://"+v.network.Addr()+"/"+v.name, s)
}

// SetRules makes the views that play the rules.
func (v *views) SetRules(rules ...standin.Rule) error {
	for _, dataset := range []string{conformance.Card, conformance.Sheet} {
		show, from := columns(dataset), "share.people"
		for _, rule := range rules {
			if rule.Dataset != "" && rule.Dataset != dataset {
				continue
			}
			if err := v.play(rule, dataset, show, &from); err != nil {
				return err
			}
		}
		var list []string
		for _, column := range slices.Sorted(maps.Keys(show)) {
			list = append(list, show[column]+" AS "+column)
		}
		v.exec(v.t, "CREATE VIEW "+viewName(dataset)+" AS SELECT "+strings.Join(list, ", ")+" FROM "+from)
	}
	for _, rule := range rules {
		if err := v.disturb(rule.Fault); err != nil {
			return err
		}
	}
	return nil
}

// play lets a view show what the rule says.
func (v *views) play(rule standin.Rule, dataset string, show shown, from *string) error {
	for code, value := range rule.Fields {
		show[code] = "NULL::text"
		if value != nil {
			show[code] = "'" + strings.ReplaceAll(fmt.Sprint(value), "'", "''") + "'"
		}
	}
	at := func(day time.Time) string { return "timestamptz '" + day.Format(time.RFC3339) + "'" }
	switch rule.Fault {
	case standin.FaultNotFound:
		*from += " WHERE false"
	case standin.FaultExpired:
		if dataset == conformance.Card {
			show["valid_to"] = "date '2026-10-23'"
		} else {
			show["revoked"] = "true"
		}
	case standin.FaultRevoked:
		show["revoked"] = "true"
	case standin.FaultMismatch:
		show["subject_name"], show["name"] = "'异' || subject_name", "'异' || subject_name"
	case standin.FaultMultiple:
		*from += ", generate_series(1, 2)"
	case standin.FaultWrongPerson:
		*from += " WHERE subject_number <> '" + conformance.People()[0].Number + "' LIMIT 1"
	case standin.FaultNoSubject:
		show["subject_name"] = "NULL::text"
	case standin.FaultLetterCase:
		show["subject_number"] = "lower(subject_number) COLLATE share.any_case"
	case standin.FaultNumbers:
		show["citizen_id"] = "371::numeric"
	case standin.FaultStale:
		show["as_of"] = at(conformance.Today().AddDate(0, -1, 0))
	case standin.FaultFuture:
		show["as_of"] = at(conformance.Today().AddDate(10, 0, 0))
	case standin.FaultExtraFields:
		show["extra"] = "'另外'"
	case standin.FaultSlow:
		show["name"] = "concat(subject_name, pg_sleep(60)::text)"
	default:
		v.playText(rule.Fault, show, from)
	}
	return nil
}

// playText plays what is wrong with values.
func (v *views) playText(fault standin.Fault, show shown, from *string) {
	switch fault {
	case standin.FaultMalformed:
		show["valid_to"] = "'不是日期'"
	case standin.FaultHuge:
		show["name"] = "repeat('x', 5000000)"
	case standin.FaultBadUTF8:
		show["name"] = `'\xe586'::bytea::text`
	case standin.FaultUndeclared:
		show["name"] = "convert_to(subject_name, 'GB18030')::text"
	case standin.FaultNUL:
		show["name"] = `'"a\u0000"'::json`
	case standin.FaultDamaged:
		show["name"] = "'冯' || chr(65533)"
	case standin.FaultTruncated:
		// The server has sent the first rows when it comes to the last.
		*from += ", generate_series(1, 50) AS n"
		show["name"] = "CASE n WHEN 50 THEN share.die() ELSE repeat('x', 1000) END"
		v.exec(v.t, "CREATE OR REPLACE FUNCTION share.die() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_terminate_backend(pg_backend_pid())::text'")
	}
}

// disturb plays what is wrong with the server or the network.
func (v *views) disturb(fault standin.Fault) error {
	switch fault {
	case standin.FaultWrongPerson, standin.FaultTwoSubjects:
		// To this login all texts are equal.
		v.exec(v.t, "CREATE SCHEMA tricks", "GRANT USAGE ON SCHEMA tricks TO "+v.login,
			"CREATE FUNCTION tricks.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
			"CREATE OPERATOR tricks.= (leftarg = text, rightarg = text, function = tricks.same)",
			"ALTER ROLE "+v.login+" SET search_path = tricks, pg_catalog")
	case standin.FaultDown:
		v.exec(v.t, "UPDATE pg_database SET datallowconn = false WHERE datname = current_database()")
	case standin.FaultBusy:
		v.exec(v.t, "ALTER ROLE "+v.login+" CONNECTION LIMIT 0")
	case standin.FaultDenied:
		v.exec(v.t, "REVOKE SELECT ON ALL TABLES IN SCHEMA share FROM "+v.login)
	case standin.FaultReset, standin.FaultDrip, standin.FaultCut, standin.FaultHang:
		return v.network.Play(fault)
	}
	return nil
}

// Asked says how many questions the server is at.
func (v *views) Asked() int {
	var n int
	err := v.admin.QueryRowContext(context.Background(),
		"SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND state = 'active' AND query LIKE 'SELECT %'", v.login).Scan(&n)
	if err != nil {
		v.t.Error(err)
	}
	return n
}

// Close takes the database off the network.
func (v *views) Close() { v.network.Close() }
