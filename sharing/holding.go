package sharing

import (
	"context"
	"fmt"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/policies"
)

// Grant gives a grant to the department that holds it, to the one that provides
// its dataset, and to the authority. It does not exist for anybody else.
func (s *Sharing) Grant(ctx context.Context, by policies.Caller, id string) (*Grant, error) {
	g, _, err := s.grant(ctx, by, id)
	return g, err
}

// grant gives a grant with the department that provides its dataset.
func (s *Sharing) grant(ctx context.Context, by policies.Caller, id string) (*Grant, string, error) {
	g, err := s.Grants.SharingGrant(ctx, id)
	if err != nil {
		return nil, "", fmt.Errorf("read a grant: %w", err)
	}
	rev, err := s.Catalogs.Current(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("read a grant: %w", err)
	}
	provider := providerOf(rev, g.Dataset)
	party := by.Department != "" && (by.Department == g.Department || by.Department == provider)
	if !party && !atMachine(by) && !s.isAuthority(by) {
		return nil, "", fault.New(fault.NotFound, "unknown-grant", "没有这个共享授权")
	}
	return g, provider, nil
}

// atMachine reports whether the caller is an operator at the machine, who acts
// for no department.
func atMachine(by policies.Caller) bool {
	return by.Has(policies.DutyOperator) && by.Person == "" && by.Department == ""
}

// providerOf is the department whose dataset it is; nobody's when the catalog no
// longer has it.
func providerOf(rev *catalog.Revision, dataset string) string {
	if d := rev.Dataset(dataset); d != nil {
		return d.Department
	}
	return ""
}

// ListGrants gives the grants that the caller's department holds or provides;
// both, and for the authority and an operator those of everybody, where no side
// is named.
func (s *Sharing) ListGrants(ctx context.Context, by policies.Caller, as Side, f GrantFilter) ([]Grant, error) {
	if by.Department == "" && !atMachine(by) {
		return []Grant{}, nil
	}
	everybody := as == "" && (s.isAuthority(by) || atMachine(by))
	if as != AsProvider && !everybody {
		f.Department = by.Department
	}
	if as != AsApplicant && !everybody {
		datasets, err := s.datasetsOf(ctx, by.Department)
		if err != nil {
			return nil, err
		}
		if f.Datasets = datasets; as == AsProvider && len(datasets) == 0 {
			return []Grant{}, nil
		}
	}
	found, err := s.Grants.SharingGrants(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	return found, nil
}

func (s *Sharing) datasetsOf(ctx context.Context, department string) ([]string, error) {
	rev, err := s.Catalogs.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	var codes []string
	for _, d := range rev.Datasets() {
		if d.Department == department {
			codes = append(codes, d.Code)
		}
	}
	return codes, nil
}

// ActOnGrant does something about a grant. Version is the one that the caller
// has read; 0 for whichever it is.
func (s *Sharing) ActOnGrant(ctx context.Context, by policies.Caller, id string, version int, e GrantEvent) (*Grant, error) {
	g, provider, err := s.grant(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != g.Version {
		return nil, changedSinceRead()
	}
	now := s.Now().UTC()
	next, err := s.ApplyToGrant(*g, provider, e, by, now)
	if err != nil {
		return nil, err
	}
	if err := s.Grants.SaveSharingGrant(ctx, &next, grantEntry(&next, e.Act.kind(), e.Why, by, now)); err != nil {
		return nil, fmt.Errorf("change a grant: %w", err)
	}
	return &next, nil
}
