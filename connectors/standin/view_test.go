package standin_test

import (
	"context"
	"net"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/sqlview"
	"mianti/connectors/standin"
)

// printed is the secret that everybody can read.
type printed struct{}

// Secret gives it, whatever is asked for.
func (printed) Secret(catalog.SecretRef) ([]byte, error) { return []byte(standin.DemoSecret), nil }

func TestDatabase_IsAskedByTheConnectorForViews(t *testing.T) {
	t.Parallel()
	server, _ := conformance.StandIn(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- standin.NewDatabase(server).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	connector := sqlview.New(sqlview.Options{Secrets: printed{}, Now: conformance.Today})
	t.Cleanup(connector.Close)
	source := catalog.Source{
		Code: "CC.D-CC02.view", Kind: catalog.SourceSQLView, Network: catalog.NetworkLocal,
		Auth: &catalog.Auth{Login: &catalog.LoginAuth{User: "mianti", Secret: "cc-db"}},
		View: &catalog.View{Name: "cc.d_cc02", SubjectName: "subject_name", SubjectNumber: "subject_number", AsOf: "as_of", Revoked: "revoked"},
	}
	who := conformance.People()[0]
	q := conformance.Query(conformance.Sheet, source, "postgres://"+listener.Addr().String()+"/cc", who)
	for _, c := range []struct {
		fault   standin.Fault
		records int
		want    connectors.FaultKind
	}{
		{"", 1, ""},
		{standin.FaultNotFound, 0, ""},
		{standin.FaultMultiple, 2, ""},
		{standin.FaultWrongPerson, 0, connectors.FaultWrongSubject},
		{standin.FaultNoSubject, 0, connectors.FaultMalformed},
		{standin.FaultDamaged, 0, connectors.FaultMalformed},
		{standin.FaultHuge, 0, connectors.FaultMalformed},
		{standin.FaultDenied, 0, connectors.FaultRefused},
		{standin.FaultMissing, 0, connectors.FaultMalformed},
		{standin.FaultTruncated, 0, connectors.FaultDown},
		{standin.FaultDown, 0, connectors.FaultDown},
	} {
		if err := server.SetRules(standin.Rule{Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		reply, err := connector.Ask(t.Context(), q)
		if c.want == "" && err != nil || c.want != "" && (err == nil || connectors.KindOf(err) != c.want) || len(reply.Records) != c.records {
			t.Errorf("%q: %d records, %v; want %d, %q", c.fault, len(reply.Records), err, c.records, c.want)
		}
	}
}
