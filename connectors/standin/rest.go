package standin

import (
	"encoding/json"
	"net/http"
	"strings"

	"mianti/catalog"
)

// The statuses in the answers of the other JSON shape.
const (
	restOK       = 200
	restBadValue = 400
	restNone     = 404
	restBusy     = 429
)

// restAnswer is the other JSON shape: a form is sent, the answer has a status of
// its own, the record is named by field codes, and the values are coded.
//
//	POST /{department}/rest/{dataset}
//	xm=…&sfzh=…&lx=1&reason=…&trace=…
//	{"status": 200, "trace": "…", "result": [{"who": {"xm": "…", "sfzh": "…"},
//	 "updated": "2026-11-23 08:00:00", "state": "1",
//	 "content": {"valid_to": "20291123", "trial_flag": "N", "trial_list": "甲|乙"}}]}
//
// lx is 1 for a person and 2 for an organisation; state 0 means revoked.
type restAnswer struct {
	Status int        `json:"status"`
	Trace  string     `json:"trace"`
	Result []restItem `json:"result"` // null where there is none
}

type restItem struct {
	Who     *restSubject   `json:"who,omitempty"`
	Updated string         `json:"updated"`
	State   string         `json:"state"`
	Content map[string]any `json:"content"`
}

type restSubject struct {
	Name   string `json:"xm"`
	Number string `json:"sfzh"`
}

// rest answers in the other JSON shape.
func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	t := s.template(r)
	if t == nil {
		http.NotFound(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	number := r.PostForm.Get("sfzh")
	s.counts[t.dataset.Code].Add(1)
	b := s.behaviour(t.dataset.Code, number)
	if s.interrupted(w, r, &b) {
		return
	}
	kind := catalog.KindPerson
	if r.PostForm.Get("lx") == "2" {
		kind = catalog.KindOrganization
	}
	out := restAnswer{Trace: r.PostForm.Get("trace")}
	held, err := s.held(t, s.registry.lookUp(kind, r.PostForm.Get("xm"), number), b)
	switch {
	case b.fault == FaultBusy || err != nil:
		out.Status = restBusy
	case strings.TrimSpace(r.PostForm.Get("reason")) == "":
		out.Status = restBadValue
	case len(held) == 0:
		out.Status = restNone
	default:
		out.Status = restOK
		for i := range held {
			out.Result = append(out.Result, restRecord(t.dataset, &held[i]))
		}
	}
	s.send(w, b, number, out)
}

// restRecord gives all fields: this department cannot be asked for some.
func restRecord(d *catalog.Dataset, h *holding) restItem {
	content := map[string]any{}
	for _, field := range d.Fields {
		if value, ok := h.fields[field.Code]; ok {
			content[field.Code] = inCode(field.Type, value)
		}
	}
	out := restItem{Updated: h.asOf.Format("2006-01-02 15:04:05"), State: "1", Content: content}
	if h.revoked {
		out.State = "0"
	}
	if !h.anonymous {
		out.Who = &restSubject{Name: h.name, Number: h.number}
	}
	return out
}

// inCode writes a value as this department does.
func inCode(kind catalog.FieldType, value any) any {
	switch value := value.(type) {
	case json.Number:
		return value
	case bool:
		if value {
			return "Y"
		}
		return "N"
	case []string:
		return strings.Join(value, "|")
	default:
		return inLicence(kind, value)
	}
}

// template is the dataset of a path, or nil when the department has none such.
func (s *Server) template(r *http.Request) *template {
	t := s.templates[r.PathValue("dataset")]
	if t == nil || t.dataset.Department != r.PathValue("department") {
		return nil
	}
	return t
}
