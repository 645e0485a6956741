package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"mianti/evidence"
	"mianti/retention"
	"mianti/sheet"
	"mianti/telemetry"
)

// databaseSetting says where the state is, and the key that protects it.
type databaseSetting struct {
	DatabaseURL string `name:"database" env:"MIANTI_DATABASE_URL" default:"sqlite:mianti.db" help:"sqlite:PATH, or postgres://…"`
	KeyFile     string `env:"MIANTI_KEY_FILE" help:"File of the key that protects all others; make one with: mianti key new. Default for SQLite: PATH.key, made when it is first needed."`
}

// exchangeSettings are what an exchange is run with.
type exchangeSettings struct {
	databaseSetting
	sourceSettings
	signInSettings
	safeguardSetting
	evidenceSetting
	anchorSettings
	retentionSettings
	observeSettings
	DatabaseRead     []string       `env:"MIANTI_DATABASE_READ" help:"Addresses of streaming replicas of the database, from which pages and reports are read. Default: none."`
	ReadLag          time.Duration  `env:"MIANTI_DATABASE_READ_LAG" default:"10s" help:"How far behind a replica may be and still be read; at most 30s."`
	DatabaseDirect   string         `env:"MIANTI_DATABASE_DIRECT" help:"postgres://… past a pooler, for notices of changes by other nodes. Default: MIANTI_DATABASE_URL, where that prepares statements; else changes are looked for every second."`
	Issuer           string         `env:"MIANTI_ISSUER" help:"Address of this exchange as its callers know it; the issuer of its tokens. Default: http://LISTEN."`
	SigningKeyFile   string         `env:"MIANTI_SIGNING_KEY_FILE" help:"PEM file of the key that signs tokens. Default: one that is kept in the database."`
	SubjectKeyFile   string         `env:"MIANTI_SUBJECT_KEY_FILE" help:"File of at least 32 random bytes that keys the digests of subjects. Default: one that is kept in the database."`
	WebhookKeyFile   string         `env:"MIANTI_WEBHOOK_KEY_FILE" help:"File of at least 32 random bytes from which the secrets of webhooks are made. Default: one that is kept in the database."`
	LedgerOrigin     string         `env:"MIANTI_LEDGER_ORIGIN" help:"Name of the ledger in its checkpoints. Default: the name that it has already, else host and path of MIANTI_ISSUER with /log."`
	PDFFont          string         `name:"pdf-font" env:"MIANTI_PDF_FONT" help:"TrueType font file with Chinese letters, for verification sheets as PDF. Default: none, so that there is no PDF."`
	CatalogMaterials int            `env:"MIANTI_CATALOG_MATERIALS" default:"100000" help:"How many materials of catalogs are held in memory. A catalog with more is read one-thing by one-thing."`
	KeepBatch        retention.Term `env:"MIANTI_KEEP_BATCH" default:"7d" help:"How long the list and the results of a batch are kept after it ended or stood still: 7d."`
	Deadline         time.Duration  `env:"MIANTI_DEADLINE" default:"8s" help:"Longest time of one resolution."`
	SourceDeadline   time.Duration  `env:"MIANTI_SOURCE_DEADLINE" default:"3s" help:"Longest time of one question to a department."`
	EvenTime         time.Duration  `env:"MIANTI_EVEN_TIME" default:"300ms" help:"An answer that knows nothing of a person takes a multiple of this, so that its time tells nothing. 0: as long as it takes."`
	DataAuthority    string         `env:"MIANTI_DATA_AUTHORITY" default:"DSJ" help:"Code of the department that is the authority for government data; it consents to longer times to reply."`
	TrustedProxies   []string       `env:"MIANTI_TRUSTED_PROXIES" help:"Addresses of proxies whose forwarding headers are believed. Default: none."`
	// ClientCertificates says that the server asks callers for them.
	ClientCertificates bool       `kong:"-"`
	LogLevel           slog.Level `env:"MIANTI_LOG_LEVEL" default:"INFO" help:"DEBUG, INFO, WARN or ERROR."`
}

// evidenceSetting says how evidence is signed.
type evidenceSetting struct {
	EvidenceAlgorithm evidence.Algorithm `name:"evidence-alg" env:"MIANTI_EVIDENCE_ALG" default:"ES256" enum:"ES256,EdDSA,SM2" help:"Algorithm of the keys that sign evidence, when one is made: ES256, EdDSA or SM2."`
}

// check reports every fault of the settings together.
func (s *exchangeSettings) check() error {
	var faults []error
	faults = append(faults, s.sourceSettings.check(), s.signInSettings.check(), s.anchorSettings.check(), s.terms().Check())
	if u, err := url.Parse(s.Issuer); err != nil || u.Host == "" {
		faults = append(faults, errors.New("MIANTI_ISSUER: want an absolute address, such as https://mianti.example"))
	}
	if s.Deadline > longestDeadline {
		faults = append(faults, fmt.Errorf("MIANTI_DEADLINE: at most %s; longer questions do not fit into one request", longestDeadline))
	}
	if s.SourceDeadline <= 0 || s.Deadline < s.SourceDeadline {
		faults = append(faults, errors.New("MIANTI_DEADLINE: must be at least MIANTI_SOURCE_DEADLINE, and both positive"))
	}
	if len(s.DatabaseRead) > 0 && (s.ReadLag <= 0 || s.ReadLag > writtenFor/2) {
		faults = append(faults, errors.New("MIANTI_DATABASE_READ_LAG: must be positive and at most 30s"))
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
	return slog.New(telemetry.TraceLines(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: s.LogLevel})))
}

// leastKey is the least length of a key that is read from a file.
const leastKey = 32

func keyFrom(setting, file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", setting, err)
	}
	if key = bytes.TrimSpace(key); len(key) < leastKey {
		return nil, fmt.Errorf("%s: want at least %d bytes, found %d", setting, leastKey, len(key))
	}
	return key, nil
}

// pdfFont reads the font of sheets; nil where none is configured.
func (s *exchangeSettings) pdfFont() (*sheet.Font, error) {
	if s.PDFFont == "" {
		return nil, nil
	}
	font, err := sheet.ReadFont(s.PDFFont)
	if err != nil {
		return nil, fmt.Errorf("MIANTI_PDF_FONT: %w", err)
	}
	return font, nil
}
