package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func TestPollDoesNotWait(t *testing.T) {
	ex := start(t, builtin)
	if events, err := ex.Poll(0); events != nil || err != nil {
		t.Error(events, err)
	}
	_, err := ex.Poll(-1)
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "max is -1")
}

func TestContextsEndTheirOwnWaitsOnly(t *testing.T) {
	ex := start(t, `{"local": {"faults": {"latency_ms": 3600000}}}`)
	queue(t, ex, lambdaexecutor.Task{Key: "a"}) // never ends
	waits := map[string]func(context.Context) error{
		"sync":   func(ctx context.Context) error { _, err := ex.Sync(ctx, 0); return err },
		"wait":   func(ctx context.Context) error { _, err := ex.Wait(ctx, "a"); return err },
		"health": ex.CheckHealth,
		"drain": func(ctx context.Context) error {
			remaining, err := ex.Drain(ctx, lambdaexecutor.DrainFinish)
			if remaining != 1 {
				return fmt.Errorf("%d remain", remaining)
			}
			return err
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			first, cancel := context.WithCancel(context.Background())
			second, stop := context.WithCancel(context.Background())
			var ended [2]chan error
			for i, ctx := range []context.Context{first, second} {
				ended[i] = make(chan error, 1)
				go func() { ended[i] <- wait(ctx) }()
			}
			cancel()
			if err := <-ended[0]; !errors.Is(err, context.Canceled) {
				t.Error("cancelled:", err)
			}
			short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if err := wait(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Error("over its deadline:", err)
			}
			select {
			case err := <-ended[1]:
				t.Error("the other wait ended too:", err)
			default:
			}
			stop()
			if err := <-ended[1]; !errors.Is(err, context.Canceled) {
				t.Error("cancelled at last:", err)
			}
		})
	}
}

func TestWake(t *testing.T) {
	ex := start(t, builtin)
	ended := make(chan error, 3)
	wait := func() { _, err := ex.Sync(within(t), 0); ended <- err }
	ex.Wake() // without a wait in progress it ends the next one
	wait()
	if err := <-ended; err != lambdaexecutor.ErrInterrupted {
		t.Error("the next wait:", err)
	}
	for range 2 {
		go wait()
	}
	// Once both wait, one Wake ends both. Before that, it ends one of them: then it waits again.
	for left := 2; left > 0; {
		ex.Wake()
		select {
		case err := <-ended:
			if err != lambdaexecutor.ErrInterrupted {
				t.Error("woken:", err)
			}
			left--
		case <-time.After(time.Millisecond):
		}
	}
}

func TestWaitForOneTask(t *testing.T) {
	ex := start(t, exec)
	if state, err := ex.Wait(within(t), "a"); state != lambdaexecutor.StateUnknown || err != lambdaexecutor.ErrNotFound {
		t.Error("unknown:", state, err)
	}
	_, err := ex.Wait(within(t), "\xff")
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "UTF-8")
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command + "; exit 1"})
	eventually(t, "it runs", func() bool { state, err := ex.State("a"); return err == nil && state == lambdaexecutor.StateRunning })
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if state, err := ex.Wait(short, "a"); state != lambdaexecutor.StateRunning || !errors.Is(err, context.DeadlineExceeded) {
		t.Error("running:", state, err)
	}
	ex.Wake()
	if state, err := ex.Wait(within(t), "a"); state != lambdaexecutor.StateRunning || err != lambdaexecutor.ErrInterrupted {
		t.Error("woken:", state, err)
	}
	const waiters = 100 // more than may hold a thread
	ended := make(chan lambdaexecutor.State, waiters)
	for range waiters {
		go func() {
			state, err := ex.Wait(within(t), "a")
			if err != nil {
				t.Error(err)
			}
			ended <- state
		}()
	}
	asleep(t, waiters, "(*Executor).Wait(")
	if n := threads(); n > 90 {
		t.Errorf("%d threads for %d waits", n, waiters)
	}
	open()
	for range waiters {
		if state := <-ended; state != lambdaexecutor.StateFailed {
			t.Error(state)
		}
	}
	wantCounts(t, ex, 2, 0)
	if event := final(t, ex); event.ReturnCode != 1 {
		t.Errorf("%+v", event)
	}
	if state, err := ex.Wait(within(t), "a"); state != lambdaexecutor.StateFailed || err != nil {
		t.Error("acknowledged:", state, err)
	}
}

func TestManyWaiters(t *testing.T) {
	ex := start(t, builtin)
	const waiters, tasks = 16, 400
	seen := make(chan uint64, 2*tasks)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var group sync.WaitGroup
	for i := range waiters {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				events, err := ex.Sync(ctx, 1+i%3)
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				for _, event := range events {
					seen <- event.Seq
				}
				if err := events.Ack(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for i := range tasks {
		queue(t, ex, lambdaexecutor.Task{Key: fmt.Sprint(i)})
	}
	once := map[uint64]bool{}
	for range 2 * tasks {
		select {
		case seq := <-seen:
			once[seq] = true
		case <-ctx.Done():
			t.Fatal("only so many events came:", len(once))
		}
	}
	cancel()
	group.Wait()
	if len(once) != 2*tasks {
		t.Errorf("%d different events, expected %d", len(once), 2*tasks)
	}
}

func TestInterruptBySignal(t *testing.T) {
	ex := start(t, builtin)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ended := make(chan error, 1)
	go func() { _, err := ex.Sync(ctx, 0); ended <- err }()
	syscall.Kill(os.Getpid(), syscall.SIGINT)
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(deadline):
		t.Fatal("Ctrl-C did not end the wait")
	}
	queue(t, ex, lambdaexecutor.Task{Key: "still works"})
	final(t, ex)
}

func TestDrain(t *testing.T) {
	ex := start(t, exec)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command})
	syncing := make(chan error, 2)
	for range 2 {
		go func() {
			for {
				events, err := ex.Sync(within(t), 0)
				if err == nil {
					err = events.Ack()
				}
				if err != nil {
					syncing <- err
					return
				}
			}
		}()
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if remaining, err := ex.Drain(short, lambdaexecutor.DrainFinish); remaining != 1 || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(remaining, err)
	}
	wantStatus(t, ex.Queue(lambdaexecutor.Task{Key: "b", Shell: "true"}), lambdaexecutor.ErrClosed, "drain")
	open()
	// Both return that no more events arrive, without a waiting Drain.
	for range 2 {
		wantStatus(t, <-syncing, lambdaexecutor.ErrClosed, "drained")
	}
	if remaining, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); remaining != 0 || err != nil {
		t.Error(remaining, err)
	}
}

