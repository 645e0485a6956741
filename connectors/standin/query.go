package standin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
)

// The codes in the answers of the data interfaces.
const (
	codeOK         = "0"
	codeNoPurpose  = "1001"
	codeBadRequest = "1002"
	codeBusy       = "9001"
)

type question struct {
	RequestID string `json:"request_id"`
	Subject   struct {
		Kind   catalog.PartyKind `json:"kind"`
		Name   string            `json:"name"`
		Number string            `json:"number"`
	} `json:"subject"`
	Fields  []string `json:"fields"`
	Purpose string   `json:"purpose"`
}

type answer struct {
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Serial  string       `json:"serial"`
	Data    []answerItem `json:"data"`
}

type answerItem struct {
	Subject *answerSubject `json:"subject,omitempty"`
	AsOf    string         `json:"as_of"`
	Revoked bool           `json:"revoked,omitempty"`
	Record  map[string]any `json:"record"`
}

type answerSubject struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

// query answers a data interface.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	t := s.template(r)
	if t == nil {
		http.NotFound(w, r)
		return
	}
	var q question
	if !read(w, r, &q) {
		return
	}
	s.counts[t.dataset.Code].Add(1)
	b := s.behaviour(t.dataset.Code, q.Subject.Number)
	if s.interrupted(w, r, &b) {
		return
	}
	s.send(w, b, q.Subject.Number, s.answer(t, &q, b))
}

// interrupted waits and plays the faults of the interface.
func (s *Server) interrupted(w http.ResponseWriter, r *http.Request, b *behaviour) bool {
	if (b.fault == FaultRedirect || b.fault == FaultRedirectAway) && r.URL.Query().Has("moved") {
		b.fault = ""
	}
	return !s.wait(r.Context(), b.delay) || playFault(w, r, b.fault)
}

func (s *Server) answer(t *template, q *question, b behaviour) answer {
	wanted, known := fieldsByName(t.dataset, q.Fields)
	switch {
	case b.fault == FaultBusy:
		return answer{Code: codeBusy, Message: "系统繁忙，请稍后再试"}
	case strings.TrimSpace(q.Purpose) == "":
		return answer{Code: codeNoPurpose, Message: "未说明用证事由"}
	case !known || !slices.Contains(t.dataset.AskedBy, q.Subject.Kind):
		return answer{Code: codeBadRequest, Message: "参数错误"}
	}
	if b.fault == FaultExtraFields {
		wanted = t.dataset.Fields
	}
	subject := s.registry.lookUp(q.Subject.Kind, q.Subject.Name, q.Subject.Number)
	held, err := s.held(t, subject, b)
	if err != nil {
		return answer{Code: codeBusy, Message: "系统异常"}
	}
	out := answer{Code: codeOK, Message: "成功", Serial: t.dataset.Code + "-" + q.RequestID, Data: []answerItem{}}
	for _, h := range held {
		out.Data = append(out.Data, item(&h, wanted, b.fault == FaultExtraFields))
	}
	return out
}

func item(h *holding, wanted []catalog.Field, more bool) answerItem {
	record := map[string]any{}
	for _, field := range wanted {
		if value, ok := h.fields[field.Code]; ok {
			record[field.Name] = value
		}
	}
	if more {
		record["内部备注"] = "不应外传"
	}
	out := answerItem{AsOf: h.asOf.Format(time.RFC3339), Revoked: h.revoked, Record: record}
	if !h.anonymous {
		out.Subject = &answerSubject{Name: h.name, Number: h.number}
	}
	return out
}

// fieldsByName finds the asked fields; known is false when there is a name
// that the dataset does not have.
func fieldsByName(d *catalog.Dataset, names []string) (fields []catalog.Field, known bool) {
	for _, field := range d.Fields {
		if slices.Contains(names, field.Name) {
			fields = append(fields, field)
		}
	}
	return fields, len(fields) == len(names)
}
