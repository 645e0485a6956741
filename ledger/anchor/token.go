package anchor

import (
	"bytes"
	"crypto"
	"crypto/sha1" // names a certificate in ESSCertID (RFC 2634), and verifies nothing
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// token is a time stamp token: CMS SignedData (RFC 5652) over a TSTInfo, with
// one signer.
type token struct {
	content      []byte // the DER of TSTInfo
	certificates []*x509.Certificate
	signer       signerInfo
}

type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	Encapsulated     struct {
		ContentType asn1.ObjectIdentifier
		Content     []byte `asn1:"optional,explicit,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version            int
	Name               asn1.RawValue // IssuerAndSerialNumber, or [0] SubjectKeyIdentifier
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignedAttributes   asn1.RawValue `asn1:"optional,tag:0"`
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	UnsignedAttributes asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue // a SET
}

// parseToken reads a time stamp token. Nothing of it is verified.
func parseToken(der []byte) (*token, error) {
	var outer contentInfo
	if err := unmarshal(der, &outer); err != nil {
		return nil, fmt.Errorf("read a time stamp token: %w", err)
	}
	var data signedData
	if !is(outer.ContentType, oidSignedData) {
		return nil, errors.New("a time stamp token is no SignedData")
	}
	if err := unmarshal(outer.Content.Bytes, &data); err != nil {
		return nil, fmt.Errorf("read SignedData: %w", err)
	}
	if !is(data.Encapsulated.ContentType, oidTSTInfo) || len(data.Signers) != 1 {
		return nil, errors.New("a time stamp token holds no TSTInfo, or has not one signer")
	}
	certificates, err := x509.ParseCertificates(data.Certificates.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of a time stamp token: %w", err)
	}
	return &token{content: data.Encapsulated.Content, certificates: certificates, signer: data.Signers[0]}, nil
}

// verify verifies the signature and the chain of the signer at a time.
func (t *token) verify(roots *x509.CertPool, at time.Time) error {
	certificate, err := t.certificate()
	if err != nil {
		return err
	}
	if err := t.verifyAttributes(certificate); err != nil {
		return err
	}
	algorithm, err := signatureAlgorithm(t.signer.SignatureAlgorithm.Algorithm, t.signer.DigestAlgorithm.Algorithm)
	if err != nil {
		return err
	}
	// What is signed is the attributes as a SET, not as they are tagged here
	// (RFC 5652 §5.4).
	signed := bytes.Clone(t.signer.SignedAttributes.FullBytes)
	signed[0] = asn1.TagSet | 0x20
	if err := certificate.CheckSignature(algorithm, signed, t.signer.Signature); err != nil {
		return fmt.Errorf("verify the signature of a time stamp: %w", err)
	}
	return verifyChain(certificate, t.certificates, roots, at)
}

// certificate finds the signer's certificate.
func (t *token) certificate() (*x509.Certificate, error) {
	var its func(*x509.Certificate) bool
	if name := t.signer.Name; name.Class == asn1.ClassContextSpecific && name.Tag == 0 {
		its = func(c *x509.Certificate) bool { return len(name.Bytes) > 0 && bytes.Equal(c.SubjectKeyId, name.Bytes) }
	} else {
		var by issuerAndSerial
		if err := unmarshal(name.FullBytes, &by); err != nil || by.Serial == nil {
			return nil, errors.New("the signer of a time stamp is not named")
		}
		its = func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawIssuer, by.Issuer.FullBytes) && c.SerialNumber.Cmp(by.Serial) == 0
		}
	}
	at := slices.IndexFunc(t.certificates, its)
	if at < 0 {
		return nil, errors.New("a time stamp token holds no certificate of its signer")
	}
	return t.certificates[at], nil
}

// verifyAttributes holds the signed attributes against the content and the
// certificate: content type, digest (RFC 5652 §11), and which certificate is
// meant (RFC 3161 §2.4.2, RFC 5816).
func (t *token) verifyAttributes(certificate *x509.Certificate) error {
	attributes, err := t.attributes()
	if err != nil {
		return err
	}
	var kind asn1.ObjectIdentifier
	if err := unmarshal(attributes[oidContentType], &kind); err != nil || !is(kind, oidTSTInfo) {
		return errors.New("the signed content type is not that of a time stamp")
	}
	hash, err := digestAlgorithm(t.signer.DigestAlgorithm.Algorithm)
	if err != nil {
		return err
	}
	h := hash.New()
	h.Write(t.content)
	var digest []byte
	if err := unmarshal(attributes[oidMessageDigest], &digest); err != nil || !bytes.Equal(digest, h.Sum(nil)) {
		return errors.New("the signed digest is not that of the time stamp")
	}
	return verifySigningCertificate(attributes, certificate)
}

// attributes gives the signed attributes by type; each has one value.
func (t *token) attributes() (map[string][]byte, error) {
	rest := t.signer.SignedAttributes.Bytes
	if len(rest) == 0 {
		return nil, errors.New("a time stamp has no signed attributes")
	}
	all := map[string][]byte{}
	for len(rest) > 0 {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, fmt.Errorf("read a signed attribute: %w", err)
		}
		if _, twice := all[a.Type.String()]; twice {
			return nil, errors.New("a signed attribute stands twice")
		}
		all[a.Type.String()] = a.Values.Bytes
	}
	return all, nil
}

// verifySigningCertificate looks whether the certificate is the one that the
// signature is bound to, so that it cannot be exchanged for another of the same
// key.
func verifySigningCertificate(attributes map[string][]byte, certificate *x509.Certificate) error {
	var v2 struct {
		Certs    []essCertIDv2
		Policies asn1.RawValue `asn1:"optional"`
	}
	if der, ok := attributes[oidSigningCertificateV2]; ok {
		if err := unmarshal(der, &v2); err != nil || len(v2.Certs) == 0 {
			return errors.New("the signing certificate of a time stamp is not readable")
		}
		hash := crypto.SHA256
		if named := v2.Certs[0].HashAlgorithm.Algorithm; len(named) > 0 {
			var err error
			if hash, err = digestAlgorithm(named); err != nil {
				return err
			}
		}
		h := hash.New()
		h.Write(certificate.Raw)
		return sameCertificate(v2.Certs[0].Hash, h.Sum(nil))
	}
	var v1 struct {
		Certs    []essCertID
		Policies asn1.RawValue `asn1:"optional"`
	}
	if err := unmarshal(attributes[oidSigningCertificate], &v1); err != nil || len(v1.Certs) == 0 {
		return errors.New("a time stamp does not name its signing certificate")
	}
	sum := sha1.Sum(certificate.Raw)
	return sameCertificate(v1.Certs[0].Hash, sum[:])
}

type essCertIDv2 struct {
	HashAlgorithm pkix.AlgorithmIdentifier `asn1:"optional"` // SHA-256 by default
	Hash          []byte
	IssuerSerial  asn1.RawValue `asn1:"optional"`
}

type essCertID struct {
	Hash         []byte        // SHA-1
	IssuerSerial asn1.RawValue `asn1:"optional"`
}

func sameCertificate(named, is []byte) error {
	if !bytes.Equal(named, is) {
		return errors.New("a time stamp names another signing certificate")
	}
	return nil
}

// verifyChain looks whether the certificate is for time stamping alone, says so
// critically (RFC 3161 §2.3), and led to a root at the time of the stamp.
func verifyChain(certificate *x509.Certificate, others []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	critical := slices.ContainsFunc(certificate.Extensions, func(e pkix.Extension) bool { return is(e.Id, oidExtendedKeyUsage) && e.Critical })
	if !critical || !slices.Equal(certificate.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) || len(certificate.UnknownExtKeyUsage) > 0 {
		return errors.New("the certificate of a time stamp is not for time stamping alone")
	}
	between := x509.NewCertPool()
	for _, c := range others {
		between.AddCert(c)
	}
	if roots == nil {
		roots = x509.NewCertPool() // and not those of the system
	}
	_, err := certificate.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return fmt.Errorf("verify the certificate of a time stamp: %w", err)
	}
	return nil
}

// digestAlgorithm knows the SHA-2 family.
func digestAlgorithm(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case is(oid, oidSHA256):
		return crypto.SHA256, nil
	case is(oid, oidSHA384):
		return crypto.SHA384, nil
	case is(oid, oidSHA512):
		return crypto.SHA512, nil
	}
	return 0, errors.New("a time stamp uses a digest that is not known here")
}

// signatureAlgorithm knows RSA (PKCS #1), ECDSA and Ed25519 with SHA-2.
func signatureAlgorithm(signature, digest asn1.ObjectIdentifier) (x509.SignatureAlgorithm, error) {
	hash, err := digestAlgorithm(digest)
	if err != nil {
		return 0, err
	}
	type pair struct {
		oid  string
		hash crypto.Hash
	}
	known := map[pair]x509.SignatureAlgorithm{
		{"1.2.840.113549.1.1.1", crypto.SHA256}: x509.SHA256WithRSA, {"1.2.840.113549.1.1.11", crypto.SHA256}: x509.SHA256WithRSA,
		{"1.2.840.113549.1.1.1", crypto.SHA384}: x509.SHA384WithRSA, {"1.2.840.113549.1.1.12", crypto.SHA384}: x509.SHA384WithRSA,
		{"1.2.840.113549.1.1.1", crypto.SHA512}: x509.SHA512WithRSA, {"1.2.840.113549.1.1.13", crypto.SHA512}: x509.SHA512WithRSA,
		{"1.2.840.10045.4.3.2", crypto.SHA256}: x509.ECDSAWithSHA256, {"1.2.840.10045.4.3.3", crypto.SHA384}: x509.ECDSAWithSHA384,
		{"1.2.840.10045.4.3.4", crypto.SHA512}: x509.ECDSAWithSHA512, {"1.3.101.112", crypto.SHA512}: x509.PureEd25519,
	}
	algorithm, ok := known[pair{signature.String(), hash}]
	if !ok {
		return 0, errors.New("a time stamp uses a signature that is not known here")
	}
	return algorithm, nil
}
