package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// asleep waits until n goroutines wait in a function: these tests need waits that have begun.
func asleep(t *testing.T, n int, function string) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	eventually(t, fmt.Sprintf("%d goroutines wait in %s", n, function), func() bool {
		found := 0
		for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			state, _, _ := strings.Cut(stack, "\n")
			if strings.Contains(stack, function) && !strings.Contains(state, "[run") {
				found++
			}
		}
		return found == n
	})
}

// Three events at one edge of the descriptor wake three goroutines.
func TestOneEdgeWakesAsManyAsItHasWorkFor(t *testing.T) {
	ex := start(t, away)
	keys := []string{"a", "b", "c"}
	ended := make(chan error, len(keys))
	for _, key := range keys {
		queue(t, ex, lambdaexecutor.Task{Key: key})
		go func() { _, err := ex.Sync(within(t), 1); ended <- err }()
	}
	asleep(t, len(keys), "(*Executor).await(")
	if _, err := ex.Cancel(keys...); err != nil {
		t.Fatal(err)
	}
	for range keys {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// An event that a channel releases wakes a wait.
func TestAReleasedEventWakesAWait(t *testing.T) {
	ex := start(t, away)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ex.Events(ctx) // and receives nothing
	if _, err := ex.Cancel("a"); err != nil {
		t.Fatal(err)
	}
	asleep(t, 1, "(*Executor).Events.func")
	eventually(t, "the event was handed out", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == 0 })
	ended := make(chan error, 1)
	go func() { _, err := ex.Sync(within(t), 0); ended <- err }()
	asleep(t, 1, "(*Executor).await(")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The end of a drain without tasks is no event.
func TestADrainOfNothingEndsWaits(t *testing.T) {
	ex := start(t, builtin)
	ended := make(chan error, 2)
	for range 2 {
		go func() { _, err := ex.Sync(within(t), 0); ended <- err }()
	}
	asleep(t, 2, "(*Executor).await(")
	if remaining, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); remaining != 0 || err != nil {
		t.Error(remaining, err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Error(err)
		}
	}
}

// One edge of the descriptor, for the last event, wakes all: one goroutine takes the event, the others return the end.
func TestTheLastEventOfADrainEndsAllWaits(t *testing.T) {
	ex := start(t, `{"end_wait_timeout": 1, "running_events": false, "local": {}}`)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command})
	if _, err := ex.DrainConfigured(within(t), lambdaexecutor.DrainFinish); err != lambdaexecutor.ErrTimedOut {
		t.Fatal(err)
	}
	ended := make(chan error, 3)
	for range 3 {
		go func() { _, err := ex.Sync(within(t), 0); ended <- err }()
	}
	asleep(t, 3, "(*Executor).await(")
	open()
	events := 0
	for range 3 {
		if err := <-ended; err == nil {
			events++
		} else if !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Error(err)
		}
	}
	if events != 1 {
		t.Error(events, "of three got the event")
	}
}

// Nothing is freed during a call that is still in the library: here one that waits for a log handler.
func TestCloseWaitsForCalls(t *testing.T) {
	called, release := make(chan struct{}, 1000), make(chan struct{})
	slow := &handler{level: lambdaexecutor.LevelTrace, handle: func(slog.Record) { called <- struct{}{}; <-release }}
	ex := start(t, builtin, lambdaexecutor.WithLogger(slog.New(slow)))
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	<-called
	ended := make(chan error, 2)
	go func() { ended <- ex.SetLogger(nil) }()
	asleep(t, 1, "(*Executor).SetLogger(")
	go func() { ex.Close(); ended <- nil }()
	asleep(t, 1, "(*gate).waitEmpty(")
	close(release)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A wait costs no thread.
func TestWaitsHoldNoThread(t *testing.T) {
	ex := start(t, builtin)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 200)
	for range 200 {
		go func() { _, err := ex.Sync(ctx, 0); ended <- err }()
	}
	asleep(t, 200, "(*Executor).await(")
	if n := threads(); n > 50 {
		t.Errorf("%d threads for 200 waits", n)
	}
	cancel()
	for range 200 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
