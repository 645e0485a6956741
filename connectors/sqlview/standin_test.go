package sqlview_test

import (
	"context"
	"net"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/sqlview"
	"mianti/connectors/standin"
)

// TestAsk_ReadsTheStandIn holds the stand-in's database, which demonstrations
// use, to what is asked of a real one.
func TestAsk_ReadsTheStandIn(t *testing.T) {
	t.Parallel()
	server, _ := conformance.StandIn(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- standin.NewDatabase(server).Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	d := &database{scheme: "postgres", address: listener.Addr().String(), name: "demo", login: "demo", password: standin.DemoSecret}
	held := &secrets{held: map[catalog.SecretRef]string{"cc-db": d.password}}
	c := sqlview.New(sqlview.Options{Secrets: held, Now: conformance.Today})
	t.Cleanup(c.Close)
	source := *d.source("")
	source.View = &catalog.View{Name: "cc.d_cc01", SubjectName: "subject_name", SubjectNumber: "subject_number", AsOf: "as_of", Revoked: "revoked"}
	who := conformance.People()[0]
	q := conformance.Query(conformance.Card, source, "postgres://"+d.address+"/demo", who)
	for _, tt := range []struct {
		name  string
		rules []standin.Rule
		want  connectors.FaultKind // empty: one record
	}{
		{"found", nil, ""},
		{"truncated", []standin.Rule{{Fault: standin.FaultTruncated}}, connectors.FaultDown},
		{"huge", []standin.Rule{{Fault: standin.FaultHuge}}, connectors.FaultMalformed},
		{"denied", []standin.Rule{{Fault: standin.FaultDenied}}, connectors.FaultRefused},
		{"busy", []standin.Rule{{Fault: standin.FaultBusy}}, connectors.FaultBusy},
		{"slow", []standin.Rule{{Fault: standin.FaultSlow}}, connectors.FaultTimeout},
		{"found again", nil, ""},
	} {
		if err := server.SetRules(tt.rules...); err != nil {
			t.Fatal(err)
		}
		limit := patience
		if tt.want == connectors.FaultTimeout {
			limit = 200 * time.Millisecond
		}
		reply, err := c.Ask(within(t, limit), q)
		if tt.want != "" {
			t.Run(tt.name, func(t *testing.T) { checkFault(t, err, tt.want) })
			continue
		}
		if err != nil || len(reply.Records) != 1 || reply.Records[0].Subject != who || reply.Records[0].Fields["valid_to"] != "2029-11-23" {
			t.Errorf("%s: got %v, %v, want the card", tt.name, reply.Records, err)
		}
	}
}
