package xroad

import (
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"mianti/connectors"
	"mianti/connectors/wire"
)

// proof holds an answer against its question and gives what binds the two. A
// status that is the source's own failure is left to the mapping.
func (m message) proof(answer wire.Answer) (string, error) {
	for _, name := range []string{"X-Road-Error", "X-Road-Id", "X-Road-Client", "X-Road-Service", "X-Road-Request-Hash"} {
		if len(answer.Header.Values(name)) > 1 {
			return "", wire.Malformed("the answer has a header of X-Road twice")
		}
	}
	if len(answer.Header.Values("X-Road-Error")) > 0 {
		return "", errorOf(answer)
	}
	if answer.Status != http.StatusOK && !m.isAbsent(answer.Status) {
		return "", nil
	}
	client := answer.Header.Get("X-Road-Client")
	switch {
	case !strings.EqualFold(answer.Header.Get("X-Road-Id"), m.id):
		return "", wire.Malformed("the answer is to another question")
	case !m.service.id.is(answer.Header.Get("X-Road-Service")):
		return "", wire.Malformed("the answer is of another service")
	case client != "" && !m.service.client.is(client):
		return "", wire.Malformed("the answer is to another client")
	}
	return proofOf(answer)
}

// proofOf reads the hash of the question. An answer with a record has to have
// it.
func proofOf(answer wire.Answer) (string, error) {
	text := answer.Header.Get("X-Road-Request-Hash")
	if text == "" && answer.Status != http.StatusOK {
		return "", nil
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(hash) != sha512.Size {
		return "", wire.Malformed("nothing binds the answer to the question")
	}
	return "sha512:" + base64.StdEncoding.EncodeToString(hash), nil
}

// errorOf is what a failure of X-Road itself means: the type of it says whose
// it is. The header is a flag with the same type, for a body that cannot be
// read. Its texts are not passed on.
func errorOf(answer wire.Answer) error {
	var body struct {
		Type string `json:"type"`
	}
	if wire.Decode(answer.Body, &body) != nil || body.Type == "" {
		body.Type = answer.Header.Get("X-Road-Error")
	}
	switch {
	case strings.HasPrefix(body.Type, "Client."), body.Type == "Server.ServerProxy.AccessDenied":
		return &connectors.Fault{Kind: connectors.FaultRefused, Cause: errors.New("X-Road refuses the question")}
	case strings.HasPrefix(body.Type, "Server.ClientProxy."):
		return wire.Down("the exchange's own security server is out of order")
	case strings.HasPrefix(body.Type, "Server.ServerProxy."):
		return wire.Down("the department's security server, or its service, is out of order")
	default:
		return wire.Down("X-Road could not carry the question")
	}
}
