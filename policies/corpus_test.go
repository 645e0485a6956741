package policies_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mianti/catalog"
	"mianti/policies"
)

// topic is a file of testdata/decisions: a setting, told in words and in data,
// and cases that differ from it.
type topic struct {
	Topic    string          `json:"topic"`
	InWords  string          `json:"setting_in_words"`
	Setting  json.RawMessage `json:"setting"`
	Decision []decisionCase  `json:"cases"`
}

// decisionCase is one case as an official reads it: what differs from the
// setting, what is expected with all its reasons, and why.
type decisionCase struct {
	Title   string          `json:"title"`
	Differs json.RawMessage `json:"differs"`
	Allowed bool            `json:"allowed"`
	Awaits  bool            `json:"awaits_consent"`
	Grant   string          `json:"grant"`
	Reasons []string        `json:"reasons"`
	Why     string          `json:"why"`
}

// asked is who asks for what about whom, and what stands for and against it.
type asked struct {
	System     string `json:"system"`
	Receiver   string `json:"receiver"`
	Department struct {
		Code          string `json:"code"`
		PublicUtility bool   `json:"public_utility"`
	} `json:"department"`
	Matter struct {
		Code      string `json:"code"`
		State     string `json:"state"`
		Materials []struct {
			Code     string          `json:"code"`
			Subjects []string        `json:"subjects"`
			Proofs   []catalog.Proof `json:"proofs"`
		} `json:"materials"`
	} `json:"matter"`
	Material string `json:"material"`
	Dataset  struct {
		Code       string                     `json:"code"`
		Department string                     `json:"department"`
		Sharing    catalog.Sharing            `json:"sharing"`
		Consent    bool                       `json:"consent"`
		Fields     map[string]catalog.Sharing `json:"fields"` // with the class of their own
	} `json:"dataset"`
	Fields []string `json:"fields"`
	Role   struct {
		Code    string              `json:"code"`
		Consent catalog.ConsentRule `json:"consent"`
		Basis   []string            `json:"basis"`
	} `json:"role"`
	Party struct {
		Kind   catalog.PartyKind `json:"kind"`
		Number string            `json:"number"`
		Roles  []string          `json:"roles"`
	} `json:"party"`
	Own       said   `json:"own"`
	Guardians []said `json:"guardians"`
	Grants    []struct {
		ID         string              `json:"id"`
		Department string              `json:"department"`
		Matter     string              `json:"matter"`
		Dataset    string              `json:"dataset"`
		Fields     []string            `json:"fields"`
		From       time.Time           `json:"from"`
		Until      time.Time           `json:"until"`
		State      policies.GrantState `json:"state"`
	} `json:"grants"`
	Stops []struct {
		Kind policies.StopKind `json:"kind"`
		ID   string            `json:"id"`
	} `json:"stops"`
	At time.Time `json:"at"`
}

// said is what a person has said.
type said struct {
	State      catalog.ConsentState `json:"state"`
	Everything bool                 `json:"everything"`
	Fields     map[string][]string  `json:"fields"`
	Until      time.Time            `json:"until"`
}

func (s said) permission() policies.Permission {
	return policies.Permission{State: s.State, Everything: s.Everything, Fields: s.Fields, Until: s.Until}
}

// request is all that Decide is given.
type request struct {
	access policies.Access
	grants []policies.Grant
	stops  []policies.Stop
	now    time.Time
}

func (r request) decide() policies.Decision {
	return policies.Decide(r.access, policies.IndexGrants(r.grants), policies.IndexStops(r.stops), r.now)
}

