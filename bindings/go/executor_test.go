package lambdaexecutor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// Long, for busy machines. A test that passes does not wait for it.
const deadline = 60 * time.Second

// A Lambda and an SQS in this process; the function takes no time and returns 0 unless a task says otherwise.
const builtin = `{"local": {"handler": "builtin"}}`

// exec runs real commands.
const exec = `{"local": {}}`

func start(t testing.TB, config any, options ...lambdaexecutor.Option) *lambdaexecutor.Executor {
	t.Helper()
	ex, err := lambdaexecutor.New(config, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ex.Close)
	return ex
}

// within returns a context that ends after the time limit of a test.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not true in %v: %s", deadline, what)
		}
	}
}

func queue(t testing.TB, ex *lambdaexecutor.Executor, task lambdaexecutor.Task) {
	t.Helper()
	if task.Command == nil && task.Shell == "" {
		task.Command = []string{"true"}
	}
	if err := ex.Queue(task); err != nil {
		t.Fatalf("queue %q: %v", task.Key, err)
	}
}

// final takes and acknowledges events until one is final.
func final(t testing.TB, ex *lambdaexecutor.Executor) lambdaexecutor.Event {
	t.Helper()
	for event, err := range ex.All(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if event.State.Final() {
			if err := event.Ack(); err != nil {
				t.Fatal(err)
			}
			return event
		}
	}
	t.Fatal("the executor is closed or drained")
	panic("not reached")
}

func wantStatus(t testing.TB, err error, status lambdaexecutor.Status, part string) {
	t.Helper()
	if !errors.Is(err, status) {
		t.Fatalf("the error is %v, expected %v", err, status)
	}
	if !strings.Contains(err.Error(), part) {
		t.Fatalf("the error %q lacks %q", err, part)
	}
}

