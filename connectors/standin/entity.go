package standin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
)

// entity is a person, body or thing with its relations, as the records refer
// to it. After the registry is built it never changes.
type entity struct {
	kind   catalog.PartyKind
	index  int // among those of its kind; negative for one that nobody registered
	code   string
	name   string
	number string
	usage  string // of a property

	holder        *entity // of a thing; may be nil
	spouse        *entity
	children      []*entity
	parents       []*entity
	household     *entity // the first member of the person's household
	represented   *entity // of an organisation: its legal representative
	shareholders  []*entity
	organizations []*entity // that a person represents, then those it has a share of
	properties    []*entity
	vehicles      []*entity
	projects      []*entity
}

// isMan reads the sex from the order digit of a citizen's number.
func (e *entity) isMan() bool { return e.digit(16)%2 == 1 }

func (e *entity) digit(i int) int {
	if len(e.number) <= i {
		return 0
	}
	return int(e.number[i] - '0')
}

// birthday is a person's, read from the number; the zero time for all others.
func (e *entity) birthday() time.Time {
	if e.kind != catalog.KindPerson || len(e.number) < 14 {
		return time.Time{}
	}
	day, err := time.Parse("20060102", e.number[6:14])
	if err != nil {
		return time.Time{}
	}
	return day
}

// related follows one step from an entity. It always leads somewhere: where
// the population says nothing, to somebody or something plausible that belongs
// to this entity alone.
func (e *entity) related(step string) (*entity, error) {
	switch step {
	case "holder":
		return e.owner(), nil
	case "organization":
		return e.organization(), nil
	case "legal_representative":
		return e.organization().head(), nil
	case "shareholder":
		return first(e.organization().shareholders, e.organization().head()), nil
	case "person":
		return e.person(), nil
	case "spouse":
		return e.person().partner(), nil
	case "child":
		return first(e.person().children, e.person()), nil
	case "mother":
		return e.person().parent(false), nil
	case "father":
		return e.person().parent(true), nil
	case "property":
		return e.property(), nil
	case "home":
		return e.person().home(), nil
	case "vehicle":
		return e.thing(catalog.KindVehicle, e.owner().vehicles), nil
	case "project":
		return e.thing(catalog.KindProject, e.owner().projects), nil
	}
	return nil, fmt.Errorf("no relation is called %q", step)
}

// owner is the holder of a thing; persons and organisations own themselves.
func (e *entity) owner() *entity {
	switch {
	case e.kind == catalog.KindPerson || e.kind == catalog.KindOrganization:
		return e
	case e.holder != nil:
		return e.holder
	default:
		return inventedPerson(e, "示例住户", true)
	}
}

func (e *entity) organization() *entity {
	owner := e.owner()
	if owner.kind == catalog.KindOrganization {
		return owner
	}
	return first(owner.organizations, invented(owner, catalog.KindOrganization, "济南示例用工有限公司"))
}

// head is an organisation's legal representative.
func (e *entity) head() *entity {
	switch {
	case e.represented != nil:
		return e.represented
	case e.holder != nil: // an invented organisation belongs to whom it was invented for
		return e.holder
	default:
		return inventedPerson(e, "示例负责人", true)
	}
}

func (e *entity) person() *entity {
	if owner := e.owner(); owner.kind == catalog.KindPerson {
		return owner
	}
	return e.organization().head()
}

func (e *entity) partner() *entity {
	if e.spouse != nil {
		return e.spouse
	}
	return inventedPerson(e, "示例配偶", !e.isMan())
}

func (e *entity) parent(father bool) *entity {
	for _, p := range e.parents {
		if p.isMan() == father {
			return p
		}
	}
	if father {
		return inventedPerson(e, "示例父亲", true)
	}
	return inventedPerson(e, "示例母亲", false)
}

// property is the property itself, or the first one that its owner holds.
func (e *entity) property() *entity {
	if e.kind == catalog.KindProperty {
		return e
	}
	owner := e.owner()
	if len(owner.properties) > 0 {
		return owner.properties[0]
	}
	if owner.kind == catalog.KindPerson {
		return owner.home()
	}
	return inventedHome(owner, "办公")
}

// home is where a person's household lives: a dwelling that one of them holds,
// or an invented one.
func (e *entity) home() *entity {
	household := e
	if e.household != nil {
		household = e.household
	}
	for _, member := range append([]*entity{household}, family(household)...) {
		for _, p := range member.properties {
			if p.usage == "住宅" {
				return p
			}
		}
	}
	return inventedHome(household, "住宅")
}

func (e *entity) thing(kind catalog.PartyKind, owned []*entity) *entity {
	if e.kind == kind {
		return e
	}
	if kind == catalog.KindVehicle {
		return first(owned, invented(e.owner(), kind, "鲁A0X999"))
	}
	return first(owned, invented(e.owner(), kind, "济南示例建设项目"))
}

// invented is somebody or something that is in no register, and belongs to e.
func invented(e *entity, kind catalog.PartyKind, name string) *entity {
	out := &entity{kind: kind, index: -1, name: name, holder: e}
	switch kind {
	case catalog.KindOrganization:
		out.number = creditCode(999999)
	case catalog.KindVehicle:
		out.number = fmt.Sprintf("LNONE%012d", e.sequence())
	case catalog.KindProject:
		out.number = fmt.Sprintf("2301-%s-04-01-%06d", area, e.sequence())
	}
	return out
}

// inventedPerson was born in 1980 and is told apart by the order digits.
func inventedPerson(e *entity, name string, man bool) *entity {
	order := 2 * (e.sequence() % 500)
	if man {
		order++
	}
	return &entity{kind: catalog.KindPerson, index: -1, name: name, number: citizenNumber("19800101", order)}
}

func inventedHome(e *entity, usage string) *entity {
	n := e.sequence()
	return &entity{
		kind: catalog.KindProperty, index: -1, holder: e, usage: usage,
		name:   fmt.Sprintf("济南市示例区示例路%d号%d号楼%d室", n/20+1, n%20/4+1, 101+n%4),
		number: unitNumber(50000000 + n),
	}
}

// sequence tells entities apart in invented numbers.
func (e *entity) sequence() int { return max(e.index, 0) }

// first is the first of a list, or the other when it is empty.
func first(list []*entity, other *entity) *entity {
	if len(list) > 0 {
		return list[0]
	}
	return other
}

// family are the persons who live with a person by spouse, child and parent.
func family(e *entity) []*entity {
	seen := []*entity{e}
	for i := 0; i < len(seen); i++ {
		near := append(slices.Clone(seen[i].children), seen[i].parents...)
		if seen[i].spouse != nil {
			near = append(near, seen[i].spouse)
		}
		for _, n := range near {
			if !slices.Contains(seen, n) {
				seen = append(seen, n)
			}
		}
	}
	return seen[1:]
}

// spelling brings spellings of one name together that registers do not tell
// apart: full and half width, with and without blanks, the kinds of middle dot.
func spelling(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch r {
		case ' ', '\u3000':
			return -1
		case '•', '・', '‧', '∙', '.':
			return '·'
		}
		return r
	}, name)
}
