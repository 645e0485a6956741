package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mianti/api"
	"mianti/batch"
	"mianti/catalog/interchange"
	"mianti/catalog/suggest"
	"mianti/citizen"
	"mianti/connectors/guard"
	"mianti/connectors/snapshot"
	"mianti/correction"
	"mianti/draft"
	"mianti/effect"
	"mianti/exchange"
	"mianti/internal/workday"
	"mianti/keyring"
	"mianti/safeguard"
	"mianti/store"
)

// node is one exchange, wired.
type node struct {
	store      *store.Store
	handler    http.Handler
	background *background
	exchange   *exchange.Exchange
	guard      *guard.Guard
	catalogs   *store.Catalogs
	// corrections tells departments about wrong records.
	corrections *correction.Desk
	drafts      *draft.Desk
	batches     *batch.Desk
	// watch is what an operator sees; nil for nothing.
	watch     *watch
	readiness *readiness
	// overload lets requests in.
	overload *overload
	// drain tells streams that the server is about to end.
	drain context.CancelFunc
	close func()
}

// newNode wires an exchange: settings, store, keys, connectors, guard,
// exchange, api.
func newNode(ctx context.Context, s exchangeSettings, log *slog.Logger) (*node, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	seen, err := s.newWatch(ctx, log)
	if err != nil {
		return nil, err
	}
	config := store.Config{URL: s.DatabaseURL, Bounded: true, Direct: s.DatabaseDirect, Read: s.DatabaseRead, ReadLag: s.ReadLag, Now: time.Now, Safeguard: &rules, Alarmed: logAlarms(log)}
	seen.openStore(&config)
	db, err := store.Open(ctx, config)
	if err != nil {
		return nil, errors.Join(err, seen.close())
	}
	n, err := s.wire(ctx, db, rules, seen, log)
	if err != nil {
		return nil, errors.Join(err, db.Close(), seen.close())
	}
	return n, nil
}

