package api_test

import (
	"net/http"
	"slices"
	"testing"
)

type guideAnswer struct {
	Name      string
	Questions []struct {
		Fact      string
		Materials []string
		Burden    bool
	}
	Counts    map[string]int
	Materials []struct{ Code, Group, Mode string }
}

func (g guideAnswer) in(group string) []string {
	var codes []string
	for _, m := range g.Materials {
		if m.Group == group {
			codes = append(codes, m.Code)
		}
	}
	return codes
}

// TestGuide_TellsWhatIsLeftByTheAnswersSoFar: a rented place needs its contract,
// and a seal its own application.
func TestGuide_TellsWhatIsLeftByTheAnswersSoFar(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, c := range []struct {
		facts            string
		asked            []string
		none, left, open []string
	}{
		{`{}`, []string{"premises", "need_seal"}, []string{"S01.M1.a", "S01.M1.b"}, nil, []string{"S01.M1.c", "S01.M2.a"}},
		{`{"premises":"rent","need_seal":false}`, nil, []string{"S01.M1.a", "S01.M1.b"}, []string{"S01.M1.c"}, nil},
		{`{"premises":"own","need_seal":true}`, nil, []string{"S01.M1.a", "S01.M1.b", "S01.M2.a"}, nil, nil},
	} {
		var got guideAnswer
		w := h.call(ownSystem, http.MethodPost, "/v1/guide", `{"subject":"S01","facts":`+c.facts+`}`)
		decode(t, w, &got)
		var asked []string
		for _, q := range got.Questions {
			asked = append(asked, q.Fact)
		}
		if w.Code != http.StatusOK || !slices.Equal(asked, c.asked) || !slices.Equal(got.in("none"), c.none) ||
			!slices.Equal(got.in("submit"), c.left) || !slices.Equal(got.in("open"), c.open) {
			t.Errorf("%s: %d asks %v; %+v", c.facts, w.Code, asked, got.Materials)
		}
		if got.Counts["none"] != len(c.none) || got.Counts["submit"] != len(c.left) || got.Name != "企业开办一件事" {
			t.Errorf("%s: %+v", c.facts, got)
		}
	}
}

func TestGuide_RefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	wantProblem(t, h.call(ownSystem, http.MethodPost, "/v1/guide", `{"subject":"S99"}`), http.StatusNotFound, "unknown-matter")
	p := wantProblem(t, h.call(ownSystem, http.MethodPost, "/v1/guide", `{"subject":"S01","facts":{"premises":"张三","name":"李四"}}`), http.StatusUnprocessableEntity, "invalid-answers")
	if len(p.Errors) != 2 || p.Errors[0].Location != "body.facts.name" || p.Errors[1].Location != "body.facts.premises" {
		t.Errorf("errors %+v", p.Errors)
	}
}
