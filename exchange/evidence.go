package exchange

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/evidence"
	"mianti/policies"
)

// nonceLength is that of an evidence's nonce, in bytes.
const nonceLength = 16

// evidenceNonce draws the nonce of one evidence from the case's salt. It depends
// on which material it is for, not on which resolution asks, so that a replay
// gives the same digest; and without the salt it cannot be told from chance.
func evidenceNonce(salt []byte, requirement string, nth int) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("evidence nonce|" + strconv.Itoa(nth) + "|" + requirement))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:nonceLength])
}

func renderEvidence(e policies.Evidence, mode catalog.Mode, nonce string) (Evidence, error) {
	out := Evidence{
		Dataset: e.Dataset, Department: e.Department, Source: e.Source, Reference: e.Reference, Proof: e.Proof,
		AsOf: at(e.AsOf), FetchedAt: at(e.FetchedAt), ValidUntil: e.ValidUntil, YesNo: e.YesNo, Fields: e.Fields, Grant: e.Grant, Consent: e.Consent, Basis: e.Basis,
		Class: classOf(e, mode), Unavailable: orNil(e.Unavailable), Nonce: nonce,
	}
	var err error
	out.Digest, err = out.record().Digest()
	return out, err
}

// classOf says whose word an evidence is.
func classOf(e policies.Evidence, mode catalog.Mode) evidence.Class {
	switch {
	case strings.HasPrefix(e.Source, "prior:"):
		return evidence.Result
	case mode == catalog.ModeHistory:
		return evidence.Applicant
	case mode == catalog.ModeAssist:
		return evidence.Officer
	}
	return evidence.Government
}

// record is an evidence as its digest covers it. It is made of what is stored
// alone, so that the digest of a kept one can be computed again.
func (e *Evidence) record() *evidence.Record {
	r := &evidence.Record{
		Dataset: e.Dataset, Department: e.Department, Source: e.Source, Class: e.Class, Reference: e.Reference, SourceProof: e.Proof,
		AsOf: evidence.Time(e.AsOf), FetchedAt: evidence.Time(e.FetchedAt), ValidUntil: e.ValidUntil, YesNo: e.YesNo,
		Grant: e.Grant, Consent: e.Consent, Nonce: e.Nonce,
	}
	for _, reason := range e.Basis {
		r.Basis = append(r.Basis, string(reason))
	}
	if len(e.Fields)+len(e.Unavailable) > 0 {
		r.Fields = make(map[string]evidence.Field, len(e.Fields)+len(e.Unavailable))
	}
	for code, reason := range e.Unavailable {
		r.Fields[code] = evidence.Field{Unavailable: string(reason)}
	}
	for code, value := range e.Fields {
		r.Fields[code] = evidence.Field{Value: value, Class: e.Class, AsOf: r.AsOf}
	}
	return r
}

// issuable reports whether an evidence may be given out, and can be.
func (e *Evidence) issuable() bool { return e.Withheld == "" && !e.Removed && e.Nonce != "" }

// orNil makes an empty map nil, as it is when it comes back from the database.
func orNil(m map[string]policies.Unavailable) map[string]policies.Unavailable {
	if len(m) == 0 {
		return nil
	}
	return m
}
