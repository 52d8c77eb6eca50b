package lambdaexecutor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// libraryThreads returns the number of threads of the library in this process: their names begin with lmbx-.
func libraryThreads() int {
	names, _ := filepath.Glob("/proc/self/task/*/comm")
	n := 0
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if bytes.HasPrefix(text, []byte("lmbx-")) {
			n++
		}
	}
	return n
}

func threads() int {
	tasks, _ := os.ReadDir("/proc/self/task")
	return len(tasks)
}

func descriptors() int {
	open, _ := os.ReadDir("/proc/self/fd")
	return len(open)
}

// nothingLeft checks at the end of the test that no goroutine, thread or descriptor remains.
func nothingLeft(t *testing.T) {
	eventually(t, "what earlier tests left is gone", func() bool { return libraryThreads() == 0 })
	goroutines, open := runtime.NumGoroutine(), descriptors()
	t.Cleanup(func() {
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
		if n := libraryThreads(); n != 0 {
			t.Errorf("%d threads of the library are left", n)
		}
		if n := descriptors(); n > open {
			t.Errorf("%d descriptors, %d before", n, open)
		}
	})
}

func TestCloseLeavesNothing(t *testing.T) {
	nothingLeft(t)
	for range 3 {
		ex := start(t, exec)
		eventually(t, "its threads are there, under names that this test knows", func() bool { return libraryThreads() > 0 })
		queue(t, ex, lambdaexecutor.Task{Key: "ends"})
		queue(t, ex, lambdaexecutor.Task{Key: "runs", Shell: "sleep 100"})
		channel := ex.Events(context.Background())
		<-channel
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		ex.CheckHealth(short)
		ex.Drain(short, lambdaexecutor.DrainFinish) // continues in the background
		ex.Wait(short, "runs")
		cancel()
		ex.Close()
		for range channel {
		}
	}
}