// gate is a file that commands wait for, so that a test decides how long they run.
func gate(t testing.TB) (command string, open func()) {
	path := filepath.Join(t.TempDir(), "open")
	return fmt.Sprintf("until [ -e %s ]; do sleep 0.02; done", path), func() {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneTask(t *testing.T) {
	ex := start(t, exec)
	before := time.Now().Add(-time.Minute)
	queue(t, ex, lambdaexecutor.Task{
		Key: "schlüssel", Tag: 1<<64 - 1,
		Shell: `printf '1\0002' > "$LAMBDA_EXECUTOR_RESULT_FILE"; echo "hällo"; exit 3`,
	})
	events, err := ex.Sync(within(t), 1)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	ack(t, events)
	running, ended := events[0], final(t, ex)
	if running.State != lambdaexecutor.StateRunning || running.Reason != lambdaexecutor.ReasonNone || running.HasReturnCode || running.Value != nil {
		t.Errorf("the first event is %+v", running)
	}
	if ended.State != lambdaexecutor.StateFailed || ended.Reason != lambdaexecutor.ReasonExit || !ended.HasReturnCode || ended.ReturnCode != 3 || ended.Signal != 0 {
		t.Errorf("the second event is %+v", ended)
	}
	if ended.OutputTail != "hällo\n" || ended.OutputLength != 7 || ended.OutputTruncated {
		t.Errorf("output %q of %d bytes, truncated: %v", ended.OutputTail, ended.OutputLength, ended.OutputTruncated)
	}
	if string(ended.Value) != "1\x002" || ended.ValueDropped {
		t.Errorf("value %q, dropped: %v", ended.Value, ended.ValueDropped)
	}
	for i, event := range []lambdaexecutor.Event{running, ended} {
		if event.Seq != uint64(i+1) || event.Tag != 1<<64-1 || event.Key != "schlüssel" || event.Attempts != 1 || len(event.AttemptID) != 36 {
			t.Errorf("event %d is %+v", i, event)
		}
		if event.AttemptID != running.AttemptID || event.RequestID == "" {
			t.Errorf("event %d: attempt %q, request %q", i, event.AttemptID, event.RequestID)
		}
	}
	for _, at := range []time.Time{ended.QueuedAt, ended.SubmittedAt, ended.StartedAt, ended.FinishedAt} {
		if at.Before(before) || at.After(time.Now().Add(time.Minute)) {
			t.Errorf("a time is %v", at)
		}
	}
	if !running.StartedAt.IsZero() {
		t.Errorf("it started at %v, before the function reported", running.StartedAt)
	}
}

func TestAResultSaysWhatItLacks(t *testing.T) {
	ex := start(t, exec)
	queue(t, ex, lambdaexecutor.Task{Key: "value", Shell: fmt.Sprintf(`head -c %d /dev/zero > "$LAMBDA_EXECUTOR_RESULT_FILE"`, lambdaexecutor.MaxValueBytes+1)})
	event := final(t, ex)
	if event.State != lambdaexecutor.StateFailed || event.Reason != lambdaexecutor.ReasonValueTooLarge || !event.ValueDropped || event.Value != nil {
		t.Errorf("a value that is too large: %+v", event)
	}
	queue(t, ex, lambdaexecutor.Task{Key: "output", Shell: "seq 20000"})
	event = final(t, ex)
	if !event.OutputTruncated || event.OutputLength != 108894 || !strings.HasSuffix(event.OutputTail, "\n19999\n20000\n") {
		t.Errorf("a long output: %+v", event)
	}
}

func TestConfiguration(t *testing.T) {
	type local struct {
		Handler string `json:"handler"`
	}
	for _, config := range []any{builtin, []byte(builtin), map[string]any{"local": local{"builtin"}}} {
		ex := start(t, config)
		queue(t, ex, lambdaexecutor.Task{Key: "a"})
		if event := final(t, ex); event.State != lambdaexecutor.StateSucceeded {
			t.Errorf("%T: %+v", config, event)
		}
	}
}

func TestWrongConfiguration(t *testing.T) {
	_, err := lambdaexecutor.New(`{"locall": {}, "worker_threads": 0}`)
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "locall: unknown option")
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "worker_threads")
	var failed *lambdaexecutor.Error
	if !errors.As(err, &failed) || failed.Status != lambdaexecutor.ErrInvalidConfig || !strings.Contains(failed.Message, "\n") {
		t.Errorf("errors.As returns %+v", failed)
	}
	_, err = lambdaexecutor.New(func() {})
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "func()")
	_, err = lambdaexecutor.New("")
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "")
	_, err = lambdaexecutor.New(`{"journal": "/nowhere", "local": {}}`)
	wantStatus(t, err, lambdaexecutor.ErrUnsupported, "journal")
}

func TestOptions(t *testing.T) {
	nothingLeft(t)
	ex := start(t, builtin, nil)
	ex.Close()
	failed := errors.New("of the option")
	if _, err := lambdaexecutor.New(builtin, func(*lambdaexecutor.Executor) error { return failed }); err != failed {
		t.Error(err)
	}
	defer func() {
		if recovered := recover(); recovered != failed {
			t.Error("recovered:", recovered)
		}
	}()
	lambdaexecutor.New(builtin, func(*lambdaexecutor.Executor) error { panic(failed) })
}

func TestNilConfigurationReadsAirflows(t *testing.T) {
	t.Setenv("AIRFLOW_HOME", t.TempDir())
	t.Setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc")
	_, err := lambdaexecutor.New(nil)
	wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=abc")
}

// An empty configuration does not mean Airflow's.
func TestASliceThatIsNilIsAnEmptyText(t *testing.T) {
	for _, config := range []any{"", []byte(nil), json.RawMessage(nil)} {
		_, err := lambdaexecutor.New(config)
		wantStatus(t, err, lambdaexecutor.ErrInvalidConfig, "is empty")
	}
}

func TestSelfDescription(t *testing.T) {
	if version := lambdaexecutor.Version(); strings.Count(version, ".") != 2 {
		t.Errorf("the version is %q", version)
	}
	if schema := string(lambdaexecutor.ConfigSchema()); !strings.Contains(schema, "function_name") {
		t.Errorf("the schema is %.100q", schema)
	}
}
