package lambdaexecutor_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func TestCommands(t *testing.T) {
	ex := start(t, exec)
	many := []string{"printf", "%s."}
	for i := range 200 {
		many = append(many, fmt.Sprint(i))
	}
	rough := "a \"b\" \\ \t\x01\nü"
	outputs := map[string]lambdaexecutor.Task{
		rough + "|end":                    {Command: []string{"printf", "%s|%s", rough, "end"}},
		"||":                              {Command: []string{"printf", "|%s|", ""}},
		strings.Join(many[2:], ".") + ".": {Command: many},
		"a \"b\" \\n $x":                  {Shell: `printf '%s' 'a "b" \n $x'`},
		"tab\tnew\nline":                  {Shell: "printf '%s' 'tab\tnew\nline'"},
		"<&>":                             {Command: []string{"printf", "%s", "<&>"}},
	}
	expected := map[string]string{}
	for output, task := range outputs {
		task.Key = fmt.Sprint("task ", len(expected))
		expected[task.Key] = output
		queue(t, ex, task)
	}
	for range outputs {
		event := final(t, ex)
		if event.OutputTail != expected[event.Key] {
			t.Errorf("output %q, expected %q", event.OutputTail, expected[event.Key])
		}
	}
}

func TestExecutorConfig(t *testing.T) {
	ex := start(t, builtin)
	type builtinConfig struct {
		Builtin map[string]int `json:"builtin"`
	}
	for i, config := range []any{
		`{"builtin": {"return_code": 7}}`,
		json.RawMessage(`{"builtin": {"return_code": 7}}`),
		builtinConfig{map[string]int{"return_code": 7}},
	} {
		queue(t, ex, lambdaexecutor.Task{Key: fmt.Sprint(i), ExecutorConfig: config})
		if event := final(t, ex); event.ReturnCode != 7 {
			t.Errorf("%T: %+v", config, event)
		}
	}
}

func TestRefusedTasks(t *testing.T) {
	ex, adopting := start(t, `{"max_payload_bytes": 2000, "local": {"handler": "builtin"}}`), start(t, away)
	command := []string{"true"}
	for _, refused := range []struct {
		task   lambdaexecutor.Task
		status lambdaexecutor.Status
		part   string
	}{
		{lambdaexecutor.Task{Command: command}, lambdaexecutor.ErrInvalidArgument, "key"},
		{lambdaexecutor.Task{Key: "a"}, lambdaexecutor.ErrInvalidArgument, "task `a`: has no command (set Command or Shell)"},
		{lambdaexecutor.Task{Key: "a", Shell: " \n"}, lambdaexecutor.ErrInvalidArgument, "Shell is only white space"},
		{lambdaexecutor.Task{Key: "a", Shell: "a\x00b"}, lambdaexecutor.ErrInvalidArgument, "Shell has a NUL"},
		{lambdaexecutor.Task{Key: "a", Command: []string{""}}, lambdaexecutor.ErrInvalidArgument, "Command[0], the program, is empty"},
		{lambdaexecutor.Task{Key: "a", Command: command, Queue: "\xff"}, lambdaexecutor.ErrInvalidArgument, "Queue is not UTF-8"},
		{lambdaexecutor.Task{Key: strings.Repeat("k", 8193), Command: command}, lambdaexecutor.ErrInvalidArgument, "8193"},
		{lambdaexecutor.Task{Key: "a", Command: command, ExecutorConfig: "{"}, lambdaexecutor.ErrInvalidArgument, "ExecutorConfig is not a JSON object: unexpected end"},
		{lambdaexecutor.Task{Key: "a", Command: command, ExecutorConfig: "null"}, lambdaexecutor.ErrInvalidArgument, "ExecutorConfig is not a JSON object"},
		{lambdaexecutor.Task{Key: "a", Command: command, Shell: "true"}, lambdaexecutor.ErrInvalidArgument, "command"},
		{lambdaexecutor.Task{Key: "a\xff", Command: command}, lambdaexecutor.ErrInvalidArgument, "UTF-8"},
		{lambdaexecutor.Task{Key: "a", Command: []string{"echo", "\xff"}}, lambdaexecutor.ErrInvalidArgument, "UTF-8"},
		{lambdaexecutor.Task{Key: "a", Shell: "echo \xff"}, lambdaexecutor.ErrInvalidArgument, "UTF-8"},
		{lambdaexecutor.Task{Key: "a", Command: []string{"echo", "b", "c\x00d"}}, lambdaexecutor.ErrInvalidArgument, "task `a`: Command[2] has a NUL"},
		{lambdaexecutor.Task{Key: "a", Command: command, ExecutorConfig: "[]"}, lambdaexecutor.ErrInvalidArgument, "object"},
		{lambdaexecutor.Task{Key: "a", Command: command, ExecutorConfig: func() {}}, lambdaexecutor.ErrInvalidArgument, "task `a`: ExecutorConfig: json"},
		{lambdaexecutor.Task{Key: "a", Command: command, Timeout: -time.Nanosecond}, lambdaexecutor.ErrInvalidArgument, "task `a`: Timeout is -1ns (allowed: 0 or more)"},
		{lambdaexecutor.Task{Key: "a", Command: command, MaxWait: -time.Hour}, lambdaexecutor.ErrInvalidArgument, "MaxWait is -1h0m0s"},
		{lambdaexecutor.Task{Key: "a", Command: command, ResultTimeout: -time.Second}, lambdaexecutor.ErrInvalidArgument, "ResultTimeout is -1s"},
		{lambdaexecutor.Task{Key: "a", Command: command, AttemptID: "no id"}, lambdaexecutor.ErrInvalidArgument, "AttemptID is not a UUID"},
		{lambdaexecutor.Task{Key: "a\x00", Command: command}, lambdaexecutor.ErrInvalidArgument, "NUL"},
		{lambdaexecutor.Task{Key: "a", Command: []string{strings.Repeat("x", 3000)}}, lambdaexecutor.ErrPayloadTooLarge, "max_payload_bytes"},
	} {
		err := ex.Queue(refused.task)
		wantStatus(t, err, refused.status, refused.part)
		wordsOfGo(t, err)
		if _, err := adopting.Adopt([]lambdaexecutor.Task{refused.task}); err != nil { // some mistakes are mistakes in Queue only
			wordsOfGo(t, err)
		}
		_, err = ex.QueueBatch([]lambdaexecutor.Task{refused.task})
		wantStatus(t, err, refused.status, refused.part)
		wordsOfGo(t, err)
	}
	if counts, err := ex.Counts(); err != nil || counts != (lambdaexecutor.Counts{}) {
		t.Error("refused, but counted:", counts, err)
	}
}

