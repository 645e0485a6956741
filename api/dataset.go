package api

import (
	"context"
	"net/http"

	"mianti/catalog"
)

// datasetView is a dataset as callers read it: what is shared and on which
// terms, not where it is asked for.
type datasetView struct {
	Code         string          `json:"code"`
	ResourceCode string          `json:"resource_code" doc:"政务信息资源代码"`
	Name         string          `json:"name"`
	Department   string          `json:"department" doc:"数源部门"`
	Sharing      string          `json:"sharing" enum:"unconditional,conditional,withheld"`
	Terms        string          `json:"terms,omitempty" doc:"使用条件"`
	Scope        string          `json:"scope,omitempty" doc:"共享范围"`
	Purpose      string          `json:"purpose,omitempty" doc:"使用用途"`
	Clause       string          `json:"clause,omitempty" doc:"不予共享的依据"`
	Update       string          `json:"update"`
	Sensitivity  int             `json:"sensitivity" doc:"1 至 4, 4 最敏感"`
	Verify       string          `json:"verify,omitempty" doc:"只答是否时回答什么"`
	Consent      bool            `json:"consent" doc:"每次查询都要本人同意"`
	Certificate  bool            `json:"certificate" doc:"是电子证照"`
	TypeCode     string          `json:"type_code,omitempty" doc:"电子证照类型代码"`
	AskedBy      []string        `json:"asked_by" doc:"可按哪类当事人查询"`
	Fields       []catalog.Field `json:"fields"`
	ValidUntil   string          `json:"valid_until,omitempty" doc:"有效期至所在的数据项"`
}

func viewDataset(d *catalog.Dataset) datasetView {
	v := datasetView{
		Code: d.Code, ResourceCode: d.ResourceCode, Name: d.Name, Department: d.Department, Sharing: string(d.Sharing),
		Terms: d.Terms, Scope: d.Scope, Purpose: d.Purpose, Clause: d.Clause, Update: d.Update, Sensitivity: d.Sensitivity, Verify: d.Verify, Consent: d.Consent,
		Certificate: d.Certificate != nil, AskedBy: []string{}, Fields: list(d.Fields), ValidUntil: d.ValidUntil,
	}
	if d.Certificate != nil {
		v.TypeCode = d.Certificate.TypeCode
	}
	for _, kind := range d.AskedBy {
		v.AskedBy = append(v.AskedBy, string(kind))
	}
	return v
}

type datasetQuery struct {
	ListQuery
	Department string `query:"department" maxLength:"64" doc:"数源部门代码"`
	Sharing    string `query:"sharing" enum:"unconditional,conditional,withheld" doc:"共享类型"`
}

func (s *server) registerDatasets() {
	handle(s, s.operation(http.MethodGet, "/v1/datasets", "list-datasets", "数据资源清单", catalogTag, 304, 422), s.listDatasets)
	handle(s, s.operation(http.MethodGet, "/v1/datasets/{code}", "read-dataset", "读取数据资源", catalogTag, 304, 404, 422), s.readDataset)
}

func (s *server) listDatasets(ctx context.Context, in *datasetQuery) (*listOutput[datasetView], error) {
	l, err := s.listing(ctx, in.ListQuery, "datasets", "department", in.Department, "sharing", in.Sharing)
	if err != nil {
		return nil, err
	}
	keep := func(d *catalog.Dataset) bool {
		return is(in.Department, d.Department) && is(in.Sharing, string(d.Sharing)) && l.matches(d.Code, d.Name)
	}
	return listed(l, l.rev.Datasets(), func(d *catalog.Dataset) string { return d.Code }, keep, viewDataset)
}

func (s *server) readDataset(ctx context.Context, in *codePath) (*itemOutput[datasetView], error) {
	rev, err := s.revision(ctx)
	if err != nil {
		return nil, err
	}
	return read(in, rev, rev.Dataset(in.Code), unknownCode("unknown-dataset", "数据资源"), viewDataset)
}
