package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/connectors/secret"
)

// secretsSetting says where the secrets are that the catalog names.
type secretsSetting struct {
	SecretsDir string `env:"MIANTI_SECRETS_DIR" help:"Folder of the secrets that the catalog names, one file each. Default: variables such as MIANTI_SECRET_GA_APP_KEY alone."`
}

// secrets are the secrets that the catalog names.
func (s *secretsSetting) secrets() *secret.Store {
	return secret.New(secret.Options{Dir: s.SecretsDir, Getenv: os.Getenv, Now: time.Now})
}

// sourceSettings say how the departments are reached.
type sourceSettings struct {
	secretsSetting
	SourcesURL     string `env:"MIANTI_SOURCES_URL" default:"http://127.0.0.1:8090/{department}" help:"Address of the interfaces of which the catalog names none; {department} is replaced by the department's code."`
	SourcesNetwork string `env:"MIANTI_SOURCES_NETWORK" enum:"auto,public,private,local" default:"auto" help:"Where MIANTI_SOURCES_URL may lead to: public, private, local. Default: what its host is, if that is an address; else public."`
	SnapshotsDir   string `env:"MIANTI_SNAPSHOTS_DIR" help:"Folder that departments' files are dropped into: SOURCE/in/*.csv or *.xlsx. Default: none."`
}

// check gives what is wrong with the settings.
func (s *sourceSettings) check() error {
	u, err := url.Parse(strings.ReplaceAll(s.SourcesURL, "{department}", "X"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("MIANTI_SOURCES_URL: want an http or https address, such as http://127.0.0.1:8090/{department}")
	}
	for name, dir := range map[string]string{"MIANTI_SECRETS_DIR": s.SecretsDir, "MIANTI_SNAPSHOTS_DIR": s.SnapshotsDir} {
		if info, err := os.Stat(dir); dir != "" && (err != nil || !info.IsDir()) {
			return fmt.Errorf("%s: %s is no folder", name, dir)
		}
	}
	return nil
}

// network is where MIANTI_SOURCES_URL may lead to. An operator who writes an
// address in numbers has said it; a name could resolve to anything.
func (s *sourceSettings) network() catalog.Network {
	switch s.SourcesNetwork {
	case "public":
		return catalog.NetworkPublic
	case "private", "local":
		return catalog.Network(s.SourcesNetwork)
	}
	u, err := url.Parse(s.SourcesURL)
	if err != nil {
		return catalog.NetworkPublic
	}
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case u.Hostname() == "localhost", err == nil && ip.IsLoopback():
		return catalog.NetworkLocal
	case err == nil && catalog.CheckNetwork(catalog.NetworkPublic, ip) != nil && catalog.CheckNetwork(catalog.NetworkPrivate, ip) == nil:
		return catalog.NetworkPrivate
	default:
		return catalog.NetworkPublic
	}
}

// locate gives the address of a department's source, and where it may lead to.
func (s *sourceSettings) locate(department string, source *catalog.Source) (string, catalog.Network) {
	if source.Address != "" {
		return strings.TrimSuffix(source.Address, "/"), source.Network
	}
	base := strings.ReplaceAll(s.SourcesURL, "{department}", url.PathEscape(department))
	return strings.TrimSuffix(base, "/"), cmp.Or(s.network(), source.Network)
}
