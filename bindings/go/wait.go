//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"context"
	"time"
)

// Wait waits until the newest task of a key is final, and returns its state. Its events still wait for Sync, Poll, All or Events,
// with the return code and the output, and must be acknowledged. Several goroutines may wait, for the same key or for others.
//
// When the context ends, state is the state of the task at that moment.
//
// Errors: the context's, ErrNotFound (no task of that key is known), ErrInterrupted (Wake), ErrInvalidArgument, ErrClosed, ErrPanic,
// ErrIO.
func (ex *Executor) Wait(ctx context.Context, key string) (state State, err error) {
	if !ex.enter() {
		return StateUnknown, ErrClosed
	}
	state, err = ex.waitSlice(key, 0)
	ex.leave()
	if err != ErrTimedOut {
		return state, err
	}
	woken := ex.wakes.begin()
	defer ex.wakes.end()
	for {
		look, err := ex.look(key)
		if err != nil {
			return StateUnknown, err
		}
		select {
		case now := <-look:
			if now.err != ErrTimedOut && now.err != ErrInterrupted { // by a signal
				return now.state, now.err
			}
			continue
		case <-woken:
			err = ErrInterrupted
		case <-ctx.Done():
			err = ctx.Err()
		case <-ex.closing:
			return StateUnknown, ErrClosed
		}
		if state, now := ex.State(key); now == nil {
			if state.Final() {
				return state, nil
			}
			return state, err
		}
		return StateUnknown, err
	}
}

type stateOrError struct {
	state State
	err   error
}

const (
	// The library has no way to end a single wait, so a wait consists of slices. A thread outlives its caller by one slice at most.
	waitSliceMs = 1000
	// Waits beyond this number poll instead, because a Go program cannot have more than 10,000 threads.
	maxWaitThreads = 64
	waitPause      = 50 * time.Millisecond
)

var waitThreads = make(chan struct{}, maxWaitThreads)

// look waits in the background for one slice, in the library if a thread may be used for it.
func (ex *Executor) look(key string) (<-chan stateOrError, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	result := make(chan stateOrError, 1)
	select {
	case waitThreads <- struct{}{}:
	default:
		h := ex.handle
		time.AfterFunc(waitPause, func() {
			answer := stateOrError{StateUnknown, ErrClosed}
			if h.enter() {
				answer.state, answer.err = h.waitSlice(key, 0)
				h.leave()
			}
			result <- answer
		})
		return result, nil
	}
	h := ex.handle
	h.background.Add(1)
	go func() {
		defer h.background.Done()
		defer func() { <-waitThreads }()
		answer := stateOrError{StateUnknown, ErrClosed}
		if h.enter() {
			answer.state, answer.err = h.waitSlice(key, waitSliceMs)
			h.leave()
		}
		result <- answer
	}()
	return result, nil
}

func (h *handle) waitSlice(key string, timeoutMs C.int64_t) (State, error) {
	result := C.bridge_wait(h.ptr, charsOf(key), C.size_t(len(key)), timeoutMs)
	return State(result.number), failure(result.status, result.err)
}
