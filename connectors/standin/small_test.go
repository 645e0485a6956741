package standin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors/standin"
)

// small is a catalog of two departments.
type small []*catalog.Dataset

func (s small) Datasets() []*catalog.Dataset { return s }

func (s small) Department(code string) *catalog.Department {
	if code != "AA" {
		return nil
	}
	return &catalog.Department{Code: "AA", Name: "示例局", CreditCode: "11370100MB901074XC"}
}

func smallCatalog() small {
	return small{
		{
			Code: "D-A", Name: "示例证", Department: "AA", ValidUntil: "valid_to", Certificate: &catalog.Certificate{},
			AskedBy: []catalog.PartyKind{catalog.KindPerson, catalog.KindOrganization, catalog.KindProperty, catalog.KindVehicle},
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "location", Name: "坐落", Type: catalog.FieldString},
				{Code: "area", Name: "面积", Type: catalog.FieldNumber},
				{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
			},
		},
		{
			// The real code, because it holds a record for each property.
			Code: "D-ZR01", Name: "不动产权证书", Department: "AA", AskedBy: []catalog.PartyKind{catalog.KindPerson, catalog.KindOrganization},
			Fields: []catalog.Field{
				{Code: "holder", Name: "权利人", Type: catalog.FieldString},
				{Code: "location", Name: "坐落", Type: catalog.FieldString},
				{Code: "usage", Name: "用途", Type: catalog.FieldString},
			},
		},
	}
}

func smallPopulation() *standin.Population {
	return &standin.Population{
		Persons: []standin.Person{
			{Code: "a", Name: "王建国", Number: "370199198805163315", Spouse: "b"},
			{Code: "b", Name: "赵晓敏", Number: "370199199007221247", Spouse: "a"},
			{Code: "c", Name: "阿依努尔·买买提", Number: "37019919910914262X"},
		},
		Organizations: []standin.Organization{
			{Code: "o", Name: "济南大件物流（示例）有限公司", Number: "91370102MA9X10041B", LegalRepresentative: "a", Shareholders: []string{"a", "b"}},
			{Code: "f", Name: "示例海外投资控股有限公司（境外）"},
		},
		Properties: []standin.Property{
			{Code: "h", Name: "济南市示例区云杉路1号", Number: "370199001001GB00001F00000001", Holder: "a", Usage: "住宅"},
			{Code: "i", Name: "济南市示例区云杉路2号", Number: "370199001001GB00001F00000002", Holder: "b", Usage: "商业"},
			{Code: "j", Name: "济南市示例区云杉路3号", Number: "370199001001GB00001F00000003", Holder: "b", Usage: "住宅"},
		},
		Vehicles: []standin.Holding{{Code: "v", Name: "鲁A0X001", Number: "LTEST000000000001", Holder: "o"}},
	}
}

func today() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

func newServer(t *testing.T, latency time.Duration) (*standin.Server, string) {
	t.Helper()
	server, err := standin.New(standin.Options{Catalog: smallCatalog(), Population: smallPopulation(), Today: today, Latency: latency})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return server, listener.URL
}

// post sends JSON and gives the status and the body.
func post(t *testing.T, url string, request any) (int, []byte) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, text
}

type queryAnswer struct {
	Code string
	Data []struct {
		Subject struct{ Name, Number string }
		Revoked bool
		Record  map[string]any
	}
}

func ask(t *testing.T, base, dataset, kind, name, number string, fields ...string) queryAnswer {
	t.Helper()
	status, body := post(t, base+"/AA/query/"+dataset, map[string]any{
		"request_id": "q-1", "purpose": "办件核验", "fields": fields,
		"subject": map[string]string{"kind": kind, "name": name, "number": number},
	})
	var out queryAnswer
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	return out
}
