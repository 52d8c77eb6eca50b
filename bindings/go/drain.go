//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
)

// DrainMode says what a drain does with tasks that were not submitted yet.
type DrainMode uint32

const (
	// DrainFinish submits waiting tasks, and waits for all tasks.
	DrainFinish DrainMode = 0
	// DrainCancelQueued cancels waiting tasks, and waits for running ones. The reason of a cancelled task is ReasonNeverInvoked, or
	// ReasonAbandoned if the answer to its Invoke was lost, so that its command may run.
	DrainCancelQueued DrainMode = 1
)

// Drain accepts no more tasks from now on, and waits until all accepted tasks have finished or the context ends. Afterwards Queue
// returns ErrClosed, and Sync hands out the remaining events, then returns ErrClosed. It may be called again, to continue waiting or
// to change from DrainFinish to DrainCancelQueued.
//
// Up to 100,000 results, or 256 MiB of them, wait in memory, so that no other goroutine needs to take events. Beyond that it returns
// ErrQueueFull: take and acknowledge events, then call it again.
//
// remaining is the number of tasks that have not finished: 0 unless there is an error.
//
// Errors: the context's, ErrQueueFull, ErrInterrupted (Wake), ErrInvalidArgument, ErrClosed, ErrPanic, ErrIO.
func (ex *Executor) Drain(ctx context.Context, mode DrainMode) (remaining uint64, err error) {
	return ex.drainBy(ctx, mode, -1)
}

// DrainConfigured is Drain with a time limit: option end_wait_timeout, counted from the first drain of the executor. It returns
// ErrTimedOut at its end.
func (ex *Executor) DrainConfigured(ctx context.Context, mode DrainMode) (remaining uint64, err error) {
	return ex.drainBy(ctx, mode, C.LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED)
}

func (ex *Executor) drainBy(ctx context.Context, mode DrainMode, timeout C.int64_t) (uint64, error) {
	if mode > DrainCancelQueued && ex.handle != nil {
		return 0, &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("mode is %d (allowed: DrainFinish and DrainCancelQueued)", mode)}
	}
	remaining, err := ex.drainNow(mode)
	if err != ErrTimedOut && err != ErrInterrupted {
		return remaining, err
	}
	if !ex.enter() {
		return remaining, ErrClosed
	}
	h := ex.handle
	wait := &h.drain
	if timeout == C.LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED {
		wait = &h.endWait
	}
	end := wait.join(h, func() error { return h.waitDrained(timeout) })
	ex.leave()
	if err = ex.awaitAnswer(ctx, end); err == nil {
		return 0, nil
	}
	switch left, now := ex.drainNow(mode); now {
	case nil: // finished at the last moment
		return 0, nil
	case ErrTimedOut, ErrInterrupted, ErrQueueFull:
		return left, err
	}
	return remaining, err
}

// drainNow begins the drain and reports its progress, without waiting.
func (ex *Executor) drainNow(mode DrainMode) (uint64, error) {
	if !ex.enter() {
		return 0, ErrClosed
	}
	defer ex.leave()
	result := C.bridge_drain(ex.ptr, C.uint32_t(mode), 0)
	return uint64(result.number), failure(result.status, result.err)
}

// waitDrained holds a thread. DrainFinish does not change the mode of a drain with DrainCancelQueued.
func (h *handle) waitDrained(timeout C.int64_t) error {
	for {
		result := C.bridge_drain(h.ptr, C.LAMBDA_EXECUTOR_DRAIN_FINISH, timeout)
		if err := failure(result.status, result.err); err != ErrInterrupted { // by a signal
			return err
		}
	}
}
