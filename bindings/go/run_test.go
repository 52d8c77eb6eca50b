package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// nothingHeld waits until no events wait and none are unacknowledged.
func nothingHeld(t *testing.T, ex *lambdaexecutor.Executor) {
	t.Helper()
	eventually(t, "no event waits and none is unacknowledged", func() bool {
		counts, err := ex.Counts()
		return err == nil && counts == lambdaexecutor.Counts{}
	})
}

func TestRun(t *testing.T) {
	ex := start(t, exec)
	event, err := ex.Run(within(t), lambdaexecutor.Task{Key: "a", Tag: 7, Shell: "echo text"})
	if err != nil || event.Err() != nil || event.Key != "a" || event.Tag != 7 || event.OutputTail != "text\n" || event.ReturnCode != 0 {
		t.Errorf("%+v %v", event, err)
	}
	nothingHeld(t, ex)
	event, err = ex.Run(within(t), lambdaexecutor.Task{Key: "a", Shell: "exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	var failed *lambdaexecutor.TaskError
	if !errors.As(fmt.Errorf("wrapped: %w", event.Err()), &failed) || failed.Key != "a" || failed.State != lambdaexecutor.StateFailed ||
		failed.Reason != lambdaexecutor.ReasonExit || !failed.HasReturnCode || failed.ReturnCode != 3 {
		t.Errorf("%+v", failed)
	}
	if text := event.Err().Error(); text != "lambda_executor: task `a`: failed (exit, return code 3): the command exited with status 3" {
		t.Error(text)
	}
	nothingHeld(t, ex)
}

func TestErrOfAnEvent(t *testing.T) {
	for _, event := range []lambdaexecutor.Event{{}, {State: lambdaexecutor.StateRunning}, {State: lambdaexecutor.StateSucceeded}} {
		if err := event.Err(); err != nil {
			t.Error(event, err)
		}
	}
	lost := lambdaexecutor.Event{Key: "a", State: lambdaexecutor.StateLost, Reason: lambdaexecutor.ReasonLost, Message: "no result"}
	if text := lost.Err().Error(); text != "lambda_executor: task `a`: lost (lost): no result" {
		t.Error(text)
	}
}

func TestARefusedRun(t *testing.T) {
	ex := start(t, away)
	_, err := ex.Run(within(t), lambdaexecutor.Task{Key: "a"})
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "task `a`")
	handle, err := ex.Start(lambdaexecutor.Task{Key: "a", Shell: "true"})
	if err != nil || handle.Key() != "a" || len(handle.AttemptID()) != 36 {
		t.Fatal(handle, err)
	}
	_, err = ex.Run(within(t), lambdaexecutor.Task{Key: "a", Shell: "true"})
	wantStatus(t, err, lambdaexecutor.ErrDuplicate, "task `a`")
	_, err = ex.Start(lambdaexecutor.Task{Key: "b", Shell: "true", AttemptID: handle.AttemptID()})
	wantStatus(t, err, lambdaexecutor.ErrDuplicate, "task `b`")
}

// Each call of Run gets its own event without another goroutine that takes events, and no wait holds a thread.
func TestManyRuns(t *testing.T) {
	const runs = 300
	ex := start(t, builtin)
	ended := make(chan error, runs)
	for i := range runs {
		go func() {
			config := fmt.Sprintf(`{"builtin": {"return_code": %d, "duration_ms": %d}}`, i%100, i%7)
			event, err := ex.Run(within(t), lambdaexecutor.Task{Key: fmt.Sprint(i), Tag: uint64(i), Shell: "true", ExecutorConfig: config})
			if err == nil && (event.Key != fmt.Sprint(i) || event.Tag != uint64(i) || event.ReturnCode != i%100) {
				err = fmt.Errorf("run %d got %+v", i, event)
			}
			ended <- err
		}()
	}
	for range runs {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	// Go keeps the threads of calls into C that were made at once, so there are some.
	if n := threads(); n > runs/2 {
		t.Errorf("%d threads for %d runs", n, runs)
	}
	nothingHeld(t, ex)
}

// The events of a run go to it, all others to the readers, in order. Each way of reading is tried in turn while runs continue.
func TestRunsBesideReaders(t *testing.T) {
	const tasks = 100
	ex := start(t, builtin)
	ctx, stop := context.WithCancel(within(t))
	defer stop()
	runners := make(chan error, 4)
	for r := range cap(runners) {
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				event, err := ex.Run(within(t), lambdaexecutor.Task{Key: fmt.Sprintf("run %d/%d", r, i), Shell: "true"})
				if err != nil || event.State != lambdaexecutor.StateSucceeded {
					runners <- fmt.Errorf("%+v %w", event, err)
					return
				}
			}
			runners <- nil
		}()
	}
	for name, read := range map[string]func(func(lambdaexecutor.Event) bool){
		"All": func(use func(lambdaexecutor.Event) bool) {
			for event, err := range ex.All(within(t)) {
				if err != nil {
					t.Fatal(err)
				}
				if !use(event) {
					ack(t, lambdaexecutor.Batch{event})
					return
				}
			}
		},
		"Events": func(use func(lambdaexecutor.Event) bool) {
			reading, end := context.WithCancel(within(t))
			defer end()
			for event := range ex.Events(reading) {
				ack(t, lambdaexecutor.Batch{event})
				if !use(event) {
					return
				}
			}
		},
		"Sync": func(use func(lambdaexecutor.Event) bool) {
			for more := true; more; {
				batch, err := ex.Sync(within(t), 10)
				if err != nil {
					t.Fatal(err)
				}
				for _, event := range batch {
					more = use(event)
				}
				ack(t, batch)
			}
		},
	} {
		left := map[uint64]lambdaexecutor.State{}
		for i := range uint64(tasks) {
			left[i] = lambdaexecutor.StateQueued
			queue(t, ex, lambdaexecutor.Task{Key: fmt.Sprintf("%s %d", name, i), Tag: i})
		}
		last := uint64(0)
		read(func(event lambdaexecutor.Event) bool {
			if before, ours := left[event.Tag]; !ours || event.Key != fmt.Sprintf("%s %d", name, event.Tag) || event.State <= before || event.Seq <= last {
				t.Errorf("%s: after %v, number %d: %+v", name, before, last, event)
			}
			if last, left[event.Tag] = event.Seq, event.State; event.State.Final() {
				delete(left, event.Tag)
			}
			return len(left) > 0
		})
	}
	stop()
	for range cap(runners) {
		if err := <-runners; err != nil {
			t.Error(err)
		}
	}
	nothingHeld(t, ex)
}

