package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/internal/jobs"
	"mianti/ledger"
	"mianti/policies"
)

// Preview (先看后用) is what was found for a material, as the person whose record it
// is sees it before the approval system does. It is personal data.
type Preview struct {
	ID         string          `json:"id"`
	Case       string          `json:"case"`
	CaseNumber string          `json:"case_number"`
	Department string          `json:"department" doc:"受理部门"`
	Material   string          `json:"material"`
	Name       string          `json:"name" doc:"材料名称"`
	Party      string          `json:"party" doc:"谁的记录: 当事人 id"`
	Records    []PreviewRecord `json:"records" doc:"查到的内容; 放行的就是这些"`
	// Content is the digest of what was found, which a decision names.
	Content string                `json:"content" doc:"所查到内容的摘要, 作出决定时填写"`
	State   policies.PreviewState `json:"state" enum:"awaiting,released,paper"`
	FoundAt time.Time             `json:"found_at"`
	// DecidedAt is when he last said something; nil while he has not.
	DecidedAt *time.Time `json:"decided_at,omitempty"`
	Version   int        `json:"version"`
}

// PreviewRecord (先看的记录) is one record of a preview.
type PreviewRecord struct {
	Dataset    string         `json:"dataset"`
	Name       string         `json:"name" doc:"数据资源名称"`
	Department string         `json:"department" doc:"数源部门"`
	AsOf       *time.Time     `json:"as_of,omitempty"`
	ValidUntil string         `json:"valid_until,omitempty"`
	Fields     map[string]any `json:"fields"`
}

// HeldPreview (待放行的凭据) is a preview with what is kept besides: who may see it,
// and the answers of which it is made, so that nobody is asked twice.
type HeldPreview struct {
	Preview
	Viewers []string     `json:"viewers"` // keyed digests (SubjectOf)
	Answers []HeldAnswer `json:"answers"`
}

// HeldAnswer (保留的应答) is an answer of a source, with the question.
type HeldAnswer struct {
	Ask    policies.Ask
	Answer policies.Answer
}

// Previews keeps what was found and not yet released.
type Previews interface {
	// PreviewsOf gives those of a case.
	PreviewsOf(ctx context.Context, caseID string) ([]HeldPreview, error)
	// MyPreviews gives those that a person may see, the newest first; MyPreview one
	// of them, or fault.NotFound.
	MyPreviews(ctx context.Context, f ConsentFilter) ([]HeldPreview, error)
	MyPreview(ctx context.Context, subject, id string) (*HeldPreview, error)
	// DecidePreview stores what was said, with its entry and its jobs. It is a
	// fault.Conflict when the preview is not at the version before.
	DecidePreview(ctx context.Context, p *HeldPreview, e ledger.Entry, more []jobs.Job) error
}

// previewFresh is how long an answer that waits for its release is as good as a new
// one, where its source does not say a shorter time.
const previewFresh = 24 * time.Hour

// EventPreviewDecided tells the case's system that somebody has released what was
// found, or chosen paper.
const EventPreviewDecided = "preview.decided"

// WithheldReleaseTakenBack is the reason of evidence that its person has released
// and then taken back, for paper.
const WithheldReleaseTakenBack Withheld = "release_taken_back"

// previewID is the same for the same content of the same material of the same case,
// and cannot be guessed.
func previewID(c *Case, material, party, content string) string {
	keyed := ledger.Digest(c.Salt, strings.Join([]string{"preview", material, party, content}, "|"))
	return strings.TrimPrefix(keyed, "hmac-sha256:")[:2*previewIDBytes]
}

const previewIDBytes = 16

