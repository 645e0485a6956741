package elicense_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/elicense"
	"mianti/connectors/wire"
)

const (
	number     = "370199198805163315"
	typeCode   = "11100000000013127D001"
	identifier = "1.2.156.3005.2.11100000000013127D001.11370100MB901074XC.1.001.X" // its check character is wrong
	listed     = `{"head": {"status": "0"}, "data": {"certIdentifiers": ["` + identifier + `"]}}`
	holders    = `[{"name": "王建国", "code": "` + number + `", "codeType": "111"}]`
)

func TestAsk_TellsTheStatusesOfThePlatformApart(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]connectors.FaultKind{
		"0": "", "10": "",
		"11": connectors.FaultRefused, "100": connectors.FaultRefused,
		"2": connectors.FaultDown, "1": connectors.FaultDown, "7777": connectors.FaultDown,
		"12": connectors.FaultMalformed, "102": connectors.FaultMalformed, "103": connectors.FaultMalformed,
		"109": connectors.FaultMalformed, "110": connectors.FaultMalformed, "111": connectors.FaultMalformed,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			first := strings.Replace(listed, `"0"`, `"`+status+`"`, 1)
			reply, err := ask(t, first, licence("01", holders, `{}`), nil)
			wantFault(t, err, want)
			if want == "" && (len(reply.Records) == 1) != (status == "0") {
				t.Errorf("status %s gives %d records", status, len(reply.Records))
			}
		})
	}
}

func TestAsk_BelievesNoAnswerThatBreaksTheInterface(t *testing.T) {
	t.Parallel()
	good := licence("01", holders, `{}`)
	cases := []struct {
		name, first, second string
		want                connectors.FaultKind
	}{
		{"all well", listed, good, ""},
		{"no status", `{"head": {}, "data": {}}`, good, connectors.FaultMalformed},
		{"no head", `{}`, good, connectors.FaultMalformed},
		{"success without a list", `{"head": {"status": "0"}, "data": {}}`, good, connectors.FaultMalformed},
		{"success with an empty list", `{"head": {"status": "0"}, "data": {"certIdentifiers": []}}`, good, connectors.FaultMalformed},
		{"too many", `{"head": {"status": "0"}, "data": {"certIdentifiers": [` + strings.Repeat(`"x",`, 16) + `"x"]}}`, good, connectors.FaultMalformed},
		{"listed but gone", listed, `{"head": {"status": "10"}}`, connectors.FaultMalformed},
		{"listed but empty", listed, `{"head": {"status": "0"}}`, connectors.FaultMalformed},
		{"listed but forbidden", listed, `{"head": {"status": "100"}}`, connectors.FaultRefused},
		{"another identifier", listed, strings.Replace(good, ".X", ".Y", 1), connectors.FaultMalformed},
		{"another type", listed, strings.Replace(good, `"`+typeCode+`"`, `"11100000MB0143028R001"`, 1), connectors.FaultMalformed},
		{"no holder", listed, licence("01", `[]`, `{}`), connectors.FaultMalformed},
		{"another holder", listed, licence("01", strings.Replace(holders, number, "370199198503091176", 1), `{}`), connectors.FaultWrongSubject},
		{"an unknown state", listed, licence("08", holders, `{}`), connectors.FaultMalformed},
		{"no state", listed, licence("", holders, `{}`), connectors.FaultMalformed},
		{"a wrong type of value", listed, licence("01", holders, `{"姓名": 17}`), connectors.FaultMalformed},
		{"a wrong end", listed, strings.Replace(good, `"20300101"`, `"soon"`, 1), connectors.FaultMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ask(t, c.first, c.second, nil)
			wantFault(t, err, c.want)
		})
	}
}

