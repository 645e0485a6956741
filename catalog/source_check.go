package catalog

// SourceCheck looks at a source for what its catalog cannot tell, such as
// whether the operator has set its secrets. It is called once for each source,
// also for one that has other faults.
type SourceCheck func(d *Dataset, s *Source) []SourceFault

// SourceFault is what a SourceCheck found.
type SourceFault struct {
	At []any // keys and indexes below the source, such as "auth", "header", "secret"
	// Code and Reason are as in Fault.
	Code, Reason string
}

// NamedRef is a reference to a secret, and where in its source it stands.
type NamedRef struct {
	At  []any // as in SourceFault
	Ref SecretRef
}

// SecretRefs lists every secret that the source needs.
func (s *Source) SecretRefs() []NamedRef {
	a := s.Auth
	if a == nil {
		return nil
	}
	var refs []NamedRef
	add := func(ref SecretRef, method, key string) {
		if ref != "" {
			refs = append(refs, NamedRef{At: []any{"auth", method, key}, Ref: ref})
		}
	}
	if a.Header != nil {
		add(a.Header.Secret, "header", "secret")
	}
	if a.HMAC != nil {
		add(a.HMAC.Secret, "hmac", "secret")
	}
	if a.OAuth2 != nil {
		add(a.OAuth2.Secret, "oauth2", "secret")
	}
	if a.SM2 != nil {
		add(a.SM2.Secret, "sm2", "secret")
	}
	if a.Login != nil {
		add(a.Login.Secret, "login", "secret")
	}
	if a.TLS != nil {
		add(a.TLS.Certificate, "tls", "certificate")
		add(a.TLS.Key, "tls", "key")
		add(a.TLS.CA, "tls", "ca")
	}
	return refs
}
