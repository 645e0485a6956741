package sqlview

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"strconv"
	"strings"

	"mianti/catalog"
	"mianti/connectors"
)

// The schemes of an address.
const (
	schemePostgres = "postgres"
	schemeMySQL    = "mysql"
)

// defaultConnections is how many connections a source is asked over at most.
const defaultConnections = 4

// settings are all that a connection to a source depends on. Two that are equal
// may share their connections.
type settings struct {
	scheme, host string
	port         uint16
	database     string
	network      catalog.Network
	connections  int

	user, password string

	tls              bool
	serverName       string
	certificate, key string // PEM
	authorities      string // PEM; empty: the system's
}

// String keeps the secrets out of texts.
func (s settings) String() string { return s.scheme + " (redacted)" }

// GoString does so too.
func (s settings) GoString() string { return s.String() }

// settings reads those of the source, with its secrets.
func (c *Connector) settings(q *connectors.Query) (settings, error) {
	address, network := q.BaseURL, q.Network
	if address == "" {
		address, network = q.Source.Address, q.Source.Network
	}
	s := settings{network: network, connections: defaultConnections}
	if err := s.locate(address); err != nil {
		return settings{}, err
	}
	if v := q.Source.View; v != nil && v.Connections > 0 {
		s.connections = v.Connections
	}
	auth := q.Source.Auth
	if auth == nil || auth.Login == nil {
		return settings{}, fail(connectors.FaultMisset, "the source has no login")
	}
	s.user = auth.Login.User
	if err := c.readSecret(auth.Login.Secret, &s.password); err != nil {
		return settings{}, err
	}
	return s, c.secure(&s, auth.TLS)
}

// secure says how the connection is protected: always beyond private networks,
// and elsewhere when the catalog speaks of it.
func (c *Connector) secure(s *settings, auth *catalog.TLSAuth) error {
	s.tls = s.network == catalog.NetworkPublic || auth != nil
	if auth == nil {
		return nil
	}
	s.serverName = auth.ServerName
	if err := c.readSecret(auth.Certificate, &s.certificate); err != nil {
		return err
	}
	if err := c.readSecret(auth.Key, &s.key); err != nil {
		return err
	}
	return c.readSecret(auth.CA, &s.authorities)
}

func (c *Connector) readSecret(ref catalog.SecretRef, into *string) error {
	if ref == "" {
		return nil
	}
	secret, err := c.secrets.Secret(ref)
	if err != nil {
		return &connectors.Fault{Kind: connectors.FaultMisset, Cause: err}
	}
	*into = string(secret)
	return nil
}

// locate reads "postgres://host:5432/database". Nothing else may stand in it:
// parameters of a driver could undo what is set here.
func (s *settings) locate(address string) error {
	misset := fail(connectors.FaultMisset, "the address is not postgres://host:port/database or mysql://host:port/database")
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return misset
	}
	s.scheme, s.host, s.database = u.Scheme, u.Hostname(), strings.TrimPrefix(u.Path, "/")
	switch s.scheme {
	case schemePostgres:
		s.port = 5432
	case schemeMySQL:
		s.port = 3306
	default:
		return misset
	}
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return misset
		}
		s.port = uint16(port)
	}
	if !isHost(s.host) || s.database == "" || strings.ContainsAny(s.database, "/\x00") {
		return misset
	}
	return nil
}

// isHost refuses what a driver would take for several hosts, or for the path of
// a socket.
func isHost(host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	for _, r := range host {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return host != ""
}

func (s *settings) address() string {
	return net.JoinHostPort(s.host, strconv.Itoa(int(s.port)))
}

// tlsConfig is nil for a connection in plain text.
func (s *settings) tlsConfig() (*tls.Config, error) {
	if !s.tls {
		return nil, nil //nolint:nilnil // both drivers take nil for plain text
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.host}
	if s.serverName != "" {
		config.ServerName = s.serverName
	}
	if s.authorities != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(s.authorities)) {
			return nil, fail(connectors.FaultMisset, "the secret of auth.tls.ca holds no certificate in PEM")
		}
	}
	if s.certificate != "" {
		pair, err := tls.X509KeyPair([]byte(s.certificate), []byte(s.key))
		if err != nil { // its text could quote the key
			return nil, fail(connectors.FaultMisset, "the secrets of auth.tls.certificate and auth.tls.key are no pair in PEM")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// dialect is how the server is spoken to.
func (s *settings) dialect() (dialect, error) {
	switch s.scheme {
	case schemePostgres:
		return postgresDialect(), nil
	case schemeMySQL:
		return mysqlDialect(), nil
	default:
		return dialect{}, fail(connectors.FaultMisset, "the address is of an unknown kind of database")
	}
}
