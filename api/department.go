package api

import (
	"context"
	"net/http"

	"mianti/catalog"
)

// departmentView is a department (部门) as callers read it.
type departmentView struct {
	Code          string `json:"code"`
	Name          string `json:"name"`
	CreditCode    string `json:"credit_code" doc:"统一社会信用代码"`
	PublicUtility bool   `json:"public_utility" doc:"公用事业企业: 查询都要本人同意"`
}

func viewDepartment(d *catalog.Department) departmentView {
	return departmentView{Code: d.Code, Name: d.Name, CreditCode: d.CreditCode, PublicUtility: d.PublicUtility}
}

func (s *server) registerDepartments() {
	handle(s, s.operation(http.MethodGet, "/v1/departments", "list-departments", "部门清单", catalogTag, 304, 422), s.listDepartments)
	handle(s, s.operation(http.MethodGet, "/v1/departments/{code}", "read-department", "读取部门", catalogTag, 304, 404, 422), s.readDepartment)
}

func (s *server) listDepartments(ctx context.Context, in *ListQuery) (*listOutput[departmentView], error) {
	l, err := s.listing(ctx, *in, "departments")
	if err != nil {
		return nil, err
	}
	keep := func(d *catalog.Department) bool { return l.matches(d.Code, d.Name) }
	return listed(l, l.rev.Departments(), func(d *catalog.Department) string { return d.Code }, keep, viewDepartment)
}

func (s *server) readDepartment(ctx context.Context, in *codePath) (*itemOutput[departmentView], error) {
	rev, err := s.revision(ctx)
	if err != nil {
		return nil, err
	}
	return read(in, rev, rev.Department(in.Code), unknownCode("unknown-department", "部门"), viewDepartment)
}
