package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/snapshot"
)

const good = "冯涛," + feng + ",否,工程师,12.5,是,2029-11-23,\"甲、乙\",x"

// goodRow is what good says.
func goodRow() snapshot.Row {
	return snapshot.Row{
		Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "冯涛", Number: feng},
		Fields: map[string]any{
			"title": "工程师", "years": 12.5, "member": true, "valid_to": "2029-11-23", "works": []string{"甲", "乙"},
		},
	}
}

func TestRead_TakesTheFormsThatCSVComesIn(t *testing.T) {
	t.Parallel()
	other := snapshot.Row{Subject: connectors.Subject{Kind: catalog.KindPerson, Name: "阿依努尔·买买提", Number: mai}, Fields: map[string]any{}, Revoked: true}
	quoted := goodRow()
	quoted.Fields["title"] = "他说\"好\",\n再来"
	second := "阿依努尔·买买提,37019919910914262x,是,,,,,,"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(heading + good + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text, charset string
		want                []snapshot.Row
	}{
		{"two rows", heading + good + "\r\n" + second + "\r\n", "", []snapshot.Row{goodRow(), other}},
		{"line feeds alone", strings.ReplaceAll(heading+good+"\r\n", "\r\n", "\n"), "utf-8", []snapshot.Row{goodRow()}},
		{"a byte order mark", "\ufeff" + heading + good + "\n", "", []snapshot.Row{goodRow()}},
		{"GB18030", gb, "gb18030", []snapshot.Row{goodRow()}},
		{"quotes", heading + strings.Replace(good, "工程师", "\"他说\"\"好\"\",\r\n再来\"", 1) + "\r\n", "", []snapshot.Row{quoted}},
		{"rows of nothing", heading + "\r\n,,,,,,,,\r\n" + good + "\r\n,,,,,,,,\r\n", "", []snapshot.Row{goodRow()}},
		{"no row", heading, "", nil},
		{"the same subject twice", heading + good + "\r\n" + good + "\r\n", "", []snapshot.Row{goodRow(), goodRow()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := source()
			s.Snapshot.Charset = c.charset
			rows, err := readAll(t, textFile("a.csv", c.text), s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRead_RefusesFilesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	whole := heading + good + "\r\n"
	for _, c := range []struct {
		name, file, text, charset string
		want                      []string
	}{
		{"nothing", "a.csv", "", "", []string{snapshot.CodeHeading}},
		{"cut in the last value", "a.csv", whole[:len(whole)-3], "", []string{snapshot.CodeEnd}},
		{"cut in a row", "a.csv", heading + "冯涛," + feng + "\n", "", []string{snapshot.CodeCells}},
		{"another format", "a.pdf", whole, "", []string{snapshot.CodeFile}},
		{"a column is missing", "a.csv", strings.Replace(whole, "有效期止", "有效期", 1), "", []string{snapshot.CodeHeading}},
		{"a column stands twice", "a.csv", strings.Replace(whole, "备注", "职称", 1), "", []string{snapshot.CodeHeading}},
		{"quotes that are not closed", "a.csv", whole + "\"冯涛," + feng + "\r\n", "", []string{snapshot.CodeQuotes}},
		{"quotes that take in all", "a.csv", whole + "\"" + strings.Repeat("冯涛,\n", 1<<18), "", []string{snapshot.CodeQuotes}},
		{"a comma too many", "a.csv", heading + good + ",y\r\n", "", []string{snapshot.CodeCells}},
		{"an encoding that is not known", "a.csv", whole, "big5", []string{snapshot.CodeCharset}},
		{"a NUL", "a.csv", strings.Replace(whole, "工程师", "工\x00程", 1), "", []string{snapshot.CodeText}},
		{"a lost character", "a.csv", strings.Replace(whole, "工程师", "工\ufffd", 1), "", []string{snapshot.CodeText}},
		{"bytes that are no characters", "a.csv", strings.Replace(whole, "工程师", "\xff", 1), "", []string{snapshot.CodeText}},
		{"bytes that are none in GB18030", "a.csv", "\xff" + whole, "gb18030", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := source()
			s.Snapshot.Charset = c.charset
			rows, err := readAll(t, textFile(c.file, c.text), s)
			if c.want == nil { // many: all columns are missing
				if len(rows) > 0 || err == nil {
					t.Errorf("it was read: %d rows", len(rows))
				}
				return
			}
			wantErrors(t, err, c.want...)
		})
	}
}

func TestRead_TellsWhatIsWrongWithEachRow(t *testing.T) {
	t.Parallel()
	bad := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	f := csvFile("a.csv",
		good,                                  // row 2
		bad(feng, "370199198601121536"),       // a wrong check digit
		bad(feng, ""),                         // none
		bad(feng, "3.70199E+17"),              // rounded
		bad(feng, "370199198601121000"),       // rounded and written in full
		bad("冯涛", " "),                        // nobody
		bad("12.5", "1,2"),                    // shifts the row
		bad("12.5", "十二"),                     // no number
		bad("是", "也许"),                        // no truth
		bad("2029-11-23", "2029-02-30"),       // no day
		bad("工程师", strings.Repeat("长", 4001)), // too long
		bad("工程师", "1.23457E+17"),             // rounded
		bad("否", "不详"),                        // in force or not
	)
	_, err := readAll(t, f, source())
	all := wantErrors(t, err,
		snapshot.CodeNumber, snapshot.CodeNumber, snapshot.CodeDigits, snapshot.CodeDigits, snapshot.CodeName,
		snapshot.CodeCells, snapshot.CodeValue, snapshot.CodeValue,
		snapshot.CodeValue, snapshot.CodeValue, snapshot.CodeValue, snapshot.CodeText, snapshot.CodeDigits, snapshot.CodeValue)
	if all[0].Row != 3 || all[0].Column != "公民身份号码" {
		t.Errorf("the first is at row %d, column %q; want row 3, 公民身份号码", all[0].Row, all[0].Column)
	}
	if last := all[len(all)-1]; last.Row != 14 || last.Column != "注销" {
		t.Errorf("the last is at row %d, column %q; want row 14, 注销", last.Row, last.Column)
	}
	for _, one := range append(all, snapshot.RowError{Message: err.Error()}) {
		for _, value := range []string{"冯涛", "370199", "3.70199", "不详", "十二", "工程师"} {
			if strings.Contains(one.Message, value) {
				t.Errorf("message %q holds a value of the file", one.Message)
			}
		}
	}
}

func TestRead_StopsAfterAThousandErrors(t *testing.T) {
	t.Parallel()
	_, err := readAll(t, csvFile("a.csv", strings.Split(strings.Repeat("冯涛,1,否,,,,,,\n", 1500), "\n")[:1500]...), source())
	if all := wantErrors(t, err, strings.Fields(strings.Repeat(snapshot.CodeNumber+" ", 1000))...); !strings.Contains(all.Error(), "至少1000处") {
		t.Errorf("the text %q does not say that there are more", all.Error())
	}
}

func TestRead_RefusesMoreRowsThanAllowed(t *testing.T) {
	t.Parallel()
	s := source()
	s.Snapshot.MaxRows = 2
	if _, err := readAll(t, csvFile("a.csv", good, good), s); err != nil {
		t.Error(err)
	}
	_, err := readAll(t, csvFile("a.csv", good, good, good), s)
	wantErrors(t, err, snapshot.CodeRows)
}

func TestRead_ChecksTheNumberByItsKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   catalog.PartyKind
		number string
		ok     bool
	}{
		{catalog.KindOrganization, shop, true},
		{catalog.KindOrganization, "91370102MA9X000110", false},
		{catalog.KindOrganization, feng, false},
		{catalog.KindVehicle, "LSVAA0000A0000001", true},
		{catalog.KindVehicle, "LSV AA", false},
		{catalog.KindVehicle, strings.Repeat("9", 101), false},
	} {
		s := source()
		s.Snapshot.SubjectKind = c.kind
		_, err := readAll(t, csvFile("a.csv", strings.Replace(good, feng, c.number, 1)), s)
		if ok := err == nil; ok != c.ok {
			t.Errorf("%s %s: %v, want ok %v", c.kind, c.number, err, c.ok)
		}
	}
}

func TestRead_KnowsTheColumnsByTheCatalog(t *testing.T) {
	t.Parallel()
	s := source()
	s.Snapshot.Columns = map[string]string{"title": "备注"}
	s.Snapshot.Revoked, s.Snapshot.RevokedIn = "职称", []string{"已注销", "吊销"}
	rows, err := readAll(t, csvFile("a.csv", strings.Replace(good, "工程师", "吊销", 1)), s)
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Fields["title"] != "x" || !rows[0].Revoked {
		t.Errorf("title %v, revoked %v; want x, true", rows[0].Fields["title"], rows[0].Revoked)
	}
}

func TestRowErrors_AreNoFormulasInASpreadsheet(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	faults := snapshot.RowErrors{{Row: 3, Column: "=1+1", Code: "value", Message: "＝A1"}, {Column: "@SUM", Message: "-1"}, {Column: "列,\"名\"", Message: "\tx"}}
	n, err := faults.WriteTo(&out)
	want := "\ufeff行,列,代码,说明\r\n3,'=1+1,value,'＝A1\r\n,'@SUM,,'-1\r\n,\"列,\"\"名\"\"\",,'\tx\r\n"
	if err != nil || out.String() != want || n != int64(len(want)) {
		t.Errorf("wrote %d bytes, %v:\n%q\nwant\n%q", n, err, out.String(), want)
	}
}
