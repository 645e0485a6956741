package elicense

import (
	"encoding/json"
	"errors"
	"slices"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/wire"
	"mianti/internal/identifier"
)

// head is the platform's verdict on a call.
type head struct {
	Status *string `json:"status"`
}

// check says whether the platform has no such licence; every status but that
// and success is a Fault.
func (h head) check() (none bool, err error) {
	if h.Status == nil {
		return false, wire.Malformed("the answer has no status")
	}
	switch status := *h.Status; status {
	case "0":
		return false, nil
	case "10": // 未找到匹配
		return true, nil
	case "11", "100": // 身份验证不通过；无此证权限
		return false, &connectors.Fault{Kind: connectors.FaultRefused, Cause: errors.New(wire.StatusText(status))}
	case "12", "102", "103", "109", "110", "111": // a parameter is missing or wrong
		return false, wire.Malformed("the platform refuses a parameter: " + wire.StatusText(status))
	default:
		return false, wire.Down(wire.StatusText(status))
	}
}

// licence is what the platform says of one licence (GB/T 36903). What is not
// needed is not read.
type licence struct {
	CertIdentifier string                     `json:"certIdentifier"`
	CertTypeCode   string                     `json:"certTypeCode"`
	ValidTo        json.RawMessage            `json:"validTo"`
	Holders        []holder                   `json:"holders"`
	Status         string                     `json:"status"`
	Extension      map[string]json.RawMessage `json:"extension"`
}

type holder struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// record converts the licence. A licence may have several holders, such as a
// couple; the asked one has to be among them.
func (l *licence) record(q connectors.Query) (connectors.Record, error) {
	i := slices.IndexFunc(l.Holders, func(h holder) bool { return sameNumber(q.Subject.Kind, h.Code, q.Subject.Number) })
	if i < 0 {
		if len(l.Holders) == 0 {
			return connectors.Record{}, wire.Malformed("the licence names no holder")
		}
		return connectors.Record{}, &connectors.Fault{Kind: connectors.FaultWrongSubject}
	}
	revoked, err := l.revoked()
	if err != nil {
		return connectors.Record{}, err
	}
	fields, err := wire.Fields(q.Dataset, q.Fields, l.Extension)
	if err != nil {
		return connectors.Record{}, err
	}
	if err := l.addValidity(q, fields); err != nil {
		return connectors.Record{}, err
	}
	subject := connectors.Subject{Kind: q.Subject.Kind, Name: l.Holders[i].Name, Number: q.Subject.Number}
	return connectors.Record{Subject: subject, Fields: fields, Revoked: revoked}, nil
}

// sameNumber takes the letters of a citizen's number or a credit code in either
// case, as some registers keep them in lower case. Other numbers are compared
// as they are.
func sameNumber(kind catalog.PartyKind, a, b string) bool {
	if kind == catalog.KindPerson || kind == catalog.KindOrganization {
		return identifier.Normalize(a) == identifier.Normalize(b)
	}
	return a == b
}

// revoked reads the state of the licence: 01 有效, 02 暂扣, 03 撤销, 04 注销, 05 失效,
// 06 转出, 07 吊销, 99 其他. Whatever is not plainly in force is not in force.
func (l *licence) revoked() (bool, error) {
	switch l.Status {
	case "01":
		return false, nil
	case "02", "03", "04", "05", "06", "07", "99":
		return true, nil
	default:
		return false, wire.Malformed("the licence has an unknown state")
	}
}

// addValidity takes the end of validity from the licence itself where its
// extension does not repeat it.
func (l *licence) addValidity(q connectors.Query, fields map[string]any) error {
	code := q.Dataset.ValidUntil
	if _, known := fields[code]; code == "" || known || !slices.Contains(q.Fields, code) || len(l.ValidTo) == 0 {
		return nil
	}
	for _, field := range q.Dataset.Fields {
		if field.Code != code {
			continue
		}
		own, err := wire.Fields(q.Dataset, []string{code}, map[string]json.RawMessage{field.Name: l.ValidTo})
		if err != nil {
			return err
		}
		if end, sent := own[code]; sent {
			fields[code] = end
		}
	}
	return nil
}
