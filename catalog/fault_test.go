package catalog_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
)

const (
	s01       = "one-things/S01.yaml"
	ga        = "departments/GA.yaml"
	sc        = "departments/SC.yaml"
	factsFile = "facts.yaml"
	commons   = "common-materials.yaml"
)

// plant is one fault in the small good catalog: a text replaced by another.
type plant struct {
	name     string
	file     string
	old, now string
	at       string // a text on the line that is reported; by default now
	code     string
}

// shapePlants and meaningPlants hold every fault that an edit of one place can
// make; those that need more have tests of their own.
var shapePlants = []plant{
	{name: "unknown key in a material", file: s01, old: "kind: form", now: "kindd: 1\n        kind: form", at: "kindd: 1", code: "unknown-key"},
	{name: "unknown key in a lookup", file: s01, old: "yes_no: true", now: "yes_no: true, yesno: true", code: "unknown-key"},
	{name: "options of a bool", file: factsFile, old: "ask: 是否委托他人代办", now: "ask: 是否委托他人代办, options: [{value: a, label: a}]", code: "unknown-key"},
	{name: "enum without options", file: factsFile, old: "{code: hukou, type: region,", now: "{code: hukou, type: enum,", code: "missing-key"},
	{name: "missing key", file: sc, old: "    update: daily\n", at: "- code: D-SC02", code: "missing-key"},
	{name: "missing key of a use", file: commons, old: "    origin: government\n", at: "S01.M1.b", code: "missing-key"},
	{name: "value of another type", file: s01, old: "days: 1\n    after", now: "days: soon\n    after", at: "days: soon", code: "wrong-value"},
	{name: "value out of range", file: sc, old: "sensitivity: 2", now: "sensitivity: 5", code: "wrong-value"},
	{name: "value of no option", file: sc, old: "update: daily", now: "update: hourly", code: "wrong-value"},
	{name: "empty text", file: sc, old: "name: 房屋租赁备案", now: `name: ""`, code: "wrong-value"},
	{name: "empty list", file: sc, old: "asked_by: [property]", now: "asked_by: []", at: "asked_by: []", code: "wrong-value"},
	{name: "role twice in subjects", file: commons, old: "subjects: [applicant]", now: "subjects: [applicant, applicant]", code: "wrong-value"},
	{name: "unknown mode", file: s01, old: "{mode: cancel}", now: "{mode: skip}", code: "unknown-mode"},
	{name: "basic code of 11 digits", file: s01, old: `"371009001000"`, now: `"37100900100"`, code: "basic-code"},
	{name: "basic code that YAML takes for a number", file: s01, old: `"371009001000"`, now: `371009001000`, code: "basic-code"},
	{name: "wrong format", file: ga, old: "mianti-catalog/1", now: "mianti-catalog/2", code: "wrong-format"},
	{name: "wrong kind", file: factsFile, old: "kind: facts", now: "kind: roles", code: "wrong-kind"},
	{name: "broken YAML", file: ga, old: "    update: realtime", now: "    update: [realtime", code: "bad-yaml"},
	{name: "two documents", file: factsFile, old: "  - {code: hukou", now: "---\n  - {code: hukou", at: "---", code: "bad-yaml"},
	{name: "key given twice", file: sc, old: "update: daily", now: "update: daily\n    update: weekly", at: "update: weekly", code: "duplicate-key"},
	{name: "alias", file: sc, old: "terms: 仅供本部门核查", now: "terms: &t 仅供本部门核查\n    verify: *t", at: "*t", code: "alias"},
}

