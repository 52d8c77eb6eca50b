package lambdaexecutor_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"runtime"
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

// busy makes the library write log records until the condition is true.
func busy(t *testing.T, ex *lambdaexecutor.Executor, what string, condition func() bool) {
	key := 0
	eventually(t, what, func() bool {
		key++
		queue(t, ex, lambdaexecutor.Task{Key: strings.Repeat("x", key)})
		final(t, ex)
		return condition()
	})
}

func attributes(record slog.Record) map[string]any {
	attrs := map[string]any{}
	record.Attrs(func(attr slog.Attr) bool { attrs[attr.Key] = attr.Value.Any(); return true })
	return attrs
}

func TestLogger(t *testing.T) {
	ex := start(t, builtin)
	var mu sync.Mutex
	levels, ended := map[slog.Level]bool{}, ""
	talkative := &handler{level: lambdaexecutor.LevelTrace}
	talkative.handle = func(record slog.Record) {
		mu.Lock()
		defer mu.Unlock()
		levels[record.Level] = true
		attrs := attributes(record)
		if target, ok := attrs["target"].(string); !ok || !strings.HasPrefix(target, "lambda_executor") {
			t.Errorf("the target of %+v", record)
		}
		if attrs["task_key"] == "a key = of words" {
			ended = record.Message
			if attrs["state"] != "failed" || attrs["reason"] != "exit" || strings.Contains(record.Message, "=") {
				t.Errorf("the record of a task is %+v", record)
			}
		}
		if record.Message == "" || record.Time.Year() < 2020 {
			t.Errorf("a record is %+v", record)
		}
	}
	if err := ex.SetLogger(slog.New(talkative)); err != nil {
		t.Fatal(err)
	}
	busy(t, ex, "it receives records", func() bool { mu.Lock(); defer mu.Unlock(); return levels[slog.LevelDebug] })
	queue(t, ex, lambdaexecutor.Task{Key: "a key = of words", ExecutorConfig: `{"builtin": {"return_code": 3}}`})
	final(t, ex)
	eventually(t, "the record of the task", func() bool { mu.Lock(); defer mu.Unlock(); return ended != "" })
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

// In a process of its own, which must survive. The panic is on its stderr.
func TestALogHandlerThatDoesNotReturn(t *testing.T) {
	ends := map[string]func(){"panic": func() { panic("of the handler") }, "goexit": runtime.Goexit}
	if end := ends[os.Getenv("ENDING_HANDLER")]; end != nil {
		ending := &handler{level: lambdaexecutor.LevelTrace, handle: func(slog.Record) { end() }}
		ex := start(t, builtin, lambdaexecutor.WithLogger(slog.New(ending)))
		busy(t, ex, "it is called again", func() bool { return ending.records.Load() > 3 })
		return
	}
	for end := range ends {
		child := osexec.Command(os.Args[0], "-test.run=^TestALogHandlerThatDoesNotReturn$")
		child.Env = append(os.Environ(), "ENDING_HANDLER="+end)
		var stderr strings.Builder
		child.Stderr, child.Stdout = &stderr, io.Discard
		if err := child.Run(); err != nil {
			t.Errorf("%s: %v\n%s", end, err, stderr.String())
		}
		if said := strings.Contains(stderr.String(), "lambda_executor: the log handler panicked: of the handler"); said != (end == "panic") {
			t.Errorf("%s: stderr is %q", end, stderr.String())
		}
	}
}
