package sharing

import (
	"context"
	"fmt"

	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Giver stores grants that come from no request.
type Giver interface {
	// GiveGrants stores new grants with their entries, all or nothing. It is a
	// fault.Conflict when one overlaps another.
	GiveGrants(ctx context.Context, grants []Grant, entries []ledger.Entry) error
}

// Give gives grants that were decided elsewhere, such as those of a list that came
// from the platform before. Only an operator at the machine does so, and says why;
// each is recorded. Grants without an id get one.
func (s *Sharing) Give(ctx context.Context, by policies.Caller, given []policies.Grant, why string) ([]Grant, error) {
	if !atMachine(by) {
		return nil, fault.New(fault.Denied, "not-your-duty", "共享授权按申请给予；名单由运维人员在服务器上导入。")
	}
	if err := checkReason("body.reason", why); err != nil {
		return nil, err
	}
	now := s.Now().UTC()
	grants, entries := make([]Grant, len(given)), make([]ledger.Entry, len(given))
	for i, g := range given {
		if g.ID == "" {
			g.ID = s.NewID()
		}
		grants[i] = Grant{Grant: g, History: []Note{noteOf("given", why, by, now)}, Version: 1}
		entries[i] = grantEntry(&grants[i], ledger.GrantGiven, why, by, now)
	}
	if err := s.Giver.GiveGrants(ctx, grants, entries); err != nil {
		return nil, fmt.Errorf("give grants: %w", err)
	}
	return grants, nil
}