// wordsOfGo checks that an error message has no name of the C API.
func wordsOfGo(t testing.TB, err error) {
	t.Helper()
	if word := ofC.FindString(err.Error()); word != "" {
		t.Errorf("%q in %q", word, err)
	}
}

var ofC = regexp.MustCompile(`argv|argc|_json|timeout_ms|wait_ms|attempt_id|NULL|LAMBDA_EXECUTOR_|lambda_executor_|PARTIAL|struct`)

// Errors of other calls also have Go's names.
func TestErrorsInTheWordsOfGo(t *testing.T) {
	ex := start(t, builtin)
	_, drain := ex.Drain(within(t), 7)
	wantStatus(t, drain, lambdaexecutor.ErrInvalidArgument, "mode is 7 (allowed: DrainFinish and DrainCancelQueued)")
	_, many := ex.QueueBatch(make([]lambdaexecutor.Task, lambdaexecutor.MaxBatch+1))
	wantStatus(t, many, lambdaexecutor.ErrInvalidArgument, "1000001 tasks in one call (allowed: 1000000, MaxBatch)")
	_, cancelled := ex.Cancel(make([]string, lambdaexecutor.MaxBatch+1)...)
	wantStatus(t, cancelled, lambdaexecutor.ErrInvalidArgument, "1000001 keys")
	_, unknown := ex.Cancel("nope")
	wantStatus(t, unknown, lambdaexecutor.ErrNotFound, "task `nope`")
	_, empty := ex.Cancel("")
	_, state := ex.State("\xff")
	_, wait := ex.Wait(within(t), "")
	_, describe := ex.Describe("\x00")
	_, poll := ex.Poll(-1)
	_, old := lambdaexecutor.New(`{"ack": "auto", "local": {}}`)
	t.Setenv("AIRFLOW_HOME", t.TempDir())
	_, airflow := lambdaexecutor.New(nil)
	wantStatus(t, airflow, lambdaexecutor.ErrInvalidConfig, "config is nil")
	for _, err := range []error{drain, many, cancelled, unknown, empty, state, wait, describe, poll, old, ex.SetCredentials("{"), ex.SetCredentials(nil)} {
		if err == nil {
			t.Error("no error")
			continue
		}
		wordsOfGo(t, err)
	}
	if airflow := strings.ReplaceAll(airflow.Error(), "AWS_LAMBDA_EXECUTOR_", ""); strings.Contains(airflow, "NULL") || strings.Contains(airflow, "_json") {
		t.Error(airflow)
	}
	for status := lambdaexecutor.ErrPayloadTooLarge; status <= lambdaexecutor.ErrPartial; status++ {
		if status != lambdaexecutor.ErrPartial {
			wordsOfGo(t, status)
		}
	}
}

