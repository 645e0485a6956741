package api

import (
	"context"
	"net/http"

	"mianti/exchange"
)

const assistPath = "/v1/assist-tasks"

type listAssistInput struct {
	State  string `query:"state" enum:"open,answered" default:"open" doc:"open: 待答复; answered: 已答复"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"64" pattern:"^[0-9A-Za-z][0-9A-Za-z_-]*$" doc:"上一页的 next"`
}

type listAssistOutput struct {
	Body page[exchange.AssistTask]
}

type assistOutput struct {
	Body *exchange.AssistTask
}

type answerAssistInput struct {
	CasePath
	Body exchange.AssistAnswer
}

func (s *server) registerAssist() {
	const tag = "协查"
	list := s.operation(http.MethodGet, assistPath, "list-assist-tasks", "本部门收到的协查", tag, 404, 422)
	list.Description = "按期限先后列出，不含当事人信息。"
	handle(s, list, s.listAssist)
	read := s.operation(http.MethodGet, assistPath+"/{id}", "read-assist-task", "读取协查", tag, 404, 410, 422)
	read.Description = "含当事人姓名与号码，每次读取都留痕。"
	handle(s, read, s.readAssist)
	answer := s.operation(http.MethodPost, assistPath+"/{id}/answer", "answer-assist-task", "答复协查", tag, 404, 409, 410, 422)
	answer.DefaultStatus = http.StatusOK
	answer.Description = "答复一次，不能更改；答复后相应办件自动继续核验。过期后的答复仍然有效。"
	handle(s, answer, s.answerAssist)
}

func (s *server) listAssist(ctx context.Context, in *listAssistInput) (*listAssistOutput, error) {
	tasks, err := s.Exchange.AssistTasks(ctx, callerOf(ctx), exchange.AssistFilter{
		State: exchange.AssistState(in.State), After: in.Cursor, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	return assistPage(tasks, in.Limit), nil
}

// assistPage gives a page of tasks, of which one more was read than it holds.
func assistPage(tasks []exchange.AssistTask, limit int) *listAssistOutput {
	out := &listAssistOutput{Body: page[exchange.AssistTask]{Items: tasks}}
	if len(tasks) > limit {
		out.Body.Items, out.Body.Next = tasks[:limit], tasks[limit-1].ID
	}
	return out
}

func (s *server) readAssist(ctx context.Context, in *CasePath) (*assistOutput, error) {
	t, err := s.Exchange.AssistTask(ctx, callerOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &assistOutput{Body: t}, nil
}

func (s *server) answerAssist(ctx context.Context, in *answerAssistInput) (*assistOutput, error) {
	t, err := s.Exchange.AnswerAssist(ctx, callerOf(ctx), in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &assistOutput{Body: t}, nil
}
