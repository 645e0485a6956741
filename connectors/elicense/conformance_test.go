package elicense_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/elicense"
	"mianti/connectors/standin"
	"mianti/connectors/wire"
)

func TestConnector_KeepsTheContract(t *testing.T) {
	conformance.Run(t, conformance.Kind{
		Name: catalog.SourceElicense,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			client := wire.NewClient(wire.Options{Now: conformance.Today})
			t.Cleanup(client.Close)
			return elicense.New(client), conformance.Serve(t, conformance.Licences)
		},
		NotFor: map[string]string{
			"as it will be in ten years": "a licence does not say how old it is",
		},
		Faults: map[string]connectors.FaultKind{
			// Status 2 says that the register behind the platform does not serve now.
			"busy": connectors.FaultDown,
		},
	})
}

func TestFile_IsThereOnceBehindALink(t *testing.T) {
	t.Parallel()
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	connector := elicense.New(client)
	q := conformance.Serve(t, conformance.Licences).Query(conformance.Card, conformance.People()[0])
	reply, err := connector.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	link, err := connector.FileLink(t.Context(), q, reply.Reference)
	if err != nil {
		t.Fatal(err)
	}
	file, err := connector.File(t.Context(), q, link)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file.Body)
	if err := errors.Join(err, file.Body.Close()); err != nil || file.Type != "application/pdf" || !bytes.HasPrefix(text, []byte("%PDF-")) {
		t.Errorf("%s of %d bytes, %v", file.Type, len(text), err)
	}
	if _, err := connector.File(t.Context(), q, link); !errors.Is(err, elicense.ErrLinkOver) {
		t.Errorf("the second time: %v", err)
	}
}

func TestFileLink_LeadsToNoOtherHost(t *testing.T) {
	t.Parallel()
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	connector := elicense.New(client)
	department := conformance.Serve(t, conformance.Licences)
	q := department.Query(conformance.Card, conformance.People()[0])
	reply, err := connector.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := department.SetRules(standin.Rule{Fault: standin.FaultRedirectAway}); err != nil {
		t.Fatal(err)
	}
	if _, err := connector.FileLink(t.Context(), q, reply.Reference); connectors.KindOf(err) != connectors.FaultMalformed {
		t.Errorf("got %v, want fault malformed", err)
	}
}

func TestVerify_HearsTheResultsOfTheStandIn(t *testing.T) {
	t.Parallel()
	client := wire.NewClient(wire.Options{Now: conformance.Today})
	t.Cleanup(client.Close)
	connector := elicense.New(client)
	department := conformance.Serve(t, conformance.Licences)
	q := department.Query(conformance.Card, conformance.People()[0])
	for _, c := range []struct {
		fault standin.Fault
		until string
		want  elicense.VerifyResult
	}{
		{"", "20291123", elicense.VerifyValid},
		{standin.FaultInactive, "20291123", elicense.VerifyInactive},
		{standin.FaultSuspended, "20291123", elicense.VerifySuspended},
		{standin.FaultRevoked, "20291123", elicense.VerifyLapsed},
		{standin.FaultNotFound, "20291123", elicense.VerifyNotFound},
		{standin.FaultMismatch, "20291123", elicense.VerifyDiffering},
		{"", "20291124", elicense.VerifyDiffering},
	} {
		if err := department.SetRules(standin.Rule{Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		data := elicense.VerifyData{Number: "证0000000001", Fields: map[string]string{"valid_to": c.until}}
		if got, err := connector.Verify(t.Context(), q, data); err != nil || got != c.want {
			t.Errorf("%q: %q, %v, want %q", c.fault, got, err, c.want)
		}
	}
}
