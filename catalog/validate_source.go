package catalog

import (
	"slices"
	"strings"

	"mianti/internal/identifier"
)

// sourceScope is a source that is being checked, and where it stands.
type sourceScope struct {
	*loader
	at      spot
	dataset *Dataset
	source  *Source
}

// validateSource checks what the schema cannot see of a source.
func (l *loader) validateSource(at spot, d *Dataset, s *Source) {
	scope := sourceScope{loader: l, at: at, dataset: d, source: s}
	scope.validateSettings()
	scope.validatePath(at.in("path"), s.Path)
	scope.validateAddress()
	scope.validateAuth()
	scope.validateLimits()
	scope.validateProbe()
	for i, w := range s.Maintenance {
		if w.From != "" && w.From == w.To {
			l.report(at.in("maintenance", i, "to"), "empty-window", "维护时段的 from 与 to 相同；全天维护请分写为两段")
		}
	}
	if s.HTTP != nil {
		scope.validateHTTP()
	}
	if s.XRoad != nil {
		scope.validateXRoad()
	}
	if s.View != nil {
		scope.validateView()
	}
	if s.Snapshot != nil {
		scope.validateSnapshot()
	}
	for _, check := range l.checks {
		for _, f := range check(d, s) {
			where := at.in(f.At...)
			l.reportLine(where, where.file.tree.line(where.at), f.Code, f.Reason)
		}
	}
}

// settingsOf are the settings that a source of a kind must have, and those that
// it may have. Every source has a code and a kind.
func settingsOf(kind SourceKind) (needed, allowed []string, known bool) {
	overHTTP := []string{"address", "network", "timeout_millis", "fresh_hours", "auth", "limits", "probe", "maintenance"}
	switch kind {
	case SourceHTTPJSON:
		return []string{"path"}, append(overHTTP, "http"), true
	case SourceElicense:
		return []string{"path"}, overHTTP, true
	case SourceXRoad:
		return []string{"xroad"}, append(overHTTP, "path", "http"), true
	case SourceSQLView:
		return []string{"address", "auth", "view"}, []string{"network", "timeout_millis", "fresh_hours", "limits", "probe", "maintenance"}, true
	case SourceSnapshot:
		return []string{"fresh_hours", "snapshot"}, []string{"timeout_millis", "limits", "probe", "maintenance"}, true
	case SourceAssist:
		return nil, []string{"days"}, true
	default:
		return nil, nil, false // reported by the schema
	}
}

// validateSettings holds a source to the settings of its kind.
func (s sourceScope) validateSettings() {
	needed, allowed, known := settingsOf(s.source.Kind)
	if !known {
		return
	}
	for _, key := range []string{
		"path", "address", "network", "timeout_millis", "fresh_hours", "days", "auth", "limits", "probe", "maintenance",
		"http", "xroad", "view", "snapshot",
	} {
		written := s.at.in(key).written()
		switch {
		case slices.Contains(needed, key):
			if !written {
				s.report(s.at, "setting-missing", "%s 接口要写 %s", s.source.Kind, key)
			}
		case written && !slices.Contains(allowed, key):
			s.report(s.at.in(key), "setting-unexpected", "%s 接口不能有 %s，请删去，或改 kind", s.source.Kind, key)
		}
	}
}

func (s sourceScope) validateLimits() {
	limits := s.source.Limits
	if limits == nil {
		return
	}
	at := s.at.in("limits")
	if limits.Burst > 0 && !at.in("per_second").written() {
		s.report(at.in("burst"), "burst-without-rate", "burst 要与 per_second 一起写")
	}
	if limits.HedgeMillis == 0 {
		return
	}
	if timeout := s.source.TimeoutMillis; timeout > 0 && limits.HedgeMillis >= timeout {
		s.report(at.in("hedge_millis"), "hedge-beyond-timeout", "hedge_millis 应小于 timeout_millis（%d），否则永远用不到", timeout)
	}
	if limits.Attempts == 1 {
		s.report(at.in("hedge_millis"), "hedge-with-one-attempt", "attempts 为 1（只问一次）就不能有 hedge_millis（再问一次）")
	}
}

// validateProbe holds the test subject to what the source can be asked by.
func (s sourceScope) validateProbe() {
	probe := s.source.Probe
	if probe == nil {
		return
	}
	at := s.at.in("probe")
	s.validateKind(at.in("kind"), probe.Kind)
	if probe.Number == "" {
		return // reported by the schema
	}
	var err error
	switch probe.Kind {
	case KindPerson:
		err = identifier.CitizenID(probe.Number)
	case KindOrganization:
		err = identifier.CreditCode(probe.Number)
	case KindProperty, KindVehicle, KindProject, KindAddress:
	default:
		// The schema has reported the unknown kind already.
	}
	if err != nil {
		s.report(at.in("number"), "probe-number", "%v", err)
	}
}

// validateKind reports a kind of party that the dataset cannot be asked by.
func (s sourceScope) validateKind(at spot, kind PartyKind) {
	if kind != "" && len(s.dataset.AskedBy) > 0 && !slices.Contains(s.dataset.AskedBy, kind) {
		s.report(at, "subject-kind", "%s 按 %v 查询，不能按 %s 查", s.dataset.Code, s.dataset.AskedBy, kind)
	}
}

// validateField reports a field code that the dataset does not have, and gives
// the field otherwise.
func (s sourceScope) validateField(at spot, code string) *Field {
	field := s.dataset.Field(code)
	if field == nil {
		s.report(at, "unknown-field", "%s 没有数据项 %s，应写 fields 中的代码", s.dataset.Code, code)
	}
	return field
}

// hasControl reports whether a text holds a control character, which could
// break out of a line.
func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
