package httpjson_test

import (
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/httpjson"
)

func BenchmarkAsk(b *testing.B) {
	_, baseURL := conformance.StandIn(b)
	connector := httpjson.New(httpjson.Options{})
	q := connectors.Query{
		ID: "q-1", BaseURL: baseURL, Source: &catalog.Source{Path: "/query/D-CC01"}, Purpose: "办件核验",
		Dataset: &catalog.Dataset{Code: "D-CC01", Fields: []catalog.Field{{Code: "name", Name: "姓名", Type: catalog.FieldString}}},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "冯涛", Number: "370199198601121535"},
		Fields:  []string{"name"},
	}
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
