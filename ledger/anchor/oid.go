package anchor

import "encoding/asn1"

// The object identifiers of RFC 5652, RFC 3161, RFC 5035 and RFC 5280.
const (
	oidSignedData           = "1.2.840.113549.1.7.2"
	oidTSTInfo              = "1.2.840.113549.1.9.16.1.4"
	oidContentType          = "1.2.840.113549.1.9.3"
	oidMessageDigest        = "1.2.840.113549.1.9.4"
	oidSigningCertificate   = "1.2.840.113549.1.9.16.2.12"
	oidSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47"
	oidSHA256               = "2.16.840.1.101.3.4.2.1"
	oidSHA384               = "2.16.840.1.101.3.4.2.2"
	oidSHA512               = "2.16.840.1.101.3.4.2.3"
	oidExtendedKeyUsage     = "2.5.29.37"
)

// is reports whether an identifier is one of these.
func is(got asn1.ObjectIdentifier, want string) bool { return got.String() == want }

// sha256Identifier is oidSHA256, to be encoded.
func sha256Identifier() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
}