func TestLimitsOfTime(t *testing.T) {
	ex := start(t, exec)
	queue(t, ex, lambdaexecutor.Task{Key: "slow", Shell: "sleep 100", Timeout: 300*time.Millisecond + 1})
	if event := final(t, ex); event.Reason != lambdaexecutor.ReasonTimeout || event.ReturnCode != 124 {
		t.Errorf("%+v", event)
	}
	full := start(t, `{"max_running_tasks": 1, "local": {}}`)
	command, open := gate(t)
	queue(t, full, lambdaexecutor.Task{Key: "first", Shell: command})
	queue(t, full, lambdaexecutor.Task{Key: "second", MaxWait: time.Microsecond})
	if event := final(t, full); event.Key != "second" || event.Reason != lambdaexecutor.ReasonExpired {
		t.Errorf("%+v", event)
	}
	open()
	final(t, full)
}

func TestAttemptID(t *testing.T) {
	ex := start(t, exec)
	command, open := gate(t)
	id, err := lambdaexecutor.NewAttemptID()
	if other, err := lambdaexecutor.NewAttemptID(); err != nil || other == id {
		t.Error(other, err)
	}
	if err != nil || len(id) != 36 {
		t.Fatal(id, err)
	}
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command, AttemptID: id})
	wantStatus(t, ex.Queue(lambdaexecutor.Task{Key: "b", Shell: "true", AttemptID: id}), lambdaexecutor.ErrDuplicate, "task `b`")
	open()
	if event := final(t, ex); event.AttemptID != id {
		t.Errorf("%+v", event)
	}
}

func TestResultTimeout(t *testing.T) {
	ex := start(t, exec)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "queued", Shell: command, ResultTimeout: 2 * time.Hour})
	if _, err := ex.Adopt([]lambdaexecutor.Task{{Key: "adopted", ResultTimeout: 2 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"queued", "adopted"} {
		eventually(t, key+" has the deadline of its task", func() bool {
			var described struct {
				Deadline int64 `json:"deadline_in_ms"`
			}
			text, err := ex.Describe(key)
			if err != nil || json.Unmarshal(text, &described) != nil {
				t.Fatalf("%v: %s", err, text)
			}
			left := time.Duration(described.Deadline) * time.Millisecond
			return left > time.Hour && left < 3*time.Hour // the default is 6.5 h
		})
	}
	open()
	final(t, ex)
}

func TestDuplicateAndFull(t *testing.T) {
	ex := start(t, `{"max_running_tasks": 1, "max_queued_tasks": 2, "local": {}}`)
	command, open := gate(t)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: command})
	eventually(t, "a runs", func() bool { counts, err := ex.Counts(); return err == nil && counts.Running == 1 })
	wantStatus(t, ex.Queue(lambdaexecutor.Task{Key: "a", Shell: "true"}), lambdaexecutor.ErrDuplicate, "task `a`")
	queue(t, ex, lambdaexecutor.Task{Key: "b"})
	queue(t, ex, lambdaexecutor.Task{Key: "c"})
	wantStatus(t, ex.Queue(lambdaexecutor.Task{Key: "d", Shell: "true"}), lambdaexecutor.ErrQueueFull, "task `d`")
	full := []lambdaexecutor.Task{{Key: "d", Shell: "true"}, {Key: "e", Shell: "true"}}
	statuses, err := ex.QueueBatch(full)
	wantStatus(t, err, lambdaexecutor.ErrQueueFull, "task `d`")
	if fmt.Sprint(names(statuses)) != "[QUEUE_FULL QUEUE_FULL]" {
		t.Error(names(statuses))
	}
	open()
	for range 3 {
		final(t, ex)
	}
}