func TestAsk_CountsOnlyAnEffectiveLicenceAsInForce(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"01": false, "02": true, "03": true, "04": true, "05": true, "06": true, "07": true, "99": true} {
		reply, err := ask(t, listed, licence(state, holders, `{}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := reply.Records[0].Revoked; got != want {
			t.Errorf("state %s: revoked is %v, want %v", state, got, want)
		}
	}
}

func TestAsk_FindsTheAskedOneAmongSeveralHolders(t *testing.T) {
	t.Parallel()
	couple := `[{"name": "赵晓敏", "code": "370199199007221247"}, {"name": "王建国", "code": "` + number + `"}]`
	second := licence("01", couple, `{"姓名": "王建国", "住址": "x"}`)
	reply, err := ask(t, listed, second, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := connectors.Reply{Reference: identifier, Size: int64(len(listed) + len(second)), Warnings: []string{"licence_check_character"}, Records: []connectors.Record{{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
		// The end of validity is the licence's own, as its extension has none.
		Fields: map[string]any{"name": "王建国", "valid_to": "2030-01-01"},
	}}}
	if diff := cmp.Diff(want, reply); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAsk_RemarksOnACheckCharacterThatIsWrong(t *testing.T) {
	t.Parallel()
	// The first two are real ones, of GB/T 36904's form; the check character of
	// the third belongs to another licence.
	for text, want := range map[string]bool{
		"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U": false,
		"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9":               false,
		"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.V": true,
		"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001":   true,
		"11100000000013338W011.11430000006122244L.20230000403.001.U":                true,
		"1.2.156.3005.2.":             true,
		"1.2.156.3005.2.济南.1.1.001.1": true,
		"licence":                     true,
	} {
		first, second := strings.Replace(listed, identifier, text, 1), strings.Replace(licence("01", holders, `{}`), identifier, text, 1)
		reply, err := ask(t, first, second, nil)
		if err != nil || len(reply.Records) != 1 {
			t.Fatalf("%s: got %d records, %v", text, len(reply.Records), err)
		}
		if got := slices.Contains(reply.Warnings, "licence_check_character"); got != want {
			t.Errorf("%s: remarked on is %v, want %v", text, got, want)
		}
	}
}

func TestAsk_TakesACitizensNumberInSmallLetters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        catalog.PartyKind
		asked, sent string
		want        connectors.FaultKind
	}{
		{catalog.KindPerson, "37019918860101001X", "37019918860101001x", ""},
		{catalog.KindOrganization, "91370102MA9X00011G", "91370102ma9x00011g", ""},
		{catalog.KindVehicle, "鲁A12345", "鲁a12345", connectors.FaultWrongSubject},
	} {
		server := platform(t, map[string]string{
			"queryCertInfoByHolderCode": listed,
			"queryCertInfo":             licence("01", strings.Replace(holders, number, c.sent, 1), `{}`),
		}, nil)
		q := query(server)
		q.Subject.Kind, q.Subject.Number = c.kind, c.asked
		reply, err := newConnector(t).Ask(t.Context(), q)
		wantFault(t, err, c.want)
		if err == nil && reply.Records[0].Subject.Number != c.asked {
			t.Errorf("%s: the record is of %s", c.asked, reply.Records[0].Subject.Number)
		}
	}
}

func TestAsk_SendsTheAgreedQuestionsAndNobodyInTheURL(t *testing.T) {
	t.Parallel()
	var got []map[string]string
	var paths []string
	_, err := ask(t, listed, licence("01", holders, `{}`), func(r *http.Request) {
		paths = append(paths, r.URL.String())
		var question map[string]string
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		if n := utf8.RuneCountInString(question["useCause"]); n != 200 {
			t.Errorf("useCause has %d characters, want it cut to 200", n)
		}
		delete(question, "useCause")
		got = append(got, question)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"holderCode": number, "holderName": "王建国", "holderTypeCode": "111", "certTypeCode": typeCode},
		{"certIdentifier": identifier},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/elicense/queryCertInfoByHolderCode", "/elicense/queryCertInfo"}, paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestTypeCode_FallsBackToTheDataset(t *testing.T) {
	t.Parallel()
	for _, d := range []*catalog.Dataset{{Code: "D-GA03"}, {Code: "D-GA03", Certificate: &catalog.Certificate{}}} {
		if got := elicense.TypeCode(d); got != "D-GA03" {
			t.Errorf("got %q, want the dataset's code", got)
		}
	}
}

func licence(state, holders, extension string) string {
	return `{"head": {"status": "0"}, "data": {"certIdentifier": "` + identifier + `", "certTypeCode": "` + typeCode +
		`", "validTo": "20300101", "holders": ` + holders + `, "status": "` + state + `", "extension": ` + extension + `}}`
}

// ask puts one question to a platform with these two answers.
func ask(t *testing.T, first, second string, see func(*http.Request)) (connectors.Reply, error) {
	t.Helper()
	server := platform(t, map[string]string{"queryCertInfoByHolderCode": first, "queryCertInfo": second}, see)
	return newConnector(t).Ask(t.Context(), query(server))
}

// platform answers by operation, and gives its address.
func platform(t *testing.T, answers map[string]string, see func(*http.Request)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if see != nil {
			see(r)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(answers[path.Base(r.URL.Path)], "{host}", r.Host))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func newConnector(t *testing.T) *elicense.Connector {
	t.Helper()
	// The clock is the servers', so that theirs is not remarked on.
	client := wire.NewClient(wire.Options{Now: time.Now})
	t.Cleanup(client.Close)
	return elicense.New(client)
}

func query(baseURL string) connectors.Query {
	return connectors.Query{
		ID: "q-1", BaseURL: baseURL, Network: catalog.NetworkLocal, Source: &catalog.Source{Code: "GA.D-X.licence", Path: "/elicense"},
		Dataset: &catalog.Dataset{
			Code: "D-X", Certificate: &catalog.Certificate{TypeCode: typeCode}, ValidUntil: "valid_to",
			Fields: []catalog.Field{
				{Code: "name", Name: "姓名", Type: catalog.FieldString},
				{Code: "address", Name: "住址", Type: catalog.FieldString},
				{Code: "valid_to", Name: "有效期止", Type: catalog.FieldDate},
			},
		},
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "王建国", Number: number},
		Fields:  []string{"name", "valid_to"}, Purpose: strings.Repeat("用证事由", 60),
	}
}

func wantFault(t *testing.T, err error, want connectors.FaultKind) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want an answer", err)
	case want != "" && (err == nil || connectors.KindOf(err) != want):
		t.Errorf("got %v, want fault %s", err, want)
	}
}
