package httpjson_test

import (
	"testing"

	"mianti/connectors/conformance"
)

func BenchmarkAsk(b *testing.B) {
	_, baseURL := conformance.StandIn(b)
	connector := asker(b)
	q := conformance.Query(conformance.Card, conformance.Plain(conformance.Card), baseURL, conformance.People()[0])
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := connector.Ask(b.Context(), q); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
