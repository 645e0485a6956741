package clerk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/web/frame"
)

// screen is what the page of a case is made of.
type screen struct {
	v       *frame.Visit
	c       *exchange.Case
	rev     *catalog.Revision
	r       *exchange.Resolution // nil before the first
	masking masking
	// full are the parties, and shown the materials, that are shown unmasked.
	full  map[string]bool
	shown map[[2]string]bool
}

// caseView is a case on one screen.
type caseView struct {
	ID, Number, Subject, Path string
	Chip                      frame.ChipView
	Resolution                *exchange.Resolution
	Live                      bool
	Changed                   bool // since it was resolved
	Closed                    bool
	Facts                     []factView
	Parties                   []partyView
	Matters                   []matterView
	Consents                  []consentView
	Groups                    []group
	Revision                  int
	OpenedAt, UpdatedAt       time.Time
	ClosedAt                  *time.Time
	CanAsk                    bool // consents are missing
	Now                       time.Time
}

type factView struct{ Ask, Value string }

type partyView struct {
	ID, Anchor, Name, Number, Roles, Kind string
	Full                                  bool
}

type matterView struct {
	Name string
	Chip frame.ChipView
}

type consentView struct {
	Whose, By string
	Chip      frame.ChipView
	At        time.Time
}

// showCase is a case on one screen. The reading of its resolution is recorded.
func (d *desk) showCase(v *frame.Visit) (frame.Answer, error) {
	return d.caseAnswer(v, nil, nil)
}

// caseAnswer shows the case with these parties and materials unmasked.
func (d *desk) caseAnswer(v *frame.Visit, full map[string]bool, shown map[[2]string]bool) (frame.Answer, error) {
	s, err := d.screen(v)
	if err != nil {
		return frame.Answer{}, err
	}
	s.full, s.shown = full, shown
	view := caseView{
		ID: s.c.ID, Number: s.c.Number, Subject: subjectName(s.rev, s.c.Subject), Path: casePath(s.c.ID), Revision: s.c.Revision, Chip: s.chip(),
		Resolution: s.r, Closed: !s.c.ClosedAt.IsZero(), OpenedAt: s.c.OpenedAt, UpdatedAt: s.c.UpdatedAt, Facts: s.facts(), Parties: s.parties(), Now: v.Now,
	}
	if view.Closed {
		view.ClosedAt = &s.c.ClosedAt
	}
	consents, err := d.Readings.CaseConsents(v.Context(), v.Caller, s.c.ID)
	if err != nil {
		return frame.Answer{}, err
	}
	for i := range consents {
		view.Consents = append(view.Consents, s.consent(&consents[i]))
	}
	if s.r != nil {
		view.Groups, view.Live, view.Changed = s.groups(), s.r.Continues(), s.r.CaseVersion != s.c.Version && !view.Closed
		view.CanAsk = s.r.Summary.NeedsConsent > 0 && !view.Closed
		for _, m := range s.r.Matters {
			view.Matters = append(view.Matters, matterView{Name: m.Name, Chip: matterChip(v, m.State)})
		}
	}
	return frame.Show("case.html", v.T("办件 %s", s.c.Number), view), nil
}

// screen reads a case and its newest resolution.
func (d *desk) screen(v *frame.Visit) (*screen, error) {
	c, err := d.Readings.Case(v.Context(), v.Caller, v.Param("id"))
	if err != nil {
		return nil, err
	}
	rev, err := d.Catalogs.Revision(v.Context(), c.Revision, c.Subject)
	if err != nil {
		return nil, err
	}
	s := &screen{v: v, c: c, rev: rev, masking: newMasking(c)}
	last, err := d.Readings.LastReleased(v.Context(), c)
	if errors.Is(err, fault.NotFound) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.r, err = d.Readings.Resolution(v.Context(), v.Caller, last.ID)
	return s, err
}

func (s *screen) chip() frame.ChipView {
	state := exchange.CaseNew
	if !s.c.ClosedAt.IsZero() {
		state = exchange.CaseClosed
	} else if s.r != nil {
		if known, err := exchange.CaseStateOf(s.r.Status); err == nil {
			state = known
		}
	}
	return stateChip(s.v, state)
}

// facts are what is known of the case, in words.
func (s *screen) facts() []factView {
	var out []factView
	for _, code := range slices.Sorted(maps.Keys(s.c.Facts)) {
		ask, options := code, []catalog.Option(nil)
		if f := s.rev.Fact(code); f != nil {
			ask, options = f.Ask, f.Options
		}
		out = append(out, factView{Ask: ask, Value: s.factValue(s.c.Facts[code], options)})
	}
	return out
}

func (s *screen) factValue(value any, options []catalog.Option) string {
	switch value := value.(type) {
	case bool:
		if value {
			return s.v.T("是")
		}
		return s.v.T("否")
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case []string:
		labels := make([]string, len(value))
		for i, one := range value {
			labels[i] = optionLabel(options, one)
		}
		return strings.Join(labels, "、")
	case string:
		return optionLabel(options, value)
	}
	return fmt.Sprint(value)
}

func (s *screen) parties() []partyView {
	var out []partyView
	for i := range s.c.Parties {
		p := &s.c.Parties[i]
		roles := make([]string, len(p.Roles))
		for j, code := range p.Roles {
			if roles[j] = code; s.rev.Role(code) != nil {
				roles[j] = s.rev.Role(code).Name
			}
		}
		view := partyView{ID: p.ID, Anchor: "party-" + p.ID, Name: maskedName(p), Number: exchange.Masked(p.Number), Roles: strings.Join(roles, "、"), Full: s.full[p.ID]}
		if view.Full {
			view.Name, view.Number = p.Name, p.Number
		}
		out = append(out, view)
	}
	return out
}

// nameOf is a party as the page shows it.
func (s *screen) nameOf(id string) string {
	for i := range s.c.Parties {
		if p := &s.c.Parties[i]; p.ID == id {
			if s.full[id] {
				return p.Name
			}
			return maskedName(p)
		}
	}
	return id
}

func (s *screen) consent(c *exchange.Consent) consentView {
	view := consentView{Whose: s.nameOf(c.Party), By: s.nameOf(c.By), Chip: standingChip(s.v, c.State), At: c.RequestedAt}
	if c.By == c.Party {
		view.By = ""
	}
	if c.DecidedAt != nil {
		view.At = *c.DecidedAt
	}
	return view
}

func matterChip(v *frame.Visit, state catalog.MatterState) frame.ChipView {
	switch state {
	case catalog.StateOpen:
		return frame.ChipView{Kind: "info", Text: v.T("可办理")}
	case catalog.StateWaiting:
		return frame.ChipView{Kind: "wait", Text: v.T("待前序")}
	case catalog.StateSkipped:
		return frame.ChipView{Kind: "none", Text: v.T("不涉及")}
	case catalog.StateUndecided:
		return frame.ChipView{Kind: "ask", Text: v.T("待补充情形")}
	case catalog.StateGranted:
		return frame.ChipView{Kind: "good", Text: v.T("批准")}
	case catalog.StateRefused:
		return frame.ChipView{Kind: "bad", Text: v.T("不予批准")}
	default:
		return frame.ChipView{Kind: "bad", Text: v.T("已停止")}
	}
}
