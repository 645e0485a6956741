package elicense_test

import (
	"testing"

	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/elicense"
	"mianti/connectors/standin"
)

func TestConnector_KeepsTheContract(t *testing.T) {
	conformance.Run(t, func(t *testing.T) (connectors.Connector, *standin.Server, string) {
		server, baseURL := conformance.StandIn(t)
		return elicense.New(elicense.Options{}), server, baseURL
	}, elicense.Kind)
}
