package standin_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/elicense"
	"mianti/connectors/httpjson"
	"mianti/connectors/standin"
	"mianti/connectors/wire"
	"mianti/examples/jinan"
)

func TestJinan_EveryDatasetHoldsOneGoodRecordOfEveryoneInBothShapes(t *testing.T) {
	t.Parallel()
	revision, population := loadJinan(t)
	population = standin.Generate(population, 1, 4)
	base := serveJinan(t, revision, population)
	client := newClient(t)
	asking := map[catalog.SourceKind]connectors.Connector{
		catalog.SourceHTTPJSON: httpjson.New(client, today), catalog.SourceElicense: elicense.New(client),
	}
	asked := 0
	for _, dataset := range revision.Datasets() {
		for i := range dataset.Sources {
			source := &dataset.Sources[i]
			connector := asking[source.Kind]
			if connector == nil {
				t.Fatalf("source %s is of unknown kind %s", source.Code, source.Kind)
			}
			for _, subject := range subjectsOf(population, dataset.AskedBy) {
				q := everyField(base, dataset, source, subject)
				checkOneGoodRecord(t, connector, q)
				asked++
			}
		}
	}
	if asked < 2*len(revision.Datasets()) {
		t.Errorf("only %d questions were asked", asked)
	}
}

func checkOneGoodRecord(t *testing.T, connector connectors.Connector, q connectors.Query) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	reply, err := connector.Ask(ctx, q)
	if err != nil || len(reply.Records) != 1 {
		t.Errorf("%s of a %s: %d records, %v", q.Source.Code, q.Subject.Kind, len(reply.Records), err)
		return
	}
	record := reply.Records[0]
	if record.Subject != q.Subject || record.Revoked {
		t.Errorf("%s of a %s: of somebody else, or revoked", q.Source.Code, q.Subject.Kind)
	}
	for _, field := range q.Dataset.Fields {
		if !isOf(field.Type, record.Fields[field.Code]) {
			t.Errorf("%s of a %s: field %s is %#v", q.Source.Code, q.Subject.Kind, field.Code, record.Fields[field.Code])
		}
	}
	if until := q.Dataset.ValidUntil; until != "" && record.Fields[until].(string) < today().Format(time.DateOnly) {
		t.Errorf("%s of a %s: expired", q.Source.Code, q.Subject.Kind)
	}
}

func isOf(kind catalog.FieldType, value any) bool {
	switch value := value.(type) {
	case string:
		if kind == catalog.FieldDate {
			_, err := time.Parse(time.DateOnly, value)
			return err == nil
		}
		return kind == catalog.FieldString && value != ""
	case float64:
		return kind == catalog.FieldNumber
	case bool:
		return kind == catalog.FieldBool
	case []string:
		return kind == catalog.FieldList && len(value) > 0
	}
	return false
}

// cast says who of the population plays a role when the checks are tried.
func cast(role string) []string {
	switch role {
	case "child", "minor_buyer":
		return []string{"fengle", "majun", "aisha"}
	case "guardian":
		return []string{"zheng", "feng", "ma", "aili"}
	case "grandparent":
		return []string{"feng_sr"}
	case "property_holder":
		return []string{"wu", "yunshan"}
	case "land_holder":
		return []string{"jiaxiao"}
	case "buyer", "buyer_spouse", "transferee", "transferee_spouse":
		return []string{"xu", "he", "ltd_b"}
	case "transferor", "transferor_spouse":
		return []string{"huang", "gao", "quan_dev"}
	case "developer":
		return []string{"quan_dev"}
	case "contractor":
		return []string{"qilu_build"}
	case "carrier":
		return []string{"daihuo"}
	case "driver", "coach", "manager":
		return []string{"luo", "tang"}
	case "site_manager", "safety_officer", "five_party_lead":
		return []string{"song"}
	case "vehicle", "teaching_vehicle":
		return []string{"鲁A0X001", "鲁A0X002挂", "鲁A0X003"}
	case "applicant":
		return []string{"zheng", "yunshan", "jiaxiao", "daihuo"}
	case "legal_representative":
		return []string{"wang"} // of the applicant of applicantOf
	default:
		return []string{"wang", "yunshan", "dong", "newflat", "solar", "home_zheng"}
	}
}

