package lambdaexecutor

// #include "bridge.h"
import "C"

import "context"

// DrainMode says what a drain does with tasks that were not submitted yet.
type DrainMode uint32

const (
	// DrainFinish submits what waits, and waits for everything.
	DrainFinish DrainMode = 0
	// DrainRunning cancels what waits, and waits for what runs.
	DrainRunning DrainMode = 1
)

// Drain accepts no more tasks from now on, and waits until those accepted have finished or the context is done. Nobody
// need take events meanwhile. Afterwards Queue returns ErrClosed; Sync hands out what is left, then returns ErrClosed. It
// may be called again: to wait on, or to go from DrainFinish to DrainRunning.
//
// remaining is the number of tasks that have not finished: 0 unless the wait ended early, by the context or by Wake.
//
// Errors: the context's, ErrInterrupted (Wake), ErrInvalidArgument, ErrClosed, ErrPanic, ErrIO.
func (ex *Executor) Drain(ctx context.Context, mode DrainMode) (remaining uint64, err error) {
	return ex.drainBy(ctx, mode, -1)
}

// DrainConfigured is Drain with ErrTimedOut when option end_wait_timeout is over, which counts from the first drain of
// the executor.
func (ex *Executor) DrainConfigured(ctx context.Context, mode DrainMode) (remaining uint64, err error) {
	return ex.drainBy(ctx, mode, C.LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED)
}

func (ex *Executor) drainBy(ctx context.Context, mode DrainMode, timeout C.int64_t) (uint64, error) {
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
	case nil: // at the last moment
		return 0, nil
	case ErrTimedOut, ErrInterrupted:
		return left, err
	}
	return remaining, err
}

// drainNow begins the drain and looks how far it is, without waiting.
func (ex *Executor) drainNow(mode DrainMode) (uint64, error) {
	if !ex.enter() {
		return 0, ErrClosed
	}
	defer ex.leave()
	result := C.bridge_drain(ex.ptr, C.uint32_t(mode), 0)
	err := failure(result.status, result.err)
	if err == nil {
		ex.tellDrained()
	}
	return uint64(result.number), err
}

// waitDrained holds a thread. The mode is what drainNow made it: a drain never goes back to DrainFinish.
func (h *handle) waitDrained(timeout C.int64_t) error {
	for {
		result := C.bridge_drain(h.ptr, C.LAMBDA_EXECUTOR_DRAIN_FINISH, timeout)
		switch err := failure(result.status, result.err); err {
		case nil:
			h.tellDrained()
			return nil
		case ErrInterrupted: // by a signal
		default:
			return err
		}
	}
}

// tellDrained ends the waits for events. Where a task was left, its final event did that; where none was, nothing else does.
func (h *handle) tellDrained() { h.drainedOnce.Do(func() { close(h.drained) }) }
