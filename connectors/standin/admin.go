package standin

import (
	"net/http"
	"time"
)

// postFault adds one rule: a Rule as JSON, with the delay as a text such as
// "5s".
func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Rule
		Delay string `json:"delay"`
	}
	if !read(w, r, &sent) {
		return
	}
	if sent.Delay != "" {
		delay, err := time.ParseDuration(sent.Delay)
		if err != nil || delay < 0 {
			http.Error(w, "delay is not a span of time", http.StatusBadRequest)
			return
		}
		sent.Rule.Delay = delay
	}
	if err := s.AddRule(sent.Rule); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// deleteFaults lets everything answer well again.
func (s *Server) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.ClearRules()
	w.WriteHeader(http.StatusNoContent)
}