func TestEverythingIsClosedAfterClose(t *testing.T) {
	ex := start(t, builtin)
	ex.Close()
	ex.Close()
	ctx := within(t)
	for name, call := range calls(ex, ctx) {
		if err := call(); !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestZeroExecutor(t *testing.T) {
	var ex lambdaexecutor.Executor
	for name, call := range calls(&ex, within(t)) {
		if err := call(); !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for event, err := range ex.All(within(t)) {
		t.Error("All:", event, err)
	}
	if event, open := <-ex.Events(within(t)); open {
		t.Error("Events:", event)
	}
	ex.Close()
}

// calls are all methods that can fail.
func calls(ex *lambdaexecutor.Executor, ctx context.Context) map[string]func() error {
	task := lambdaexecutor.Task{Key: "a", Shell: "true"}
	return map[string]func() error{
		"Queue":           func() error { return ex.Queue(task) },
		"QueueBatch":      func() error { _, err := ex.QueueBatch([]lambdaexecutor.Task{task}); return err },
		"Run":             func() error { _, err := ex.Run(ctx, task); return err },
		"Start":           func() error { _, err := ex.Start(task); return err },
		"Adopt":           func() error { _, err := ex.Adopt([]lambdaexecutor.Task{task}); return err },
		"Cancel":          func() error { _, err := ex.Cancel("a"); return err },
		"Sync":            func() error { _, err := ex.Sync(ctx, 0); return err },
		"Poll":            func() error { _, err := ex.Poll(0); return err },
		"Wait":            func() error { _, err := ex.Wait(ctx, "a"); return err },
		"Ack":             func() error { return ex.Ack(1) },
		"State":           func() error { _, err := ex.State("a"); return err },
		"Describe":        func() error { _, err := ex.Describe("a"); return err },
		"Stats":           func() error { _, err := ex.Stats(); return err },
		"Counts":          func() error { _, err := ex.Counts(); return err },
		"Drain":           func() error { _, err := ex.Drain(ctx, lambdaexecutor.DrainFinish); return err },
		"DrainConfigured": func() error { _, err := ex.DrainConfigured(ctx, lambdaexecutor.DrainFinish); return err },
		"CheckHealth":     func() error { return ex.CheckHealth(ctx) },
		"SetCredentials":  func() error { return ex.SetCredentials("{}") },
		"SetLogger":       func() error { return ex.SetLogger(nil) },
		"Wake":            ex.Wake,
		"Err":             ex.Err,
		"WakeupFd":        func() error { _, err := ex.WakeupFd(); return err },
	}
}

func TestDropped(t *testing.T) {
	ex := start(t, away)
	for _, task := range tasksFor(3) {
		queue(t, ex, task)
	}
	if n := ex.Dropped(); n != 0 {
		t.Error(n, "dropped before Close")
	}
	ex.Close()
	if n := ex.Dropped(); n != 3 {
		t.Error(n, "dropped, expected 3")
	}
}

func TestCloseEndsWaits(t *testing.T) {
	nothingLeft(t)
	ex := start(t, `{"local": {"faults": {"outages": [{"for_ms": 3600000}]}}}`)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	ended := make(chan error, 40)
	var waiting sync.WaitGroup
	for range 10 {
		for _, wait := range []func(){
			func() { _, err := ex.Sync(context.Background(), 0); ended <- err },
			func() { _, err := ex.Wait(context.Background(), "a"); ended <- err },
			func() { _, err := ex.Drain(context.Background(), lambdaexecutor.DrainFinish); ended <- err },
			func() { <-ex.Events(context.Background()); ended <- lambdaexecutor.ErrClosed },
		} {
			waiting.Add(1)
			go func() { waiting.Done(); wait() }()
		}
	}
	waiting.Wait()
	var closing sync.WaitGroup
	for range 4 {
		closing.Add(1)
		go func() { defer closing.Done(); ex.Close() }()
	}
	for range 40 {
		select {
		case err := <-ended:
			if !errors.Is(err, lambdaexecutor.ErrClosed) {
				t.Error(err)
			}
		case <-time.After(deadline):
			t.Fatal("a wait continues after Close")
		}
	}
	closing.Wait()
}

// Every method, called from many goroutines while others close, cancel and wake.
func TestRaces(t *testing.T) {
	nothingLeft(t)
	for round := range 5 {
		ex := start(t, builtin, lambdaexecutor.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
		ctx, cancel := context.WithCancel(within(t))
		var group sync.WaitGroup
		var made atomic.Int64
		ended := make(chan struct{})
		for name, call := range calls(ex, ctx) {
			if strings.HasPrefix(name, "Drain") && round < 3 {
				continue // which refuses new tasks
			}
			for range 2 {
				group.Add(1)
				go func() {
					defer group.Done()
					for {
						err := call()
						made.Add(1)
						if errors.Is(err, lambdaexecutor.ErrPanic) || errors.Is(err, lambdaexecutor.ErrIO) {
							t.Errorf("%s: %v", name, err)
						}
						select {
						case <-ended:
							return
						default:
							runtime.Gosched()
						}
					}
				}()
			}
		}
		for i := range 20 {
			ex.Queue(lambdaexecutor.Task{Key: fmt.Sprint("task ", i), Shell: "true"})
		}
		eventually(t, "there were calls", func() bool { return made.Load() > 500 })
		cancel()
		ex.Close()
		close(ended)
		group.Wait()
	}
}

// If a program forgets Close, the log has a warning, and the threads end.
func TestFinalizer(t *testing.T) {
	nothingLeft(t)
	var log lockedBuffer
	func() {
		ex, err := lambdaexecutor.New(builtin, lambdaexecutor.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		queue(t, ex, lambdaexecutor.Task{Key: "a"})
		if _, err := ex.Sync(within(t), 0); err != nil {
			t.Fatal(err)
		}
	}()
	eventually(t, "the executor was closed", func() bool {
		runtime.GC()
		return libraryThreads() == 0
	})
	if text := log.String(); !strings.Contains(text, "dropped without Close") {
		t.Errorf("the log says %q", text)
	}
}

// The garbage collector does not finalize an executor while its last call waits.
func TestAWaitKeepsTheExecutor(t *testing.T) {
	nothingLeft(t)
	quiet := lambdaexecutor.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	ex, err := lambdaexecutor.New(`{"local": {"handler": "builtin", "faults": {"latency_ms": 500}}}`, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	ctx := within(t)
	go func() { ended <- ex.CheckHealth(ctx) }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			eventually(t, "the executor was closed", func() bool {
				runtime.GC()
				return libraryThreads() == 0
			})
			return
		default:
			runtime.GC()
		}
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// Programs that are started while an executor works inherit nothing of it.
func TestChildProcesses(t *testing.T) {
	inherited := func() string {
		output, err := osexec.Command("sh", "-c", "for fd in /proc/self/fd/*; do readlink $fd; done | sed 's/[0-9][0-9]*//g'").Output()
		if err != nil {
			t.Error(err)
		}
		return string(output)
	}
	before := inherited()
	ex := start(t, exec)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				queue(t, ex, lambdaexecutor.Task{Key: fmt.Sprint(i)})
				final(t, ex)
			}
		}
	}()
	for range 20 {
		if now := inherited(); now != before {
			t.Errorf("a child has\n%swithout an executor it has\n%s", now, before)
		}
	}
	close(stop)
	group.Wait()
}
