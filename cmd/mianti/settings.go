package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"mianti/api"
)

// databaseSetting says where the state is.
type databaseSetting struct {
	DatabaseURL string `name:"database" env:"MIANTI_DATABASE_URL" default:"sqlite:mianti.db" help:"sqlite:PATH, or postgres://…"`
}

// exchangeSettings are what an exchange is run with.
type exchangeSettings struct {
	databaseSetting
	Issuer         string        `env:"MIANTI_ISSUER" help:"Address of this exchange as its callers know it; the issuer of its tokens. Default: http://LISTEN."`
	SigningKeyFile string        `env:"MIANTI_SIGNING_KEY_FILE" help:"PEM file of the keys that sign tokens; the first signs, all are published. Default: a new key, so that a restart ends all tokens."`
	SubjectKeyFile string        `env:"MIANTI_SUBJECT_KEY_FILE" help:"File of at least 32 random bytes that keys the digests of subjects. Default: a new key, so that earlier papers are not found again after a restart."`
	SourcesURL     string        `env:"MIANTI_SOURCES_URL" default:"http://127.0.0.1:8090/{department}" help:"Address of the departments' interfaces; {department} is replaced by the department's code."`
	Deadline       time.Duration `env:"MIANTI_DEADLINE" default:"8s" help:"Longest time of one resolution."`
	SourceDeadline time.Duration `env:"MIANTI_SOURCE_DEADLINE" default:"3s" help:"Longest time of one question to a department."`
	TrustedProxies []string      `env:"MIANTI_TRUSTED_PROXIES" help:"Addresses of proxies whose forwarding headers are believed. Default: none."`
	LogLevel       slog.Level    `env:"MIANTI_LOG_LEVEL" default:"INFO" help:"DEBUG, INFO, WARN or ERROR."`
}

// check reports every fault of the settings together.
func (s *exchangeSettings) check() error {
	var faults []error
	if u, err := url.Parse(strings.ReplaceAll(s.SourcesURL, "{department}", "X")); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		faults = append(faults, errors.New("MIANTI_SOURCES_URL: want an http or https address, such as http://127.0.0.1:8090/{department}"))
	}
	if u, err := url.Parse(s.Issuer); err != nil || u.Host == "" {
		faults = append(faults, errors.New("MIANTI_ISSUER: want an absolute address, such as https://mianti.example"))
	}
	if s.Deadline > longestDeadline {
		faults = append(faults, fmt.Errorf("MIANTI_DEADLINE: at most %s; longer questions do not fit into one request", longestDeadline))
	}
	if s.SourceDeadline <= 0 || s.Deadline < s.SourceDeadline {
		faults = append(faults, errors.New("MIANTI_DEADLINE: must be at least MIANTI_SOURCE_DEADLINE, and both positive"))
	}
	return errors.Join(faults...)
}

// longestDeadline keeps a resolution within what the server allows a request,
// and within the time for which an idempotency key is held.
const longestDeadline = 45 * time.Second

func (s *exchangeSettings) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: s.LogLevel}))
}

// baseURL gives the address of a department's interface.
func (s *exchangeSettings) baseURL(department string) string {
	return strings.TrimSuffix(strings.ReplaceAll(s.SourcesURL, "{department}", url.PathEscape(department)), "/")
}

// signingKeys reads the keys that sign tokens, or makes one.
func (s *exchangeSettings) signingKeys(log *slog.Logger) (*api.SigningKeys, error) {
	if s.SigningKeyFile != "" {
		pem, err := os.ReadFile(s.SigningKeyFile)
		if err != nil {
			return nil, fmt.Errorf("read MIANTI_SIGNING_KEY_FILE: %w", err)
		}
		return api.LoadSigningKeys(pem)
	}
	log.Warn("no signing key is configured: tokens end with this process, and other replicas refuse them")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return api.NewSigningKeys(key)
}

// subjectKeyLength is the least length of the key of subjects' digests.
const subjectKeyLength = 32

// subjectKey reads the key of subjects' digests, or makes one.
func (s *exchangeSettings) subjectKey() ([]byte, error) {
	if s.SubjectKeyFile == "" {
		key := make([]byte, subjectKeyLength)
		_, err := rand.Read(key)
		return key, err
	}
	key, err := os.ReadFile(s.SubjectKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read MIANTI_SUBJECT_KEY_FILE: %w", err)
	}
	if key = bytes.TrimSpace(key); len(key) < subjectKeyLength {
		return nil, fmt.Errorf("MIANTI_SUBJECT_KEY_FILE: want at least %d bytes, found %d", subjectKeyLength, len(key))
	}
	return key, nil
}