var meaningPlants = []plant{
	{name: "withheld dataset without a clause", file: sc, old: "    clause: 税收征收管理法8\n", at: "sharing: withheld", code: "clause-missing"},
	{name: "withheld field without a clause", file: ga, old: "出生日期, type: date", now: "出生日期, type: date, sharing: withheld", code: "clause-missing"},
	{name: "field of a withheld dataset that is shared all the same", file: sc, old: "坐落, type: string", now: "坐落, type: string, sharing: unconditional", code: "wider-than-dataset"},
	{name: "conditional field without scope", file: sc, old: "是否存续, type: bool", now: "是否存续, type: bool, sharing: conditional, purpose: 设立登记", code: "terms-missing"},
	{name: "conditional field without purpose", file: sc, old: "是否存续, type: bool", now: "是否存续, type: bool, sharing: conditional, scope: 市级部门", code: "terms-missing"},
	{name: "clause of a field that is not withheld", file: ga, old: "出生日期, type: date", now: "出生日期, type: date, clause: 居民身份证法6", code: "terms-unexpected"},
	{name: "scope of a field that is withheld", file: ga, old: "出生日期, type: date", now: "出生日期, type: date, sharing: withheld, clause: 居民身份证法6, scope: 全市", code: "terms-unexpected"},
	{name: "purpose of a dataset that is unconditional", file: sc, old: "    sharing: unconditional\n", now: "    sharing: unconditional\n    purpose: 登记\n", at: "purpose: 登记", code: "terms-unexpected"},
	{name: "sharing class that is none", file: ga, old: "出生日期, type: date", now: "出生日期, type: date, sharing: secret", code: "wrong-value"},
	{name: "third party without consent or clause", file: "roles.yaml", old: "kinds: [person], consent: own}", now: "kinds: [person]}", code: "basis-missing"},
	{name: "unknown dataset in a lookup", file: commons, old: "{dataset: D-GA01}", now: "{dataset: D-GA09}", code: "unknown-dataset"},
	{name: "unknown dataset of a result", file: s01, old: "dataset: D-SC01}\n", now: "dataset: D-SC09}\n", at: "D-SC09", code: "unknown-dataset"},
	{name: "unknown field in release", file: s01, old: "release: [name, capital]", now: "release: [name, capitol]", code: "unknown-field"},
	{name: "unknown field in valid_until", file: ga, old: "valid_until: valid_to", now: "valid_until: valid_till", code: "unknown-field"},
	{name: "unknown field in a check", file: s01, old: "sc01.active", now: "sc01.alive", code: "unknown-field"},
	{name: "unknown field on the third line of a check", file: s01, old: "sc01.founded_on", now: "sc01.founded_at", code: "unknown-field"},
	{name: "unknown parameter", file: s01, old: "params.capital_min", now: "params.capital_max", code: "unknown-field"},
	{name: "unknown fact in a material's condition", file: s01, old: "&& energy_tce", now: "&& energy", code: "unknown-fact"},
	{name: "unknown fact in a matter's condition", file: s01, old: "in utilities", now: "in utility", code: "unknown-fact"},
	{name: "unknown fact in a step's condition", file: s01, old: "when: willing", now: "when: wiling", code: "unknown-fact"},
	{name: "unknown name in a check", file: s01, old: "location, business_address", now: "location, address", code: "unknown-name"},
	{name: "dataset of another proof in a check", file: s01, old: "sc02.location, business_address", now: "sc02.location, ga01.name", code: "foreign-dataset"},
	{name: "unknown option, compared", file: s01, old: "ent_type == 'jsc'", now: "ent_type == 'plc'", code: "unknown-option"},
	{name: "unknown option, compared the other way round", file: s01, old: "ent_type == 'jsc'", now: "agent && 'plc' != ent_type", code: "unknown-option"},
	{name: "unknown option in a list", file: s01, old: "ent_type == 'jsc'", now: "ent_type in ['ltd', 'plc']", code: "unknown-option"},
	{name: "unknown option of a set", file: s01, old: "'water' in", now: "'heat' in", code: "unknown-option"},
	{name: "unknown department of a matter", file: s01, old: "department: GA", now: "department: GX", code: "unknown-department"},
	{name: "unknown lead", file: s01, old: "lead: SC", now: "lead: GX", code: "unknown-department"},
	{name: "unknown department to assist", file: s01, old: "{mode: assist, days: 2}", now: "{mode: assist, days: 2, department: GX}", code: "unknown-department"},
	{name: "unknown role", file: commons, old: "subjects: [applicant]", now: "subjects: [applicants]", code: "unknown-role"},
	{name: "unknown role of a lookup", file: s01, old: "subject: property", now: "subject: house", code: "unknown-role"},
	{name: "unknown standard material", file: s01, old: "standard_material: STD-BL", now: "standard_material: STD-XX", code: "unknown-standard-material"},
	{name: "unknown standard material of a proof", file: commons, old: "standard_material: STD-BL", now: "standard_material: STD-XX", code: "unknown-standard-material"},
	{name: "unknown common material", file: s01, old: "common: C02}", now: "common: C09}", code: "unknown-common-material"},
	{name: "unknown matter before", file: s01, old: "after: [S01.M1]", now: "after: [S01.M9]", code: "unknown-matter"},
	{name: "matter of another one-thing before", file: s01, old: "after: [S01.M1]", now: "after: [S2.M1]", code: "unknown-matter"},
	{name: "unknown prior matter", file: s01, old: "prior: [S01.M1]", now: "prior: [S01.M9]", code: "unknown-matter"},
	{name: "prior matter of another one-thing", file: s01, old: "prior: [S01.M1]", now: "prior: [S10.M1]", code: "unknown-matter"},
	{name: "condition that does not compile", file: s01, old: "ent_type == 'jsc' &&", now: "ent_type == 'jsc' &&&", code: "bad-expression"},
	{name: "condition over unlike types", file: s01, old: "energy_tce >= 1000.0", now: "energy_tce >= '1000'", code: "bad-expression"},
	{name: "condition that is no truth value", file: s01, old: "when: willing", now: "when: energy_tce", code: "not-bool"},
	{name: "check that is no truth value", file: commons, old: "ga01.citizen_id == subject.number", now: "ga01.citizen_id", code: "not-bool"},
	{name: "record without a field", file: commons, old: "ga01.citizen_id == subject.number", now: "size([ga01]) == 1", code: "bad-expression"},
	{name: "date that is none", file: s01, old: "date(params.cutoff)", now: "date('2026-02-30')", code: "bad-expression"},
	{name: "regular expression that is none", file: commons, old: "ga01.citizen_id == subject.number", now: "ga01.citizen_id.matches('(')", code: "bad-expression"},
	{name: "lists nested too deep", file: s01, old: "'water' in utilities", now: "utilities.all(a, utilities.all(b, a.contains(b) || b.contains(a) || utilities.exists_one(c, c == a)))", code: "bad-expression"},
	{name: "costly check", file: s01, old: "sc01.active &&", now: "sc01.officers.all(a, sc01.officers.all(b, a.contains(b) && b.contains(a))) &&", code: "too-costly"},
	{name: "matters that wait for each other", file: s01, old: "    days: 1\n    result: {name: 营业执照", now: "    days: 1\n    after: [S01.M2]\n    result: {name: 营业执照", at: "    after: [S01.M1]", code: "matter-cycle"},
	{name: "matter that waits for itself", file: s01, old: "after: [S01.M1]", now: "after: [S01.M2]", code: "matter-cycle"},
	{name: "material that is the result of a later matter", file: s01, old: "basis: [条例16]", now: "prior: [S01.M2]", at: "after: [S01.M1]", code: "matter-cycle"},
	{name: "fact code twice", file: factsFile, old: "  - {code: willing,", now: "  - {code: agent, type: bool, ask: 二}\n  - {code: willing,", at: "ask: 二", code: "duplicate-code"},
	{name: "option twice", file: factsFile, old: "      - {value: jsc", now: "      - {value: ltd, label: 二}\n      - {value: jsc", at: "label: 二", code: "duplicate-code"},
	{name: "role code twice", file: "roles.yaml", old: "  - {code: property", now: "  - {code: agent, name: 二, kinds: [person], consent: own}\n  - {code: property", at: "name: 二", code: "duplicate-code"},
	{name: "standard material twice", file: "standard-materials.yaml", old: "  - {code: STD-BL", now: "  - {code: STD-ID, name: 二}\n  - {code: STD-BL", at: "name: 二", code: "duplicate-code"},
	{name: "field twice", file: ga, old: "{code: birth_date,", now: "{code: name,", at: "出生日期", code: "duplicate-code"},
	{name: "source twice", file: sc, old: "SC.D-SC02.query", now: "SC.D-SC01.query", at: "path: /query/D-SC02", code: "duplicate-code"},
	{name: "material twice", file: s01, old: "S01.M2.b", now: "S01.M2.a", at: "S01.M2.a\n        name: 住所证明", code: "duplicate-code"},
	{name: "check digit", file: ga, old: "11370100MB901074XC", now: "11370100MB901074XD", code: "credit-code"},
	{name: "conditional without a condition", file: s01, old: "        when: ent_type == 'jsc' && energy_tce >= 1000.0\n", at: "need: conditional", code: "condition-missing"},
	{name: "use that is required and leaves the common condition", file: "one-things/S2.yaml", old: `when: "", `, at: "S2.M1.a", code: "condition-unexpected"},
	{name: "common material of the wrong shape", file: commons, old: "chain: [{mode: form}, {mode: upload}]", now: "chain: 1", code: "wrong-value"},
	{name: "object made in an expression", file: s01, old: "when: willing", now: "when: \"Subject{name: 'a'}.name == 'a'\"", code: "bad-expression"},
	{name: "required with a condition", file: s01, old: "need: conditional", now: "need: required", at: "when: ent_type", code: "condition-unexpected"},
	{name: "elicense without a licence", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: elicense}, {mode: data}, {mode: history", code: "elicense-without-licence"},
	{name: "data without a proof", file: s01, old: "[{mode: form}]", now: "[{mode: data}, {mode: form}]", code: "data-without-proof"},
	{name: "prior without a matter", file: s01, old: "[{mode: form}]", now: "[{mode: prior}, {mode: form}]", code: "prior-without-matter"},
	{name: "assist without a department", file: s01, old: "[{mode: form}]", now: "[{mode: assist, days: 2}]", code: "assist-without-department"},
	{name: "empty chain", file: s01, old: "[{mode: form}]", now: "[]", code: "unsettleable"},
	{name: "chain of history alone", file: s01, old: "[{mode: form}]", now: "[{mode: history, months: 2}]", code: "unsettleable"},
	{name: "chain that may be passed over", file: s01, old: "[{mode: form}]", now: "[{mode: form, when: willing}]", code: "unsettleable"},
	{name: "wait without minutes", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: data}, {mode: wait}, {mode: history", code: "missing-key"},
	{name: "minutes of another step", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: data, minutes: 5}, {mode: history", code: "unknown-key"},
	{name: "wait of no time", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: data}, {mode: wait, minutes: 0}, {mode: history", code: "wrong-value"},
	{name: "wait of more than three days", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: data}, {mode: wait, minutes: 4321}, {mode: history", code: "wrong-value"},
	{name: "wait before the look-up", file: s01, old: "[{mode: data}, {mode: history", now: "[{mode: wait, minutes: 30}, {mode: data}, {mode: history", code: "wait-without-lookup"},
	{name: "wait without a look-up", file: s01, old: "[{mode: form}]", now: "[{mode: wait, minutes: 30}, {mode: form}]", code: "wait-without-lookup"},
	{name: "chain that may end waiting", file: s01, old: "[{mode: data}, {mode: history, months: 24}, {mode: cancel}]", now: "[{mode: data, when: willing}, {mode: wait, minutes: 30}, {mode: history, months: 24}]", code: "unsettleable"},
	{name: "preview without a record", file: s01, old: "kind: form", now: "kind: form\n        preview: true", at: "preview: true", code: "preview-without-record"},
	{name: "preview of yes or no", file: s01, old: "name: 住所证明\n        kind: proof", now: "name: 住所证明\n        preview: true\n        kind: proof", at: "yes_no: true", code: "preview-yes-no"},
	{name: "preview of another's record", file: s01, old: "        kind: proof\n        need: required\n        origin: government\n        proofs:\n          - lookups: [{dataset: D-SC02, subject: property, yes_no: true}]", now: "        kind: proof\n        preview: true\n        need: required\n        origin: government\n        proofs:\n          - lookups: [{dataset: D-SC02, subject: property}]", at: "subject: property}]", code: "preview-of-another"},
	{name: "preview of no person", file: commons, old: "subjects: [applicant]", now: "subjects: [applicant]\n    preview: true", at: "preview: true", code: "preview-of-no-person"},
	{name: "wait at the end", file: s01, old: "[{mode: data}, {mode: history, months: 24}, {mode: cancel}]", now: "[{mode: data}, {mode: wait, minutes: 30}]", code: "wait-at-the-end"},
	{name: "step after an upload", file: s01, old: "[{mode: commit, when: willing}, {mode: upload}]", now: "[{mode: upload}, {mode: commit, when: willing}]", code: "unreachable-step"},
	{name: "role that the dataset cannot be asked by", file: s01, old: "subject: property", now: "subject: agent", code: "subject-kind"},
	{name: "proof for a kind that the dataset cannot be asked by", file: commons, old: "for: organization", now: "for: person", at: "lookups: [{dataset: D-SC01}]", code: "subject-kind"},
	{name: "proof for a kind that no subject is", file: s01, old: "- lookups: [{dataset: D-SC01", now: "- for: vehicle\n            lookups: [{dataset: D-SC01", at: "lookups: [{dataset: D-SC01", code: "subject-kind"},
	{name: "lookup without a subject", file: s01, old: "subject: property, ", at: "{dataset: D-SC02", code: "subject-missing"},
	{name: "dataset twice in a proof", file: s01, old: "yes_no: true}]", now: "yes_no: true}, {dataset: D-SC02, subject: property}]", code: "duplicate-lookup"},
	{name: "conclusion alone with fields", file: s01, old: "yes_no: true", now: "yes_no: true, release: [location]", code: "release-with-yes-no"},
	{name: "conditional sharing without terms", file: ga, old: "    terms: 依法履职，按件核验\n", at: "sharing: conditional", code: "terms-missing"},
	{name: "withheld without terms", file: sc, old: "    terms: 仅供本部门核查\n", at: "sharing: withheld", code: "terms-missing"},
	{name: "valid_until that is no date", file: ga, old: "valid_until: valid_to", now: "valid_until: name", code: "wrong-field-type"},
	{name: "licence without a licence source", file: sc, old: "    asked_by: [property]", now: "    certificate: {}\n    asked_by: [property]", at: "certificate: {}\n    asked_by: [property]", code: "certificate-source"},
	{name: "licence source without a licence", file: sc, old: "- {code: SC.D-SC02.query,", now: "- {code: SC.D-SC02.elicense, kind: elicense, path: /elicense}\n      - {code: SC.D-SC02.query,", at: "SC.D-SC02.elicense", code: "certificate-source"},
	{name: "fact with the name of a function", file: factsFile, old: "code: hukou", now: "code: today", code: "reserved-name"},
	{name: "fact with the alias of a dataset", file: factsFile, old: "code: hukou", now: "code: sc02", code: "reserved-name"},
	{name: "matter in the wrong one-thing", file: "one-things/S10.yaml", old: "code: S10.M1", now: "code: S11.M1", code: "misplaced-code"},
	{name: "material in the wrong matter", file: s01, old: "code: S01.M1.a", now: "code: S01.M2.z", code: "misplaced-code"},
}

func TestLoad_ReportsEachFaultAtItsLine(t *testing.T) {
	t.Parallel()
	for _, p := range append(shapePlants, meaningPlants...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			files := good(t)
			edit(t, files, p.file, p.old, p.now)
			at := p.at
			if at == "" {
				at = p.now
			}
			var got []catalog.Fault
			for _, f := range faultsOf(t, files) {
				if f.Reason == "" {
					t.Error("a fault without a reason")
				}
				got = append(got, catalog.Fault{File: f.File, Line: f.Line, Code: f.Code})
			}
			file, line := p.place(t, files, at)
			want := []catalog.Fault{{File: file, Line: line, Code: p.code}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nfaults:\n%v", diff, faultsOf(t, files))
			}
		})
	}
}

// place gives where a plant is to be reported: in its own file, or where its
// text stands if that is elsewhere.
func (p plant) place(t *testing.T, files fstest.MapFS, at string) (string, int) {
	for _, name := range []string{p.file, s01, sc} {
		if strings.Contains(string(files[name].Data), at) {
			return name, lineOf(t, files, name, at)
		}
	}
	t.Fatalf("no file holds %q", at)
	return "", 0
}

func TestLoad_ReportsAllFaultsTogether(t *testing.T) {
	t.Parallel()
	files := good(t)
	edit(t, files, factsFile, "code: hukou", "code: today")
	edit(t, files, ga, "valid_until: valid_to", "valid_until: valid_till")
	edit(t, files, ga, "sensitivity: 3", "sensitivity: 9")
	edit(t, files, sc, "    terms: 仅供本部门核查\n", "")
	edit(t, files, commons, "subjects: [applicant]", "subjects: [nobody]")
	edit(t, files, s01, "kind: form", "kindd: 1\n        kind: form")
	edit(t, files, s01, "'water' in utilities", "'heat' in utilities")
	edit(t, files, s01, "sc01.active", "sc01.alive")
	edit(t, files, s01, "sc01.founded_on", "sc01.founded_at")
	edit(t, files, s01, "common: C01", "common: C01, prior: [S01.M9]")
	edit(t, files, s01, "[{mode: form}]", "[]")
	want := []string{
		"common-materials.yaml unknown-role", "departments/GA.yaml wrong-value", "departments/GA.yaml unknown-field",
		"departments/SC.yaml terms-missing", "facts.yaml reserved-name",
		"one-things/S01.yaml unknown-key", "one-things/S01.yaml unsettleable", "one-things/S01.yaml unknown-matter",
		"one-things/S01.yaml unknown-option", "one-things/S01.yaml unknown-field", "one-things/S01.yaml unknown-field",
	}
	faults := faultsOf(t, files)
	var got []string
	for i, f := range faults {
		got = append(got, f.File+" "+f.Code)
		if i > 0 && f.File == faults[i-1].File && f.Line < faults[i-1].Line {
			t.Errorf("line %d comes after line %d", f.Line, faults[i-1].Line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\nfaults:\n%v", diff, faults)
	}
	if text := faults.Error(); strings.Count(text, "\n") != len(faults)-1 || !strings.HasPrefix(text, "common-materials.yaml:10: ") {
		t.Errorf("Error() does not list the faults as file:line: reason:\n%s", text)
	}
}

func TestLoad_ReportsAFaultyCommonMaterialOnce(t *testing.T) {
	t.Parallel()
	files := good(t)
	edit(t, files, commons, "when: agent", "when: agents")
	faults := faultsOf(t, files)
	if len(faults) != 1 || faults[0].File != commons {
		t.Errorf("faults = %v, want one, in the common material and not at its two uses", faults)
	}
}

func TestLoad_ReportsFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		content    []byte // nil takes the file away
		code       string
	}{
		{"no catalog.yaml", "catalog.yaml", nil, "missing-file"},
		{"too large", ga, []byte(strings.Repeat("# much\n", 1<<20)), "too-large"},
		{"empty", ga, []byte{}, "bad-yaml"},
		{"comments alone", ga, []byte("# nothing\n"), "bad-yaml"},
		{"no UTF-8", ga, []byte("format: \xff\n"), "bad-yaml"},
		{"no mapping", ga, []byte("- a\n"), "wrong-format"},
		{"merge key", ga, []byte("<<: {a: 1}\n"), "bad-yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := good(t)
			files[c.file] = &fstest.MapFile{Data: c.content}
			if c.content == nil {
				delete(files, c.file)
			}
			for _, f := range faultsOf(t, files) {
				// What the file would have held is not known, so that nothing
				// of it may be called unknown.
				if f.File != c.file {
					t.Errorf("a fault of another file: %v", f)
				}
				if f.Code == c.code && f.Line == 1 {
					return
				}
			}
			t.Errorf("faults = %v, want %s", faultsOf(t, files), c.code)
		})
	}
}

func TestLoad_HoldsFilesToTheirNames(t *testing.T) {
	t.Parallel()
	files := good(t)
	files["one-things/S11.yaml"] = files["one-things/S10.yaml"]
	delete(files, "one-things/S10.yaml")
	faults := faultsOf(t, files)
	if len(faults) != 1 || faults[0].Code != "wrong-file-name" || faults[0].Line != 3 {
		t.Errorf("faults = %v, want wrong-file-name on line 3", faults)
	}
}

func TestLoad_ReportsACodeThatTwoFilesUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to string }{
		"department, dataset and source": {ga, "departments/GA2.yaml"},
		"one-thing and matter":           {"one-things/S10.yaml", "one-things/S11.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := good(t)
			files[c.to] = files[c.from]
			var taken int
			for _, f := range faultsOf(t, files) {
				if f.Code == "duplicate-code" && f.File == c.to {
					taken++
				}
			}
			if want := strings.Count(name, " and ") + strings.Count(name, ",") + 1; taken < want {
				t.Errorf("%d codes are reported as taken, want at least %d: %v", taken, want, faultsOf(t, files))
			}
		})
	}
}

func TestLoad_AllowsFallbacksAfterStepsThatEndTheChain(t *testing.T) {
	t.Parallel()
	for _, chain := range []string{
		"[{mode: form}, {mode: upload}]",
		"[{mode: assist, days: 2, department: GA}, {mode: upload}]",
		"[{mode: defer, days: 10}, {mode: upload}]",
		"[{mode: cancel}, {mode: upload}]",
		"[{mode: upload, when: willing}, {mode: form}]",
		"[{mode: commit, when: willing}]",
		"[{mode: history, months: 24}, {mode: cancel}]",
	} {
		files := good(t)
		edit(t, files, s01, "[{mode: form}]", chain)
		if _, err := catalog.Load(files); err != nil {
			t.Errorf("chain %s: %v", chain, err)
		}
	}
}
