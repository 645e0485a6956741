package httpjson_test

import (
	"testing"

	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/httpjson"
	"mianti/connectors/standin"
)

func TestConnector_KeepsTheContract(t *testing.T) {
	conformance.Run(t, func(t *testing.T) (connectors.Connector, *standin.Server, string) {
		server, baseURL := conformance.StandIn(t)
		return httpjson.New(httpjson.Options{}), server, baseURL
	}, httpjson.Kind)
}
