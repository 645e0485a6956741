package standin_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mianti/catalog"
	"mianti/connectors/standin"
)

// wantTable is the file of D-A: persons, bodies, properties and vehicles, in
// the order of askedBy; a body without a number has no row.
func wantTable() [][]string {
	return [][]string{
		{"主体名称", "主体号码", "是否失效", "姓名", "坐落", "面积", "有效期止"},
		{"王建国", "370199198805163315", "否", "王建国", "济南市示例区云杉路1号", "120.5", "2029-11-23"},
		{"赵晓敏", "370199199007221247", "否", "赵晓敏", "济南市示例区云杉路2号", "120.5", "2029-11-23"},
	}
}

func TestSnapshot_HoldsTheWholePopulation(t *testing.T) {
	t.Parallel()
	_, base := newServer(t, 0)
	answer, text := call(t, http.MethodGet, base+"/AA/snapshot/D-A.csv", nil, "")
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="D-A-20261123T0800.csv"` {
		t.Errorf("the file is called %s", got)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// Three persons, one body with a number, three properties, one vehicle.
	if len(rows) != 1+3+1+3+1 {
		t.Errorf("%d rows", len(rows))
	}
	if diff := cmp.Diff(wantTable(), rows[:3]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, text = call(t, http.MethodGet, base+"/AA/snapshot/D-A.xlsx", nil, "")
	book, err := excelize.OpenReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	sheet, err := book.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantTable(), sheet[:3]); diff != "" || len(sheet) != len(rows) {
		t.Errorf("%d rows in the sheet (-want +got):\n%s", len(sheet), diff)
	}
	for _, path := range []string{"/AA/snapshot/D-A.ods", "/AA/snapshot/D-B.csv", "/BB/snapshot/D-A.csv", "/AA/snapshot/D-A"} {
		if answer, _ := call(t, http.MethodGet, base+path, nil, ""); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
	}
}

func TestFile_PlaysTheFaultsOfFiles(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t, 0)
	_, good, err := server.File("D-A", "csv")
	if err != nil {
		t.Fatal(err)
	}
	for fault, right := range map[standin.Fault]func(name string, content []byte) bool{
		standin.FaultEmpty: func(_ string, c []byte) bool { return len(c) == 0 },
		standin.FaultShort: func(_ string, c []byte) bool { return bytes.HasPrefix(good, c) && len(c) == len(good)/2 },
		standin.FaultMalformed: func(_ string, c []byte) bool {
			_, err := csv.NewReader(bytes.NewReader(c)).ReadAll()
			return err != nil
		},
		standin.FaultBOM:        func(_ string, c []byte) bool { return bytes.HasPrefix(c, []byte("\xef\xbb\xbf")) },
		standin.FaultStale:      func(n string, _ []byte) bool { return n == "D-A-20261023T0800.csv" },
		standin.FaultFuture:     func(n string, _ []byte) bool { return n == "D-A-20361123T0800.csv" },
		standin.FaultRevoked:    func(_ string, c []byte) bool { return bytes.Contains(c, []byte("370199198805163315,是,")) },
		standin.FaultLetterCase: func(_ string, c []byte) bool { return bytes.Contains(c, []byte("37019919910914262x")) },
		standin.FaultNoSubject:  func(_ string, c []byte) bool { return !bytes.Contains(c, []byte("37019919910914262X")) },
		standin.FaultHuge:       func(_ string, c []byte) bool { return bytes.Count(c, []byte("\n")) > 100_000 },
	} {
		if err := server.SetRules(standin.Rule{Fault: fault}); err != nil {
			t.Fatal(err)
		}
		name, content, err := server.File("D-A", "csv")
		if err != nil || !right(name, content) {
			t.Errorf("%s: %s, %d bytes, %v", fault, name, len(content), err)
		}
	}
}

func TestOfficer_LooksIntoTheRegister(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t, 0)
	for _, c := range []struct {
		name  string
		who   string
		fault standin.Fault
		found bool
		ok    bool
	}{
		{"somebody", "王建国", "", true, true},
		{"another name", "王建", "", false, true},
		{"no record", "王建国", standin.FaultNotFound, false, true},
		{"an expired one", "王建国", standin.FaultExpired, true, true},
		{"nobody answers", "王建国", standin.FaultSlow, false, false},
		{"nobody is there", "王建国", standin.FaultDown, false, false},
	} {
		if err := server.SetRules(standin.Rule{Fault: c.fault}); err != nil {
			t.Fatal(err)
		}
		got, ok, err := server.Officer("D-A", catalog.KindPerson, c.who, "370199198805163315")
		if err != nil || ok != c.ok || got.Found != c.found || (len(got.Rows) == 1) != c.found {
			t.Errorf("%s: %v, %t, %v", c.name, got, ok, err)
		}
	}
	if _, _, err := server.Officer("D-B", catalog.KindPerson, "王建国", "370199198805163315"); err == nil {
		t.Error("an officer answers for a dataset that is not there")
	}
}
