package lambdaexecutor_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// handler counts records and does what a test wants.
type handler struct {
	level   slog.Level
	records atomic.Int64
	handle  func(slog.Record)
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }
func (h *handler) WithAttrs([]slog.Attr) slog.Handler               { return h }
func (h *handler) WithGroup(string) slog.Handler                    { return h }
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	h.records.Add(1)
	if h.handle != nil {
		h.handle(record)
	}
	return nil
}

// busy makes the library log until the condition is true.
func busy(t *testing.T, ex *lambdaexecutor.Executor, what string, condition func() bool) {
	key := 0
	eventually(t, what, func() bool {
		key++
		queue(t, ex, lambdaexecutor.Task{Key: strings.Repeat("x", key)})
		final(t, ex)
		return condition()
	})
}

func TestLogger(t *testing.T) {
	ex := start(t, builtin)
	var mu sync.Mutex
	levels := map[slog.Level]bool{}
	talkative := &handler{level: lambdaexecutor.LevelTrace}
	talkative.handle = func(record slog.Record) {
		mu.Lock()
		defer mu.Unlock()
		levels[record.Level] = true
		record.Attrs(func(attr slog.Attr) bool {
			if attr.Key != "target" || attr.Value.String() == "" {
				t.Errorf("an attribute is %v", attr)
			}
			return true
		})
		if record.Message == "" || record.NumAttrs() != 1 || record.Time.Year() < 2020 {
			t.Errorf("a record is %+v", record)
		}
	}
	if err := ex.SetLogger(slog.New(talkative)); err != nil {
		t.Fatal(err)
	}
	busy(t, ex, "it receives records", func() bool { mu.Lock(); defer mu.Unlock(); return levels[slog.LevelDebug] })
	quiet := &handler{level: slog.LevelError}
	if err := ex.SetLogger(slog.New(quiet)); err != nil {
		t.Fatal(err)
	}
	before := talkative.records.Load()
	for range 5 {
		busy(t, ex, "tasks end", func() bool { return true })
	}
	if after := talkative.records.Load(); after != before {
		t.Errorf("%d records after SetLogger", after-before)
	}
	if n := quiet.records.Load(); n != 0 {
		t.Errorf("%d records that are no errors", n)
	}
}

func TestALogHandlerMayCallTheExecutor(t *testing.T) {
	calling := &handler{level: lambdaexecutor.LevelTrace}
	ex := start(t, builtin)
	calling.handle = func(slog.Record) { ex.Counts(); ex.State("a") }
	if err := ex.SetLogger(slog.New(calling)); err != nil {
		t.Fatal(err)
	}
	busy(t, ex, "it is called", func() bool { return calling.records.Load() > 10 })
}

// In a process of its own, because the process must survive, with the panic on its stderr.
func TestALogHandlerThatPanics(t *testing.T) {
	if os.Getenv("PANICKING_HANDLER") != "" {
		panicking := &handler{level: lambdaexecutor.LevelTrace, handle: func(slog.Record) { panic("of the handler") }}
		ex := start(t, builtin, lambdaexecutor.WithLogger(slog.New(panicking)))
		busy(t, ex, "it panics", func() bool { return panicking.records.Load() > 3 })
		return
	}
	child := osexec.Command(os.Args[0], "-test.run=^TestALogHandlerThatPanics$")
	child.Env = append(os.Environ(), "PANICKING_HANDLER=1")
	var stderr strings.Builder
	child.Stderr, child.Stdout = &stderr, io.Discard
	if err := child.Run(); err != nil {
		t.Errorf("%v\n%s", err, stderr.String())
	}
	if !strings.Contains(stderr.String(), "lambda_executor: the log handler panicked: of the handler") {
		t.Errorf("stderr is %q", stderr.String())
	}
}