// recall puts what the persons of a case have said into the situation. What was
// released and is still fresh is not asked again, when a resolution goes on.
func (x *Exchange) recall(ctx context.Context, run *resolving, s *policies.Situation) error {
	if x.Previews == nil || !run.c.Previewed {
		return nil
	}
	held, err := x.Previews.PreviewsOf(ctx, run.c.ID)
	if err != nil {
		return fmt.Errorf("read previews: %w", err)
	}
	for i := range held {
		p := &held[i]
		s.Previews = append(s.Previews, policies.Preview{Material: p.Material, Party: p.Party, Content: p.Content, State: p.State})
		if !run.feeds || p.State == policies.PreviewAwaited {
			continue
		}
		for _, a := range p.Answers {
			if source := s.Catalog.Source(a.Answer.Source); s.Now.Sub(a.Answer.FetchedAt) < freshness(source) {
				s.Answers[a.Ask] = append(s.Answers[a.Ask], a.Answer)
			}
		}
	}
	return nil
}

func freshness(source *catalog.Source) time.Duration {
	if source == nil || source.FreshHours <= 0 {
		return previewFresh
	}
	return min(previewFresh, time.Duration(source.FreshHours)*time.Hour)
}

// hold gives the previews of what this version has found and must not show.
func (run *resolving) hold(settlements []policies.Settlement) []HeldPreview {
	var out []HeldPreview
	for i, r := range run.s.Plan.Requirements {
		settled := &settlements[i]
		if len(settled.Previewed) == 0 {
			continue
		}
		material := r.Material()
		p := HeldPreview{Preview: Preview{
			ID: previewID(run.c, material.Code, r.Party.ID, settled.Content), Case: run.c.ID, CaseNumber: run.c.Number, Department: run.c.Department,
			Material: material.Code, Name: material.Name, Party: r.Party.ID, Content: settled.Content, State: policies.PreviewAwaited,
			FoundAt: run.s.Now, Version: 1,
		}}
		for _, e := range settled.Previewed {
			p.Records = append(p.Records, PreviewRecord{
				Dataset: e.Dataset, Name: datasetName(run.s.Catalog, e.Dataset), Department: e.Department, AsOf: at(e.AsOf), ValidUntil: e.ValidUntil, Fields: e.Fields,
			})
			for ask, answers := range run.s.Answers {
				for _, answer := range answers {
					if ask.Dataset == e.Dataset && ask.Party == r.Party.ID && answer.Result == policies.OK && answer.FetchedAt.Equal(e.FetchedAt) {
						p.Answers = append(p.Answers, HeldAnswer{ask, answer})
					}
				}
			}
		}
		for _, by := range deciders(run.c, r.Party, run.s.Now) {
			if digest := run.x.subjectDigest(by); by.Kind == catalog.KindPerson && digest != "" {
				p.Viewers = append(p.Viewers, digest)
			}
		}
		out = append(out, p)
	}
	return out
}

// previewMoved reports whether a person has said something else of a material than
// the resolution knows.
func previewMoved(states map[string]policies.PreviewState, m *MaterialResult) bool {
	if m.Preview == "" {
		return false
	}
	knows := policies.PreviewAwaited
	switch {
	case m.Outcome == policies.Settled:
		knows = policies.PreviewReleased
	case m.Reason.Code == policies.ReasonChosePaper:
		knows = policies.PreviewPaper
	}
	return states[m.Preview] != knows
}

func (x *Exchange) previewStates(ctx context.Context, caseID string) (map[string]policies.PreviewState, error) {
	if x.Previews == nil {
		return nil, nil
	}
	held, err := x.Previews.PreviewsOf(ctx, caseID)
	if err != nil {
		return nil, fmt.Errorf("read previews: %w", err)
	}
	states := map[string]policies.PreviewState{}
	for i := range held {
		states[held[i].ID] = held[i].State
	}
	return states, nil
}

