package conformance

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
)

func TestSettingFaults_FindsNamesThatAreNoCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind Kind
		want int
	}{
		{"none", Kind{}, 0},
		{"known", Kind{NotFor: map[string]string{"slow": "it is never"}, Faults: map[string]connectors.FaultKind{"busy": connectors.FaultDown}}, 0},
		{"unknown in NotFor", Kind{NotFor: map[string]string{"slowly": "it is never"}}, 1},
		{"without a reason", Kind{NotFor: map[string]string{"slow": ""}}, 1},
		{"of another kind", Kind{NotFor: map[string]string{"X-Road binds nothing": "there is none"}}, 1},
		{"unknown in Faults", Kind{Faults: map[string]connectors.FaultKind{"busily": connectors.FaultDown}}, 1},
		{"a fault made an answer", Kind{Faults: map[string]connectors.FaultKind{"busy": ""}}, 1},
		{"an answer made a fault", Kind{Faults: map[string]connectors.FaultKind{"found": connectors.FaultDown}}, 1},
	} {
		c.kind.Name = catalog.SourceHTTPJSON
		if got := c.kind.settingFaults(casesFor(c.kind.Name)); len(got) != c.want {
			t.Errorf("%s: %v, want %d", c.name, got, c.want)
		}
	}
}

func TestCases_HaveEachAName(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, c := range cases() {
		if c.name == "" || slices.Contains(seen, c.name) {
			t.Errorf("%q is no name of its own", c.name)
		}
		if c.fault != "" && c.want != nil {
			t.Errorf("%s wants a fault and records", c.name)
		}
		seen = append(seen, c.name)
	}
}

// It counts goroutines, so it runs alone.
func TestGoroutinesLeft_SeesOneThatStays(t *testing.T) {
	before := runtime.NumGoroutine()
	end := make(chan struct{})
	go func() { <-end }()
	if err := goroutinesLeft(before, 20*time.Millisecond); err == nil {
		t.Error("a goroutine that stays is not seen")
	}
	close(end)
	if err := goroutinesLeft(before, patience); err != nil {
		t.Error(err)
	}
}
