package api

import (
	"context"
	"net/http"

	"mianti/catalog"
)

// factView is a fact (情形) as callers read it.
type factView struct {
	Code    string           `json:"code"`
	Type    string           `json:"type" enum:"bool,enum,set,number,text,region"`
	Ask     string           `json:"ask" doc:"问申请人的话"`
	Options []catalog.Option `json:"options"`
	Derived string           `json:"derived,omitempty" doc:"不必询问时由什么得出"`
}

func viewFact(f *catalog.Fact) factView {
	return factView{Code: f.Code, Type: string(f.Type), Ask: f.Ask, Options: list(f.Options), Derived: f.Derived}
}

func (s *server) registerFacts() {
	handle(s, s.operation(http.MethodGet, "/v1/facts", "list-facts", "情形清单", catalogTag, 304, 422), s.listFacts)
}

func (s *server) listFacts(ctx context.Context, in *ListQuery) (*listOutput[factView], error) {
	l, err := s.listing(ctx, *in, "facts")
	if err != nil {
		return nil, err
	}
	keep := func(f *catalog.Fact) bool { return l.matches(f.Code, f.Ask) }
	return listed(l, l.rev.Facts(), func(f *catalog.Fact) string { return f.Code }, keep, viewFact)
}
