package xroad_test

import (
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/wire"
	"mianti/connectors/xroad"
)

// newConnector has a clock that agrees with the department's.
func newConnector(t testing.TB) *xroad.Connector {
	t.Helper()
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	return xroad.New(client, conformance.Today)
}

func TestConnector_KeepsTheContract(t *testing.T) {
	conformance.Run(t, conformance.Kind{
		Name: catalog.SourceXRoad,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			return newConnector(t), conformance.Serve(t, conformance.XRoad)
		},
	})
}
