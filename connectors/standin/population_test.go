package standin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors/standin"
	"mianti/internal/identifier"
)

func TestReadPopulation_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	const head = "format: mianti-population/1\n"
	for name, text := range map[string]string{
		"an unknown key":         head + "persons:\n  - {code: a, name: 甲, number: \"1\", age: 7}\n",
		"an unknown list":        head + "animals: []\n",
		"another format":         "format: mianti-population/2\n",
		"no format":              "persons: []\n",
		"two documents":          head + "---\n" + head,
		"no YAML":                "format: [",
		"nothing":                "",
		"a text for a list":      head + "persons: x\n",
		"a key that is repeated": head + "persons: []\npersons: []\n",
	} {
		if _, err := standin.ReadPopulation(strings.NewReader(text)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestNew_RefusesAPopulationThatDoesNotFitTogether(t *testing.T) {
	t.Parallel()
	cases := map[string]func(p *standin.Population){
		"a number of another area":     func(p *standin.Population) { p.Persons[0].Number = "11010519491231002X" },
		"a wrong check digit":          func(p *standin.Population) { p.Persons[0].Number = "370199198805163316" },
		"a wrong credit code":          func(p *standin.Population) { p.Organizations[0].Number = "91370102MA9X10017X" },
		"a property without a number":  func(p *standin.Population) { p.Properties[0].Number = "" },
		"a person without a name":      func(p *standin.Population) { p.Persons[0].Name = "" },
		"a code that is used twice":    func(p *standin.Population) { p.Persons[1].Code = p.Persons[0].Code },
		"a number that is used twice":  func(p *standin.Population) { p.Persons[1].Number = p.Persons[0].Number },
		"an unknown holder":            func(p *standin.Population) { p.Properties[0].Holder = "nobody" },
		"an unknown child":             func(p *standin.Population) { p.Persons[0].Children = []string{"nobody"} },
		"a company as a child":         func(p *standin.Population) { p.Persons[0].Children = []string{"o"} },
		"an unknown shareholder":       func(p *standin.Population) { p.Organizations[0].Shareholders = []string{"nobody"} },
		"a company that leads":         func(p *standin.Population) { p.Organizations[0].LegalRepresentative = "o" },
		"a spouse who says otherwise":  func(p *standin.Population) { p.Persons[1].Spouse = "" },
		"a vehicle held by a property": func(p *standin.Population) { p.Vehicles[0].Holder = "h" },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := smallPopulation()
			spoil(p)
			if _, err := standin.New(standin.Options{Catalog: smallCatalog(), Population: p, Today: today}); err == nil {
				t.Error("it is accepted")
			}
		})
	}
	if _, err := standin.New(standin.Options{Catalog: smallCatalog(), Population: smallPopulation(), Today: today}); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
}

func TestGenerate_MakesTheSamePopulationForTheSameSeed(t *testing.T) {
	t.Parallel()
	one, two := standin.Generate(smallPopulation(), 7, 41), standin.Generate(smallPopulation(), 7, 41)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("the same seed gives another population:\n%s", diff)
	}
	if other := standin.Generate(smallPopulation(), 8, 41); cmp.Equal(one, other) {
		t.Error("another seed gives the same population")
	}
	if base := smallPopulation(); len(one.Persons) != len(base.Persons)+41 || one.Persons[0].Name != base.Persons[0].Name {
		t.Errorf("%d persons, want the base's and 41 more", len(one.Persons))
	}
}

func TestGenerate_GivesValidNumbersAndWholeFamilies(t *testing.T) {
	t.Parallel()
	p := standin.Generate(nil, 1, 4000)
	byCode := map[string]standin.Person{}
	for _, x := range p.Persons {
		byCode[x.Code] = x
		if err := identifier.CitizenID(x.Number); err != nil || x.Number[:6] != "370199" {
			t.Fatalf("person %s has a wrong number: %v", x.Code, err)
		}
	}
	for _, x := range p.Organizations {
		if err := identifier.CreditCode(x.Number); err != nil {
			t.Fatalf("organisation %s has a wrong number: %v", x.Code, err)
		}
		if check := identifier.OrganizationCheck(x.Number[8:16]); check != x.Number[16] {
			t.Fatalf("organisation %s has a wrong organisation code", x.Code)
		}
		if byCode[x.LegalRepresentative].Code == "" || len(x.Shareholders) == 0 {
			t.Fatalf("organisation %s has nobody", x.Code)
		}
	}
	couples := 0
	for _, x := range p.Persons {
		if x.Spouse == "" {
			continue
		}
		couples++
		spouse := byCode[x.Spouse]
		if spouse.Spouse != x.Code || (x.Number[16]-spouse.Number[16])%2 == 0 || !cmp.Equal(x.Children, spouse.Children) {
			t.Fatalf("%s and %s are no couple", x.Code, spouse.Code)
		}
		for _, code := range x.Children {
			if child := byCode[code]; child.Number[6:10] <= x.Number[6:10] {
				t.Fatalf("child %s is older than parent %s", code, x.Code)
			}
		}
	}
	if couples != 2000 || len(p.Properties) != 2000 || len(p.Vehicles) != 1000 {
		t.Errorf("%d married, %d properties, %d vehicles", couples, len(p.Properties), len(p.Vehicles))
	}
	for _, x := range p.Properties {
		if len(x.Number) != 28 {
			t.Fatalf("property %s has a number of %d characters", x.Code, len(x.Number))
		}
	}
}
