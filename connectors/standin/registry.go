package standin

import (
	"errors"
	"fmt"

	"mianti/catalog"
	"mianti/internal/identifier"
)

// registry finds whom or what a record is asked for. It never changes.
type registry struct {
	byKind   map[catalog.PartyKind][]*entity
	byNumber map[catalog.PartyKind]map[string]*entity
	byCode   map[string]*entity
}

// newRegistry resolves the references of a population and refuses one whose
// parts do not fit or whose numbers are wrong, with all the reasons of the kind
// found first.
func newRegistry(p *Population) (*registry, error) {
	r := &registry{
		byKind:   map[catalog.PartyKind][]*entity{},
		byNumber: map[catalog.PartyKind]map[string]*entity{},
		byCode:   map[string]*entity{},
	}
	if err := errors.Join(r.addAll(p)...); err != nil {
		return nil, fmt.Errorf("population: %w", err)
	}
	if err := errors.Join(r.relatePersons(p), r.relateOrganizations(p), r.relateThings(p)); err != nil {
		return nil, fmt.Errorf("population: %w", err)
	}
	r.settleHouseholds()
	return r, nil
}

func (r *registry) addAll(p *Population) []error {
	var faults []error
	for _, x := range p.Persons {
		faults = append(faults, r.add(catalog.KindPerson, x.Code, x.Name, x.Number))
	}
	for _, x := range p.Organizations {
		faults = append(faults, r.add(catalog.KindOrganization, x.Code, x.Name, x.Number))
	}
	for _, x := range p.Properties {
		faults = append(faults, r.add(catalog.KindProperty, x.Code, x.Name, x.Number))
	}
	for _, x := range p.Vehicles {
		faults = append(faults, r.add(catalog.KindVehicle, x.Code, x.Name, x.Number))
	}
	for _, x := range p.Projects {
		faults = append(faults, r.add(catalog.KindProject, x.Code, x.Name, x.Number))
	}
	for _, x := range p.Addresses {
		faults = append(faults, r.add(catalog.KindAddress, x.Code, x.Name, x.Number))
	}
	return faults
}

func (r *registry) add(kind catalog.PartyKind, code, name, number string) error {
	if code == "" || name == "" || r.byCode[code] != nil {
		return fmt.Errorf("%s %q: its code is used twice, or it lacks a code or a name", kind, code)
	}
	if err := checkNumber(kind, number); err != nil {
		return fmt.Errorf("%s %q: %w", kind, code, err)
	}
	e := &entity{kind: kind, index: len(r.byKind[kind]), code: code, name: name, number: number}
	r.byCode[code] = e
	r.byKind[kind] = append(r.byKind[kind], e)
	if number == "" {
		return nil
	}
	if r.byNumber[kind] == nil {
		r.byNumber[kind] = map[string]*entity{}
	}
	if r.byNumber[kind][number] != nil {
		return fmt.Errorf("%s %q: its number is used twice", kind, code)
	}
	r.byNumber[kind][number] = e
	return nil
}

func checkNumber(kind catalog.PartyKind, number string) error {
	switch {
	case kind == catalog.KindOrganization && number == "":
		return nil // registered abroad
	case kind == catalog.KindOrganization:
		return identifier.CreditCode(number)
	case kind == catalog.KindPerson && (len(number) < len(area) || number[:len(area)] != area):
		return fmt.Errorf("the number is not of area %s", area)
	case kind == catalog.KindPerson:
		return identifier.CitizenID(number)
	case number == "":
		return errors.New("it has no number")
	}
	return nil
}

func (r *registry) relatePersons(p *Population) error {
	var faults []error
	for _, x := range p.Persons {
		e := r.byCode[x.Code]
		if x.Spouse != "" {
			spouse, err := r.find(x.Code, x.Spouse, catalog.KindPerson)
			faults = append(faults, err)
			e.spouse = spouse
		}
		for _, code := range x.Children {
			child, err := r.find(x.Code, code, catalog.KindPerson)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			e.children = append(e.children, child)
			child.parents = append(child.parents, e)
		}
	}
	for _, e := range r.byKind[catalog.KindPerson] {
		if e.spouse != nil && e.spouse.spouse != e {
			faults = append(faults, fmt.Errorf("person %q: the spouse says otherwise", e.code))
		}
	}
	return errors.Join(faults...)
}

func (r *registry) relateOrganizations(p *Population) error {
	var faults []error
	for _, x := range p.Organizations {
		e := r.byCode[x.Code]
		if x.LegalRepresentative != "" {
			head, err := r.find(x.Code, x.LegalRepresentative, catalog.KindPerson)
			faults = append(faults, err)
			if err == nil {
				e.represented = head
				head.organizations = append(head.organizations, e)
			}
		}
	}
	for _, x := range p.Organizations {
		e := r.byCode[x.Code]
		for _, code := range x.Shareholders {
			holder, err := r.find(x.Code, code, catalog.KindPerson, catalog.KindOrganization)
			faults = append(faults, err)
			if err != nil {
				continue
			}
			e.shareholders = append(e.shareholders, holder)
			if e.represented != holder {
				holder.organizations = append(holder.organizations, e)
			}
		}
	}
	return errors.Join(faults...)
}

func (r *registry) relateThings(p *Population) error {
	var faults []error
	for _, x := range p.Properties {
		e := r.byCode[x.Code]
		e.usage = x.Usage
		faults = append(faults, r.hold(e, x.Holder, func(h *entity) { h.properties = append(h.properties, e) }))
	}
	for _, x := range p.Vehicles {
		e := r.byCode[x.Code]
		faults = append(faults, r.hold(e, x.Holder, func(h *entity) { h.vehicles = append(h.vehicles, e) }))
	}
	for _, x := range p.Projects {
		e := r.byCode[x.Code]
		faults = append(faults, r.hold(e, x.Holder, func(h *entity) { h.projects = append(h.projects, e) }))
	}
	return errors.Join(faults...)
}

func (r *registry) hold(e *entity, code string, keep func(holder *entity)) error {
	holder, err := r.find(e.code, code, catalog.KindPerson, catalog.KindOrganization)
	if err != nil {
		return err
	}
	e.holder = holder
	keep(holder)
	return nil
}

// find follows a reference to somebody of one of the kinds.
func (r *registry) find(from, code string, kinds ...catalog.PartyKind) (*entity, error) {
	e := r.byCode[code]
	if e != nil {
		for _, kind := range kinds {
			if e.kind == kind {
				return e, nil
			}
		}
	}
	return nil, fmt.Errorf("%q refers to %q, which is nobody fit for it", from, code)
}

// settleHouseholds gives every person the first member of the household.
func (r *registry) settleHouseholds() {
	for _, e := range r.byKind[catalog.KindPerson] {
		if e.household != nil {
			continue
		}
		e.household = e
		for _, member := range family(e) {
			member.household = e
		}
	}
}

// lookUp finds who has both this number and this name.
func (r *registry) lookUp(kind catalog.PartyKind, name, number string) *entity {
	e := r.byNumber[kind][number]
	if e == nil || number == "" || spelling(e.name) != spelling(name) {
		return nil
	}
	return e
}

// other is somebody else of the same kind, or nil when there is nobody.
func (r *registry) other(e *entity) *entity {
	all := r.byKind[e.kind]
	for step := 1; step < len(all); step++ {
		if candidate := all[(e.index+step)%len(all)]; candidate.number != "" {
			return candidate
		}
	}
	return nil
}
