//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"strings"
	"time"
	"unsafe"
)

// Event is one change of a task: StateRunning or a final state. Times that are not known are zero.
//
// Every event must be acknowledged, also one with StateRunning: see [Event.Ack], [Batch.Ack] and [Executor.All].
// Acknowledging the final event of a task includes its running event.
type Event struct {
	Seq           uint64    `json:"seq"`                   // Number of the event: starts at 1 in each executor, increases without gaps. An event that is handed out again keeps it.
	Tag           uint64    `json:"tag"`                   // The Tag of the task.
	Key           string    `json:"key"`                   // The Key of the task.
	State         State     `json:"state"`                 // StateRunning or a final state.
	Reason        Reason    `json:"reason"`                // Why the task ended; ReasonNone with StateRunning.
	HasReturnCode bool      `json:"has_return_code"`       // Whether ReturnCode is known.
	ReturnCode    int       `json:"return_code"`           // Exit status of the command; -n if signal n ended it, 126 or 127 if it could not be started, 124 after its time limit.
	Signal        int       `json:"signal,omitempty"`      // Signal that ended the command, also after its time limit; else 0.
	Attempts      int       `json:"attempts"`              // Attempts to invoke that counted: accepted or failed. Throttling and outages use none.
	QueuedAt      time.Time `json:"queued_at,omitzero"`    // When Queue accepted the task.
	SubmittedAt   time.Time `json:"submitted_at,omitzero"` // When Lambda accepted it; zero if the result arrived before that answer, or the answer was lost.
	StartedAt     time.Time `json:"started_at,omitzero"`   // When the command started, by the clock of the function.
	FinishedAt    time.Time `json:"finished_at,omitzero"`  // When the command ended, by the clock of the function; if it did not run, when the executor ended the task.
	Message       string    `json:"message,omitempty"`     // What happened, for people. May be empty.
	OutputTail    string    `json:"output_tail,omitempty"` // Last part of the command's output, as much as the function's variable LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES allows.
	Value         []byte    `json:"value,omitempty"`       // What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE.
	RequestID     string    `json:"request_id,omitempty"`  // Lambda's id of the request, if known.
	LogStream     string    `json:"log_stream,omitempty"`  // CloudWatch log stream of the run, if known.
	AttemptID     string    `json:"attempt_id,omitempty"`  // Which submission of the key this is, a UUID. Empty for a task that was adopted without one.

	OutputLength    uint64 `json:"output_length,omitempty"`    // Length in bytes of all that the command wrote; 0 if not known.
	OutputTruncated bool   `json:"output_truncated,omitempty"` // OutputTail is less than all of the output.
	ValueDropped    bool   `json:"value_dropped,omitempty"`    // The command wrote a result file that could not be sent. Such a task is never StateSucceeded.

	held *held // The batch that it was handed out in.
}

// Ack acknowledges the event: its result may be deleted from its queue. Call it once you have stored what you need. It works until
// Close, from any goroutine and with any copy of the event. A second call does nothing, as does the call on an Event that
// did not come from an executor.
//
// Errors: ErrClosed, ErrPanic.
func (e Event) Ack() error {
	if e.held == nil {
		return nil
	}
	return e.held.ack([]Event{e})
}

// readEvent copies an event out of the memory of C. Its strings share one allocation.
func readEvent(c *C.lambda_executor_event_t, held *held) Event {
	strs := [...]C.lambda_executor_str_t{c.key, c.message, c.output_tail, c.request_id, c.log_stream, c.attempt_id}
	total := 0
	for _, s := range strs {
		total += int(s.len)
	}
	var block strings.Builder
	block.Grow(total)
	for _, s := range strs {
		block.Write(bytesOf(s))
	}
	rest := block.String()
	next := func(s C.lambda_executor_str_t) (text string) {
		text, rest = rest[:s.len], rest[s.len:]
		return text
	}
	event := Event{
		Seq:             uint64(c.seq),
		Tag:             uint64(c.tag),
		State:           State(c.state),
		Reason:          Reason(c.reason),
		HasReturnCode:   c.has_return_code != 0,
		ReturnCode:      int(c.return_code),
		Signal:          int(c.signal),
		Attempts:        int(c.attempts),
		QueuedAt:        timeOf(c.queued_at_ms),
		SubmittedAt:     timeOf(c.submitted_at_ms),
		StartedAt:       timeOf(c.started_at_ms),
		FinishedAt:      timeOf(c.finished_at_ms),
		Key:             next(c.key),
		Message:         next(c.message),
		OutputTail:      next(c.output_tail),
		RequestID:       next(c.request_id),
		LogStream:       next(c.log_stream),
		AttemptID:       next(c.attempt_id),
		OutputLength:    uint64(c.output_length),
		OutputTruncated: c.output_truncated != 0,
		ValueDropped:    c.value_dropped != 0,
		held:            held,
	}
	if c.value.len > 0 {
		event.Value = append([]byte(nil), bytesOf(c.value)...)
	}
	return event
}

// bytesOf returns memory of C, which is valid until the batch is freed.
func bytesOf(s C.lambda_executor_str_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s.ptr)), int(s.len))
}

func timeOf(ms C.int64_t) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}