func TestDrainCancelQueued(t *testing.T) {
	ex := start(t, `{"max_running_tasks": 1, "local": {}}`)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "runs", Shell: command})
	eventually(t, "it runs", func() bool { counts, err := ex.Counts(); return err == nil && counts.Running == 1 })
	queue(t, ex, lambdaexecutor.Task{Key: "waits"})
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if remaining, err := ex.Drain(done, lambdaexecutor.DrainFinish); remaining != 2 || !errors.Is(err, context.Canceled) {
		t.Error("to finish:", remaining, err)
	}
	if remaining, err := ex.Drain(done, lambdaexecutor.DrainCancelQueued); remaining != 1 || !errors.Is(err, context.Canceled) {
		t.Error("what runs:", remaining, err)
	}
	open()
	if remaining, err := ex.Drain(within(t), lambdaexecutor.DrainCancelQueued); remaining != 0 || err != nil {
		t.Error(remaining, err)
	}
	_, err := ex.Drain(done, 9)
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "mode is 9")
	ends := map[string]lambdaexecutor.State{}
	for event, err := range ex.All(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		ends[event.Key] = event.State
	}
	if ends["runs"] != lambdaexecutor.StateSucceeded || ends["waits"] != lambdaexecutor.StateCancelled {
		t.Error(ends)
	}
}

func TestDrainConfigured(t *testing.T) {
	ex := start(t, `{"end_wait_timeout": 1, "local": {}}`)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command})
	remaining, err := ex.DrainConfigured(within(t), lambdaexecutor.DrainFinish)
	if remaining != 1 || err != lambdaexecutor.ErrTimedOut {
		t.Error(remaining, err)
	}
	ended := make(chan error, 1)
	go func() {
		for _, err := range ex.All(within(t)) {
			if err != nil {
				ended <- err
			}
		}
		ended <- nil
	}()
	open()
	if err := <-ended; err != nil {
		t.Error("the loop did not learn of the end:", err)
	}
}

func TestHealth(t *testing.T) {
	ex := start(t, builtin)
	if err := ex.CheckHealth(within(t)); err != nil {
		t.Error(err)
	}
	wantStatus(t, ex.SetCredentials(`{"access_key_id": 1}`), lambdaexecutor.ErrInvalidArgument, "access_key_id")
	if err := ex.SetCredentials(map[string]string{"access_key_id": "AKIAWRONG", "secret_access_key": "wrong"}); err != nil {
		t.Fatal(err)
	}
	err := ex.CheckHealth(within(t))
	wantStatus(t, err, lambdaexecutor.ErrCredentials, "")
	var failed *lambdaexecutor.Error
	if !errors.As(err, &failed) || failed.AWSCode == "" || failed.RequestID == "" || failed.Retriable {
		t.Errorf("rejected credentials: %+v", failed)
	}
	away := start(t, `{"function_name": "f", "queue_url": "http://127.0.0.1:9/1/q", "dead_letter_queue_url": "http://127.0.0.1:9/1/d",
		"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:9", "log": "off",
		"credentials": {"access_key_id": "a", "secret_access_key": "b"}}`)
	err = away.CheckHealth(within(t))
	wantStatus(t, err, lambdaexecutor.ErrAWS, "127.0.0.1:9")
	if !errors.As(err, &failed) || failed.AWSCode != "ConnectionFailed" || failed.RequestID != "" || !failed.Retriable {
		t.Errorf("AWS unreachable: %+v", failed)
	}
}

func TestWakeupFd(t *testing.T) {
	ex := start(t, builtin)
	fd, err := ex.WakeupFd()
	if err != nil {
		t.Fatal(err)
	}
	readable := func(ms int) bool {
		var set syscall.FdSet
		set.Bits[fd/64] |= 1 << (fd % 64)
		timeout := syscall.NsecToTimeval(int64(ms) * 1e6)
		n, _ := syscall.Select(fd+1, &set, nil, nil, &timeout)
		return n == 1
	}
	if readable(0) {
		t.Error("readable without an event")
	}
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	eventually(t, "it is readable", func() bool { return readable(1000) })
	eventually(t, "both events came", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == 2 })
	events := poll(t, ex, 0, 1, 2)
	if readable(0) {
		t.Error("readable after the last event")
	}
	events.Release()
	if !readable(0) {
		t.Error("not readable though events were released")
	}
	ack(t, poll(t, ex, 0, 1, 2))
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	if !readable(0) {
		t.Error("not readable after the drain")
	}
}