// applicantOf is the applicant when a check needs one beside its subject.
const applicantOf = "yunshan"

func TestJinan_EveryCheckHoldsForTheGoodRecords(t *testing.T) {
	t.Parallel()
	revision, population := loadJinan(t)
	base := serveJinan(t, revision, population)
	facts, details := revision.ParseFacts(map[string]any{
		"premises_use": "commercial", "seller_only5": true, "seller_over2y": true, "bid_required": true,
		"business_address": "济南市示例区云杉路1号商铺",
	})
	if len(details) > 0 {
		t.Fatal(details)
	}
	p := prover{t: t, revision: revision, base: base, population: population, facts: facts, connector: httpjson.New(newClient(t), today)}
	for _, matter := range revision.Matters() {
		for i := range matter.Materials {
			p.material(matter, &matter.Materials[i])
		}
	}
	if p.held < 50 {
		t.Errorf("only %d checks were tried", p.held)
	}
}

type prover struct {
	t          *testing.T
	revision   *catalog.Revision
	base       string
	population *standin.Population
	facts      catalog.Facts
	connector  connectors.Connector
	held       int
}

// material tries the checks of a material for everyone who plays its roles.
func (p *prover) material(matter *catalog.Matter, m *catalog.Material) {
	for i := range m.Proofs {
		proof := &m.Proofs[i]
		if proof.Check == "" || !p.reachable(m, proof) {
			continue
		}
		tried := p.held
		for _, code := range m.Subjects {
			for _, name := range cast(code) {
				subject, known := p.subject(name)
				fits := proof.For == "" || proof.For == subject.Kind
				if known && fits && slices.Contains(p.revision.Role(code).Kinds, subject.Kind) {
					p.proof(matter, m, proof, subject)
				}
			}
		}
		if tried == p.held {
			p.t.Errorf("%s: the check %q was held against nobody's records", m.Code, proof.Check)
		}
	}
}

// reachable is false for a proof that is for a kind of party which the
// material cannot have.
func (p *prover) reachable(m *catalog.Material, proof *catalog.Proof) bool {
	return proof.For == "" || slices.ContainsFunc(m.Subjects, func(role string) bool {
		return slices.Contains(p.revision.Role(role).Kinds, proof.For)
	})
}

func (p *prover) proof(matter *catalog.Matter, m *catalog.Material, proof *catalog.Proof, subject connectors.Subject) {
	records := map[string]map[string]any{}
	for _, l := range proof.Lookups {
		about := subject
		switch l.Subject {
		case "":
		case "applicant":
			about, _ = p.subject(applicantOf)
		default:
			about, _ = p.subject(cast(l.Subject)[0])
		}
		dataset := p.revision.Dataset(l.Dataset)
		if !slices.Contains(dataset.AskedBy, about.Kind) {
			return // not this kind of party's proof
		}
		reply, err := p.connector.Ask(p.t.Context(), everyField(p.base, dataset, p.revision.SourceFor(dataset.Code, catalog.ModeData), about))
		if err != nil || len(reply.Records) != 1 {
			p.t.Errorf("%s: %s: %d records, %v", m.Code, l.Dataset, len(reply.Records), err)
			return
		}
		records[l.Dataset] = reply.Records[0].Fields
	}
	input := catalog.CheckInput{
		Records: records, Facts: p.facts, Today: today(),
		Subject: catalog.Party{Kind: subject.Kind, Name: subject.Name, Number: subject.Number},
	}
	if oneThing := p.revision.OneThing(matter.OneThing); oneThing != nil {
		input.Params = oneThing.Params
	}
	p.held++
	if result, err := proof.Holds(input); err != nil || result.Truth != catalog.True {
		p.t.Errorf("%s: %s does not hold for the %s 「%s」: %+v %v", m.Code, proof.Check, subject.Kind, subject.Name, result, err)
	}
}

