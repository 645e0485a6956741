package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/identifier"
)

// subjectFlags say whom a question on trial is about.
type subjectFlags struct {
	Name   string `help:"Name of the subject. Default: the probe of the catalog."`
	Number string `help:"Number of the subject; - reads it from standard input, so that it is not in the shell's history."`
	Kind   string `default:"person" enum:"person,organization,property,vehicle,project,address" help:"Kind of the subject."`
}

// subject is whom the question is about, and whether it is the test subject.
func (f *subjectFlags) subject(source *catalog.Source, in io.Reader) (s connectors.Subject, isProbe bool, err error) {
	probe := source.Probe
	if f.Name == "" && f.Number == "" {
		if probe == nil {
			return s, false, withoutProbe(source)
		}
		return connectors.Subject{Kind: probe.Kind, Name: probe.Name, Number: probe.Number}, true, nil
	}
	if f.Name == "" || f.Number == "" {
		return s, false, errors.New("--name 与 --number 要一起给出")
	}
	number := f.Number
	if number == "-" {
		if number, err = readLine(in); err != nil {
			return s, false, err
		}
	}
	s = connectors.Subject{Kind: catalog.PartyKind(f.Kind), Name: f.Name, Number: identifier.Normalize(number)}
	if err := checkNumber(s); err != nil {
		return connectors.Subject{}, false, fmt.Errorf("--number: %w", err)
	}
	isProbe = probe != nil && s == connectors.Subject{Kind: probe.Kind, Name: probe.Name, Number: identifier.Normalize(probe.Number)}
	return s, isProbe, nil
}

// readLine reads a number that is handed in.
func readLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 256)).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return "", errors.New("--number -: 标准输入里没有号码")
	}
	return "", fmt.Errorf("read the number: %w", err)
}

// checkNumber refuses a number that nobody can have. The error does not hold
// it.
func checkNumber(s connectors.Subject) error {
	switch s.Kind {
	case catalog.KindPerson:
		return identifier.CitizenID(s.Number)
	case catalog.KindOrganization:
		return identifier.CreditCode(s.Number)
	case catalog.KindProperty, catalog.KindVehicle, catalog.KindProject, catalog.KindAddress:
		return nil
	default:
		return fmt.Errorf("unknown kind %q", s.Kind)
	}
}

// withoutProbe says how a source gets a test subject.
func withoutProbe(source *catalog.Source) error {
	return fmt.Errorf("数源 %[1]s 没有探测对象。请向部门要一个测试用的当事人（不得用真人），写进目录中该数源之下：\n"+
		"  - code: %[1]s\n    probe: {kind: person, name: 测试甲, number: \"370199198805163323\"}", source.Code)
}

// absent is a subject of the same kind that no department can hold: its check
// digits are right, its area was never assigned.
func absent(probe connectors.Subject) connectors.Subject {
	s := connectors.Subject{Kind: probe.Kind, Name: "查无此人", Number: ""}
	switch probe.Kind {
	case catalog.KindPerson:
		const first = "37019918800101000"
		s.Number = first + string(identifier.CitizenIDCheck(first))
	case catalog.KindOrganization:
		const body = "00000000"
		first := "91370199" + body + string(identifier.OrganizationCheck(body))
		s.Name, s.Number = "查无此机构", first+string(identifier.CreditCodeCheck(first))
	default:
		s.Name = "查无此物"
		s.Number = strings.Map(func(r rune) rune {
			if r >= '1' && r <= '9' {
				return '0'
			}
			return r
		}, probe.Number)
	}
	return s
}

// sameNumber compares numbers as they are issued.
func sameNumber(a, b string) bool { return identifier.Normalize(a) == identifier.Normalize(b) }

// checkFields refuses a field that the dataset does not have.
func checkFields(d *catalog.Dataset, codes []string) error {
	for _, code := range codes {
		if !slices.ContainsFunc(d.Fields, func(f catalog.Field) bool { return f.Code == code }) {
			return fmt.Errorf("--field: 数据资源 %s 没有字段 %s", d.Code, printable(code))
		}
	}
	return nil
}
