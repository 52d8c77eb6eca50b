//go:build linux && cgo

package lambdaexecutor

import (
	"context"
	"runtime"
	"sync"
)

// flight is a call that may wait in the library, made once for all callers that want its answer meanwhile. A caller that stops
// waiting does not end the call, because ending one wait in the library would end all others too.
type flight struct {
	mu  sync.Mutex
	now *answer
}

type answer struct {
	done chan struct{}
	err  error
}

// join returns the answer to the call in progress, or to one that starts now. The caller is inside the gate.
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

// awaitAnswer waits for the answer until the context ends. An answer that is there takes precedence over any other end.
func (ex *Executor) awaitAnswer(ctx context.Context, a *answer) (err error) {
	// The goroutine of the flight does not reference the Executor, which the collector would otherwise finalize during its last call.
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
