package api

import (
	"context"
	"net/http"

	"mianti/catalog"
	"mianti/internal/fault"
)

const catalogTag = "目录"

// named is a thing of the catalog, referred to.
type named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// matterView is a matter as callers read it.
type matterView struct {
	Code               string   `json:"code"`
	ImplementationCode string   `json:"implementation_code" doc:"31 位实施编码 (GB/T 39554.1)"`
	Name               string   `json:"name"`
	Department         string   `json:"department"`
	OneThing           string   `json:"one_thing,omitempty"`
	Level              int      `json:"level" doc:"行使层级"`
	Days               int      `json:"days" doc:"承诺办结工作日"`
	Stage              int      `json:"stage,omitempty"`
	After              []string `json:"after" doc:"前序事项"`
	When               string   `json:"when,omitempty" doc:"适用条件"`
	Result             string   `json:"result" doc:"办理结果"`
	ResultDataset      string   `json:"result_dataset,omitempty" doc:"登记结果的数据资源"`
	Materials          []named  `json:"materials"`
}

func viewMatter(m *catalog.Matter) matterView {
	v := matterView{
		Code: m.Code, ImplementationCode: m.ImplementationCode, Name: m.Name, Department: m.Department, OneThing: m.OneThing,
		Level: m.Level, Days: m.Days, Stage: m.Stage, After: list(m.After), When: m.When,
		Result: m.Result.Name, ResultDataset: m.Result.Dataset, Materials: []named{},
	}
	for i := range m.Materials {
		v.Materials = append(v.Materials, named{Code: m.Materials[i].Code, Name: m.Materials[i].Name})
	}
	return v
}

type matterQuery struct {
	ListQuery
	Department string `query:"department" maxLength:"64" doc:"部门代码"`
	OneThing   string `query:"one_thing" maxLength:"64" doc:"一件事代码"`
}

func (s *server) registerMatters() {
	handle(s, s.operation(http.MethodGet, "/v1/matters", "list-matters", "事项清单", catalogTag, 304, 422), s.listMatters)
	handle(s, s.operation(http.MethodGet, "/v1/matters/{code}", "read-matter", "读取事项（短码或 31 位实施编码）", catalogTag, 304, 404, 422), s.readMatter)
}

func (s *server) listMatters(ctx context.Context, in *matterQuery) (*listOutput[matterView], error) {
	rev, err := s.revision(ctx, in.OneThing)
	if err != nil {
		return nil, err
	}
	l := listingAt(rev, in.ListQuery, "matters", "department", in.Department, "one_thing", in.OneThing)
	if !rev.Whole() && in.OneThing == "" {
		return s.indexedMatters(ctx, l, in)
	}
	keep := func(m *catalog.Matter) bool {
		return is(in.Department, m.Department) && is(in.OneThing, m.OneThing) && l.matches(m.Code, m.ImplementationCode, m.Name)
	}
	return listed(l, l.rev.Matters(), func(m *catalog.Matter) string { return m.Code }, keep, viewMatter)
}

// MatterIndex finds matters of a catalog that is too large to be held whole.
type MatterIndex interface {
	// FindMatters gives the codes of matters of a revision, sorted.
	FindMatters(ctx context.Context, number int, q catalog.MatterQuery) ([]string, error)
}

// indexedMatters gives a page of the matters of a catalog that is held in part.
func (s *server) indexedMatters(ctx context.Context, l *listing, in *matterQuery) (*listOutput[matterView], error) {
	if s.Matters == nil {
		return nil, wholeOf(l.rev, "请用 one_thing 限定。")
	}
	out := &listOutput[matterView]{Cached: fresh(l.etag()), Status: http.StatusOK, Body: page[matterView]{Items: []matterView{}}}
	after, err := l.after()
	if err != nil {
		return nil, err
	}
	if out.seen(in.IfNoneMatch) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	codes, err := s.Matters.FindMatters(ctx, l.rev.Number, catalog.MatterQuery{Text: l.query.Q, Department: in.Department, After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	if len(codes) > in.Limit {
		codes = codes[:in.Limit]
		out.Body.Next = l.cursor(codes[in.Limit-1])
	}
	rev, err := s.Catalogs.Revision(ctx, l.rev.Number, codes...)
	if err != nil {
		return nil, err
	}
	for _, code := range codes {
		if m := rev.Matter(code); m != nil {
			out.Body.Items = append(out.Body.Items, viewMatter(m))
		}
	}
	return out, nil
}

// is reports whether a value is the one that is asked for; nothing asked for
// is any.
func is(asked, value string) bool { return asked == "" || asked == value }

func (s *server) readMatter(ctx context.Context, in *codePath) (*itemOutput[matterView], error) {
	rev, err := s.revision(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	matter := rev.Matter(in.Code)
	if same := rev.MattersByImplementationCode(in.Code); matter == nil && len(same) > 0 {
		matter = same[0]
	}
	return read(in, rev, matter, unknownCode("unknown-matter", "事项"), viewMatter)
}

func unknownCode(code, what string) error {
	return fault.New(fault.NotFound, code, "目录中没有这个%s。", what)
}
