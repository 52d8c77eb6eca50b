//go:build linux && cgo

package lambdaexecutor

import (
	"context"
	"runtime"
	"sync"
)

// flight is a call that may wait in the library, shared by all callers at the same time. A caller that stops waiting does not end the
// call, because ending one wait in the library would end all others too.
type flight struct {
	mu  sync.Mutex
	now *answer
}

type answer struct {
	done chan struct{}
	err  error
}

// join returns the answer of the call in progress, or of one that starts now. The caller is inside the gate.
func (f *flight) join(h *handle, call func() error) *answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		return f.now
	}
	started := &answer{done: make(chan struct{})}
	f.now = started
	h.background.Add(1)
	go func() {
		defer h.background.Done()
		started.err = ErrClosed
		if h.enter() {
			started.err = call()
			h.leave()
		}
		f.mu.Lock()
		f.now = nil
		f.mu.Unlock()
		close(started.done)
	}()
	return started
}

// awaitAnswer waits for the answer until the context ends. If both have happened, it returns the answer.
func (ex *Executor) awaitAnswer(ctx context.Context, a *answer) (err error) {
	// Keeps the Executor alive, which the flight's goroutine does not reference: otherwise the garbage collector could finalize it during
	// its last call.
	defer runtime.KeepAlive(ex)
	woken := ex.wakes.begin()
	defer ex.wakes.end()
	select {
	case <-a.done:
	case <-woken:
		err = ErrInterrupted
	case <-ctx.Done():
		err = ctx.Err()
	case <-ex.closing:
		err = ErrClosed
	}
	select {
	case <-a.done:
		return a.err
	default:
		return err
	}
}
