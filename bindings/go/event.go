package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Event is one change of a task: RUNNING or a final state. Times that are not known are zero.
type Event struct {
	Seq           uint64    // Number of the event: starts at 1 in each executor and rises without gaps.
	Tag           uint64    // The number given with the task.
	Key           string    // The key given with the task.
	State         State     // StateRunning or a final state.
	Reason        Reason    // Why the task ended; ReasonNone with StateRunning.
	HasReturnCode bool      // Whether ReturnCode is known.
	ReturnCode    int       // Exit status of the command; -n when signal n ended it, 126 or 127 when it could not be started, 124 on timeout.
	Signal        int       // Signal that ended the command, also after its time limit; else 0.
	Attempts      int       // Attempts to invoke that counted; throttling and outages use none.
	QueuedAt      time.Time // When the task was accepted by Queue.
	SubmittedAt   time.Time // When Lambda accepted it.
	StartedAt     time.Time // When the command started, by the function's clock.
	FinishedAt    time.Time // When the command ended, by the function's clock; where it did not run, when the executor knew.
	Message       string    // For people: what happened. May be empty.
	OutputTail    string    // Last part of the command's output.
	Value         []byte    // What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE.
	RequestID     string    // Lambda's id of the request, if known.
	LogStream     string    // CloudWatch log stream of the run, if known.
	AttemptID     string    // Which submission of the key this is: keep it to adopt the task after a restart.
}

// take hands out what waits, without waiting, and leaves the batch to whoever says when its events have been taken.
func (h *handle) take(max int) ([]Event, *C.lambda_executor_batch_t, error) {
	got := C.bridge_sync(h.ptr, C.size_t(max))
	switch Status(got.status) {
	case OK:
	case ErrTimedOut, ErrInterrupted:
		return nil, nil, nil
	default:
		err := failure(got.status, got.err)
		h.ended.Store(&err)
		return nil, nil, err
	}
	events := make([]Event, got.n)
	for i := range events {
		events[i] = readEvent((*C.lambda_executor_event_t)(unsafe.Add(unsafe.Pointer(got.first), i*int(got.stride))))
	}
	return events, got.batch, nil
}

// readEvent copies an event out of C's memory, once. Its strings share one allocation.
func readEvent(c *C.lambda_executor_event_t) Event {
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
		Seq:           uint64(c.seq),
		Tag:           uint64(c.tag),
		State:         State(c.state),
		Reason:        Reason(c.reason),
		HasReturnCode: c.has_return_code != 0,
		ReturnCode:    int(c.return_code),
		Signal:        int(c.signal),
		Attempts:      int(c.attempts),
		QueuedAt:      timeOf(c.queued_at_ms),
		SubmittedAt:   timeOf(c.submitted_at_ms),
		StartedAt:     timeOf(c.started_at_ms),
		FinishedAt:    timeOf(c.finished_at_ms),
		Key:           next(c.key),
		Message:       next(c.message),
		OutputTail:    next(c.output_tail),
		RequestID:     next(c.request_id),
		LogStream:     next(c.log_stream),
		AttemptID:     next(c.attempt_id),
	}
	if c.value.len > 0 {
		event.Value = append([]byte(nil), bytesOf(c.value)...)
	}
	return event
}

// bytesOf is C's own memory: for reading, as long as the batch lives.
func bytesOf(s C.lambda_executor_str_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s.ptr)), int(s.len))
}

func timeOf(ms C.int64_t) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// held is an event that the library has handed out, and that nobody has taken yet: the batch it came in is still there.
type held struct {
	event Event
	batch *C.lambda_executor_batch_t
}

// taken says so to the library, which acknowledges it with option ack "auto".
func (h *held) taken() { C.lambda_executor_batch_free(h.batch) }

// returned are events that were on their way to somebody who left, oldest first. The next who asks gets them.
type returned struct {
	mu     sync.Mutex
	events []*held
	freed  bool
}

func (r *returned) add(h *held) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.freed {
		h.taken()
		return
	}
	at := len(r.events)
	for at > 0 && r.events[at-1].event.Seq > h.event.Seq {
		at--
	}
	r.events = slices.Insert(r.events, at, h)
}

func (r *returned) count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(len(r.events))
}

// remove takes up to max of them, all for 0.
func (r *returned) remove(max int) []*held {
	r.mu.Lock()
	defer r.mu.Unlock()
	if max == 0 || max > len(r.events) {
		max = len(r.events)
	}
	events := r.events[:max:max]
	r.events = r.events[max:]
	return events
}

// freeAll is for the time after the executor: what is still here goes back to its queue.
func (r *returned) freeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.events {
		h.taken()
	}
	r.events, r.freed = nil, true
}
