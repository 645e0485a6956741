package api

import (
	"context"
	"net/http"

	"mianti/catalog/suggest"
)

type suggestMaterialsInput struct {
	Body struct {
		Names []string `json:"names" minItems:"1" maxItems:"2000" doc:"材料名称, 按名单原文; 每个不超过 300 字"`
	}
}

type suggestMaterialsOutput struct {
	Body struct {
		Items []suggest.Suggestion `json:"items" doc:"逐个名称, 按名单的顺序"`
	}
}

type recordSuggestionInput struct{ Body suggest.Verdict }

type recordSuggestionOutput struct{ Body *suggest.MappingDecision }

func (s *server) registerSuggestions() {
	ask := s.operation(http.MethodPost, "/v1/material-suggestions", "suggest-materials", "为材料名称建议标准材料", catalogTag, 422)
	ask.DefaultStatus = http.StatusOK
	ask.Description = "按现行目录，为名单中的材料名称建议标准材料、通用材料或数据资源，附把握与理由。没有把握的不建议。" +
		"同样的目录、同样的确认记录，得出同样的建议。"
	handle(s, ask, s.suggestMaterials)
	record := s.operation(http.MethodPost, "/v1/material-mappings", "record-suggestion", "确认或否定一条建议", catalogTag, 422)
	record.DefaultStatus = http.StatusCreated
	record.Description = "此后的建议按它：确认过的名称直接对应，否定过的不再建议，相近的名称相应提高或降低。同一名称与同一对象，以最后一次为准。"
	handle(s, record, s.recordSuggestion)
}

func (s *server) suggestMaterials(ctx context.Context, in *suggestMaterialsInput) (*suggestMaterialsOutput, error) {
	found, err := s.Suggestions.Suggest(ctx, in.Body.Names)
	if err != nil {
		return nil, err
	}
	out := &suggestMaterialsOutput{}
	out.Body.Items = found
	return out, nil
}

func (s *server) recordSuggestion(ctx context.Context, in *recordSuggestionInput) (*recordSuggestionOutput, error) {
	kept, err := s.Suggestions.Record(ctx, callerOf(ctx), in.Body)
	if err != nil {
		return nil, err
	}
	return &recordSuggestionOutput{Body: kept}, nil
}

// suggestionProblems are those of the mapping assistant.
func suggestionProblems() map[string]problemText {
	return map[string]problemText{
		"invalid-names":   {title: "材料名单不符合要求", explanation: "errors 说明位置与原因。一次 1 至 2000 个名称，每个不超过 300 字。"},
		"invalid-mapping": {title: "映射不能确认", explanation: "errors 说明位置与原因。名称应是材料的名称，不带号码；代码应是现行目录中的标准材料、通用材料或数据资源。"},
	}
}
