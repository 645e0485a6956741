package mapping

import "mianti/catalog"

// Plain describes Mianti's own plain JSON, for a source that is not described:
// one POST, one list of records.
//
// The request names whose record is asked for, the fields by their Chinese
// names, and why:
//
//	{"request_id": "…", "subject": {"kind": "person", "name": "…", "number": "…"},
//	 "fields": ["姓名", "有效期止"], "purpose": "…"}
//
// The answer's code is "0" for success and "9001" for a source that is busy. An
// empty list says that the source holds no record; null does not, since a list
// that could not be written looks like that:
//
//	{"code": "0", "message": "成功", "serial": "…", "data": [
//	  {"subject": {"name": "…", "number": "…"}, "as_of": "2026-11-23T09:00:00+08:00",
//	   "revoked": false, "record": {"姓名": "…", "有效期止": "2030-01-01"}}]}
//
// as_of, revoked and serial may be left out; as_of not where the source has
// fresh_hours.
func Plain() *catalog.HTTPCall {
	return &catalog.HTTPCall{
		Body: map[string]any{
			"request_id": "${id}",
			"subject":    map[string]any{"kind": "${kind}", "name": "${name}", "number": "${number}"},
			"fields":     "${fields}",
			"purpose":    "${purpose}",
		},
		Answer: catalog.HTTPAnswer{
			Code: "/code", OK: []string{"0"}, Busy: []string{"9001"},
			Records: "/data", Reference: "/serial",
			SubjectName: "/subject/name", SubjectNumber: "/subject/number",
			AsOf: "/as_of", Revoked: "/revoked", Record: "/record",
		},
	}
}
