package exchange_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mianti/connectors"
	"mianti/exchange"
	"mianti/policies"
)

// zhouCard is the material that only Zhou's identity card settles.
const zhouCard = "S01.M1.i"

// about answers the questions about Zhou's card otherwise than the others.
func about(number string, other source) source {
	return func(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
		if q.Subject.Number == number && q.Dataset.Code == "D-GA01" {
			return other(ctx, q)
		}
		return wellKept(ctx, q)
	}
}

// results are how the attempts of a material ended, with their details.
func results(m exchange.MaterialResult) []string {
	var out []string
	for _, a := range m.Attempts {
		out = append(out, strings.TrimSuffix(string(a.Mode)+" "+string(a.Result)+" "+a.Detail, " "))
	}
	return out
}

func TestResolve_SettlesOnOneGoodRecordAlone(t *testing.T) {
	t.Parallel()
	revoked := func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		r := record(q)
		r.Revoked = true
		return connectors.Reply{Records: []connectors.Record{r}}, nil
	}
	expired := func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		r := record(q)
		r.Fields["valid_to"] = "2026-11-22"
		return connectors.Reply{Records: []connectors.Record{r}}, nil
	}
	two := func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{Records: []connectors.Record{record(q), record(q)}}, nil
	}
	away := func(kind connectors.FaultKind) source {
		return func(context.Context, connectors.Query) (connectors.Reply, error) {
			return connectors.Reply{}, &connectors.Fault{Kind: kind}
		}
	}
	unknown := func(context.Context, connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{}, errors.New("something else")
	}
	for _, tt := range []struct {
		name    string
		answer  source
		outcome policies.Outcome
		reason  policies.ReasonCode
		want    []string
	}{
		{"one record", wellKept, policies.Settled, policies.ReasonLicenceValid, []string{"elicense ok"}},
		{"none", nothing, policies.Upload, "not_found", []string{"elicense not_found", "data not_found"}},
		{"two", two, policies.Upload, "multiple", []string{"elicense multiple", "data multiple"}},
		{"expired yesterday", expired, policies.Upload, "expired", []string{"elicense expired valid_to", "data expired valid_to"}},
		{"revoked", revoked, policies.Upload, "expired", []string{
			"elicense expired the source marks it as no longer in force", "data expired the source marks it as no longer in force"}},
		{"down", away(connectors.FaultDown), policies.Upload, "source_down", []string{"elicense source_down down", "data source_down down"}},
		{"refused", away(connectors.FaultRefused), policies.Upload, "source_down", []string{"elicense source_down refused", "data source_down refused"}},
		{"malformed", away(connectors.FaultMalformed), policies.Upload, "source_down",
			[]string{"elicense source_down malformed", "data source_down malformed"}},
		{"an unknown error", unknown, policies.Upload, "source_down", []string{"elicense source_down down", "data source_down down"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, about(zhou, tt.answer))
			m := b.material(b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID), zhouCard, "p4")
			if m.Outcome != tt.outcome || m.Reason.Code != tt.reason || (m.Evidence != nil) != (tt.outcome == policies.Settled) {
				t.Errorf("outcome %s, reason %s, evidence %v; want %s, %s", m.Outcome, m.Reason.Code, m.Evidence, tt.outcome, tt.reason)
			}
			if diff := cmp.Diff(tt.want, results(m)); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolve_TakesARecordOfSomebodyElseForAFault(t *testing.T) {
	t.Parallel()
	secrets := []string{"孙错发", stranger, "济南市示例区错发路3号", "错发应答"}
	b := newBench(t, about(zhou, func(context.Context, connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{Reference: secrets[3], Records: []connectors.Record{{
			Subject: connectors.Subject{Kind: "person", Name: secrets[0], Number: secrets[1]},
			Fields:  map[string]any{"name": secrets[0], "citizen_id": secrets[1], "address": secrets[2], "valid_to": "2041-02-03"},
		}}}, nil
	}))
	r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	m := b.material(r, zhouCard, "p4")
	if diff := cmp.Diff([]string{"elicense source_down wrong_subject", "data source_down wrong_subject"}, results(m)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if m.Outcome != policies.Upload || m.Reason.Code != "source_down" {
		t.Errorf("outcome %s for %s, want upload for source_down", m.Outcome, m.Reason.Code)
	}
	log := b.log.String()
	if strings.Count(log, `"level":"ERROR"`) != 2 || strings.Count(log, `"kind":"wrong_subject"`) != 2 {
		t.Errorf("the operator is not told of both wrong records: %s", log)
	}
	text := asJSON(t, r)
	for _, secret := range append(secrets, "2041-02-03") {
		if strings.Contains(text, secret) {
			t.Errorf("the resolution holds %q of somebody else", secret)
		}
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q of somebody else", secret)
		}
	}
}

func TestResolve_LogsNoIdentityWhenASourceFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(context.Context, connectors.Query) (connectors.Reply, error) {
		return connectors.Reply{}, &connectors.Fault{Kind: connectors.FaultTimeout}
	})
	in := founding()
	b.resolve(as("SPJ"), b.open(as("SPJ"), in).ID)
	log := b.log.String()
	if strings.Count(log, `"msg":"source failed"`) < foundingQuestions {
		t.Errorf("the operator is not told of every failure: %s", log)
	}
	for _, p := range in.Parties {
		if strings.Contains(log, p.Name) || (p.Number != "" && strings.Contains(log, p.Number)) {
			t.Errorf("the log names %s", p.ID)
		}
	}
}

