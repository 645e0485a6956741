package policies

import "slices"

// Caller (调用方) is who acts now: a system of a department, or a person who has
// signed in. It is made by the edge, of what has been proved, and never of what
// a request says about itself.
type Caller struct {
	// System is the client id of the system; empty when a person acts.
	System string
	// Person names the person who acts, by an opaque identifier that holds no
	// name and no number; empty when a system acts by itself.
	Person string
	// Session names the session of a person; what is bound to a session ends with
	// it.
	Session string
	// Subject is the keyed digest of a citizen's own number, by which his parties
	// and consents are found (exchange.Exchange.SubjectOf); empty for anybody else.
	Subject string
	// Department is whose affairs it acts in; empty for a citizen.
	Department string
	// Duties are what it may do there.
	Duties []Duty
}

// Has reports whether the caller has the duty.
func (c Caller) Has(d Duty) bool { return slices.Contains(c.Duties, d) }

// Duty (岗位) is what a caller is there for. It is not called a role, which is
// why a party is in a case.
type Duty string

// The duties. Those of people are given for one department; see docs/duties.md.
const (
	DutySystem          Duty = "system"           // 接入系统
	DutyPerson          Duty = "person"           // 已登录人员: whoever has signed in, with or without other duties
	DutyCitizen         Duty = "citizen"          // 申请人
	DutyClerk           Duty = "clerk"            // 审批人员
	DutySharingOfficer  Duty = "sharing_officer"  // 政务数据共享工作机构人员 (条例, art. 11)
	DutyPolicyEditor    Duty = "policy_editor"    // 目录编辑
	DutyPolicyReviewer  Duty = "policy_reviewer"  // 目录审核
	DutyDepartmentAdmin Duty = "department_admin" // 部门管理员
	DutyAuditor         Duty = "auditor"          // 审计
	DutyOperator        Duty = "operator"         // 运维; sees no payload
)

// MayDo reports whether a caller of these duties may call an operation, by its
// id in the OpenAPI document. An operation that is not listed is nobody's.
func MayDo(operation string, duties []Duty) bool {
	return slices.ContainsFunc(operations()[operation], func(d Duty) bool { return slices.Contains(duties, d) })
}