func (in asked) request() request {
	matter := &catalog.Matter{Code: in.Matter.Code, Department: in.Department.Code}
	for _, m := range in.Matter.Materials {
		matter.Materials = append(matter.Materials, catalog.Material{Code: m.Code, Subjects: m.Subjects, Proofs: m.Proofs})
	}
	dataset := &catalog.Dataset{Code: in.Dataset.Code, Department: in.Dataset.Department, Sharing: in.Dataset.Sharing, Consent: in.Dataset.Consent}
	for _, code := range slices.Sorted(maps.Keys(in.Dataset.Fields)) {
		dataset.Fields = append(dataset.Fields, catalog.Field{Code: code, Sharing: in.Dataset.Fields[code]})
	}
	out := request{now: in.At, access: policies.Access{
		System: in.System, Receiver: in.Receiver,
		Department: &catalog.Department{Code: in.Department.Code, PublicUtility: in.Department.PublicUtility},
		Matter:     matter, State: catalog.MatterState(in.Matter.State), Material: in.Material, Dataset: dataset, Fields: in.Fields,
		Role:  &catalog.Role{Code: in.Role.Code, Consent: in.Role.Consent, Basis: in.Role.Basis},
		Party: &catalog.Party{Kind: in.Party.Kind, Number: in.Party.Number, Roles: in.Party.Roles},
		Own:   in.Own.permission(),
	}}
	for _, g := range in.Guardians {
		out.access.Guardians = append(out.access.Guardians, g.permission())
	}
	for _, g := range in.Grants {
		out.grants = append(out.grants, policies.Grant{
			ID: g.ID, Department: g.Department, Matter: g.Matter, Dataset: g.Dataset, Fields: g.Fields, From: g.From, Until: g.Until, State: g.State,
		})
	}
	for _, s := range in.Stops {
		out.stops = append(out.stops, policies.Stop{Kind: s.Kind, ID: s.ID})
	}
	return out
}

// TestDecide_Corpus holds the decision against the cases of testdata/decisions.
// What they expect was derived by hand from docs/decision-reasons.md.
func TestDecide_Corpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/decisions/*.json")
	if err != nil {
		t.Fatal(err)
	}
	told, titles := 0, map[string]bool{}
	for _, file := range files {
		var topic topic
		strictly(t, read(t, file), &topic)
		if topic.Topic == "" || topic.InWords == "" {
			t.Errorf("%s does not say what it is about", file)
		}
		for _, c := range topic.Decision {
			told++
			if c.Title == "" || c.Why == "" || len(c.Reasons) == 0 || titles[c.Title] {
				t.Errorf("%s: %q has no title of its own, no reason, or does not say why", file, c.Title)
			}
			titles[c.Title] = true
			t.Run(topic.Topic+"/"+c.Title, func(t *testing.T) {
				t.Parallel()
				wantDecision(t, topic.Setting, c)
			})
		}
	}
	if told < 150 {
		t.Errorf("%d decisions, want at least 150", told)
	}
}

func wantDecision(t *testing.T, setting json.RawMessage, c decisionCase) {
	t.Helper()
	var in asked
	strictly(t, differing(t, setting, c.Differs), &in)
	got := in.request().decide()
	var reasons []string
	for _, r := range got.Reasons {
		reasons = append(reasons, string(r))
	}
	slices.Sort(reasons)
	want := slices.Sorted(slices.Values(c.Reasons))
	if got.Allowed != c.Allowed || got.AwaitsConsent != c.Awaits || got.Grant != c.Grant || !slices.Equal(reasons, want) {
		t.Errorf("allowed %v, awaits consent %v, grant %q, reasons %v;\nwant %v, %v, %q, %v: %s",
			got.Allowed, got.AwaitsConsent, got.Grant, reasons, c.Allowed, c.Awaits, c.Grant, want, c.Why)
	}
	if got.Ruleset != policies.Ruleset {
		t.Errorf("the decision names the ruleset %q", got.Ruleset)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// strictly decodes JSON, and refuses a word that means nothing.
func strictly(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%T: %v", into, err)
	}
}

// differing puts what differs into a setting: objects key by key, anything else
// as a whole.
func differing(t *testing.T, setting, differs json.RawMessage) []byte {
	t.Helper()
	var base, with any
	for text, into := range map[*json.RawMessage]*any{&setting: &base, &differs: &with} {
		if err := json.Unmarshal(*text, into); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(merged(base, with))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func merged(base, with any) any {
	old, isOld := base.(map[string]any)
	changes, isNew := with.(map[string]any)
	if !isOld || !isNew {
		return with
	}
	out := maps.Clone(old)
	for key, value := range changes {
		out[key] = merged(old[key], value)
	}
	return out
}