func (s *exchangeSettings) wire(ctx context.Context, db *store.Store, rules safeguard.Rules, seen *watch, log *slog.Logger) (*node, error) {
	ring, err := s.ring(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := db.Unlock(ctx, ring.Wrapper, s.Cipher); err != nil {
		return nil, err
	}
	keys, err := s.signingKeys(ctx, ring)
	if err != nil {
		return nil, err
	}
	subjectKey, err := subjectKey(ctx, ring, s.SubjectKeyFile)
	if err != nil {
		return nil, err
	}
	webhookKey, err := webhookKey(ctx, ring, s.WebhookKeyFile)
	if err != nil {
		return nil, err
	}
	sheetKey, err := ring.Secret(ctx, keyring.SheetNumbers, keyring.RandomBytes)
	if err != nil {
		return nil, err
	}
	signer := &evidenceKeys{ring: ring, algorithm: s.EvidenceAlgorithm, issuer: s.Issuer}
	if err := signer.check(ctx, log); err != nil {
		return nil, err
	}
	font, err := s.pdfFont()
	if err != nil {
		return nil, err
	}
	calendar, err := workday.Load()
	if err != nil {
		return nil, err
	}
	desk := &exchange.Desk{Assists: db, Cases: db, Now: time.Now, NewID: newID, Due: calendar.Add}
	all, files, closeAll := newConnectors(s.secrets(), db, subjectKey, officers{desk}, seen.carry())
	guarding := guard.Config{Connectors: all, Now: time.Now, Log: log, Calls: db}
	seen.guard(&guarding)
	n := &node{store: db, close: closeAll, watch: seen, guard: guard.New(guarding)}
	n.overload = newOverload(log)
	catalogs := store.NewCatalogsHolding(db, s.CatalogMaterials)
	n.catalogs = catalogs
	core := exchange.Config{
		Catalogs: catalogs, Cases: db, Resolutions: db, Keys: db, Submissions: db, Journal: db, Ledger: store.NewLog(db), Grants: db, Consents: db, Records: db, Previews: db, Inbox: db,
		Sources: n.guard, Locate: s.locate, Desk: desk, Queue: db, Systems: db, Files: files, FileLinks: db,
		Snapshots: snapshotLoader{snapshot.NewLoader(snapshot.Options{Rows: db, Key: subjectKey, Now: time.Now})},
		Evidence:  signer, Versions: db, SheetKey: sheetKey.Bytes,
		SubjectKey: subjectKey, Now: time.Now, NewID: newID, Log: log, Deadline: s.Deadline, SourceDeadline: s.SourceDeadline, EvenTime: s.EvenTime,
		Outside: outside,
	}
	seen.exchange(&core)
	n.exchange = exchange.New(core)
	anchors, err := s.newAnchors(db, log)
	if err != nil {
		return nil, err
	}
	draining, drain := context.WithCancel(context.Background())
	n.drain = drain
	n.corrections = newCorrections(db, catalogs, n.exchange, calendar, s.DataAuthority)
	n.drafts = newDrafts(db, catalogs)
	n.batches = newBatches(db, catalogs, n.exchange, s.KeepBatch, log)
	config := api.Config{
		Exchange: n.exchange, Ledger: store.NewLog(db), Catalogs: catalogs, Revisions: db, Matters: db, Interchange: &interchange.Desk{Catalogs: catalogs, Files: db, Address: s.Issuer}, Measures: newLintMeasures(db, time.Now), Systems: db, Tokens: db, Keys: keys, Issuer: s.Issuer,
		Safeguard: newSafeguard(db, catalogs, rules), Sharing: newSharing(db, catalogs, calendar, s.DataAuthority), Corrections: n.corrections, Drafts: n.drafts, Batches: n.batches,
		Suggestions: suggest.NewDesk(suggest.Config{Catalogs: catalogs, Decisions: db, Now: time.Now}),
		Figures:     newFigures(db, catalogs, calendar, s.DataAuthority), Drafter: catalogs, Effects: &effect.Desk{Past: db, Rights: db, Journal: db, Now: time.Now},
		Callers: n.overload.callers, Anchors: anchors, Now: time.Now, NewID: newID, Log: log, TrustedProxies: s.TrustedProxies, Draining: draining.Done(),
		ClientCertificates: s.ClientCertificates, EvidenceKeys: signer, Prover: prover{store.NewLog(db)}, CheckpointKeys: checkpointKeys{store.NewLog(db), anchors}, PDFFont: font,
	}
	n.readiness = &readiness{node: n, ring: ring, log: log, broken: map[string]bool{}}
	config.Ready = n.readiness.parts
	seen.interfaces(&config)
	who, err := s.newPeople(db, catalogs, n.exchange, log)
	if err != nil {
		return nil, err
	}
	if who != nil {
		config.People, config.Sessions, config.SignIn, config.Office = who.identity, who.identity, who.pages, newOffice(db, false)
		config.Citizen = citizen.New(citizen.Config{
			Accesses: db, Cases: db, Register: db, Journal: db, Catalogs: catalogs, Exchange: n.exchange, Now: time.Now,
		})
	}
	machines, err := api.New(config)
	if err != nil {
		return nil, err
	}
	site, err := newSite(config, who, calendar)
	if err != nil {
		return nil, err
	}
	if n.handler, err = n.overload.before(besides(machines, site, fromReplicas(db, strings.HasPrefix(s.Issuer, "https://"), site)), s.TrustedProxies); err != nil {
		return nil, err
	}
	n.background, err = s.newBackground(n, catalogs, ring, subjectKey, webhookKey, log)
	if err == nil {
		n.background.anchors = anchors
		seen.node(n)
	}
	return n, err
}

// Close gives up the connections to the departments and to the database.
func (n *node) Close() error {
	n.close()
	return errors.Join(n.store.Close(), n.watch.close())
}

// newID makes an identifier that sorts by the time it was made.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic("the machine gives no random bytes: " + err.Error())
	}
	return id.String()
}

// serve answers and does what is to be done besides until ctx ends, and then
// lets what is under way end.
func (n *node) serve(ctx context.Context, listener net.Listener) error {
	working, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- n.background.run(working) }()
	go func() { ended <- n.watch.serve(working) }()
	defer context.AfterFunc(ctx, n.drain)()
	err := serveHTTP(ctx, listener, n.handler)
	stop()
	return errors.Join(err, <-ended, <-ended)
}
