package exchange_test

import (
	"context"
	"strings"
	"testing"

	"mianti/connectors"
	"mianti/policies"
)

// TestOWASP_API10_WhatASourceSendsIsDataAndNoMore (unsafe consumption of APIs):
// the text of a source is kept as it is where it was asked for, and is nowhere
// else; what was not asked for, and what is about somebody else, is nowhere. How
// answers are bounded and read is connectors/conformance's to test.
func TestOWASP_API10_WhatASourceSendsIsDataAndNoMore(t *testing.T) {
	t.Parallel()
	const hostile = `<img src=x onerror=alert(1)> =cmd|'/c calc'!A1 ${jndi:x} ' OR 1=1 --`
	b := newBench(t, except("D-ZR01", func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		r := record(q)
		r.Fields["usage"], r.Fields["not_asked_for"] = hostile, "canary-extra"
		return connectors.Reply{Records: []connectors.Record{r}, Reference: "应答"}, nil
	}))
	r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	m := b.material(r, "S01.M1.d", "p3")
	if m.Outcome != policies.Settled || m.Evidence.Fields["usage"] != hostile {
		t.Errorf("%s is %s with %v, want settled with the source's text as it is", m.Code, m.Outcome, m.Evidence)
	}
	if text := asJSON(t, r); strings.Contains(text, "canary-extra") || strings.Contains(text, "<img") {
		t.Error("the answer holds what was not asked for, or text that a browser takes for a tag")
	}
	for place, text := range map[string]string{"log": b.log.String(), "ledger": b.bodies(), "reasons": m.Reason.Text} {
		if strings.Contains(text, "onerror") || strings.Contains(text, "canary") || strings.Contains(text, "jndi") {
			t.Errorf("the %s holds text of the source", place)
		}
	}
}
