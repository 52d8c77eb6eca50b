package lambdaexecutor

import (
	"context"
	"runtime"
	"sync"
)

// flight is a call that may wait in the library, made once for all who want its answer meanwhile. Who gives up waiting
// leaves it to itself, so no wait in the library ever has to be broken off, which would break off others with it.
type flight struct {
	mu  sync.Mutex
	now *answer
}

type answer struct {
	come chan struct{}
	err  error
}

// join is the answer to the call under way, or to one that starts now. The caller is inside the gate.
func (f *flight) join(h *handle, call func() error) *answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		return f.now
	}
	started := &answer{come: make(chan struct{})}
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
		close(started.come)
	}()
	return started
}

// awaitAnswer waits for it until the context is done. An answer that is there comes before any other end.
func (ex *Executor) awaitAnswer(ctx context.Context, a *answer) (err error) {
	// The goroutine of the flight does not hold the Executor: one whose last use this is would be dropped, and closed.
	defer runtime.KeepAlive(ex)
	woken := ex.wakes.begin()
	defer ex.wakes.end()
	select {
	case <-a.come:
	case <-woken:
		err = ErrInterrupted
	case <-ctx.Done():
		err = ctx.Err()
	case <-ex.closing:
		err = ErrClosed
	}
	select {
	case <-a.come:
		return a.err
	default:
		return err
	}
}