func TestResolve_ComparesNamesAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	const unknown = "not_found" // to the caller it is nobody's
	for _, tt := range []struct{ name, given, held, want string }{
		{"same", "周敏", "周敏", "ok"},
		{"another name", "周敏", "周敏敏", unknown},
		{"no name at the source", "周敏", "", unknown},
		{"full-width at the source", "ANNA LI", "ＡＮＮＡ　ＬＩ", "ok"},
		{"full-width in the case", "ＡＮＮＡ", "ANNA", "ok"},
		{"another middle dot", "阿依古丽·买买提", "阿依古丽•买买提", "ok"},
		{"half-width middle dot", "阿依古丽·买买提", "阿依古丽･买买提", "ok"},
		{"a full stop for the dot", "阿依古丽·买买提", "阿依古丽．买买提", "ok"},
		{"blanks", "周敏", " 周 敏 ", "ok"},
		{"without the dot", "阿依古丽·买买提", "阿依古丽买买提", unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, about(zhou, func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
				r := record(q)
				r.Subject.Name = tt.held
				r.Fields["address"] = "济南市示例区别人路4号"
				return connectors.Reply{Records: []connectors.Record{r}}, nil
			}))
			in := founding()
			in.Parties[3].Name = tt.given
			r := b.resolve(as("SPJ"), b.open(as("SPJ"), in).ID)
			m := b.material(r, zhouCard, "p4")
			want := []string{"elicense " + tt.want}
			if tt.want == unknown {
				want = append(want, "data "+unknown)
			}
			if diff := cmp.Diff(want, results(m)); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			if tt.want == unknown && (m.Evidence != nil || strings.Contains(asJSON(t, r), "别人路")) {
				t.Error("fields of a record that does not agree are released")
			}
		})
	}
}