func TestQueueBatch(t *testing.T) {
	ex := start(t, `{"max_queued_tasks": 4, "check_health_on_startup": true, "local": {"faults": {"outages": [{"for_ms": 3600000}]}}}`)
	command := []string{"true"}
	statuses, err := ex.QueueBatch([]lambdaexecutor.Task{
		{Key: "a", Command: command},
		{Key: "nul", Command: []string{"\x00"}},
		{Key: "b", Command: append([]string{"true"}, make([]string, 40)...)},
		{Key: "a", Command: command},
		{Key: "", Command: command},
		{Key: "c", Shell: "true"},
		{Key: "d", Command: command},
		{Key: "e", Command: command},
		{Key: "f", Command: command},
	})
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "Command[0] has a NUL")
	expected := "[OK ERR_INVALID_ARGUMENT OK DUPLICATE ERR_INVALID_ARGUMENT OK OK QUEUE_FULL QUEUE_FULL]"
	if fmt.Sprint(names(statuses)) != expected {
		t.Errorf("%v, expected %v", names(statuses), expected)
	}
	statuses, err = ex.Cancel("a", "none", "b", "c", "d", "\xff")
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "UTF-8")
	if fmt.Sprint(names(statuses)) != "[OK NOT_FOUND OK OK OK ERR_INVALID_ARGUMENT]" {
		t.Error(names(statuses))
	}
	statuses, err = ex.Cancel("none", "a")
	wantStatus(t, err, lambdaexecutor.ErrNotFound, "task `none`")
	if fmt.Sprint(names(statuses)) != "[NOT_FOUND NOT_FOUND]" {
		t.Error(names(statuses))
	}
	for range 4 {
		if event := final(t, ex); event.State != lambdaexecutor.StateCancelled || event.Reason != lambdaexecutor.ReasonNeverInvoked {
			t.Errorf("%+v", event)
		}
	}
	statuses, err = ex.QueueBatch([]lambdaexecutor.Task{{Key: "g", Command: command}, {Key: "g", Command: command}, {Key: "h", Command: command}})
	wantStatus(t, err, lambdaexecutor.ErrDuplicate, "task `g`")
	if fmt.Sprint(names(statuses)) != "[OK DUPLICATE OK]" {
		t.Error(names(statuses))
	}
	for _, empty := range [][]lambdaexecutor.Task{nil, {}} {
		if statuses, err := ex.QueueBatch(empty); len(statuses) != 0 || err != nil {
			t.Error("nothing:", statuses, err)
		}
	}
	_, err = ex.QueueBatch([]lambdaexecutor.Task{{Key: "", Command: command}})
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "key")
}

func names(statuses []lambdaexecutor.Status) []string {
	names := []string{}
	for _, status := range statuses {
		names = append(names, status.String())
	}
	return names
}

func TestAdopt(t *testing.T) {
	server := serve(t)
	command, open := gate(t)
	first := start(t, server)
	queue(t, first, lambdaexecutor.Task{Key: "survivor", Shell: command + "; echo done"})
	events, err := first.Sync(within(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	ack(t, events)
	first.Close()
	second := start(t, server)
	adopted := lambdaexecutor.Task{Key: "survivor", Tag: 7, AttemptID: events[0].AttemptID}
	statuses, err := second.Adopt([]lambdaexecutor.Task{adopted, adopted})
	wantStatus(t, err, lambdaexecutor.ErrDuplicate, "task `survivor`")
	if fmt.Sprint(names(statuses)) != "[OK DUPLICATE]" {
		t.Fatal(names(statuses))
	}
	if state, err := second.State("survivor"); state != lambdaexecutor.StateRunning || err != nil {
		t.Error(state, err)
	}
	open()
	if event := final(t, second); event.Tag != 7 || event.OutputTail != "done\n" || event.AttemptID != adopted.AttemptID {
		t.Errorf("%+v", event)
	}
	_, err = second.Adopt([]lambdaexecutor.Task{{Key: "x", AttemptID: "no id"}})
	wantStatus(t, err, lambdaexecutor.ErrInvalidArgument, "AttemptID")
}

func TestStateDescribeStats(t *testing.T) {
	ex := start(t, exec)
	if state, err := ex.State("a"); state != lambdaexecutor.StateUnknown || err != lambdaexecutor.ErrNotFound {
		t.Error(state, err)
	}
	if _, err := ex.Describe("a"); err != lambdaexecutor.ErrNotFound {
		t.Error(err)
	}
	key := strings.Repeat("ä", 4000) // does not fit into the first buffer
	queue(t, ex, lambdaexecutor.Task{Key: key, Shell: "exit 4"})
	final(t, ex)
	if state, err := ex.State(key); state != lambdaexecutor.StateFailed || err != nil {
		t.Error(state, err)
	}
	var described struct {
		Key   string `json:"key"`
		State string `json:"state"`
	}
	text, err := ex.Describe(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &described); err != nil || described.State != "failed" {
		t.Errorf("%v: %s", err, text)
	}
	stats, err := ex.Stats()
	if err != nil || stats.Totals.Failed != 1 {
		t.Errorf("%v: %s", err, stats.Raw)
	}
}
