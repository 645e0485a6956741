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
	sourceSettings
	signInSettings
	safeguardSetting
	Issuer         string        `env:"MIANTI_ISSUER" help:"Address of this exchange as its callers know it; the issuer of its tokens. Default: http://LISTEN."`
	SigningKeyFile string        `env:"MIANTI_SIGNING_KEY_FILE" help:"PEM file of the keys that sign tokens; the first signs, all are published. Default: a new key, so that a restart ends all tokens."`
	SubjectKeyFile string        `env:"MIANTI_SUBJECT_KEY_FILE" help:"File of at least 32 random bytes that keys the digests of subjects. Default: a new key, so that earlier papers, consents and citizens are not known again after a restart or by another replica."`
	WebhookKeyFile string        `env:"MIANTI_WEBHOOK_KEY_FILE" help:"File of at least 32 random bytes from which the secrets of webhooks are made. Default: a new key, so that receivers refuse what is sent after a restart."`
	LedgerOrigin   string        `env:"MIANTI_LEDGER_ORIGIN" help:"Name of the ledger in its checkpoints. Default: the name that it has already, else host and path of MIANTI_ISSUER with /log."`
	Deadline       time.Duration `env:"MIANTI_DEADLINE" default:"8s" help:"Longest time of one resolution."`
	SourceDeadline time.Duration `env:"MIANTI_SOURCE_DEADLINE" default:"3s" help:"Longest time of one question to a department."`
	EvenTime       time.Duration `env:"MIANTI_EVEN_TIME" default:"300ms" help:"An answer that knows nothing of a person takes a multiple of this, so that its time tells nothing. 0: as long as it takes."`
	DataAuthority  string        `env:"MIANTI_DATA_AUTHORITY" default:"DSJ" help:"Code of the department that is the authority for government data; it consents to longer times to reply."`
	TrustedProxies []string      `env:"MIANTI_TRUSTED_PROXIES" help:"Addresses of proxies whose forwarding headers are believed. Default: none."`
	// ClientCertificates says that the server asks callers for them.
	ClientCertificates bool       `kong:"-"`
	LogLevel           slog.Level `env:"MIANTI_LOG_LEVEL" default:"INFO" help:"DEBUG, INFO, WARN or ERROR."`
}

// check reports every fault of the settings together.
func (s *exchangeSettings) check() error {
	var faults []error
	faults = append(faults, s.sourceSettings.check(), s.signInSettings.check())
	if u, err := url.Parse(s.Issuer); err != nil || u.Host == "" {
		faults = append(faults, errors.New("MIANTI_ISSUER: want an absolute address, such as https://mianti.example"))
	}
	if s.Deadline > longestDeadline {
		faults = append(faults, fmt.Errorf("MIANTI_DEADLINE: at most %s; longer questions do not fit into one request", longestDeadline))
	}
	if s.SourceDeadline <= 0 || s.Deadline < s.SourceDeadline {
		faults = append(faults, errors.New("MIANTI_DEADLINE: must be at least MIANTI_SOURCE_DEADLINE, and both positive"))
	}
	if s.EvenTime < 0 || s.EvenTime >= s.SourceDeadline {
		faults = append(faults, errors.New("MIANTI_EVEN_TIME: must be shorter than MIANTI_SOURCE_DEADLINE"))
	}
	return errors.Join(faults...)
}

// longestDeadline keeps a resolution within what the server allows a request,
// and within the time for which an idempotency key is held.
const longestDeadline = 45 * time.Second

func (s *exchangeSettings) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: s.LogLevel}))
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

// leastKey is the least length of a key that is read from a file.
const leastKey = 32

// subjectKey reads the key of subjects' digests, or makes one.
func (s *exchangeSettings) subjectKey() ([]byte, error) {
	return keyFrom("MIANTI_SUBJECT_KEY_FILE", s.SubjectKeyFile)
}

// webhookKey reads the key of webhooks' secrets, or makes one.
func (s *exchangeSettings) webhookKey() ([]byte, error) {
	return keyFrom("MIANTI_WEBHOOK_KEY_FILE", s.WebhookKeyFile)
}

func keyFrom(setting, file string) ([]byte, error) {
	if file == "" {
		key := make([]byte, leastKey)
		_, err := rand.Read(key)
		return key, err
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", setting, err)
	}
	if key = bytes.TrimSpace(key); len(key) < leastKey {
		return nil, fmt.Errorf("%s: want at least %d bytes, found %d", setting, leastKey, len(key))
	}
	return key, nil
}
