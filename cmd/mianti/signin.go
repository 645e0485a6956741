package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/identity"
	"mianti/store"
)

// signInSettings say who tells who people are. Without a provider nobody of its
// kind signs in.
type signInSettings struct {
	StaffIssuer             string        `env:"MIANTI_STAFF_ISSUER" help:"Issuer of the OpenID provider of staff. Default: none; staff do not sign in."`
	StaffClientID           string        `env:"MIANTI_STAFF_CLIENT_ID" help:"Client id at that provider."`
	StaffClientSecretFile   string        `env:"MIANTI_STAFF_CLIENT_SECRET_FILE" help:"File of the client secret at that provider. Default: none, a public client."`
	StaffScopes             []string      `env:"MIANTI_STAFF_SCOPES" default:"openid,profile" help:"What that provider is asked for."`
	StaffNameClaim          string        `env:"MIANTI_STAFF_NAME_CLAIM" default:"name" help:"Claim that holds the name by which administrators know somebody."`
	CitizenIssuer           string        `env:"MIANTI_CITIZEN_ISSUER" help:"Issuer of the OpenID provider of applicants. Default: none; applicants do not sign in."`
	CitizenClientID         string        `env:"MIANTI_CITIZEN_CLIENT_ID" help:"Client id at that provider."`
	CitizenClientSecretFile string        `env:"MIANTI_CITIZEN_CLIENT_SECRET_FILE" help:"File of the client secret at that provider. Default: none, a public client."`
	CitizenScopes           []string      `env:"MIANTI_CITIZEN_SCOPES" default:"openid,profile" help:"What that provider is asked for."`
	CitizenNumberClaim      string        `env:"MIANTI_CITIZEN_NUMBER_CLAIM" default:"citizen_id" help:"Claim that holds a citizen's number."`
	StaffIdle               time.Duration `env:"MIANTI_STAFF_IDLE" default:"30m" help:"How long a session of staff may lie unused."`
	CitizenIdle             time.Duration `env:"MIANTI_CITIZEN_IDLE" default:"15m" help:"How long a session of an applicant may lie unused."`
	SessionLifetime         time.Duration `env:"MIANTI_SESSION_LIFETIME" default:"8h" help:"How long any session may last."`
}

// check reports every fault of the settings together.
func (s *signInSettings) check() error {
	var faults []error
	if (s.StaffIssuer == "") != (s.StaffClientID == "") {
		faults = append(faults, errors.New("MIANTI_STAFF_ISSUER, MIANTI_STAFF_CLIENT_ID: give both, or neither"))
	}
	if (s.CitizenIssuer == "") != (s.CitizenClientID == "") {
		faults = append(faults, errors.New("MIANTI_CITIZEN_ISSUER, MIANTI_CITIZEN_CLIENT_ID: give both, or neither"))
	}
	if s.StaffIdle < 0 || s.CitizenIdle < 0 || s.SessionLifetime < max(s.StaffIdle, s.CitizenIdle) {
		faults = append(faults, errors.New("MIANTI_SESSION_LIFETIME: must be at least MIANTI_STAFF_IDLE and MIANTI_CITIZEN_IDLE"))
	}
	return errors.Join(faults...)
}

// providers makes those that are configured; nil for one that is not.
func (s *signInSettings) providers() (staff, citizens *identity.Provider, err error) {
	staff, err = newProvider(s.StaffClientSecretFile, identity.ProviderConfig{
		Issuer: s.StaffIssuer, ClientID: s.StaffClientID, Scopes: s.StaffScopes, NameClaim: s.StaffNameClaim,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("MIANTI_STAFF_ISSUER: %w", err)
	}
	citizens, err = newProvider(s.CitizenClientSecretFile, identity.ProviderConfig{
		Issuer: s.CitizenIssuer, ClientID: s.CitizenClientID, Scopes: s.CitizenScopes, NumberClaim: s.CitizenNumberClaim,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("MIANTI_CITIZEN_ISSUER: %w", err)
	}
	return staff, citizens, nil
}

func newProvider(secretFile string, c identity.ProviderConfig) (*identity.Provider, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	if secretFile != "" {
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			return nil, fmt.Errorf("read the client secret: %w", err)
		}
		if c.ClientSecret = string(bytes.TrimSpace(secret)); c.ClientSecret == "" {
			return nil, errors.New("the file of the client secret is empty")
		}
	}
	c.Now = time.Now
	return identity.NewProvider(c)
}

// people is what signs in and has duties; both nil when no provider is
// configured.
type people struct {
	identity *identity.Identity
	pages    http.Handler
}

func (s *exchangeSettings) newPeople(db *store.Store, catalogs *store.Catalogs, x *exchange.Exchange, log *slog.Logger) (*people, error) {
	staff, citizens, err := s.providers()
	if err != nil || (staff == nil && citizens == nil) {
		return nil, err
	}
	p := &people{}
	p.identity, err = identity.New(identity.Config{
		Persons: db, Store: db.Sessions(), Uses: db.Sessions(), Staff: staff, Citizens: citizens,
		SubjectOf:      func(number string) string { return x.SubjectOf(catalog.KindPerson, number) },
		DepartmentName: departmentNames(catalogs), Address: s.Issuer, Now: time.Now, NewID: newID, Log: log,
		StaffIdle: s.StaffIdle, CitizenIdle: s.CitizenIdle, Lifetime: s.SessionLifetime,
	})
	if err != nil {
		return nil, err
	}
	p.pages, err = p.identity.Handler()
	return p, err
}

// departmentNames reads the names of departments from the present catalog.
func departmentNames(catalogs *store.Catalogs) func(context.Context, string) string {
	return func(ctx context.Context, code string) string {
		rev, err := catalogs.Current(ctx)
		if err != nil {
			return "" // a page shows the code then
		}
		if d := rev.Department(code); d != nil {
			return d.Name
		}
		return ""
	}
}

// newOffice gives duties: for administrators, or for the operator at the machine.
func newOffice(db *store.Store, atTheMachine bool) *identity.Office {
	catalogs := store.NewCatalogs(db)
	return &identity.Office{
		Persons: db, Assignments: db, Now: time.Now, AtTheMachine: atTheMachine,
		Known: func(ctx context.Context, code string) (bool, error) {
			rev, err := catalogs.Current(ctx)
			return err == nil && rev.Department(code) != nil, err
		},
	}
}
