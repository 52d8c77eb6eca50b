package lambdaexecutor_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func TestNamesInJSON(t *testing.T) {
	type names struct {
		State  lambdaexecutor.State
		Reason lambdaexecutor.Reason
		Status lambdaexecutor.Status
	}
	for n := int32(-12); n < 20; n++ {
		written := names{lambdaexecutor.State(n), lambdaexecutor.Reason(n), lambdaexecutor.Status(n)}
		text, err := json.Marshal(written)
		var read names
		if err != nil || json.Unmarshal(text, &read) != nil || read != written {
			t.Errorf("%+v became %s (%v), and that %+v", written, text, err, read)
		}
	}
	text, err := json.Marshal(names{lambdaexecutor.StateFailed, lambdaexecutor.ReasonDeadLetter, lambdaexecutor.ErrDuplicate})
	if expected := `{"State":"failed","Reason":"dead_letter","Status":"DUPLICATE"}`; string(text) != expected || err != nil {
		t.Errorf("%s (%v), expected %s", text, err, expected)
	}
	var state lambdaexecutor.State
	for _, wrong := range []string{`"finished"`, `"state"`, `"state x"`, `"reason 99"`, `"state 9999999999"`} {
		if err := json.Unmarshal([]byte(wrong), &state); err == nil || !strings.Contains(err.Error(), "name of a state") {
			t.Errorf("%s is read as %v (%v)", wrong, state, err)
		}
	}
}

func TestAnEventInJSON(t *testing.T) {
	ex := start(t, exec)
	queue(t, ex, lambdaexecutor.Task{Key: "a", Shell: `echo text; printf '\001' > "$LAMBDA_EXECUTOR_RESULT_FILE"; exit 3`})
	event := final(t, ex)
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"key":"a"`, `"state":"failed"`, `"reason":"exit"`, `"return_code":3`, `"output_tail":"text\n"`, `"value":"AQ=="`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
	var read lambdaexecutor.Event
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(read); string(again) != string(text) || err != nil {
		t.Errorf("%s became %s (%v)", text, again, err)
	}
	if err := read.Ack(); err != nil { // it did not come from an executor
		t.Error(err)
	}
}

func TestAnEventInALog(t *testing.T) {
	var written bytes.Buffer
	slog.New(slog.NewJSONHandler(&written, nil)).Info("ended", "task", lambdaexecutor.Event{
		Key: "a", State: lambdaexecutor.StateFailed, Reason: lambdaexecutor.ReasonExit, HasReturnCode: true, ReturnCode: 3,
		Message: "why", OutputTail: "secret", FinishedAt: time.Now(),
	})
	var record struct{ Task map[string]any }
	if err := json.Unmarshal(written.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	expected := map[string]any{"task_key": "a", "state": "failed", "reason": "exit", "return_code": 3.0, "message": "why"}
	if !reflect.DeepEqual(record.Task, expected) {
		t.Errorf("%v, expected %v", record.Task, expected)
	}
}
