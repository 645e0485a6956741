package exchange_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mianti/catalog"
	"mianti/exchange"
	"mianti/internal/fault"
	"mianti/policies"
)

// otherChild takes the place of the child of schooling, under the same id.
func otherChild() catalog.Party { return person("p2", "冯天天", "37019920181118247X", "child") }

func (b *bench) replaceChild(by policies.Caller, id string) {
	b.t.Helper()
	if _, err := b.x.ChangeCase(b.t.Context(), by, id, exchange.Change{Parties: []catalog.Party{otherChild()}}); err != nil {
		b.t.Fatal(describe(err))
	}
}

func TestAssist_AnAnswerHoldsOnlyForWhomItWasAskedAbout(t *testing.T) {
	t.Parallel()
	b, c, by, _ := newAssisting(t)
	b.resolve(by, c.ID)
	b.answer("WJ", b.task("WJ").ID, exchange.AssistConfirmed)
	b.replaceChild(by, c.ID)
	if m := b.material(b.resolve(by, c.ID), birth, "p2"); m.Outcome != policies.Verifying || m.Task == "" {
		t.Fatalf("of another child: %s for %s, want an officer asked about that one", m.Outcome, m.Reason.Code)
	}
	task, err := b.x.AssistTask(t.Context(), as("WJ"), b.task("WJ").ID)
	if err != nil {
		t.Fatal(describe(err))
	}
	want := exchange.AssistSubject{Kind: "person", Name: otherChild().Name, Number: otherChild().Number}
	if diff := cmp.Diff(&want, task.Subject); diff != "" {
		t.Errorf("subject (-want +got):\n%s", diff)
	}
}

func TestAssist_AQuestionAboutSomebodyWhoWasReplacedIsOver(t *testing.T) {
	t.Parallel()
	b, c, by, _ := newAssisting(t)
	b.resolve(by, c.ID)
	task, notices := b.task("WJ"), b.waiting(exchange.JobAssistNotice)
	b.replaceChild(by, c.ID)
	read, err := b.x.AssistTask(t.Context(), as("WJ"), task.ID)
	if err != nil || read.Subject != nil {
		t.Errorf("subject %+v (%v), want none: it was not asked about this one", read, err)
	}
	_, err = b.x.AnswerAssist(t.Context(), as("WJ"), task.ID, exchange.AssistAnswer{Result: exchange.AssistConfirmed, Officer: "李明"})
	wantFault(t, err, fault.Conflict, "assist-outdated")
	for _, notice := range notices {
		if err := b.x.AssistNotice(t.Context(), notice); err != nil {
			t.Error(err)
		}
	}
	if told := b.told(); len(told) > 0 {
		t.Errorf("told %v, want nothing of a question that is over", told)
	}
}

// meddling does something just before each resolution is stored.
type meddling struct {
	exchange.Resolutions
	before chan func() // one for each, in the order in which they come; none when it is empty
}

// meddle puts a meddling before the store of a bench.
func (b *bench) meddle(before ...func()) {
	m := &meddling{Resolutions: b.store, before: make(chan func(), len(before))}
	for _, do := range before {
		m.before <- do
	}
	b.x.Resolutions = m
}

// CommitResolution does what is next, and stores the resolution.
func (m *meddling) CommitResolution(ctx context.Context, c exchange.Commit) error {
	select {
	case do := <-m.before:
		do()
	default:
	}
	return m.Resolutions.CommitResolution(ctx, c)
}

// work runs the jobs that go on with cases and whose time has come, as a runner
// would, and counts them.
func (b *bench) work() int {
	b.t.Helper()
	claimed, err := b.store.Claim(b.t.Context(), "me", []string{exchange.JobContinue}, 10, time.Minute)
	if err != nil {
		b.t.Error(err)
	}
	for _, job := range claimed {
		if err := b.x.ContinueJob(b.t.Context(), job); err != nil {
			b.t.Error(describe(err))
		}
		if held, err := b.store.Finish(b.t.Context(), "me", job); err != nil || !held {
			b.t.Error(held, err)
		}
	}
	return len(claimed)
}

func (b *bench) wantSettledByTheAnswer(by policies.Caller, id string) {
	b.t.Helper()
	if n := b.work(); n != 1 {
		b.t.Errorf("%d jobs go on with it now, want one", n)
	}
	if m := b.material(b.last(by, id), birth, "p2"); m.Outcome != policies.Settled {
		b.t.Errorf("%s for %s until %v, want settled by the answer", m.Outcome, m.Reason.Code, m.DueAt)
	}
}

// The job of an answer finds nothing to go on with where the resolution that
// asked is not stored yet.
func TestAssist_AnAnswerThatComesBeforeTheResolutionIsStoredIsTakenUp(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b *bench, by policies.Caller, id string){
		"the first": func(*bench, policies.Caller, string) {},
		"one of a case that was changed": func(b *bench, by policies.Caller, id string) {
			b.resolve(by, id)
			if _, err := b.x.ChangeCase(b.t.Context(), by, id, exchange.Change{Facts: map[string]any{"house_kind": "own_cert"}}); err != nil {
				b.t.Fatal(describe(err))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c, by, _ := newAssisting(t)
			before(b, by, c.ID)
			b.meddle(func() {
				b.answer("WJ", b.task("WJ").ID, exchange.AssistConfirmed)
				if n := b.work(); n != 1 {
					t.Errorf("%d jobs of the answer, want one", n)
				}
			})
			b.resolve(by, c.ID)
			b.wantSettledByTheAnswer(by, c.ID)
		})
	}
}

// The job of an answer comes too late where another one, which began before the
// answer, is stored first.
func TestAssist_AnAnswerThatComesWhileItGoesOnIsTakenUp(t *testing.T) {
	t.Parallel()
	b, c, by, _ := newAssisting(t)
	b.resolve(by, c.ID)
	made, stored, worked := make(chan bool), make(chan bool), make(chan bool)
	b.meddle(func() {
		b.answer("WJ", b.task("WJ").ID, exchange.AssistConfirmed)
		go func() {
			defer close(worked)
			b.work()
		}()
		receive(t, made)
	}, func() {
		close(made)
		receive(t, stored)
	})
	b.goOn(by, c.ID)
	close(stored)
	receive(t, worked)
	b.wantSettledByTheAnswer(by, c.ID)
}