func TestResolve_ComparesNumbersWithoutRegardToCase(t *testing.T) {
	t.Parallel()
	b := newBench(t, about(stranger, func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		r := record(q)
		r.Subject.Number = strings.ToLower(r.Subject.Number)
		return connectors.Reply{Records: []connectors.Record{r}}, nil
	}))
	in := founding()
	in.Parties[3].Number = strings.ToLower(stranger)
	m := b.material(b.resolve(as("SPJ"), b.open(as("SPJ"), in).ID), zhouCard, "p4")
	if diff := cmp.Diff([]string{"elicense ok"}, results(m)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

func TestResolve_ReleasesOnlyTheFieldsThatTheMaterialNeeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, about(zhou, func(_ context.Context, q connectors.Query) (connectors.Reply, error) {
		r := record(q)
		r.Fields["ethnicity"] = "多余民族" // the dataset has it, the catalog does not ask for it
		r.Fields["mobile"] = "多余电话"    // nobody ever heard of it
		return connectors.Reply{Records: []connectors.Record{r}}, nil
	}))
	r := b.resolve(as("SPJ"), b.open(as("SPJ"), founding()).ID)
	m := b.material(r, zhouCard, "p4")
	want := []string{"citizen_id", "name", "valid_to"}
	if m.Evidence == nil || !slices.Equal(slices.Sorted(maps.Keys(m.Evidence.Fields)), want) {
		t.Errorf("evidence = %+v, want the fields %v", m.Evidence, want)
	}
	text := asJSON(t, r)
	for _, secret := range []string{"多余民族", "多余电话", "身份证住址1号"} {
		if strings.Contains(text, secret) {
			t.Errorf("the resolution holds %q", secret)
		}
	}
	for _, q := range b.sources.questions() {
		if q.Dataset.Code == "D-GA01" && !slices.Equal(q.Fields, want) {
			t.Errorf("asked for %v, want %v", q.Fields, want)
		}
	}
}

func TestResolve_ReleasesNoFieldWhereYesOrNoSuffices(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SW"), exchange.Opening{Number: "JN-T-0001", Matter: "S02.M1", Parties: archive("", trading).Parties})
	r := b.resolve(as("SW"), c.ID)
	m := b.material(r, "S02.M1.b", "p1")
	if m.Outcome != policies.Settled || m.Evidence == nil || !m.Evidence.YesNo || m.Evidence.Dataset != "D-SW04" || len(m.Evidence.Fields) > 0 {
		t.Errorf("outcome %s, evidence %+v; want it settled by a yes from D-SW04 without a field", m.Outcome, m.Evidence)
	}
	if len(m.Evidence.Unavailable) != 1 || m.Evidence.Unavailable["may_move_or_deregister"] == "" {
		t.Errorf("unavailable %v, want it said of the one field that was read", m.Evidence.Unavailable)
	}
	if text := asJSON(t, r); strings.Contains(text, "7654321") || strings.Count(text, "may_move_or_deregister") != 1 {
		t.Error("the resolution holds fields of a look-up that only answers yes or no")
	}
	asked := b.sources.questions()
	if len(asked) != 1 || !slices.Equal(asked[0].Fields, []string{"may_move_or_deregister"}) {
		t.Errorf("asked for %+v, want the one field that the check reads", asked)
	}
}

func TestResolve_AsksTheSameQuestionOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, wellKept)
	c := b.open(as("SPJ"), wholeFounding())
	_, err := b.x.ReportResult(t.Context(), as("SPJ"), c.ID, exchange.MatterResult{Matter: "S01.M1", Outcome: "granted", HolderNumber: trading})
	if err != nil {
		t.Fatal(describe(err))
	}
	leader := b.material(b.resolve(as("SPJ"), c.ID), "S01.M2.b", "p2")
	if !slices.Contains(leader.UsedBy, "S01.M3.b") || leader.Outcome != policies.Settled {
		t.Errorf("%v is %s, want one answer for the seal and the taxes", leader.UsedBy, leader.Outcome)
	}
	for _, question := range []string{"GA.D-GA01.elicense person " + wang, "SC.D-SC01.elicense organization " + trading} {
		askedOnce(t, b.sources.questions(), question)
	}
}

// askedOnce wants a question to have been asked, and none of them twice.
func askedOnce(t *testing.T, questions []connectors.Query, want string) {
	t.Helper()
	times := map[string]int{}
	for _, q := range questions {
		times[q.Source.Code+" "+string(q.Subject.Kind)+" "+q.Subject.Number]++
	}
	if times[want] == 0 {
		t.Errorf("%s was not asked", want)
	}
	for question, n := range times {
		if n != 1 {
			t.Errorf("%s was asked %d times, want once", question, n)
		}
	}
}
