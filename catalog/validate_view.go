package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// columnName is a name that needs no quoting, in letters of any script; a view
// may stand in a schema.
var (
	columnName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_$]*$`)
	viewName   = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_$]*(\.[\p{L}_][\p{L}\p{N}_$]*)?$`)
)

// validateView checks the names of a view, which are the one part of its query
// that is not bound as a value.
func (s sourceScope) validateView() {
	view, at := s.source.View, s.at.in("view")
	if view.Name != "" && !viewName.MatchString(view.Name) {
		s.report(at.in("name"), "bad-identifier", "视图名应为 视图 或 模式.视图，只用文字、数字、下划线，不加引号")
	}
	column := func(at spot, name string) {
		if name != "" && !columnName.MatchString(name) {
			s.report(at, "bad-identifier", "列名只能用文字、数字、下划线，不加引号")
		}
	}
	column(at.in("subject_name"), view.SubjectName)
	column(at.in("subject_number"), view.SubjectNumber)
	column(at.in("as_of"), view.AsOf)
	column(at.in("revoked"), view.Revoked)
	for code, name := range view.Columns {
		s.validateField(at.in("columns", code), code)
		column(at.in("columns", code), name)
	}
}

// validateSnapshot checks the columns of a file. They are found by their
// heading, so that any text on one line will do.
func (s sourceScope) validateSnapshot() {
	snapshot, at := s.source.Snapshot, s.at.in("snapshot")
	s.validateKind(at.in("subject_kind"), snapshot.SubjectKind)
	column := func(at spot, name string) {
		if hasControl(name) || strings.TrimSpace(name) != name {
			s.report(at, "bad-column", "列名是表头中的文字，前后不能有空格，也不能换行")
		}
	}
	column(at.in("subject_name"), snapshot.SubjectName)
	column(at.in("subject_number"), snapshot.SubjectNumber)
	column(at.in("revoked"), snapshot.Revoked)
	if len(snapshot.RevokedIn) > 0 && snapshot.Revoked == "" {
		s.report(at.in("revoked_in"), "revoked-missing", "写了 revoked_in 就要写 revoked：哪一列")
	}
	for code, name := range snapshot.Columns {
		s.validateField(at.in("columns", code), code)
		column(at.in("columns", code), name)
	}
}

// validateXRoad checks the identifiers of a service and its client. X-Road
// allows no character in them that could be read as a part of a path.
func (s sourceScope) validateXRoad() {
	at := s.at.in("xroad")
	for _, id := range []struct{ key, text string }{{"client", s.source.XRoad.Client}, {"service", s.source.XRoad.Service}} {
		bad := slices.ContainsFunc(strings.Split(id.text, "/"), func(part string) bool {
			return part == "." || part == ".." || strings.TrimSpace(part) != part || strings.ContainsAny(part, `:;%\`) || hasControl(part)
		})
		if bad {
			s.report(at.in(id.key), "bad-identifier", "X-Road 标识各段不能有 : ; %% \\ 与控制字符，也不能是 . 或 ..")
		}
	}
}
