package sharing

import (
	"fmt"
	"slices"
	"time"

	"mianti/internal/fault"
)

// askCompletion tells the applicant all that is missing, once. It has to come
// before the reply is due: who has said nothing until then has taken the
// application as complete (decision 13).
func (p Procedure) askCompletion(r *Request, e Event, now time.Time) error {
	if err := checkReason("body.missing", e.Why); err != nil {
		return err
	}
	if !now.Before(r.Deadline.DueAt) {
		return fault.New(fault.Conflict, "completion-too-late", "答复期限已过，视为申请完整，请直接答复。")
	}
	r.Completion = &Completion{Missing: e.Why, AskedAt: now, Spent: p.Days.Between(r.ReceivedAt, now)}
	r.State, r.Deadline = Incomplete, nil
	return nil
}

func (p Procedure) complete(r *Request, e Event, now time.Time) error {
	if e.Application.Dataset != r.Application.Dataset {
		return invalidApplication(fault.Detail{Location: "body.dataset", Code: "other-dataset", Message: "补正不能换成另一个数据资源，请另行申请。"})
	}
	r.Application, r.Items, r.Revision = *e.Application, e.Items, e.Revision
	r.Completion.AnsweredAt = &now
	r.State, r.Deadline = Resubmitted, r.replyDeadline(p.Days)
	return nil
}

func (p Procedure) askExtension(r *Request, e Event, now time.Time) error {
	most := r.replyClause().Longer
	switch {
	case most == 0:
		return fault.New(fault.Conflict, "extension-not-allowed", "申请的都是无条件共享的数据项，答复期限不能延长。")
	case r.Extension != nil:
		return fault.New(fault.Conflict, "second-extension", "这项申请已经申请过延长答复。")
	case !now.Before(r.Deadline.DueAt):
		return fault.New(fault.Conflict, "extension-too-late", "答复期限已过，不能再延长，请直接答复。")
	}
	if e.Days < 1 || e.Days > most {
		message := fmt.Sprintf("延长 1 到 %d 个工作日。", most)
		return fault.New(fault.Invalid, "invalid-extension", "%s", message).With(fault.Detail{Location: "body.days", Code: "out-of-range", Message: message})
	}
	if err := checkReason("body.reason", e.Why); err != nil {
		return err
	}
	r.Extension = &Extension{Days: e.Days, Reason: e.Why, AskedAt: now}
	return nil
}

func (p Procedure) consentExtension(r *Request, now time.Time) error {
	switch {
	case r.Extension == nil:
		return fault.New(fault.Conflict, "no-extension-asked", "提供部门没有申请延长答复。")
	case r.Extension.ConsentedAt != nil:
		return fault.New(fault.Conflict, "second-extension", "已经同意过这次延长。")
	case !now.Before(r.Deadline.DueAt):
		return fault.New(fault.Conflict, "extension-too-late", "答复期限已过，不能再延长。")
	}
	r.Extension.ConsentedAt, r.Extension.ConsentedBy = &now, p.Authority
	r.Deadline = r.replyDeadline(p.Days)
	return nil
}

// decide takes the provider's answer to every field.
func (p Procedure) decide(r *Request, e Event, now time.Time) error {
	answers, wrong := answersByField(r.Items, e.Answers)
	for i, item := range r.Items {
		answer, ok := answers[item.Field]
		if !ok {
			wrong = append(wrong, fault.Detail{Location: "body.fields", Code: "field-not-decided", Message: "数据项 " + item.Field + " 没有答复，请逐项答复。"})
			continue
		}
		r.Items[i].Agreed, r.Items[i].Reason = &answer.Agreed, answer.Reason
	}
	wrong = append(wrong, required("body.officer", e.Officer)...)
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "invalid-decision", "答复有 %d 处不符合要求，没有登记。", len(wrong)).With(wrong...)
	}
	r.Officer = e.Officer
	switch n := len(r.agreedFields()); n {
	case 0:
		r.State, r.Deadline = Refused, nil
		return nil
	case len(r.Items):
		r.State = Agreed
	default:
		r.State = PartlyAgreed
	}
	clause := Delivery()
	r.Deadline = &Deadline{Article: clause.Article, DueAt: clause.Due(p.Days, now, 0).UTC()}
	return nil
}

// answersByField gives the answers by field, and what is wrong with them.
func answersByField(items []Item, given []FieldAnswer) (map[string]FieldAnswer, []fault.Detail) {
	answers := map[string]FieldAnswer{}
	var wrong []fault.Detail
	add := func(i int, part, code, message string) {
		wrong = append(wrong, fault.Detail{Location: fmt.Sprintf("body.fields[%d].%s", i, part), Code: code, Message: message})
	}
	for i, answer := range given {
		_, twice := answers[answer.Field]
		switch {
		case twice:
			add(i, "field", "duplicate-field", "同一数据项答复了两次。")
		case !slices.ContainsFunc(items, func(item Item) bool { return item.Field == answer.Field }):
			add(i, "field", "unknown-field", "申请中没有这个数据项。")
		case !answer.Agreed && blank(answer.Reason):
			add(i, "reason", "reason-missing", "不同意共享应当说明理由。")
		case answer.Agreed && answer.Reason != "":
			add(i, "reason", "reason-without-refusal", "同意共享的数据项不填理由。")
		case textFault(answer.Reason) != "":
			add(i, "reason", "invalid-text", textFault(answer.Reason))
		}
		answers[answer.Field] = answer
	}
	return answers, wrong
}
