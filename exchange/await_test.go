package exchange_test

import (
	"context"
	"testing"
	"time"

	"mianti/exchange"
)

func TestResolution_DoesNotGoOnWhenItsCaseHasMovedOn(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(b *bench, id string){
		"resolved again": func(b *bench, id string) { b.resolve(as("SPJ"), id) },
		"changed": func(b *bench, id string) {
			if _, err := b.x.ChangeCase(b.t.Context(), as("SPJ"), id, exchange.Change{Facts: map[string]any{"premises": "own"}}); err != nil {
				b.t.Fatal(describe(err))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, _ := newRecovering(t)
			c := b.open(as("SPJ"), founding())
			first := b.resolve(as("SPJ"), c.ID)
			if !first.Continues() {
				t.Fatal("it does not wait")
			}
			move(b, c.ID)
			read, err := b.x.Resolution(t.Context(), as("SPJ"), first.ID)
			if err != nil || read.Continues() || read.Version != 1 {
				t.Errorf("version %d says that it goes on at %v (%v)", read.Version, read.RetryAt, err)
			}
			state, err := b.x.ResolutionState(t.Context(), as("SPJ"), first.ID)
			if err != nil || state.Continues {
				t.Errorf("state %+v (%v) says that it goes on", state, err)
			}
		})
	}
}

func TestAwait_EndsWhenItsCaseMovesOn(t *testing.T) {
	t.Parallel()
	b, _, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	first := b.resolve(as("SPJ"), c.ID)
	ended := make(chan exchange.ResolutionState)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	go func() {
		state, err := b.x.AwaitEnd(ctx, as("SPJ"), first.ID)
		if err != nil || ctx.Err() != nil {
			t.Error(err, ctx.Err())
		}
		ended <- state
	}()
	b.resolve(as("SPJ"), c.ID)
	if state := receive(t, ended); state.Continues || state.Version != 1 {
		t.Errorf("state %+v, want version 1 that does not go on", state)
	}
}

func TestAwaitEnd_TellsTheStateWhenTheTimeIsUpAlready(t *testing.T) {
	t.Parallel()
	b, _, _ := newRecovering(t)
	c := b.open(as("SPJ"), founding())
	r := b.resolve(as("SPJ"), c.ID)
	over, stop := context.WithTimeout(t.Context(), 0)
	defer stop()
	if state, err := b.x.AwaitEnd(over, as("SPJ"), r.ID); err != nil || state.Version != 1 {
		t.Errorf("state %+v, %v; want version 1", state, err)
	}
}
