package api

import (
	"context"
	"net/http"
	"slices"

	"mianti/catalog"
)

// oneThingView is a one-thing (一件事) as callers read it.
type oneThingView struct {
	Code     string   `json:"code"`
	Name     string   `json:"name"`
	Handling string   `json:"handling" enum:"serial,parallel,mixed" doc:"串联、并联、混联"`
	Lead     string   `json:"lead" doc:"牵头部门"`
	Stages   []string `json:"stages"`
	Consent  string   `json:"consent,omitempty" doc:"向谁征求什么同意"`
	Feeds    []string `json:"feeds" doc:"结果的流向"`
	Matters  []named  `json:"matters"`
}

func viewOneThing(t *catalog.OneThing) oneThingView {
	v := oneThingView{
		Code: t.Code, Name: t.Name, Handling: string(t.Handling), Lead: t.Lead, Stages: list(t.Stages), Consent: t.Consent,
		Feeds: list(t.Feeds), Matters: []named{},
	}
	for i := range t.Matters {
		v.Matters = append(v.Matters, named{Code: t.Matters[i].Code, Name: t.Matters[i].Name})
	}
	return v
}

type oneThingQuery struct {
	ListQuery
	Department string `query:"department" maxLength:"64" doc:"牵头部门, 或其中任一事项的部门"`
}

func (s *server) registerOneThings() {
	handle(s, s.operation(http.MethodGet, "/v1/one-things", "list-one-things", "一件事清单", catalogTag, 304, 422), s.listOneThings)
	handle(s, s.operation(http.MethodGet, "/v1/one-things/{code}", "read-one-thing", "读取一件事", catalogTag, 304, 404, 422), s.readOneThing)
}

func (s *server) listOneThings(ctx context.Context, in *oneThingQuery) (*listOutput[oneThingView], error) {
	l, err := s.listingOf(ctx, nil, in.ListQuery, "one-things", "department", in.Department)
	if err != nil {
		return nil, err
	}
	keep := func(t *catalog.OneThing) bool {
		return takesPart(t, in.Department) && l.matches(t.Code, t.Name)
	}
	return listed(l, l.rev.OneThings(), func(t *catalog.OneThing) string { return t.Code }, keep, viewOneThing)
}

func takesPart(t *catalog.OneThing, department string) bool {
	return is(department, t.Lead) || slices.ContainsFunc(t.Matters, func(m catalog.Matter) bool { return m.Department == department })
}

func (s *server) readOneThing(ctx context.Context, in *codePath) (*itemOutput[oneThingView], error) {
	rev, err := s.revision(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	return read(in, rev, rev.OneThing(in.Code), unknownCode("unknown-one-thing", "一件事"), viewOneThing)
}
