// Package elicense asks the electronic licence platform (电子证照, GB/T 36906) as
// it is deployed in Shandong, in two steps: first the identifiers of a holder's
// licences of a type, then each licence by its identifier.
//
//	POST {path}/queryCertInfoByHolderCode
//	{"holderCode", "holderName", "holderTypeCode", "certTypeCode", "useCause"}
//	POST {path}/queryCertInfo
//	{"certIdentifier", "useCause"}
//
// Beside that it has a licence verified (Verify) and gets the file of one
// (FileLink, File):
//
//	POST {path}/verifyCertInfo
//	{"certTypeCode", "certData": {"holder", "holderCode", "certNo", …}, "useCause"}
//	POST {path}/downloadUrl
//	{"certIdentifier", "useCause"}
//
// All answer with head.status, "0" for success and "10" for no licence. What a
// dataset calls its fields is found in the licence's extension by Chinese name.
//
// The check character of an identifier (GB/T 36904) is a matter of quality, not
// of validity: licences whose identifier fails it are in use, and refusing them
// would burden their holders. It comes as a warning.
package elicense

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/wire"
)

const (
	// maxLicences is more than anyone can choose from.
	maxLicences = 16
	maxUseCause = 200
)

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines.
type Connector struct {
	client *wire.Client
}

// New returns a Connector that asks through the client.
func New(client *wire.Client) *Connector { return &Connector{client: client} }

// Ask puts the question to the platform. Both steps share the deadline.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	a := asking{client: c.client, query: q}
	identifiers, err := a.identifiers(ctx)
	if err != nil {
		return connectors.Reply{}, err
	}
	var records []connectors.Record
	for _, identifier := range identifiers {
		record, err := a.licence(ctx, identifier)
		if err != nil {
			return connectors.Reply{}, err
		}
		records = append(records, record)
		if !checkCharacterFits(identifier) {
			a.warn(warnCheckCharacter)
		}
	}
	reply := connectors.Reply{Records: records, Size: a.size, Warnings: a.warnings}
	if len(identifiers) == 1 {
		reply.Reference = identifiers[0]
	}
	return reply, nil
}

// asking is one use of the platform, of one or more calls.
type asking struct {
	client   *wire.Client
	query    connectors.Query
	size     int64 // that was received in all
	warnings []string
}

// post puts one call and reads what it says.
func (a *asking) post(ctx context.Context, operation string, question, into any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return wire.Malformed("the question cannot be written as JSON")
	}
	answer, err := a.client.Do(ctx, wire.Call{
		Query: a.query, Method: http.MethodPost, URL: a.query.BaseURL + a.query.Source.Path + "/" + operation,
		ContentType: "application/json; charset=utf-8", Body: body,
	})
	if err != nil {
		return err
	}
	a.size += answer.Size
	for _, warning := range answer.Warnings {
		a.warn(warning)
	}
	return wire.Decode(answer.Body, into)
}

// warn keeps a remark, once.
func (a *asking) warn(code string) {
	if !slices.Contains(a.warnings, code) {
		a.warnings = append(a.warnings, code)
	}
}

// identifiers is the first step. None is an answer, not a fault.
func (a *asking) identifiers(ctx context.Context) ([]string, error) {
	var answer struct {
		Head head `json:"head"`
		Data struct {
			CertIdentifiers *[]string `json:"certIdentifiers"`
		} `json:"data"`
	}
	q := a.query
	question := map[string]string{
		"holderCode":     q.Subject.Number,
		"holderName":     q.Subject.Name,
		"holderTypeCode": HolderTypeCode(q.Subject.Kind),
		"certTypeCode":   TypeCode(q.Dataset),
		"useCause":       useCause(q.Purpose),
	}
	if err := a.post(ctx, "queryCertInfoByHolderCode", question, &answer); err != nil {
		return nil, err
	}
	none, err := answer.Head.check()
	if none || err != nil {
		return nil, err
	}
	list := answer.Data.CertIdentifiers
	if list == nil || len(*list) == 0 {
		return nil, wire.Malformed("success, but no identifier")
	}
	if len(*list) > maxLicences {
		return nil, wire.Malformed("too many identifiers")
	}
	return *list, nil
}

// licence is the second step, for one identifier.
func (a *asking) licence(ctx context.Context, identifier string) (connectors.Record, error) {
	var answer struct {
		Head head     `json:"head"`
		Data *licence `json:"data"`
	}
	question := map[string]string{"certIdentifier": identifier, "useCause": useCause(a.query.Purpose)}
	if err := a.post(ctx, "queryCertInfo", question, &answer); err != nil {
		return connectors.Record{}, err
	}
	none, err := answer.Head.check()
	if err != nil {
		return connectors.Record{}, err
	}
	if none || answer.Data == nil {
		// The platform has just listed it, so this is no statement about the holder.
		return connectors.Record{}, wire.Malformed("a listed licence cannot be read")
	}
	if answer.Data.CertIdentifier != identifier || answer.Data.CertTypeCode != TypeCode(a.query.Dataset) {
		return connectors.Record{}, wire.Malformed("another licence than the asked one")
	}
	return answer.Data.record(a.query)
}

// HolderTypeCode is how the platform calls a kind of holder (持证主体代码类型). Things
// have no code in the standard and go as other bodies.
func HolderTypeCode(kind catalog.PartyKind) string {
	switch kind {
	case catalog.KindPerson:
		return "111"
	case catalog.KindOrganization:
		return "001"
	default:
		return "099"
	}
}

// TypeCode is the dataset's licence type code, or the dataset's own code where
// none is verified.
func TypeCode(d *catalog.Dataset) string {
	if d.Certificate != nil && d.Certificate.TypeCode != "" {
		return d.Certificate.TypeCode
	}
	return d.Code
}

// useCause cuts a purpose to the length that the platform takes.
func useCause(purpose string) string {
	runes := []rune(purpose)
	return string(runes[:min(len(runes), maxUseCause)])
}
