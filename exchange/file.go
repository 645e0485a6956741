package exchange

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// fileLinkLife is how long a link to a file is good for.
const fileLinkLife = 10 * time.Minute

// Files gets the files of licences from those who issue them.
type Files interface {
	// File has the source open the file of a licence, with the query's purpose as
	// its watermark (用证事由). The error is a *connectors.Fault.
	File(ctx context.Context, q connectors.Query, identifier string) (*connectors.File, error)
}

// FileLinks keeps the links to files. They are kept by the digest of their token.
type FileLinks interface {
	// AddFileLink stores a link with its entry.
	AddFileLink(ctx context.Context, link *FileLink, e ledger.Entry) error
	// UseFileLink uses a link up, with an entry made of it; fault.NotFound when the
	// holder has none of that token, or it was used, or is too old.
	UseFileLink(ctx context.Context, token, holder string, now time.Time, entry func(*FileLink) ledger.Entry) (*FileLink, error)
}

// FileLink (文件链接) is where the file of one licence can be had: once, for ten
// minutes, by the session that asked for it, and marked with why, for which case,
// for whom and when.
type FileLink struct {
	Token      string // in clear when it is made, and never again
	Holder     string
	Resolution string
	Case       string
	Material   string
	Party      string
	Identifier string // of the licence
	Source     string
	Dataset    string
	Purpose    string // the watermark
	ExpiresAt  time.Time
}

// holder is what a link is bound to: the session of a person, or a system.
func holder(by policies.Caller) string {
	if by.Person != "" {
		return "session:" + by.Session
	}
	return "system:" + by.System
}

func unknownFileLink() error {
	return fault.New(fault.NotFound, "unknown-file-link", "没有这个文件链接，或者已经用过、超过十分钟、不是本次登录申请的。请重新申请。")
}

func noFile() error {
	return fault.New(fault.Conflict, "no-file", "这项材料没有可以调取的电子证照文件：它不是由电子证照核验的，或只返回是否。")
}

// LinkFile opens a link to the licence by which a material of a resolution was
// settled.
func (x *Exchange) LinkFile(ctx context.Context, by policies.Caller, resolution, material, party string) (*FileLink, error) {
	r, err := x.Resolution(ctx, by, resolution)
	if err != nil {
		return nil, err
	}
	if r.Destroyed != nil {
		return nil, CaseDestroyed(*r.Destroyed)
	}
	m, e := r.licence(material, party)
	if e == nil {
		return nil, noFile()
	}
	c, rev, err := x.caseAtRevision(ctx, by, r.Case)
	if err != nil {
		return nil, err
	}
	source := rev.Source(e.Source)
	if source == nil || source.Kind != catalog.SourceElicense {
		return nil, noFile()
	}
	now := x.Now().UTC()
	link := &FileLink{
		Token: newToken(), Holder: holder(by), Resolution: r.ID, Case: c.ID, Material: m.Code, Party: m.party(), Identifier: e.Reference,
		Source: e.Source, Dataset: e.Dataset, Purpose: watermark(c, rev.Material(m.Code).Name, by, now), ExpiresAt: now.Add(fileLinkLife),
	}
	if err := x.FileLinks.AddFileLink(ctx, link, x.fileEntry(ledger.FileLinked, by, c, link)); err != nil {
		return nil, fmt.Errorf("link a file: %w", err)
	}
	return link, nil
}

// licence finds the material and what settled it, if that is one licence that
// may be shown.
func (r *Resolution) licence(material, party string) (*MaterialResult, *Evidence) {
	for i := range r.Materials {
		m := &r.Materials[i]
		if !slices.Contains(m.UsedBy, material) || m.party() != party {
			continue
		}
		if m.Mode == catalog.ModeElicense && m.Evidence != nil && m.Evidence.Reference != "" && !m.Evidence.YesNo {
			return m, m.Evidence
		}
	}
	return nil, nil
}

// watermark says on every page why the file was had, for which case, by whom
// and when. What is longest is cut first.
func watermark(c *Case, material string, by policies.Caller, now time.Time) string {
	operator := by.Person
	if operator == "" {
		operator = by.System
	}
	fixed := "；办件" + c.Number + "；经办" + operator + "；" + now.In(catalog.TimeZone()).Format("2006-01-02 15:04")
	why := []rune("免提交核验《" + material + "》")
	if room := maxPurpose - len([]rune(fixed)); len(why) > room {
		why = why[:max(room, 0)]
	}
	return string(why) + fixed
}

// FetchFile gets the file of a link and uses the link up, whatever comes of it.
// That it was had is recorded before the source is asked.
func (x *Exchange) FetchFile(ctx context.Context, by policies.Caller, token string) (*connectors.File, error) {
	entry := func(link *FileLink) ledger.Entry {
		return x.fileEntry(ledger.FileFetched, by, &Case{ID: link.Case}, link)
	}
	link, err := x.FileLinks.UseFileLink(ctx, token, holder(by), x.Now(), entry)
	if errors.Is(err, fault.NotFound) {
		return nil, unknownFileLink()
	}
	if err != nil {
		return nil, fmt.Errorf("use a file link: %w", err)
	}
	q, err := x.fileQuery(ctx, by, link)
	if err != nil {
		return nil, err
	}
	file, err := x.Files.File(ctx, q, link.Identifier)
	if err != nil {
		x.Log.WarnContext(ctx, "file not had", "source", link.Source, "kind", string(connectors.KindOf(err)), "case", link.Case)
		return nil, fault.New(fault.Unavailable, "source-unavailable", "发证部门暂时没有给出文件，这不代表没有这份证照。链接已经用掉，请稍后重新申请。").Because(err)
	}
	return file, nil
}

// fileQuery is the question for a file. The right to the licence is looked at
// once more: a resolution whose evidence may no longer be shown gives no file.
func (x *Exchange) fileQuery(ctx context.Context, by policies.Caller, link *FileLink) (connectors.Query, error) {
	r, err := x.Resolution(ctx, by, link.Resolution)
	if err != nil {
		return connectors.Query{}, err
	}
	if r.Destroyed != nil {
		return connectors.Query{}, CaseDestroyed(*r.Destroyed)
	}
	_, e := r.licence(link.Material, link.Party)
	if e == nil || e.Reference != link.Identifier {
		return connectors.Query{}, noFile()
	}
	c, rev, err := x.caseAtRevision(ctx, by, link.Case)
	if err != nil {
		return connectors.Query{}, err
	}
	dataset, source, party := rev.Dataset(link.Dataset), rev.Source(link.Source), c.party(link.Party)
	if dataset == nil || source == nil || party == nil {
		return connectors.Query{}, noFile()
	}
	baseURL, network := x.Locate(dataset.Department, source)
	return connectors.Query{
		ID: x.NewID(), Dataset: dataset, Source: source, BaseURL: baseURL, Network: network,
		Subject: connectors.Subject{Kind: party.Kind, Name: party.Name, Number: party.Number},
		Purpose: link.Purpose, Case: c.ID, CaseNumber: c.Number, Party: party.ID, Receiver: c.Department, Material: link.Material,
	}, nil
}

func (x *Exchange) fileEntry(kind ledger.Kind, by policies.Caller, c *Case, link *FileLink) ledger.Entry {
	e := x.entry(kind, by, c)
	e.Resolution, e.Material, e.Dataset, e.Source = link.Resolution, link.Material, link.Dataset, link.Source
	return e
}

// newToken makes a token of 256 random bits.
func newToken() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // crypto/rand never fails; it ends the program instead
	return base64.RawURLEncoding.EncodeToString(bits)
}
