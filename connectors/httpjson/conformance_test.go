package httpjson_test

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/conformance"
	"mianti/connectors/httpjson"
	"mianti/connectors/standin"
	"mianti/connectors/wire"
)

// keys are the secrets of a test, by reference.
type keys map[catalog.SecretRef][]byte

// Secret gives one.
func (k keys) Secret(ref catalog.SecretRef) ([]byte, error) {
	if secret, known := k[ref]; known {
		return secret, nil
	}
	return nil, errors.New("no secret is called " + string(ref))
}

// newConnector has a clock that agrees with the department's.
func newConnector(t *testing.T, secrets keys) *httpjson.Connector {
	t.Helper()
	client := wire.NewClient(wire.Options{Secrets: secrets, Now: conformance.Today})
	t.Cleanup(client.Close)
	return httpjson.New(client, conformance.Today)
}

func TestConnector_KeepsTheContract(t *testing.T) {
	conformance.Run(t, conformance.Kind{
		Name: catalog.SourceHTTPJSON,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			return newConnector(t, nil), conformance.Serve(t, conformance.Plain)
		},
	})
}

func TestConnector_KeepsTheContractWithAnotherShape(t *testing.T) {
	conformance.Run(t, conformance.Kind{
		Name: catalog.SourceHTTPJSON,
		New: func(t *testing.T) (connectors.Connector, conformance.Department) {
			return newConnector(t, nil), conformance.Serve(t, conformance.Rest)
		},
	})
}

// methods are how a source may want proof of who asks, with what the
// stand-in departments know.
func methods(t *testing.T) map[string]*catalog.Auth {
	t.Helper()
	const secret, sm2 = "cc-demo", "cc-sm2"
	return map[string]*catalog.Auth{
		"header":   {Header: &catalog.HeaderAuth{Name: standin.DemoHeader, Secret: secret}},
		"hmac":     {HMAC: &catalog.HMACAuth{Key: standin.DemoKey, Secret: secret, Algorithm: "sha256", Sign: standin.DemoSign}},
		"hmac-sm3": {HMAC: &catalog.HMACAuth{Key: standin.DemoKey, Secret: secret, Algorithm: "sm3", Sign: standin.DemoSign}},
		"sm2":      {SM2: &catalog.SM2Auth{Key: standin.DemoKey, Secret: sm2, Sign: standin.DemoSign}},
		"oauth2":   {OAuth2: &catalog.OAuth2Auth{TokenURL: "/oauth/token", ClientID: standin.DemoClient, Secret: secret}},
	}
}

func TestAsk_ProvesWhoAsksByEachMethod(t *testing.T) {
	t.Parallel()
	private, err := standin.DemoSM2Key()
	if err != nil {
		t.Fatal(err)
	}
	for method, auth := range methods(t) {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			department := conformance.Serve(t, conformance.Signed(method, auth))
			who := conformance.People()[0]
			good := newConnector(t, keys{"cc-demo": []byte(standin.DemoSecret), "cc-sm2": private})
			for range 2 { // a second time with a nonce of its own, or the same token
				reply, err := good.Ask(t.Context(), department.Query(conformance.Card, who))
				if err != nil || len(reply.Records) != 1 || reply.Records[0].Subject != who {
					t.Fatalf("with the right secret: %d records, %v", len(reply.Records), err)
				}
			}
			bad := newConnector(t, keys{"cc-demo": []byte("another-secret"), "cc-sm2": otherSM2Key(t)})
			_, err := bad.Ask(t.Context(), department.Query(conformance.Card, who))
			if connectors.KindOf(err) != connectors.FaultRefused || strings.Contains(err.Error(), "another-secret") {
				t.Errorf("with another secret: %v, want fault refused", err)
			}
			none := newConnector(t, keys{})
			_, err = none.Ask(t.Context(), department.Query(conformance.Card, who))
			if connectors.KindOf(err) != connectors.FaultMisset {
				t.Errorf("without a secret: %v, want fault misset", err)
			}
		})
	}
}

func TestAsk_GetsANewTokenWhenTheOldOneIsRevoked(t *testing.T) {
	t.Parallel()
	department := conformance.Serve(t, conformance.Signed("oauth2", methods(t)["oauth2"]))
	connector := newConnector(t, keys{"cc-demo": []byte(standin.DemoSecret)})
	ask := func(ctx context.Context) {
		t.Helper()
		reply, err := connector.Ask(ctx, department.Query(conformance.Card, conformance.People()[0]))
		if err != nil || len(reply.Records) != 1 {
			t.Fatalf("%d records, %v", len(reply.Records), err)
		}
	}
	ask(t.Context())
	department.Server().RevokeTokens()
	ask(t.Context())
}

// otherSM2Key is a key that is not the department's.
func otherSM2Key(t *testing.T) []byte {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
