package conformance

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/standin"
)

// Shape is how the source of a dataset is described, for a department that is
// asked over HTTP.
type Shape func(dataset string) catalog.Source

// Plain is Mianti's own plain JSON.
func Plain(dataset string) catalog.Source {
	return catalog.Source{Code: "CC." + dataset + ".query", Kind: catalog.SourceHTTPJSON, Path: "/query/" + dataset}
}

// Licences is the licence platform.
func Licences(dataset string) catalog.Source {
	return catalog.Source{Code: "CC." + dataset + ".elicense", Kind: catalog.SourceElicense, Path: "/elicense"}
}

// XRoad is a service of X-Road.
func XRoad(dataset string) catalog.Source {
	return catalog.Source{
		Code: "CC." + dataset + ".xroad", Kind: catalog.SourceXRoad,
		XRoad: &catalog.XRoad{Client: "MT-TEST/GOV/1001/exchange", Service: "MT-TEST/GOV/" + department + "/registers/" + dataset},
	}
}

// Signed is plain JSON for those who prove who they are by a method of the
// stand-in, such as hmac, with the settings for it.
func Signed(method string, auth *catalog.Auth) Shape {
	return func(dataset string) catalog.Source {
		source := Plain(dataset)
		source.Path = "/signed/" + method + "/" + dataset
		source.Auth = auth
		return source
	}
}

// Rest is the stand-in's other JSON shape, told in the words of a catalog.
func Rest(dataset string) catalog.Source {
	source := Plain(dataset)
	source.Path = "/rest/" + dataset
	source.HTTP = &catalog.HTTPCall{
		Form:  true,
		Body:  map[string]any{"xm": "${name}", "sfzh": "${number}", "lx": "${kind}", "reason": "${purpose}", "trace": "${id}"},
		Kinds: map[catalog.PartyKind]string{catalog.KindPerson: "1", catalog.KindOrganization: "2"},
		Answer: catalog.HTTPAnswer{
			Code: "/status", OK: []string{"200"}, NotFound: []string{"404"}, Refused: []string{"403"}, Busy: []string{"429"},
			Records: "/result", Reference: "/trace",
			SubjectName: "/who/xm", SubjectNumber: "/who/sfzh", AsOf: "/updated", Revoked: "/state", RevokedIn: []string{"0"},
			Record: "/content",
			Fields: map[string]string{},
			Values: map[string]catalog.ValueOf{},
		},
	}
	for _, field := range Dataset(dataset).Fields {
		source.HTTP.Answer.Fields[field.Code] = "/content/" + field.Code
		switch field.Type {
		case catalog.FieldDate:
			source.HTTP.Answer.Values[field.Code] = catalog.ValueOf{Date: "YYYYMMDD"}
		case catalog.FieldBool:
			source.HTTP.Answer.Values[field.Code] = catalog.ValueOf{Codes: map[string]string{"Y": "true", "N": "false"}}
		case catalog.FieldList:
			source.HTTP.Answer.Values[field.Code] = catalog.ValueOf{Split: "|"}
		}
	}
	return source
}

// Online is a department that is asked over HTTP. A network that can be out of
// order stands before it while a rule says that it is.
type Online struct {
	server   *standin.Server
	listener *httptest.Server
	network  *standin.Proxy
	broken   bool
	shape    Shape
}

// Serve starts a department of the given shape. It ends with the test.
func Serve(t testing.TB, shape Shape) *Online {
	t.Helper()
	server := newServer(t)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	network, err := standin.NewProxy(strings.TrimPrefix(listener.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.Close)
	if err := server.Attach(network, ""); err != nil {
		t.Fatal(err)
	}
	return &Online{server: server, listener: listener, network: network, shape: shape}
}

// Query asks through the network if a rule has broken it, and straight if not.
func (o *Online) Query(dataset string, s connectors.Subject) connectors.Query {
	base := o.listener.URL
	if o.broken {
		base = "http://" + o.network.Addr()
	}
	return Query(dataset, o.shape(dataset), base+"/"+department, s)
}

// SetRules says how the department answers from the next Query on.
func (o *Online) SetRules(rules ...standin.Rule) error {
	o.broken = slices.ContainsFunc(rules, func(r standin.Rule) bool { return r.Fault.OfNetwork() })
	return o.server.SetRules(rules...)
}

// Asked says how many questions have arrived.
func (o *Online) Asked() int {
	all := 0
	for _, n := range o.server.Counts() {
		all += n
	}
	return all
}

// Server is the stand-in itself.
func (o *Online) Server() *standin.Server { return o.server }

// Close takes the department away.
func (o *Online) Close() {
	o.network.Close()
	o.listener.Close()
}

// StandIn starts the stand-in department of the trial without a network, and
// returns it with the base URL that a query needs. It ends with the test.
func StandIn(t testing.TB) (*standin.Server, string) {
	t.Helper()
	server := newServer(t)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return server, listener.URL + "/" + department
}

// newServer holds the records of People.
func newServer(t testing.TB) *standin.Server {
	t.Helper()
	persons := make([]standin.Person, 0, len(People()))
	for _, s := range People() {
		persons = append(persons, standin.Person{Code: s.Number, Name: s.Name, Number: s.Number})
	}
	server, err := standin.New(standin.Options{
		Catalog:    newTrial(),
		Population: &standin.Population{Persons: persons},
		Today:      Today,
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}
