package standin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"mianti/internal/identifier"
)

const (
	// area was never assigned to any county, so no number in it is anyone's.
	area = "370199"
	// familySize is a couple, their child, and a single person.
	familySize = 4
)

// Generate returns a copy of base with this many further persons, and what
// belongs to them: of every four persons two are a couple with a child, and
// together with the fourth, who is single, they have an organisation, two
// properties, a vehicle, a project and an address. All numbers are valid. The
// same base, seed and count give the same population.
//
// A base of nil is empty.
func Generate(base *Population, seed uint64, persons int) *Population {
	g := generator{random: rand.New(rand.NewPCG(seed, 0x6d69616e7469)), taken: map[string]bool{}}
	if base != nil {
		g.out = clonePopulation(base)
	}
	g.out.Format = populationFormat
	for _, p := range g.out.Persons {
		g.taken[p.Number] = true
	}
	for first := 0; first < persons; first += familySize {
		g.family(first, min(familySize, persons-first))
	}
	return &g.out
}

func clonePopulation(p *Population) Population {
	return Population{
		Persons: slices.Clone(p.Persons), Organizations: slices.Clone(p.Organizations),
		Properties: slices.Clone(p.Properties), Vehicles: slices.Clone(p.Vehicles),
		Projects: slices.Clone(p.Projects), Addresses: slices.Clone(p.Addresses),
	}
}

type generator struct {
	random *rand.Rand
	taken  map[string]bool // citizens' numbers
	out    Population
}

// family adds the persons first..first+size-1 and, for the first of them, what
// the family has.
func (g *generator) family(first, size int) {
	surname := g.pick(surnames)
	code := func(i int) string { return fmt.Sprintf("g%07d", first+i) }
	members := []Person{g.person(code(0), surname, 1960, 1995, true)}
	if size > 1 {
		members = append(members, g.person(code(1), g.pick(surnames), 1960, 1995, false))
		members[0].Spouse, members[1].Spouse = code(1), code(0)
	}
	if size > 2 {
		members = append(members, g.person(code(2), surname, 2017, 2020, g.random.IntN(2) == 0))
		members[0].Children = []string{code(2)}
		members[1].Children = []string{code(2)}
	}
	if size > 3 {
		members = append(members, g.person(code(3), g.pick(surnames), 1960, 2000, g.random.IntN(2) == 0))
	}
	g.out.Persons = append(g.out.Persons, members...)
	g.belongings(first/familySize, members)
}

func (g *generator) person(code, surname string, fromYear, toYear int, male bool) Person {
	return Person{Code: code, Name: surname + g.given(), Number: g.citizenID(fromYear, toYear, male)}
}

func (g *generator) given() string {
	name := g.pick(syllables)
	if g.random.IntN(4) > 0 {
		name += g.pick(syllables)
	}
	return name
}

// citizenID makes a number that is not taken: born in [fromYear, toYear), with
// an odd order for men.
func (g *generator) citizenID(fromYear, toYear int, male bool) string {
	start := time.Date(fromYear, 1, 1, 0, 0, 0, 0, time.UTC)
	days := int(time.Date(toYear, 1, 1, 0, 0, 0, 0, time.UTC).Sub(start).Hours() / 24)
	for {
		order := 2 * g.random.IntN(500)
		if male {
			order++
		}
		birthday := start.AddDate(0, 0, g.random.IntN(days))
		digits := area + birthday.Format("20060102") + fmt.Sprintf("%03d", order)
		number := digits + string(identifier.CitizenIDCheck(digits))
		if !g.taken[number] {
			g.taken[number] = true
			return number
		}
	}
}

// belongings adds what family number n has.
func (g *generator) belongings(n int, members []Person) {
	head, last := members[0].Code, members[len(members)-1].Code
	organization := fmt.Sprintf("go%07d", n)
	trade := g.pickWord(trades, 2)
	name := fmt.Sprintf("济南%s%s%s示例有限公司", g.pick(syllables), g.pick(syllables), trade)
	home := fmt.Sprintf("济南市示例区生成路%d号%d号楼%d室", n/8+1, n%8+1, 101+100*g.random.IntN(18)+g.random.IntN(4))
	office := fmt.Sprintf("济南市示例区生成路%d号商务楼%d室", n/8+1, 1001+n%8)
	g.out.Organizations = append(g.out.Organizations, Organization{
		Code: organization, Name: name, Number: creditCode(n),
		LegalRepresentative: head, Shareholders: slices.Compact([]string{head, last}),
	})
	g.out.Properties = append(g.out.Properties,
		Property{Code: fmt.Sprintf("gh%07d", n), Name: home, Number: unitNumber(2*n + 1), Holder: head, Usage: "住宅"},
		Property{Code: fmt.Sprintf("gf%07d", n), Name: office, Number: unitNumber(2*n + 2), Holder: organization, Usage: "办公"})
	g.out.Vehicles = append(g.out.Vehicles, Holding{
		Code: fmt.Sprintf("gv%07d", n), Name: "鲁A" + plateSerial(n), Number: fmt.Sprintf("LGENR%012d", n), Holder: organization})
	g.out.Projects = append(g.out.Projects, Holding{
		Code: fmt.Sprintf("gp%07d", n), Name: "济南" + trade + "示例项目" + fmt.Sprint(n+1), Number: fmt.Sprintf("2501-%s-04-01-%06d", area, n), Holder: organization})
	g.out.Addresses = append(g.out.Addresses, Address{
		Code: fmt.Sprintf("ga%07d", n), Name: home, Number: fmt.Sprintf("%s1%011d", area, n)})
}

// pick takes one character of a text.
func (g *generator) pick(from string) string { return g.pickWord(from, 1) }

// pickWord takes one of the words of equal length that a text is made of.
func (g *generator) pickWord(from string, length int) string {
	characters := []rune(from)
	at := g.random.IntN(len(characters)/length) * length
	return string(characters[at : at+length])
}

// creditCode makes the unified social credit code of a generated company, valid
// by GB 32100 and, in its organisation part, by GB 11714.
func creditCode(n int) string {
	body := fmt.Sprintf("MG%06d", n)
	first := "91370102" + body + string(identifier.OrganizationCheck(body))
	return first + string(identifier.CreditCodeCheck(first))
}

// unitNumber makes a 28-character number of a real-estate unit in a cadastral
// zone of its own.
func unitNumber(n int) string {
	return fmt.Sprintf("%s009%03dGB%05dF%08d", area, n/100000%1000, n%100000, n)
}

// plateSerial writes n with five digits and letters, without the letters I and O.
func plateSerial(n int) string {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	serial := make([]byte, 5)
	for i := len(serial) - 1; i >= 0; i-- {
		serial[i] = alphabet[n%len(alphabet)]
		n /= len(alphabet)
	}
	return string(serial)
}

// citizenNumber makes a valid number from a birthday and an order.
func citizenNumber(birthday string, order int) string {
	digits := area + birthday + fmt.Sprintf("%03d", max(order, 0)%1000)
	return digits + string(identifier.CitizenIDCheck(digits))
}
