package api

import (
	"context"
	"net/http"

	"mianti/identity"
	"mianti/policies"
)

// personView is a member of staff, as the administrators of a department see him:
// of his duties, only those for the department.
type personView struct {
	ID     string          `json:"id" doc:"人员编号"`
	Name   string          `json:"name" doc:"姓名, 以统一身份认证为准"`
	Duties []policies.Duty `json:"duties" doc:"在本部门的岗位; 没有则为空"`
}

type listPersonsInput struct {
	After string `query:"after" maxLength:"64" doc:"上一页的 next"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listPersonsOutput struct {
	Body page[personView]
}

type personPath struct {
	ID string `path:"id" maxLength:"64" pattern:"^[0-9A-Za-z-]+$"`
}

type dutyPath struct {
	ID   string        `path:"id" maxLength:"64" pattern:"^[0-9A-Za-z-]+$"`
	Duty policies.Duty `path:"duty" maxLength:"32" pattern:"^[a-z_]+$" example:"clerk"`
}

type personOutput struct {
	Body personView
}

func (s *server) registerPersons() {
	handle(s, s.operation(http.MethodGet, "/v1/persons", "list-persons", "查询可以分派岗位的人员", "人员", 403, 404, 422), s.listPersons)
	assign := s.operation(http.MethodPut, "/v1/persons/{id}/duties/{duty}", "assign-duty", "分派岗位", "人员", 403, 404, 409, 422)
	assign.Description = "为本部门的工作分派岗位。不能给自己分派；运维岗位只能由运维人员在服务器上分派。重复分派不改变任何内容。"
	handle(s, assign, s.assignDuty)
	remove := s.operation(http.MethodDelete, "/v1/persons/{id}/duties/{duty}", "remove-duty", "移除岗位", "人员", 403, 404, 409, 422)
	remove.DefaultStatus = http.StatusNoContent
	remove.Description = "移除后，该人员的下一个请求即不再有这个岗位。本部门最后一名管理员不能移除。"
	handle(s, remove, s.removeDuty)
	deactivate := s.operation(http.MethodPost, "/v1/persons/{id}/deactivation", "deactivate-person", "停用人员", "人员", 403, 404, 409, 422)
	deactivate.DefaultStatus = http.StatusNoContent
	deactivate.Description = "停用后，该人员的会话在下一个请求时失效，也不能再登录。只能停用仅在本部门有岗位的人员。"
	handle(s, deactivate, s.deactivatePerson)
}

func (s *server) listPersons(ctx context.Context, in *listPersonsInput) (*listPersonsOutput, error) {
	if s.Office == nil {
		return nil, signInOff()
	}
	by := callerOf(ctx)
	found, err := s.Office.List(ctx, by, in.After, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &listPersonsOutput{Body: page[personView]{Items: []personView{}}}
	for i := range found {
		if i == in.Limit {
			out.Body.Next = found[i-1].ID
			break
		}
		out.Body.Items = append(out.Body.Items, viewPerson(&found[i], by.Department))
	}
	return out, nil
}

func (s *server) assignDuty(ctx context.Context, in *dutyPath) (*personOutput, error) {
	if s.Office == nil {
		return nil, signInOff()
	}
	by := callerOf(ctx)
	p, err := s.Office.Assign(ctx, by, in.ID, in.Duty)
	if err != nil {
		return nil, err
	}
	return &personOutput{Body: viewPerson(p, by.Department)}, nil
}

func (s *server) removeDuty(ctx context.Context, in *dutyPath) (*struct{}, error) {
	if s.Office == nil {
		return nil, signInOff()
	}
	return nil, s.Office.Remove(ctx, callerOf(ctx), in.ID, in.Duty)
}

func (s *server) deactivatePerson(ctx context.Context, in *personPath) (*struct{}, error) {
	if s.Office == nil {
		return nil, signInOff()
	}
	return nil, s.Office.Deactivate(ctx, callerOf(ctx), in.ID)
}

func viewPerson(p *identity.Person, department string) personView {
	return personView{ID: p.ID, Name: p.Name, Duties: append([]policies.Duty{}, p.DutiesIn(department)...)}
}

// personProblems are those of signing in and of duties.
func personProblems() map[string]problemText {
	return map[string]problemText{
		"cross-site":             {title: "请求来自别的网站", explanation: "用登录会话的请求只能由本系统的页面或程序发出。没有执行任何操作。"},
		"no-duty":                {title: "还没有岗位", explanation: "已经登录，但没有任何岗位。请把人员编号告诉本部门管理员，由其分派。"},
		"no-department":          {title: "还没有选择部门", explanation: "在多个部门有岗位的人员，每次登录后先选择为哪个部门办理。"},
		"no-duty-there":          {title: "在这个部门没有岗位", explanation: "只能选择有岗位的部门，见 GET /v1/session。"},
		"sign-in-off":            {title: "没有接入人员登录", explanation: "运维人员没有配置统一身份认证。接入系统请使用访问令牌。"},
		"unknown-person":         {title: "没有这个人员", explanation: "没有这个人员，或其不属于本部门。新人员先登录一次，再从 GET /v1/persons 中选择。"},
		"unknown-duty":           {title: "没有这个岗位", explanation: "可以分派的岗位有 clerk、sharing_officer、policy_editor、policy_reviewer、department_admin、auditor。"},
		"own-duty":               {title: "不能给自己分派岗位", explanation: "请由本部门另一名管理员分派。"},
		"duty-beyond-department": {title: "这个岗位不由部门分派", explanation: "运维岗位的作用不限于一个部门，由运维人员在服务器上分派。"},
		"person-deactivated":     {title: "人员已停用", explanation: "停用的人员不能登录，也不能分派岗位。"},
		"duties-elsewhere":       {title: "人员在其他部门有岗位", explanation: "只能停用仅在本部门有岗位的人员。请改为移除其在本部门的岗位。"},
		"last-admin":             {title: "部门至少要有一名管理员", explanation: "请先给另一人分派管理员岗位，再移除或停用。"},
		"duplicate-person":       {title: "这个人员已登记", explanation: "同一身份只登记一次。"},
	}
}
