package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"mianti/api"
	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
	"mianti/store"
)

type systemCommands struct {
	Add     systemAddCommand     `cmd:"" help:"Register a system of a department."`
	List    systemListCommand    `cmd:"" help:"Show the systems, and when their credentials end."`
	Rotate  systemRotateCommand  `cmd:"" help:"Give a system a new secret or new keys. Those before end after an overlap."`
	Revoke  systemRevokeCommand  `cmd:"" help:"End a system, or one of its credentials, and the tokens that it holds, at once."`
	Webhook systemWebhookCommand `cmd:"" help:"Register where a system is told what happened (Standard Webhooks), or change its secret."`
}

type systemAddCommand struct {
	databaseSetting
	ID         string `arg:"" help:"Client id, such as spj-one-window."`
	Department string `required:"" help:"Code of its department, such as SPJ."`
	Replace    bool   `help:"Register anew what is registered, with another department or after it was revoked. All of its credentials and tokens end; see rotate for a change without an interruption."`
	Name       string `required:"" help:"What people call it."`
	JWKS       string `type:"existingfile" help:"File with its public keys (JWK set), to authenticate by private_key_jwt. Without it a client secret is made."`
	Require    string `enum:",dpop,mtls" default:"" help:"What its tokens must be bound to: dpop (RFC 9449) or mtls (RFC 8705). Default: nothing, so that bearer tokens are given."`
	Why        string `default:"运维登记" help:"Reason, for the ledger."`
}

// Run registers a system. A secret is printed once and never again.
func (c *systemAddCommand) Run(ctx context.Context, con console) error {
	if !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,63}$`).MatchString(c.ID) {
		return errors.New("ID: want 2 to 64 letters, digits, dots, underscores and hyphens, such as spj-one-window")
	}
	if strings.TrimSpace(c.Name) == "" {
		return errors.New("--name: say what people call the system")
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	rev, err := store.NewCatalogs(db).Current(ctx)
	if err != nil {
		return err
	}
	if rev.Department(c.Department) == nil {
		return fmt.Errorf("--department: the catalog has no department %q", c.Department)
	}
	_, err = db.System(ctx, c.ID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && !c.Replace {
		return fmt.Errorf("系统 %s 已经登记。要换密钥，请用 mianti system rotate；要改部门或重新登记，请加 --replace，它现有的凭据和令牌随即失效", c.ID)
	}
	now := time.Now().UTC()
	credentials, secret, err := newCredentials(c.JWKS, now)
	if err != nil {
		return err
	}
	system := exchange.System{
		ID: c.ID, Department: c.Department, Name: c.Name, Credentials: credentials, Requires: exchange.Binding(c.Require), CreatedAt: now,
	}
	if err := db.RegisterSystem(ctx, system, systemEntry(ledger.SystemRegistered, &system, now, c.Why)); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已登记接入系统 %s（%s）。\n", c.ID, rev.Department(c.Department).Name)
	printSecret(con, secret)
	return nil
}

// newCredentials reads the keys in a file, or makes a secret without one.
func newCredentials(jwksFile string, now time.Time) (credentials []exchange.Credential, secret string, err error) {
	if jwksFile == "" {
		secret = newSecret()
		return []exchange.Credential{api.SecretCredential(newID(), secret, now)}, secret, nil
	}
	jwks, err := os.ReadFile(jwksFile)
	if err != nil {
		return nil, "", fmt.Errorf("read --jwks: %w", err)
	}
	if credentials, err = api.KeyCredentials(jwks, newID, now); err != nil {
		return nil, "", fmt.Errorf("--jwks: %w", err)
	}
	return credentials, "", nil
}

// systemEntry is the entry of an act on a system, at the machine.
func systemEntry(kind ledger.Kind, system *exchange.System, now time.Time, why string) ledger.Entry {
	return ledger.Entry{Kind: kind, At: now, Person: ledger.Operator, Department: system.Department, Object: "system:" + system.ID, Why: why}
}

func printSecret(con console, secret string) {
	if secret != "" {
		fmt.Fprintf(con.Out, "密钥（只显示这一次，请妥善保存）：%s\n", secret)
	}
}

// newSecret makes a client secret of 256 random bits.
func newSecret() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // crypto/rand never fails; it ends the program instead
	return base64.RawURLEncoding.EncodeToString(bits)
}

type grantCommands struct {
	FromCatalog grantFromCatalogCommand `cmd:"" help:"Give every department what the materials of its own matters need. For trials: in service each grant is applied for and approved."`
	List        grantListCommand        `cmd:"" help:"List grants."`
	Suspend     grantSuspendCommand     `cmd:"" help:"Suspend a grant. It stops being used at once."`
	Resume      grantResumeCommand      `cmd:"" help:"Let a suspended grant be used again."`
	Terminate   grantTerminateCommand   `cmd:"" help:"End a grant for good."`
}

type grantFromCatalogCommand struct {
	databaseSetting
	Until string `default:"" help:"Last day, as 2006-01-02. Default: a year from today."`
}

// Run gives the grants.
func (c *grantFromCatalogCommand) Run(ctx context.Context, con console) error {
	from := time.Now().UTC()
	until := from.AddDate(1, 0, 0)
	if c.Until != "" {
		day, err := time.Parse(time.DateOnly, c.Until)
		if err != nil {
			return errors.New("--until: want a date such as 2027-06-30")
		}
		until = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, catalog.TimeZone())
	}
	db, err := store.Open(ctx, store.Config{URL: c.DatabaseURL, Now: time.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	rev, err := store.NewCatalogs(db).Current(ctx)
	if err != nil {
		return err
	}
	grants, err := missingGrants(ctx, db, grantsNeeded(rev, from, until))
	if err != nil {
		return err
	}
	if err := db.SaveGrants(ctx, grants); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "已登记 %d 项共享授权，最后一天 %s；已有的授权没有改动。\n", len(grants), until.Add(-time.Second).Format(time.DateOnly))
	return nil
}

// missingGrants leaves out the grants that are registered: one that was
// suspended or ended stays so.
func missingGrants(ctx context.Context, db *store.Store, grants []policies.Grant) ([]policies.Grant, error) {
	var matters []string
	for _, g := range grants {
		matters = append(matters, g.Matter)
	}
	slices.Sort(matters)
	registered, err := db.GrantsFor(ctx, slices.Compact(matters))
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, g := range registered {
		known[g.ID] = true
	}
	return slices.DeleteFunc(grants, func(g policies.Grant) bool { return known[g.ID] }), nil
}
