// Package elicense asks the electronic licence platform (电子证照, GB/T 36906) as
// it is deployed in Shandong, in two steps: first the identifiers of a holder's
// licences of a type, then each licence by its identifier.
//
//	POST {path}/queryCertInfoByHolderCode
//	{"holderCode", "holderName", "holderTypeCode", "certTypeCode", "useCause"}
//	POST {path}/queryCertInfo
//	{"certIdentifier", "useCause"}
//
// Both answer with head.status, "0" for success and "10" for no licence. What a
// dataset calls its fields is found in the licence's extension by Chinese name.
//
// The check character of an identifier (GB/T 36904) is not enforced: licences
// whose identifier fails it are in use, and refusing them would burden their
// holders.
package elicense

import (
	"context"
	"syscall"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/wire"
)

// Kind is the name of this connector in a catalog's sources.
const Kind = "elicense"

const (
	// maxLicences is more than anyone can choose from.
	maxLicences = 16
	maxUseCause = 200
)

// Options are the settings of a Connector. The zero value is ready for use.
type Options struct {
	// DialControl, when set, sees every resolved address before it is connected
	// to, and forbids it by returning an error.
	DialControl func(network, address string, c syscall.RawConn) error
}

// Connector keeps the contract of connectors.Connector. It is safe for use by
// many goroutines and shares one connection pool among them.
type Connector struct {
	client *wire.Client
}

// New returns a Connector.
func New(o Options) *Connector {
	return &Connector{client: wire.NewClient(wire.Options{DialControl: o.DialControl})}
}

// Close closes the connections that are not in use. The Connector can be used
// on.
func (c *Connector) Close() { c.client.CloseIdle() }

// Ask puts the question to the platform. Both steps share the deadline.
func (c *Connector) Ask(ctx context.Context, q connectors.Query) (connectors.Reply, error) {
	ctx, cancel := wire.WithTimeout(ctx, q.Source.TimeoutMillis)
	defer cancel()
	identifiers, err := c.identifiers(ctx, q)
	if err != nil {
		return connectors.Reply{}, err
	}
	var reply connectors.Reply
	for _, identifier := range identifiers {
		record, err := c.licence(ctx, q, identifier)
		if err != nil {
			return connectors.Reply{}, err
		}
		reply.Records = append(reply.Records, record)
	}
	if len(identifiers) == 1 {
		reply.Reference = identifiers[0]
	}
	return reply, nil
}

// identifiers is the first step. None is an answer, not a fault.
func (c *Connector) identifiers(ctx context.Context, q connectors.Query) ([]string, error) {
	var answer struct {
		Head head `json:"head"`
		Data struct {
			CertIdentifiers *[]string `json:"certIdentifiers"`
		} `json:"data"`
	}
	question := map[string]string{
		"holderCode":     q.Subject.Number,
		"holderName":     q.Subject.Name,
		"holderTypeCode": HolderTypeCode(q.Subject.Kind),
		"certTypeCode":   TypeCode(q.Dataset),
		"useCause":       useCause(q.Purpose),
	}
	url := q.BaseURL + q.Source.Path + "/queryCertInfoByHolderCode"
	if err := c.client.Post(ctx, url, q.ID, question, &answer); err != nil {
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
func (c *Connector) licence(ctx context.Context, q connectors.Query, identifier string) (connectors.Record, error) {
	var answer struct {
		Head head     `json:"head"`
		Data *licence `json:"data"`
	}
	question := map[string]string{"certIdentifier": identifier, "useCause": useCause(q.Purpose)}
	if err := c.client.Post(ctx, q.BaseURL+q.Source.Path+"/queryCertInfo", q.ID, question, &answer); err != nil {
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
	if answer.Data.CertIdentifier != identifier || answer.Data.CertTypeCode != TypeCode(q.Dataset) {
		return connectors.Record{}, wire.Malformed("another licence than the asked one")
	}
	return answer.Data.record(q)
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
