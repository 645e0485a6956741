package anchor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Gap (锚定差距) is how far an anchor is behind the log.
type Gap struct {
	Kind Kind   `json:"kind" enum:"witness,timestamp" doc:"witness: 见证方; timestamp: 时间戳机构"`
	Name string `json:"name"`
	// Configured says that it is anchored to now, and not only was.
	Configured bool `json:"configured" doc:"当前配置中仍有此锚定方"`
	// Size and At are of the newest checkpoint that it holds.
	Size int64      `json:"size" doc:"最近一次锚定时的存证条数; 0: 尚未锚定"`
	At   *time.Time `json:"at,omitempty" doc:"锚定方载明的时间"`
	// Behind counts the entries since.
	Behind int64 `json:"behind" doc:"其后新增、尚未锚定的存证条数"`
	// Trouble is why it holds nothing newer; empty when the last attempt succeeded.
	Trouble Trouble    `json:"trouble,omitempty" enum:"away,forbidden,unknown_log,diverged,unverified,rejected,log_unavailable" doc:"最近一次失败的原因"`
	Text    string     `json:"text,omitempty" doc:"原因说明与处置"`
	Since   *time.Time `json:"since,omitempty" doc:"自何时起连续失败"`
}

// Report (锚定情况) is how far all anchors are behind.
type Report struct {
	// Size is that of the newest checkpoint.
	Size int64 `json:"size" doc:"存证条数"`
	Gaps []Gap `json:"anchors"`
}

// Place (锚定方) names an anchor that is configured.
type Place struct {
	Kind Kind
	Name string
}

// Places names the anchors of a worker.
func (w *Worker) Places() []Place {
	places := make([]Place, len(w.targets))
	for i, t := range w.targets {
		places[i] = Place{t.kind, t.name}
	}
	return places
}

// WitnessKeys gives the verifier keys of the witnesses, for those who verify
// without us.
func (w *Worker) WitnessKeys() []string {
	keys := make([]string, len(w.Witnesses))
	for i, at := range w.Witnesses {
		keys[i] = at.Key.String()
	}
	return keys
}

// Report says how far each anchor is behind the log.
func (w *Worker) Report(ctx context.Context) (*Report, error) {
	return NewReport(ctx, w.Log, w.Store, w.Places())
}

// NewReport says how far each anchor that is configured, or ever was, is behind
// the log.
func NewReport(ctx context.Context, log Log, store Store, places []Place) (*Report, error) {
	states, err := store.AnchorStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the states of anchors: %w", err)
	}
	cp, err := newest(ctx, log) // after the states, so that it is not behind them
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		if !slices.ContainsFunc(states, func(s State) bool { return s.Kind == p.Kind && s.Name == p.Name }) {
			states = append(states, State{Kind: p.Kind, Name: p.Name})
		}
	}
	r := &Report{Size: cp.Size, Gaps: make([]Gap, len(states))}
	for i, s := range states {
		r.Gaps[i] = Gap{
			Kind: s.Kind, Name: s.Name, Configured: slices.Contains(places, Place{s.Kind, s.Name}),
			Size: s.Size, At: moment(s.At), Behind: max(0, cp.Size-s.Size),
			Trouble: s.Trouble, Text: s.Trouble.Text(), Since: moment(s.Since),
		}
	}
	slices.SortFunc(r.Gaps, func(a, b Gap) int { return cmp.Or(cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Name, b.Name)) })
	return r, nil
}

// moment gives a time, or nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
