package sharing

// Act (办理动作) is what somebody does about a request.
type Act string

// The acts.
const (
	Submit           Act = "submission"         // 申请
	AskCompletion    Act = "completion_request" // 告知补正
	Complete         Act = "completion"         // 补正
	AskExtension     Act = "extension"          // 申请延长答复
	ConsentExtension Act = "extension_consent"  // 主管部门同意延长
	Decide           Act = "decision"           // 答复
	Deliver          Act = "delivery"           // 开通
	Withdraw         Act = "withdrawal"         // 撤回
)

// Event (办理) is an act with what it says. Each act reads what concerns it.
type Event struct {
	Act Act
	// Why is what is missing, the reason of an extension or of a withdrawal.
	Why string
	// Days is by how many working days the reply is to be extended.
	Days int
	// Answers is the decision, field by field; Officer signs it.
	Answers []FieldAnswer
	Officer string
	// Application is the completed one, Items its fields with their classes, of
	// this revision of the catalog.
	Application *Application
	Items       []Item
	Revision    int
	// Grants are the ids of the grants that a delivery makes, in the order of the
	// matters.
	Grants []string
}

// FieldAnswer (数据项答复) is what the provider says of one field.
type FieldAnswer struct {
	Field  string `json:"field" maxLength:"64" doc:"数据项代码"`
	Agreed bool   `json:"agreed" doc:"是否同意共享"`
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"不同意的理由; 不同意时必填"`
}

// from says in which states an act is possible.
func (a Act) from() []State {
	switch a {
	case AskCompletion:
		return []State{Submitted}
	case Complete:
		return []State{Incomplete}
	case AskExtension, ConsentExtension, Decide:
		return []State{Submitted, Resubmitted}
	case Deliver:
		return []State{Agreed, PartlyAgreed}
	case Withdraw:
		return []State{Submitted, Incomplete, Resubmitted, Agreed, PartlyAgreed}
	default:
		return nil
	}
}

// side is which department an act is.
type side string

const (
	sideApplicant side = "applicant"
	sideProvider  side = "provider"
	sideAuthority side = "authority"
)

func (a Act) side() side {
	switch a {
	case Submit, Complete, Withdraw:
		return sideApplicant
	case ConsentExtension:
		return sideAuthority
	default:
		return sideProvider
	}
}
