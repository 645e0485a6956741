package citizen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// OwnExport (本人记录导出) is all that the exchange has of somebody, at a moment
// (个人信息保护法, art. 45).
type OwnExport struct {
	MadeAt   time.Time          `json:"made_at"`
	Me       *Me                `json:"me" doc:"本人"`
	Cases    []OwnCase          `json:"cases" doc:"我的办件与为我免提交的材料"`
	Accesses []Access           `json:"accesses" doc:"谁查阅过我的数据, 最近的在前"`
	Consents []exchange.Consent `json:"consents" doc:"我的授权同意"`
	Check    *LinkKey           `json:"check" doc:"怎样核对这份清单是完整的"`
}

// Export gives all of it. That it was exported is its first access.
func (z *Citizen) Export(ctx context.Context, by policies.Caller) (*OwnExport, error) {
	if err := z.record(ctx, ledger.OwnDataExported, by, ""); err != nil {
		return nil, err
	}
	out := &OwnExport{MadeAt: z.Now().UTC(), Check: &LinkKey{How: "与您有关的存证还没有封存，请稍后再导出。"}}
	var err error
	if out.Me, err = z.Me(ctx, by); err != nil {
		return nil, err
	}
	if out.Cases, err = z.allCases(ctx, by); err != nil {
		return nil, err
	}
	found, err := z.all(ctx, Filter{Subject: by.Subject})
	if err != nil {
		return nil, err
	}
	if out.Accesses, err = z.tell(ctx, by, found); err != nil {
		return nil, err
	}
	if out.Consents, err = z.allConsents(ctx, by); err != nil {
		return nil, err
	}
	key, err := z.Accesses.AccessKey(ctx, by.Subject)
	switch {
	case errors.Is(err, fault.NotFound):
	case err != nil:
		return nil, fmt.Errorf("read the key of an access list: %w", err)
	default:
		out.Check = linkKey(key)
	}
	return out, nil
}

func (z *Citizen) allCases(ctx context.Context, by policies.Caller) ([]OwnCase, error) {
	all := []OwnCase{}
	for after := int64(0); ; {
		found, next, err := z.Cases.CasesConcerning(ctx, by.Subject, after, casesAtOnce)
		if err != nil {
			return nil, fmt.Errorf("list cases: %w", err)
		}
		own, err := z.ownCases(ctx, by, found, true)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
		if after = next; next == 0 {
			return all, nil
		}
	}
}

// casesAtOnce is how many cases, and how many consents, are read at once for an
// export.
const casesAtOnce = 100

func (z *Citizen) allConsents(ctx context.Context, by policies.Caller) ([]exchange.Consent, error) {
	all := []exchange.Consent{}
	for after := ""; ; {
		page, err := z.Exchange.MyConsents(ctx, by, exchange.ConsentFilter{After: after, Limit: casesAtOnce})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < casesAtOnce {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
}
