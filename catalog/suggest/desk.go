package suggest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"mianti/catalog"
	"mianti/internal/fault"
	"mianti/ledger"
	"mianti/policies"
)

// Catalogs gives the revision that suggestions are made for.
type Catalogs interface {
	Current(ctx context.Context, about ...string) (*catalog.Revision, error)
}

// Decisions keeps what staff decided.
type Decisions interface {
	// MappingDecisions gives all that hold, the oldest first: one for each name and
	// candidate.
	MappingDecisions(ctx context.Context) ([]MappingDecision, error)
	// KeepMappingDecision keeps a decision with its entry. It takes the place of what
	// was decided about the same key and candidate.
	KeepMappingDecision(ctx context.Context, key string, d MappingDecision, e ledger.Entry) error
}

// Config is what a desk stands on. All fields are required.
type Config struct {
	Catalogs  Catalogs
	Decisions Decisions
	Now       func() time.Time
}

// Desk (映射助手服务) suggests for lists that policy staff hand in, and keeps what they
// decide.
type Desk struct {
	Config

	mu    sync.Mutex
	words *words // read once
	made  *Assistant
	// for which it was made
	revision revisionKey
	decided  []MappingDecision
}

// revisionKey names a revision: of a catalog that is too large to be held whole, each
// reading is another value.
type revisionKey struct {
	number int
	digest string
}

// NewDesk returns a desk.
func NewDesk(c Config) *Desk { return &Desk{Config: c} }

// MaxNames bounds a list of names that is answered at once.
const MaxNames = 2000

// Suggest says what each name of a list means, in its order.
func (d *Desk) Suggest(ctx context.Context, names []string) ([]Suggestion, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	a, _, err := d.assistant(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Suggestion, len(names))
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = a.Suggest(name)
	}
	return out, nil
}

func checkNames(names []string) error {
	if len(names) == 0 {
		return invalidList("names", "empty-list", "名单是空的。请至少给出一个材料名称。")
	}
	if len(names) > MaxNames {
		return invalidList("names", "too-many-names", fmt.Sprintf("一次最多 %d 个名称。请分成几份名单，或用命令 mianti catalog suggest。", MaxNames))
	}
	for i, name := range names {
		if len([]rune(name)) > MaxName {
			return invalidList(fmt.Sprintf("names[%d]", i), "long-name", fmt.Sprintf("第 %d 个名称超过 %d 个字。材料名称多半没有这么长，请核对是否取错了列。", i+1, MaxName))
		}
	}
	return nil
}

func invalidList(at, code, message string) error {
	return fault.New(fault.Invalid, "invalid-names", "%s", message).With(fault.Detail{Location: at, Code: code, Message: message})
}

// assistant gives the assistant for what holds now, and the revision; made anew only when the catalog or
// a decision has changed, here or on another replica.
func (d *Desk) assistant(ctx context.Context) (*Assistant, *catalog.Revision, error) {
	rev, err := d.Catalogs.Current(ctx)
	if err != nil {
		return nil, nil, err
	}
	decided, err := d.Decisions.MappingDecisions(ctx)
	if err != nil {
		return nil, nil, err
	}
	key := revisionKey{rev.Number, rev.Digest}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made != nil && d.revision == key && slices.Equal(d.decided, decided) {
		return d.made, rev, nil
	}
	if d.words == nil {
		if d.words, err = loadWords(); err != nil {
			return nil, nil, err
		}
	}
	made := newAssistant(d.words, Candidates(rev), decided)
	d.made, d.revision, d.decided = made, key, decided
	return made, rev, nil
}

// Verdict (映射结论) is what somebody says of a name and a candidate.
type Verdict struct {
	Name     string            `json:"name" minLength:"1" maxLength:"300" doc:"材料名称, 或建议中一份的 text; 不写姓名与号码"`
	Kind     catalog.ThingKind `json:"kind" enum:"standard_material,common_material,dataset"`
	Code     string            `json:"code" minLength:"1" maxLength:"64" doc:"标准材料、通用材料或数据资源的代码"`
	Accepted bool              `json:"accepted" doc:"true: 就是它; false: 不是它, 不再建议"`
}

// Record keeps a verdict. The next suggestion, on every replica, uses it.
func (d *Desk) Record(ctx context.Context, by policies.Caller, v Verdict) (*MappingDecision, error) {
	kept, err := d.RecordAll(ctx, by, []Verdict{v})
	if err != nil {
		return nil, err
	}
	return &kept[0], nil
}

// RecordAll keeps several verdicts, each with its own entry. None is kept where one
// cannot be.
func (d *Desk) RecordAll(ctx context.Context, by policies.Caller, verdicts []Verdict) ([]MappingDecision, error) {
	a, rev, err := d.assistant(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range verdicts {
		if err := a.check(v); err != nil {
			return nil, err
		}
	}
	at := d.Now().UTC().Truncate(time.Microsecond) // which is what every database keeps
	var out []MappingDecision
	for _, v := range verdicts {
		key := a.words.DecisionKey(v.Name)
		kept := MappingDecision{Name: strings.TrimSpace(v.Name), Kind: v.Kind, Code: v.Code, Accepted: v.Accepted, Department: by.Department, By: by.Person, At: at}
		entry := ledger.Entry{
			Kind: ledger.MappingDecided, At: at, System: by.System, Department: by.Department, Person: by.Person, Revision: rev.Number,
			Object: string(v.Kind) + ":" + v.Code, Result: result(v.Accepted), Digest: digest(key),
		}
		if err := d.Decisions.KeepMappingDecision(ctx, key, kept, entry); err != nil {
			return nil, fmt.Errorf("record a mapping: %w", err)
		}
		out = append(out, kept)
	}
	return out, nil
}

func result(accepted bool) string {
	if accepted {
		return "accepted"
	}
	return "rejected"
}

// digest names a key in the ledger, where the name itself does not belong: it is what
// somebody typed.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// longNumber is what may be somebody's number, which no name of a material has.
var longNumber = regexp.MustCompile(`[0-9]{8,}`)

func (a *Assistant) check(v Verdict) error {
	invalid := func(at, code, message string) error {
		return fault.New(fault.Invalid, "invalid-mapping", "%s", message).With(fault.Detail{Location: at, Code: code, Message: message})
	}
	switch {
	case a.words.DecisionKey(v.Name) == "" || len([]rune(v.Name)) > MaxName:
		return invalid("name", "bad-name", "名称中没有材料的名字。请给出材料名称。")
	case longNumber.MatchString(v.Name):
		return invalid("name", "number-in-name", "名称里有一长串数字，可能是证件号码。请去掉号码后再确认：映射只记材料的名称。")
	case !slices.ContainsFunc(a.candidates, func(c Candidate) bool { return c.Kind == v.Kind && c.Code == v.Code }):
		return invalid("code", "unknown-candidate", "目录中没有这个标准材料、通用材料或数据资源，请核对代码。")
	default:
		return nil
	}
}

// Known gives the candidates of the present catalog.
func (d *Desk) Known(ctx context.Context) ([]Candidate, error) {
	a, _, err := d.assistant(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(a.candidates), nil
}