// subject finds whom a code of the population means; vehicles go by plate.
func (p *prover) subject(code string) (connectors.Subject, bool) {
	for _, x := range p.population.Persons {
		if x.Code == code {
			return connectors.Subject{Kind: catalog.KindPerson, Name: x.Name, Number: x.Number}, true
		}
	}
	for _, x := range p.population.Organizations {
		if x.Code == code {
			return connectors.Subject{Kind: catalog.KindOrganization, Name: x.Name, Number: x.Number}, true
		}
	}
	for _, x := range p.population.Properties {
		if x.Code == code {
			return connectors.Subject{Kind: catalog.KindProperty, Name: x.Name, Number: x.Number}, true
		}
	}
	for _, x := range p.population.Vehicles {
		if x.Name == code {
			return connectors.Subject{Kind: catalog.KindVehicle, Name: x.Name, Number: x.Number}, true
		}
	}
	for _, x := range p.population.Projects {
		if x.Code == code {
			return connectors.Subject{Kind: catalog.KindProject, Name: x.Name, Number: x.Number}, true
		}
	}
	for _, x := range p.population.Addresses {
		if x.Code == code {
			return connectors.Subject{Kind: catalog.KindAddress, Name: x.Name, Number: x.Number}, true
		}
	}
	return connectors.Subject{}, false
}

func loadJinan(t *testing.T) (*catalog.Revision, *standin.Population) {
	t.Helper()
	revision, err := catalog.Load(jinan.Files)
	if err != nil {
		t.Fatal(err)
	}
	file, err := jinan.Files.Open("population.yaml")
	if err != nil {
		t.Fatal(err)
	}
	population, err := standin.ReadPopulation(file)
	if err != nil {
		t.Fatal(err)
	}
	return revision, population
}

func serveJinan(t *testing.T, revision *catalog.Revision, population *standin.Population) string {
	t.Helper()
	server, err := standin.New(standin.Options{Catalog: revision, Population: population, Today: today})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return listener.URL
}

// newClient has the clock of the departments.
func newClient(t *testing.T) *wire.Client {
	t.Helper()
	client := wire.NewClient(wire.Options{Now: today})
	t.Cleanup(client.Close)
	return client
}

func everyField(base string, dataset *catalog.Dataset, source *catalog.Source, subject connectors.Subject) connectors.Query {
	fields := make([]string, 0, len(dataset.Fields))
	for _, f := range dataset.Fields {
		fields = append(fields, f.Code)
	}
	return connectors.Query{
		ID: "q-1", Dataset: dataset, Source: source, BaseURL: base + "/" + dataset.Department, Network: catalog.NetworkLocal,
		Subject: subject, Fields: fields, Purpose: "办件核验",
	}
}

// subjectsOf are all of the population that are of these kinds and have a
// number.
func subjectsOf(p *standin.Population, kinds []catalog.PartyKind) []connectors.Subject {
	var out []connectors.Subject
	add := func(kind catalog.PartyKind, name, number string) {
		if number != "" && slices.Contains(kinds, kind) {
			out = append(out, connectors.Subject{Kind: kind, Name: name, Number: number})
		}
	}
	for _, x := range p.Persons {
		add(catalog.KindPerson, x.Name, x.Number)
	}
	for _, x := range p.Organizations {
		add(catalog.KindOrganization, x.Name, x.Number)
	}
	for _, x := range p.Properties {
		add(catalog.KindProperty, x.Name, x.Number)
	}
	for _, x := range p.Vehicles {
		add(catalog.KindVehicle, x.Name, x.Number)
	}
	for _, x := range p.Projects {
		add(catalog.KindProject, x.Name, x.Number)
	}
	for _, x := range p.Addresses {
		add(catalog.KindAddress, x.Name, x.Number)
	}
	return out
}
