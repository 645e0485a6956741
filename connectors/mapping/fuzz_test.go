package mapping_test

import (
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/identifier"
)

// Whatever a source sends: no panic, no record of anybody but the asked one, no
// field that was not asked for, and no record together with a fault.
func FuzzRead(f *testing.F) {
	item := `{"xm": "王建国", "zjhm": "` + number + `", "姓名": "王建国", "份数": 2, "双方": "甲、乙", "登记日期": "20240506", "t": "2026-11-20 08:00:00", "zt": "1"}`
	for _, body := range []string{
		`{"c": "0", "d": [` + item + `]}`, `{"c": 0, "d": ` + item + `}`, `{"c": "1"}`, `{"c": "0", "d": null}`, `[]`, `null`, `{"c": "0", "d": [[]]}`, `{`,
		`{"code": "0", "data": [{"subject": {"name": "王建国", "number": "` + number + `"}, "record": {}}]}`,
	} {
		f.Add(200, []byte(body))
	}
	f.Add(404, []byte(`{"c": "0"}`))
	described := good()
	described.HTTP.Answer.AsOf, described.HTTP.Answer.Revoked, described.HTTP.Answer.RevokedIn = "/t", "/zt", []string{"2"}
	described.HTTP.Answer.NotFoundStatus = []int{404}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, s := range []*catalog.Source{described, {Path: "/q"}} {
			m, q := compile(t, s), query(s, "name", "registered_on")
			reply, _, err := m.Read(q, status, body, today())
			if err != nil && (len(reply.Records) > 0 || connectors.KindOf(err) == connectors.FaultMisset) {
				t.Errorf("a fault with records, or of our own: %v", err)
			}
			for _, record := range reply.Records {
				if identifier.Normalize(record.Subject.Number) != number || record.Subject.Name == "" {
					t.Error("a record of somebody else")
				}
				for code := range record.Fields {
					if code != "name" && code != "registered_on" {
						t.Errorf("field %s was not asked for", code)
					}
				}
			}
			if len(m.Explain(q, status, body, today())) < 2 {
				t.Error("an explanation without a verdict")
			}
		}
	})
}