// Events that a run has found for readers are kept for them.
func TestARunKeepsTheEventsOfOthers(t *testing.T) {
	ex := threeEvents(t)
	if _, err := ex.Run(within(t), lambdaexecutor.Task{Key: "run", Shell: "true"}); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, ex, 0, 3)
	if err := ex.Err(); err != nil {
		t.Error(err)
	}
	batch := poll(t, ex, 2, 1, 2)
	batch.Release()
	ack(t, poll(t, ex, 1, 3))
	ack(t, poll(t, ex, 0, 1, 2))
	nothingHeld(t, ex)

	// A reader that sleeps is woken, also after a drain and for the last event.
	queue(t, ex, lambdaexecutor.Task{Key: "last"})
	waitingEvents(t, ex, 1)
	if _, err := ex.Run(within(t), lambdaexecutor.Task{Key: "run", Shell: "true"}); err != nil {
		t.Fatal(err)
	}
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	if event := final(t, ex); event.Key != "last" {
		t.Error(event)
	}
	_, err := ex.Sync(within(t), 0)
	wantStatus(t, err, lambdaexecutor.ErrClosed, "")
}

// A reader that has nothing to do sleeps beside runs, and gets the event that a run has found.
func TestAReaderIsWokenByARun(t *testing.T) {
	ex := start(t, away)
	handle, err := ex.Start(lambdaexecutor.Task{Key: "run", Shell: "true"})
	if err != nil {
		t.Fatal(err)
	}
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	ended := make(chan error, 2)
	ctx := within(t)
	go func() { _, err := handle.Wait(ctx); ended <- err }()
	go func() { events, err := ex.Sync(ctx, 0); ended <- errors.Join(err, events.Ack()) }()
	asleep(t, 2, "(*Executor).await(")
	if _, err := ex.Cancel("a", "run"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestTheEventOfAHandleIsNotAcknowledged(t *testing.T) {
	ex := start(t, builtin)
	handle, err := ex.Start(lambdaexecutor.Task{Key: "a", Shell: "true"})
	if err != nil {
		t.Fatal(err)
	}
	event, err := handle.Wait(within(t))
	if err != nil || event.State != lambdaexecutor.StateSucceeded || event.AttemptID != handle.AttemptID() {
		t.Fatalf("%+v %v", event, err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if again, err := handle.Wait(ended); err != nil || again.Seq != event.Seq {
		t.Error(again, err)
	}
	wantCounts(t, ex, 0, 1)
	// Released, it goes to the readers.
	lambdaexecutor.Batch{event}.Release()
	ack(t, poll(t, ex, 0, event.Seq))
	wantCounts(t, ex, 0, 0)
}

func TestTheEventOfADroppedHandleIsHandedOutAgain(t *testing.T) {
	ex := start(t, noRunning)
	handle, err := ex.Start(lambdaexecutor.Task{Key: "a", Shell: "true"})
	if err == nil {
		_, err = handle.Wait(within(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	handle = nil
	eventually(t, "the collector has released the event", func() bool {
		runtime.GC()
		counts, err := ex.Counts()
		return err == nil && counts.WaitingEvents == 1
	})
	ack(t, poll(t, ex, 0, 1))
}

func TestTheContextOfARunCancelsTheTask(t *testing.T) {
	ex := start(t, exec)
	command, open := gate(t)
	defer open()
	ctx, cancel := context.WithCancel(within(t))
	ended := make(chan error)
	go func() { _, err := ex.Run(ctx, lambdaexecutor.Task{Key: "a", Shell: command}); ended <- err }()
	eventually(t, "it runs", func() bool { state, _ := ex.State("a"); return state == lambdaexecutor.StateRunning })
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
	if state, err := ex.State("a"); state != lambdaexecutor.StateCancelled || err != nil {
		t.Error(state, err)
	}
	if batch, err := ex.Poll(0); len(batch) != 0 || err != nil {
		t.Error(batch, err)
	}
	nothingHeld(t, ex)
	// The key is free.
	if _, err := ex.Run(within(t), lambdaexecutor.Task{Key: "a", Shell: "true"}); err != nil {
		t.Error(err)
	}
	if _, err := ex.Run(ctx, lambdaexecutor.Task{Key: "b", Shell: "true"}); err != context.Canceled {
		t.Error(err)
	}
	if _, err := ex.State("b"); !errors.Is(err, lambdaexecutor.ErrNotFound) {
		t.Error(err)
	}
}

func TestTheContextOfAHandleEndsItsWaitOnly(t *testing.T) {
	ex := start(t, exec)
	command, open := gate(t)
	handle, err := ex.Start(lambdaexecutor.Task{Key: "a", Shell: command})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	ended := make(chan error, 2)
	go func() { _, err := handle.Wait(ctx); ended <- err }()
	go func() { event, err := handle.Wait(within(t)); ended <- errors.Join(err, event.Ack()) }()
	asleep(t, 2, "(*Executor).await(")
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
	if err := ex.Wake(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, lambdaexecutor.ErrInterrupted) {
		t.Error(err)
	}
	open()
	if event, err := handle.Wait(within(t)); err != nil || event.State != lambdaexecutor.StateSucceeded {
		t.Error(event, err)
	}
}

// The end of the executor ends runs, and releases what is kept.
func TestCloseEndsRuns(t *testing.T) {
	nothingLeft(t)
	ex := start(t, away)
	queue(t, ex, lambdaexecutor.Task{Key: "other"})
	ended := make(chan error, 2)
	for _, key := range []string{"a", "b"} {
		go func() { _, err := ex.Run(within(t), lambdaexecutor.Task{Key: key, Shell: "true"}); ended <- err }()
	}
	asleep(t, 2, "(*Executor).await(")
	if _, err := ex.Cancel("other"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a run keeps the event", func() bool { counts, err := ex.Counts(); return err == nil && counts.Unacknowledged == 1 })
	ex.Stop()
	for range 2 {
		if err := <-ended; !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Error(err)
		}
	}
	_, err := ex.Poll(0)
	wantStatus(t, err, lambdaexecutor.ErrClosed, "")
}

// The garbage collector frees an executor with an abandoned run, and one with a kept event.
func TestFinalizerWithRuns(t *testing.T) {
	nothingLeft(t)
	quiet := lambdaexecutor.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	func() {
		ex, err := lambdaexecutor.New(builtin, quiet)
		if err != nil {
			t.Fatal(err)
		}
		queue(t, ex, lambdaexecutor.Task{Key: "kept"})
		waitingEvents(t, ex, 2)
		if _, err := ex.Start(lambdaexecutor.Task{Key: "a", Shell: "true"}); err != nil {
			t.Fatal(err)
		}
		if _, err := ex.Run(within(t), lambdaexecutor.Task{Key: "b", Shell: "true"}); err != nil {
			t.Fatal(err)
		}
	}()
	eventually(t, "the executor was closed", func() bool {
		runtime.GC()
		return libraryThreads() == 0
	})
}

// Stop, Run and Cancel from many goroutines.
func TestRunsAndCancelRace(t *testing.T) {
	ex := start(t, builtin)
	outcomes := make(chan lambdaexecutor.State, 400)
	for i := range cap(outcomes) {
		go func() {
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			if i%3 == 0 {
				go cancel()
			}
			key := fmt.Sprint(i)
			if i%3 == 1 {
				go ex.Cancel(key)
			}
			event, err := ex.Run(ctx, lambdaexecutor.Task{Key: key, Shell: "true"})
			if err != nil && err != context.Canceled {
				t.Error(err)
			}
			outcomes <- event.State
		}()
	}
	allowed := []lambdaexecutor.State{lambdaexecutor.StateUnknown, lambdaexecutor.StateSucceeded, lambdaexecutor.StateCancelled}
	for range cap(outcomes) {
		if state := <-outcomes; !slices.Contains(allowed, state) {
			t.Error(state)
		}
	}
	// The next wait acknowledges the events of an abandoned task.
	eventually(t, "nothing is left", func() bool {
		batch, err := ex.Poll(0)
		counts, _ := ex.Counts()
		return len(batch) == 0 && err == nil && counts == lambdaexecutor.Counts{}
	})
}
