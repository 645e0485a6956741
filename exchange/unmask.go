package exchange

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Masked gives of a number what its holder knows it by: the birthday of a person is
// not in it.
func Masked(number string) string { return masked(number) }

// UnmaskParty gives a party of a case of the caller's department with its name and
// number in full. It is recorded before it is given.
func (x *Exchange) UnmaskParty(ctx context.Context, by policies.Caller, id, party string) (*catalog.Party, error) {
	c, err := x.Cases.Case(ctx, by.Department, id)
	if err != nil {
		return nil, fmt.Errorf("unmask a party: %w", err)
	}
	p := c.party(party)
	if p == nil {
		return nil, unknownParty()
	}
	e := x.entry(ledger.Unmasked, by, c)
	e.Object = "party:" + p.ID
	x.about(&e, c, p)
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return nil, notRecorded(err)
	}
	return p, nil
}

// UnmaskMaterial gives a material of a party with the values of the records that
// settled it, in the last version of a resolution. It is recorded before it is given,
// with the fields by name. What rests on a right that has ended is not given out.
func (x *Exchange) UnmaskMaterial(ctx context.Context, by policies.Caller, resolution, material, party string) (*MaterialResult, error) {
	r, err := x.Resolutions.Resolution(ctx, by.Department, resolution)
	if err != nil {
		return nil, fmt.Errorf("unmask a material: %w", err)
	}
	c, err := x.Cases.Case(ctx, by.Department, r.Case)
	if err != nil {
		return nil, fmt.Errorf("unmask a material: %w", err)
	}
	if err := x.withholdEnded(ctx, c, r); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(r.Materials, func(m MaterialResult) bool { return m.Code == material && m.party() == party && m.Evidence != nil })
	if at < 0 {
		return nil, fault.New(fault.NotFound, "unknown-material", "这个核验结果中没有已核实的这份材料。")
	}
	m := &r.Materials[at]
	e := x.entry(ledger.Unmasked, by, c)
	e.Resolution, e.Version, e.Ruleset, e.Material, e.Mode = r.ID, r.Version, r.Ruleset, m.Code, string(m.Mode)
	e.Dataset = m.Evidence.Dataset
	for _, of := range m.Evidences() {
		e.Fields = append(e.Fields, slices.Sorted(maps.Keys(of.Fields))...)
	}
	x.about(&e, c, c.party(party))
	if err := x.Journal.Append(ctx, []ledger.Entry{e}); err != nil {
		return nil, notRecorded(err)
	}
	return m, nil
}

func unknownParty() error {
	return fault.New(fault.NotFound, "unknown-party", "这个办件没有这个当事人。")
}
