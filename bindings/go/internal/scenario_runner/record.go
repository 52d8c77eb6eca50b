package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// record is the states of all events of a task, and the last event.
type record struct {
	states []string
	last   lambdaexecutor.Event
}

func (r *run) accept(key string) {
	if r.tasks[key] != nil {
		die(exitMalformed, "the key `%s` is accepted twice, which the outcome cannot show", key)
	}
	r.tasks[key] = &record{}
}

func (r *run) note(event lambdaexecutor.Event) {
	task := r.tasks[event.Key]
	if task == nil {
		die(exitFailed, "an event of `%s`, which was not accepted", event.Key)
	}
	if task.last.State.Final() {
		die(exitFailed, "an event of `%s` after its final one", event.Key)
	}
	task.states, task.last = append(task.states, event.State.String()), event
}

// takeEventsUntil takes, notes and acknowledges events until the condition is true; false after the timeout.
func (r *run) takeEventsUntil(condition func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), waitTime)
	defer cancel()
	for !condition() {
		events, err := r.ex.Sync(ctx, 0)
		if errors.Is(err, context.DeadlineExceeded) {
			return false
		}
		if err != nil {
			die(exitFailed, "sync: %v", err)
		}
		for _, event := range events {
			r.note(event)
		}
		if err := events.Ack(); err != nil {
			die(exitFailed, "ack: %v", err)
		}
	}
	return true
}

func (t *record) returnCode() string {
	if !t.last.HasReturnCode {
		return "-"
	}
	return fmt.Sprint(t.last.ReturnCode)
}

// escaped shows bytes on one line of ASCII.
func escaped(bytes []byte) string {
	if len(bytes) == 0 {
		return "-"
	}
	var text strings.Builder
	for _, c := range bytes {
		switch {
		case c == '\n':
			text.WriteString(`\n`)
		case c == '\t':
			text.WriteString(`\t`)
		case c == '\\':
			text.WriteString(`\\`)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&text, `\x%02x`, c)
		default:
			text.WriteByte(c)
		}
	}
	return text.String()
}
