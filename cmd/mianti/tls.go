package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
)

// tlsSettings say how TLS ends at this very server. Without them it ends at a
// proxy in front, which cannot tell us a caller's certificate: no header is
// believed about that.
type tlsSettings struct {
	TLSCertFile     string `env:"MIANTI_TLS_CERT_FILE" help:"PEM file of this server's certificate, with the chain. Default: TLS ends in front of this server."`
	TLSKeyFile      string `env:"MIANTI_TLS_KEY_FILE" help:"PEM file of its private key."`
	TLSClientCAFile string `env:"MIANTI_TLS_CLIENT_CA_FILE" help:"PEM file of the authorities whose client certificates are accepted; a caller may then present one, and tokens can be bound to it (RFC 8705)."`
}

// config reads the files; nil without any.
func (s *tlsSettings) config() (*tls.Config, error) {
	if s.TLSCertFile == "" && s.TLSKeyFile == "" && s.TLSClientCAFile == "" {
		return nil, nil
	}
	if s.TLSCertFile == "" || s.TLSKeyFile == "" {
		return nil, errors.New("MIANTI_TLS_CERT_FILE and MIANTI_TLS_KEY_FILE belong together, and MIANTI_TLS_CLIENT_CA_FILE needs both")
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_TLS_CERT_FILE and MIANTI_TLS_KEY_FILE: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if s.TLSClientCAFile == "" {
		return config, nil
	}
	text, err := os.ReadFile(s.TLSClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_TLS_CLIENT_CA_FILE: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("MIANTI_TLS_CLIENT_CA_FILE: no certificate found in it")
	}
	return config, nil
}

// checkTransport refuses to serve where secrets and tokens would travel in the
// clear: over http, but on this machine alone. TLS may end here or in front.
func checkTransport(issuer string, listening net.Addr, withTLS bool) error {
	u, err := url.Parse(issuer)
	if err != nil {
		return fmt.Errorf("MIANTI_ISSUER: %w", err)
	}
	switch {
	case u.Scheme == "https":
		return nil
	case withTLS:
		return errors.New("MIANTI_ISSUER: want an https address, as MIANTI_TLS_CERT_FILE is set")
	case !isLoopback(u.Hostname()) || !isLoopback(hostOnly(listening)):
		return errors.New("MIANTI_ISSUER: want an https address, as secrets and tokens must not travel in the clear; " +
			"TLS may end at a proxy in front, or here: set MIANTI_TLS_CERT_FILE and MIANTI_TLS_KEY_FILE")
	default:
		return nil
	}
}

func hostOnly(address net.Addr) string {
	host, _, err := net.SplitHostPort(address.String())
	if err != nil {
		return ""
	}
	return host
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
