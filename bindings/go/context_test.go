package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// Events keep coming, and the context has ended.
func TestAnEndedContextEndsLoops(t *testing.T) {
	ex := threeEvents(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if batch, err := ex.Sync(ended, 0); batch != nil || !errors.Is(err, context.Canceled) {
		t.Error("Sync:", batch, err)
	}
	rounds := 0
	for event, err := range ex.All(ended) {
		if rounds++; !errors.Is(err, context.Canceled) || event.Key != "" {
			t.Error("All:", event, err)
		}
	}
	if rounds != 1 {
		t.Error(rounds, "rounds")
	}
	for event := range ex.Events(ended) {
		t.Error("Events:", event)
	}
	ack(t, poll(t, ex, 0, 1, 2, 3))
	ex.Close()
	for event, err := range ex.All(within(t)) {
		t.Error("closed:", event, err)
	}
}

// another queues a task and waits until an event waits, so that the next round of a loop finds one.
func another(t *testing.T, ex *lambdaexecutor.Executor, key int) {
	t.Helper()
	queue(t, ex, lambdaexecutor.Task{Key: fmt.Sprint("another ", key)})
	eventually(t, "an event waits", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents > 0 })
}

// Each round finds an event: only a check in each round ends these loops.
func TestAContextThatEndsInALoopEndsItAtTheNextRound(t *testing.T) {
	// The context ends in the body of the third round.
	endInTheThird := func(t *testing.T, round int, cancel func()) {
		t.Helper()
		switch {
		case round == 3:
			cancel()
		case round > 3:
			t.Fatal("another event after the end of the context")
		}
	}
	t.Run("All", func(t *testing.T) {
		ex := threeEvents(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		round := 0
		var last error
		for event, err := range ex.All(ctx) {
			if last = err; err != nil {
				continue
			}
			if round++; event.Seq != uint64(round) {
				t.Error(event)
			}
			another(t, ex, round)
			endInTheThird(t, round, cancel)
		}
		if round != 3 || !errors.Is(last, context.Canceled) {
			t.Error(round, "rounds, and", last)
		}
		// The third was acknowledged, since its body has finished.
		ack(t, poll(t, ex, 1, 4))
	})
	t.Run("Events", func(t *testing.T) {
		ex := threeEvents(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		round := 0
		for event := range ex.Events(ctx) {
			if round++; event.Seq != uint64(round) {
				t.Error(event)
			}
			another(t, ex, round)
			// The next event waits to be received.
			eventually(t, "it was handed out", func() bool { counts, err := ex.Counts(); return err == nil && counts.Unacknowledged == 2 })
			asleep(t, 1, "(*Executor).Events.func")
			if err := event.Ack(); err != nil {
				t.Error(err)
			}
			endInTheThird(t, round, cancel)
		}
		if round != 3 {
			t.Error(round, "rounds")
		}
		ack(t, poll(t, ex, 1, 4))
	})
	t.Run("Sync", func(t *testing.T) {
		ex := threeEvents(t)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		for round := 1; ; round++ {
			another(t, ex, round)
			over := ctx.Err()
			batch, err := ex.Sync(ctx, 0)
			if err != nil {
				if batch != nil || !errors.Is(err, context.DeadlineExceeded) {
					t.Error(batch, err)
				}
				break
			}
			if over != nil {
				t.Fatal("a batch after the end of the context:", batch)
			}
			ack(t, batch)
		}
	})
}
