//go:build linux && cgo

package lambdaexecutor

import (
	"context"
	"fmt"
	"strings"
)

// Run submits a task, waits until it has ended, and returns its final event, acknowledged. [Event.Err] reports whether the task
// succeeded. Any number of goroutines may call it at once. It does not need another goroutine that takes events. If there is one, the
// events of the task still go to Run only, and all others only to Sync, Poll, All and Events.
//
// When the context ends, Run cancels the task and returns the error of the context, unless the task has ended.
//
// To store the result before it is deleted from its queue, use Start and [Handle.Wait]. Wake does not end Run.
//
// Errors: those of Queue, the context's, ErrClosed (stopped or closed), ErrPanic, ErrIO.
func (ex *Executor) Run(ctx context.Context, task Task) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, err
	}
	handle, err := ex.Start(task)
	if err != nil {
		return Event{}, err
	}
	event, err := handle.wait(ctx, false)
	if err != nil && ctx.Err() != nil {
		event, err = handle.abandon(err)
	}
	if err != nil {
		return Event{}, err
	}
	return event, event.Ack()
}

// Handle is a task that Start has submitted.
type Handle struct {
	ex        *Executor
	run       *run
	key       string
	attemptID string
}

// Start submits one task as Queue does, and returns a handle to wait for it. Its events are not handed out by Sync, Poll, All and Events:
// the final one by [Handle.Wait], and the running one not at all.
//
// Errors: those of Queue.
func (ex *Executor) Start(task Task) (*Handle, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	if task.AttemptID == "" {
		var err error
		if task.AttemptID, err = NewAttemptID(); err != nil {
			return nil, err
		}
	}
	h := &Handle{ex: ex, run: &run{done: make(chan struct{})}, key: task.Key, attemptID: strings.ToLower(task.AttemptID)}
	if !ex.inbox.add(h.attemptID, h.run) {
		return nil, ErrDuplicate.of(task.Key)
	}
	if err := ex.Queue(task); err != nil {
		ex.inbox.remove(h.attemptID)
		return nil, err
	}
	return h, nil
}

// Key returns the Key of the task.
func (h *Handle) Key() string { return h.key }

// AttemptID returns the id of this submission of the key. With it, a later process can adopt the task.
func (h *Handle) AttemptID() string { return h.attemptID }

// Wait waits until the task has ended, and returns its final event. [Event.Err] reports whether the task succeeded. Wait may be called
// again and from several goroutines, and returns the same event each time. When its context ends, the task continues.
//
// It acknowledges nothing: call [Event.Ack] once you have stored what you need. If the program releases the event, or references
// neither the event nor the handle any more, the event is handed out again by Sync, Poll, All or Events.
//
// Errors: the context's, ErrInterrupted (Wake), ErrClosed (stopped or closed), ErrPanic, ErrIO.
func (h *Handle) Wait(ctx context.Context) (Event, error) { return h.wait(ctx, true) }

func (h *Handle) wait(ctx context.Context, wakes bool) (Event, error) {
	err := error(nil)
	if !h.run.isDone() {
		err = h.ex.await(ctx, wakes, h.run.done, func() (bool, error) {
			if !h.ex.enter() {
				return false, ErrClosed
			}
			defer h.ex.leave()
			err := h.ex.takeFor(h.run)
			return h.run.isDone(), err
		})
	}
	if h.run.isDone() { // also at the last moment
		return h.run.event, nil
	}
	return Event{}, err
}

// abandon cancels the task, and makes sure that its events are acknowledged. If the task has already ended, it returns the event in
// place of the error.
func (h *Handle) abandon(why error) (Event, error) {
	if !h.ex.enter() {
		return Event{}, why
	}
	defer h.ex.leave()
	in := h.ex.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	// The lock keeps the final event from being handed out, so no other task can have the key.
	if !h.run.isDone() {
		if _, err := h.ex.Cancel(h.key); err == nil {
			h.run.abandoned = true
		}
		_ = h.ex.takeForInside(h.run) // why is the error to return
	}
	if h.run.isDone() && !h.run.abandoned {
		return h.run.event, nil
	}
	h.run.abandoned = true
	return Event{}, why
}

// TaskError says why a task did not succeed. See [Event.Err].
type TaskError struct {
	Key           string
	State         State // StateFailed, StateCancelled or StateLost.
	Reason        Reason
	HasReturnCode bool // Whether ReturnCode is known.
	ReturnCode    int
	Signal        int    // Signal that ended the command; else 0.
	Message       string // What happened, for people. May be empty.
}

// Err returns nil unless the task has ended without success; then a *TaskError, for errors.As:
//
//	var failed *lambdaexecutor.TaskError
//	if errors.As(event.Err(), &failed) && failed.Reason == lambdaexecutor.ReasonTimeout {
func (e Event) Err() error {
	if !e.State.Final() || e.State == StateSucceeded {
		return nil
	}
	return &TaskError{e.Key, e.State, e.Reason, e.HasReturnCode, e.ReturnCode, e.Signal, e.Message}
}

func (e *TaskError) Error() string {
	text := fmt.Sprintf("lambda_executor: task `%s`: %v (%v", e.Key, e.State, e.Reason)
	if e.HasReturnCode {
		text += fmt.Sprintf(", return code %d", e.ReturnCode)
	}
	text += ")"
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}
