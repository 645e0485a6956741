package exchange

import (
	"context"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Consent (授权同意) is what a person was asked, and has said, of look-ups about
// himself or about a child of his, for one case and one revision of the catalog.
type Consent struct {
	ID         string `json:"id"`
	Case       string `json:"case"`
	CaseNumber string `json:"case_number"`
	Department string `json:"department" doc:"受理部门"`
	// Party is whose records it is about, and By who consents: himself, or a
	// guardian.
	Party    string          `json:"party" doc:"查询谁的数据: 当事人 id"`
	By       string          `json:"by" doc:"由谁同意: 本人或监护人的当事人 id"`
	Revision int             `json:"revision" doc:"目录修订号"`
	State    ConsentStanding `json:"state" enum:"requested,given,refused,withdrawn,expired,superseded"`
	Channel  ConsentChannel  `json:"channel" enum:"own,relayed" doc:"own: 本人在本平台作出; relayed: 由受理部门转达"`
	// Decision is what was said, whatever has become of it since.
	Decision catalog.ConsentState `json:"decision,omitempty" enum:"given,refused"`
	// Everything says that it is for whatever the case needs: nobody was shown a
	// sheet.
	Everything  bool          `json:"everything,omitempty" doc:"不限于所列数据项: 由受理部门转达的同意"`
	Sheet       *ConsentSheet `json:"sheet,omitempty" doc:"知情内容"`
	SheetDigest string        `json:"sheet_digest,omitempty" doc:"知情内容的摘要, 作出决定时填写"`
	RequestedAt time.Time     `json:"requested_at"`
	DecideBy    *time.Time    `json:"decide_by,omitempty" doc:"最迟何时作出决定"`
	DecidedAt   *time.Time    `json:"decided_at,omitempty"`
	WithdrawnAt *time.Time    `json:"withdrawn_at,omitempty"`
	Until       *time.Time    `json:"until,omitempty" doc:"同意到何时为止"`
	// About and Subject are the keyed digests of the party and of who consents
	// (Exchange.SubjectOf): another person under the same id has said nothing.
	// About is empty for a party without a number.
	About   string `json:"-"`
	Subject string `json:"-"`
	// Destroyed is set when the content of the case was destroyed: what was decided
	// remains, and the sheet does not.
	Destroyed *Destruction `json:"destroyed,omitempty" doc:"办件内容已按期销毁, 知情内容不再保留"`
}

// ConsentStanding (授权同意的状态) is where a consent stands.
type ConsentStanding string

// The states: requested → given, refused, expired or superseded; given →
// withdrawn, expired or superseded.
const (
	ConsentRequested  ConsentStanding = "requested"
	ConsentGiven      ConsentStanding = "given"
	ConsentRefused    ConsentStanding = "refused"
	ConsentWithdrawn  ConsentStanding = "withdrawn"
	ConsentExpired    ConsentStanding = "expired"
	ConsentSuperseded ConsentStanding = "superseded"
)

// ConsentChannel (授权渠道) says how a person's word came in.
type ConsentChannel string

// The channels.
const (
	ChannelOwn     ConsentChannel = "own"
	ChannelRelayed ConsentChannel = "relayed"
)

// Consents keeps consents. They are part of their case, and come with it.
type Consents interface {
	// CommitConsents stores the consents of a case that were changed, with all
	// that goes with it, in one transaction. It is a change of the case: a
	// fault.Conflict when the case is no longer at the version it was read at.
	CommitConsents(ctx context.Context, c ConsentCommit) error
	// Consent gives a consent that somebody has to give; fault.NotFound when it
	// is not his.
	Consent(ctx context.Context, subject, id string) (*Consent, error)
	// ConsentsOf lists the consents that somebody has to give, newest first.
	ConsentsOf(ctx context.Context, f ConsentFilter) ([]Consent, error)
}

// ConsentCommit is a case whose consents have changed, with what is stored
// together with it.
type ConsentCommit struct {
	Case    *Case
	Entries []ledger.Entry
	Jobs    []jobs.Job
}

// ConsentFilter chooses consents of a list.
type ConsentFilter struct {
	Subject string // who has to give them
	After   string // the id of the last one of the page before
	Limit   int
}

// decideWithin is how long a person has to decide, and consentLife how long a
// consent holds, in days: longer than the longest promise of a matter, and not
// for ever (个人信息保护法, art. 19).
const (
	decideWithin = 30
	consentLife  = 180
)

// isGuardian reports whether it is a guardian's.
func (c *Consent) isGuardian() bool { return c.By != c.Party }

// standing is its state at a moment: time ends a request, and a consent.
func (c *Consent) standing(now time.Time) ConsentStanding {
	switch {
	case c.State == ConsentRequested && c.DecideBy != nil && !now.Before(*c.DecideBy),
		c.State == ConsentGiven && c.Until != nil && !now.Before(*c.Until):
		return ConsentExpired
	}
	return c.State
}

// permission is what it comes to for look-ups.
func (c *Consent) permission() policies.Permission {
	p := policies.Permission{Consent: c.ID, State: catalog.ConsentGiven, Everything: c.Everything, Fields: c.Sheet.fields()}
	if c.Until != nil {
		p.Until = *c.Until
	}
	if c.State == ConsentRefused || c.State == ConsentWithdrawn {
		p.State = catalog.ConsentRefused
	}
	return p
}

// counts reports whether it says anything: it was decided, and nothing that was
// decided later has taken its place.
func (c *Consent) counts() bool {
	return c.State == ConsentGiven || c.State == ConsentRefused || c.State == ConsentWithdrawn
}

// subjectDigest is the digest by which a party's consents are told from those of
// another person under the same id; empty for a party without a number.
func (x *Exchange) subjectDigest(p *catalog.Party) string {
	if p == nil || p.Number == "" {
		return ""
	}
	return x.SubjectOf(p.Kind, p.Number)
}

// is reports whether a party is the one of whom an id and a digest were kept: the
// same person under another id is still himself, and another one under the same
// id is not. A body that was registered since is still the same.
func (x *Exchange) is(p *catalog.Party, id, digest string) bool {
	if digest == "" {
		return p.ID == id
	}
	return digest == x.subjectDigest(p)
}

// stands reports whether a consent is still about its party, and by the one who
// was asked.
func (x *Exchange) stands(c *Case, consent *Consent) bool {
	party, by := c.party(consent.Party), c.party(consent.By)
	if party == nil || by == nil || (consent.isGuardian() && !by.In(guardianRole)) {
		return false
	}
	return x.is(party, consent.Party, consent.About) && x.is(by, consent.By, consent.Subject)
}

// guardianRole is the role that consents for a child.
const guardianRole = "guardian"

// permissions say what counts of what was said, by party.
func (x *Exchange) permissions(c *Case, now time.Time) map[string]policies.Permission {
	out := make(map[string]policies.Permission, len(c.Parties))
	for i := range c.Parties {
		out[c.Parties[i].ID] = x.permission(c, &c.Parties[i], now)
	}
	return out
}

// permission is the party's own word, or that of the guardians of a child: one no
// is a no.
func (x *Exchange) permission(c *Case, party *catalog.Party, now time.Time) policies.Permission {
	var said policies.Permission
	for _, by := range deciders(c, party, now) {
		switch word := x.word(c, party, by); word.State {
		case catalog.ConsentRefused:
			return word
		case catalog.ConsentGiven:
			said = word
		}
	}
	return said
}

// deciders are who may consent to look-ups about a party.
func deciders(c *Case, party *catalog.Party, now time.Time) []*catalog.Party {
	if !policies.NeedsGuardian(party, now) {
		return []*catalog.Party{party}
	}
	var guardians []*catalog.Party
	for i := range c.Parties {
		if c.Parties[i].In(guardianRole) {
			guardians = append(guardians, &c.Parties[i])
		}
	}
	return guardians
}

// word is what one person has said of look-ups about a party. In a case from
// before there were consents, what came with the party counts.
func (x *Exchange) word(c *Case, party, by *catalog.Party) policies.Permission {
	if last := x.lastWord(c, party, by); last != nil {
		return last.permission()
	}
	relayed := func(consent Consent) bool {
		return consent.By == by.ID && consent.Party == party.ID && consent.Channel == ChannelRelayed
	}
	if by.Consent != catalog.ConsentUnknown && !slices.ContainsFunc(c.Consents, relayed) {
		return policies.Permission{State: by.Consent, Everything: true}
	}
	return policies.Permission{}
}

// lastWord is the consent that counts of what one person has said of look-ups
// about a party; nil for none. What he said here himself counts before what was
// relayed, and then the last word counts.
func (x *Exchange) lastWord(c *Case, party, by *catalog.Party) *Consent {
	var last *Consent
	for i := range c.Consents {
		consent := &c.Consents[i]
		if !consent.counts() || !x.is(party, consent.Party, consent.About) || !x.is(by, consent.By, consent.Subject) {
			continue
		}
		if last == nil || last.Channel == ChannelRelayed || consent.Channel == ChannelOwn {
			last = consent
		}
	}
	return last
}

// consent finds one of the case's.
func (c *Case) consent(id string) *Consent {
	at := slices.IndexFunc(c.Consents, func(consent Consent) bool { return consent.ID == id })
	if at < 0 {
		return nil
	}
	return &c.Consents[at]
}

// consentEntry is what is recorded of an act about a consent.
func (x *Exchange) consentEntry(kind ledger.Kind, by policies.Caller, c *Case, consent *Consent) ledger.Entry {
	e := x.entry(kind, by, c)
	e.Department, e.Object, e.Result, e.Consent = c.Department, "consent:"+consent.ID, string(consent.State), consent.ID
	if party := c.party(consent.Party); party != nil {
		e.Subject = ledger.Digest(c.Salt, string(party.Kind)+"|"+party.Number)
	}
	if consent.SheetDigest != "" {
		e.Digest = ledger.Digest(c.Salt, consent.SheetDigest)
	}
	if consent.Channel == ChannelRelayed {
		e.Why = string(ChannelRelayed)
	}
	return e
}
