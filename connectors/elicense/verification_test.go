package elicense_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/elicense"
	"mianti/connectors/standin"
	"mianti/connectors/wire"
)

func TestVerify_TellsTheEightResultsApart(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]elicense.VerifyResult{
		"0": elicense.VerifyValid, "1": elicense.VerifyInactive, "2": elicense.VerifySuspended, "3": elicense.VerifyLapsed,
		"4": elicense.VerifyIncomplete, "5": elicense.VerifyNotFound, "6": elicense.VerifyLacking, "7": elicense.VerifyDiffering,
	} {
		url := platform(t, map[string]string{"verifyCertInfo": verified(code)}, nil)
		if got, err := newConnector(t).Verify(t.Context(), query(url), elicense.VerifyData{}); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", code, got, err, want)
		}
	}
}

func TestVerify_BelievesNoAnswerThatBreaksTheInterface(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]connectors.FaultKind{
		verified("8"):             connectors.FaultMalformed,
		verified(""):              connectors.FaultMalformed,
		verified("00"):            connectors.FaultMalformed,
		`{"head":{"status":"0"}}`: connectors.FaultMalformed,
		`{"data":{"result":"0"}}`: connectors.FaultMalformed,
		`{"head":{"status":"0"},"data":{"result":0}}`:     connectors.FaultMalformed,
		`{"head":{"status":"100"},"data":{"result":"0"}}`: connectors.FaultRefused,
		`{"head":{"status":"2"},"data":{"result":"0"}}`:   connectors.FaultDown,
		`{"head":{"status":"111"}}`:                       connectors.FaultMalformed,
	} {
		url := platform(t, map[string]string{"verifyCertInfo": body}, nil)
		got, err := newConnector(t).Verify(t.Context(), query(url), elicense.VerifyData{})
		wantFault(t, err, want)
		if got != "" {
			t.Errorf("%s: got %q beside the fault", body, got)
		}
	}
}

func TestVerify_TakesNoLicenceAtAllForAnAnswer(t *testing.T) {
	t.Parallel()
	url := platform(t, map[string]string{"verifyCertInfo": `{"head":{"status":"10"}}`}, nil)
	if got, err := newConnector(t).Verify(t.Context(), query(url), elicense.VerifyData{}); err != nil || got != elicense.VerifyNotFound {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestVerify_SendsWhatIsPrintedAndWhoseItIsByTheQuery(t *testing.T) {
	t.Parallel()
	var got map[string]any
	url := platform(t, map[string]string{"verifyCertInfo": verified("0")}, func(r *http.Request) {
		if r.URL.String() != "/elicense/verifyCertInfo" {
			t.Errorf("asked at %s", r.URL)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})
	q := query(url)
	q.Purpose = "办件核验"
	q.Dataset.Fields = append(q.Dataset.Fields, catalog.Field{Code: "trap", Name: "holderCode"}, catalog.Field{Code: "other_trap", Name: "certNo"})
	data := elicense.VerifyData{Number: "证1", Fields: map[string]string{"valid_to": "20300101", "trap": "370199199007221247", "other_trap": "证2"}}
	if _, err := newConnector(t).Verify(t.Context(), q, data); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"certTypeCode": typeCode, "useCause": "办件核验",
		"certData": map[string]any{"holder": "王建国", "holderCode": number, "certNo": "证1", "有效期止": "20300101"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
}

func TestVerify_KnowsOnlyTheFieldsOfItsDataset(t *testing.T) {
	t.Parallel()
	url := platform(t, nil, func(*http.Request) { t.Error("asked all the same") })
	_, err := newConnector(t).Verify(t.Context(), query(url), elicense.VerifyData{Fields: map[string]string{"other": "x"}})
	wantFault(t, err, connectors.FaultMisset)
}

func TestVerifyData_IsRedactedInTexts(t *testing.T) {
	t.Parallel()
	data := elicense.VerifyData{Number: "canary", Fields: map[string]string{"name": "canary"}}
	if text := fmt.Sprintf("%v %+v %#v %s", data, data, data, data); strings.Contains(text, "canary") {
		t.Errorf("the licence can be seen in %s", text)
	}
}

func TestVerify_AgreesWithTheStandIn(t *testing.T) {
	t.Parallel()
	department := conformance.Serve(t, conformance.Licences)
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	connector := elicense.New(client)
	who := conformance.People()[0]
	for _, c := range []struct {
		fault standin.Fault
		want  elicense.VerifyResult
	}{
		{"", elicense.VerifyValid},
		{standin.FaultInactive, elicense.VerifyInactive},
		{standin.FaultSuspended, elicense.VerifySuspended},
		{standin.FaultRevoked, elicense.VerifyLapsed},
		{standin.FaultNotFound, elicense.VerifyNotFound},
		{standin.FaultMismatch, elicense.VerifyDiffering},
	} {
		var rules []standin.Rule
		if c.fault != "" {
			rules = []standin.Rule{{Fault: c.fault}}
		}
		if err := department.SetRules(rules...); err != nil {
			t.Fatal(err)
		}
		got, err := connector.Verify(t.Context(), department.Query(conformance.Card, who), elicense.VerifyData{})
		if err != nil || got != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.fault, got, err, c.want)
		}
	}
}

func verified(code string) string {
	return `{"head":{"status":"0"},"data":{"result":"` + code + `","message":"x"}}`
}