// MyPreviews lists what the caller may look at, the newest first, without what was
// found.
func (x *Exchange) MyPreviews(ctx context.Context, by policies.Caller, f ConsentFilter) ([]Preview, error) {
	if by.Subject == "" {
		return []Preview{}, nil
	}
	f.Subject = by.Subject
	held, err := x.Previews.MyPreviews(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list previews: %w", err)
	}
	out := make([]Preview, len(held))
	for i := range held {
		out[i] = held[i].Preview
		out[i].Records = []PreviewRecord{}
	}
	return out, nil
}

// MyPreview shows the caller what was found about him. It is recorded before it is
// shown.
func (x *Exchange) MyPreview(ctx context.Context, by policies.Caller, id string) (*Preview, error) {
	p, c, err := x.myPreview(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if err := x.Journal.Append(ctx, []ledger.Entry{x.previewEntry(ledger.PreviewRead, by, c, p)}); err != nil {
		return nil, notRecorded(err)
	}
	return &p.Preview, nil
}

// myPreview finds a preview of the caller: he was to be shown it, and still speaks
// for the party.
func (x *Exchange) myPreview(ctx context.Context, by policies.Caller, id string) (*HeldPreview, *Case, error) {
	unknown := fault.New(fault.NotFound, "unknown-preview", "没有这项待看的内容")
	if by.Subject == "" {
		return nil, nil, unknown
	}
	p, err := x.Previews.MyPreview(ctx, by.Subject, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read a preview: %w", err)
	}
	c, err := x.Cases.Case(ctx, p.Department, p.Case)
	if err != nil {
		return nil, nil, fmt.Errorf("read the case of a preview: %w", err)
	}
	party := c.party(p.Party)
	if party == nil || !slices.ContainsFunc(deciders(c, party, x.Now()), func(d *catalog.Party) bool { return x.subjectDigest(d) == by.Subject }) {
		return nil, nil, unknown
	}
	return p, c, nil
}

// DecidePreview takes what the person says to what he has seen: it is released, or
// he hands the paper in himself. He may change his mind as long as the case is open:
// who takes a release back ends its use from then on. The same again changes nothing.
func (x *Exchange) DecidePreview(ctx context.Context, by policies.Caller, id, content string, said policies.PreviewState) (*Preview, error) {
	p, c, err := x.myPreview(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !c.ClosedAt.IsZero() {
		return nil, caseClosed()
	}
	if content != p.Content {
		return nil, fault.New(fault.Conflict, "preview-changed", "内容与您所看的不同，没有登记。请重新查看后再决定。").
			With(fault.Detail{Location: "body.content", Code: "preview-changed", Message: "请填写所看内容的 content。"})
	}
	if p.State == said {
		return &p.Preview, nil
	}
	now := x.Now().UTC()
	p.State, p.DecidedAt = said, &now
	p.Version++
	kind := ledger.PreviewReleased
	if said == policies.PreviewPaper {
		kind = ledger.PaperChosen
	}
	onward, err := x.onward(c, now)
	if err != nil {
		return nil, err
	}
	told, err := Event{
		System: c.System, ID: fmt.Sprintf("%s-%d", p.ID, p.Version), Type: EventPreviewDecided, At: now,
		Data: map[string]any{"case": c.ID, "case_number": c.Number, "material": p.Material, "party": p.Party, "state": string(said)},
	}.job()
	if err != nil {
		return nil, err
	}
	if err := x.Previews.DecidePreview(ctx, p, x.previewEntry(kind, by, c, p), []jobs.Job{onward, told}); err != nil {
		return nil, fmt.Errorf("decide a preview: %w", err)
	}
	return &p.Preview, nil
}

// previewEntry is what is recorded of an act about a preview.
func (x *Exchange) previewEntry(kind ledger.Kind, by policies.Caller, c *Case, p *HeldPreview) ledger.Entry {
	e := x.entry(kind, by, c)
	e.Department, e.Material, e.Object, e.Result = c.Department, p.Material, "preview:"+p.ID, string(p.State)
	e.Digest = ledger.Digest(c.Salt, p.Content)
	x.about(&e, c, c.party(p.Party))
	return e
}
