//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// wakeup signals waiting goroutines that events may be there. One goroutine is parked in Go's network poller on a duplicate
// of the library's descriptor, so that no wait needs a thread. The poller reports edges. That is enough, because a goroutine
// waits only after it has found no event, and then the next event is an edge.
//
// It does not reference the Executor, so that the collector can finalize it.
type wakeup struct {
	file  *os.File
	ready chan struct{} // holds a token when a goroutine should look
	done  sync.WaitGroup
}

func newWakeup(ptr *C.lambda_executor_t) (*wakeup, error) {
	got := C.bridge_wakeup_fd(ptr)
	if err := failure(got.status, got.err); err != nil {
		return nil, err
	}
	// Only its readiness is used: the library reads it.
	duplicate, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(got.number), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, &Error{Status: ErrIO, Message: "duplicating the wakeup descriptor: " + errno.Error()}
	}
	w := &wakeup{file: os.NewFile(duplicate, "lambda_executor wakeup"), ready: make(chan struct{}, 1)}
	// Files outside the poller refuse a deadline.
	if err := w.file.SetReadDeadline(time.Time{}); err != nil {
		_ = w.file.Close() // the first error is the one to return
		return nil, &Error{Status: ErrIO, Message: fmt.Sprintf("the wakeup descriptor cannot be polled: %v", err)}
	}
	connection, err := w.file.SyscallConn()
	if err != nil {
		_ = w.file.Close() // the first error is the one to return
		return nil, &Error{Status: ErrIO, Message: fmt.Sprintf("the wakeup descriptor: %v", err)}
	}
	w.done.Add(1)
	go func() {
		defer w.done.Done()
		// Called at first and on each edge, until the file is closed, which is the error of Read.
		_ = connection.Read(func(uintptr) bool {
			w.pass()
			return false
		})
	}()
	return w, nil
}

// pass makes one of the waiting goroutines look, or the next one to wait. A goroutine that leaves while there may be more calls
// it, so an edge wakes no more goroutines than it has work for.
func (w *wakeup) pass() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *wakeup) stop() {
	_ = w.file.Close() // a duplicate, which was never written to
	w.done.Wait()
}

// wakes are the waits that Wake ends: all in progress, or the next one.
type wakes struct {
	mu      sync.Mutex
	waiting int
	owed    bool
	woken   chan struct{}
}

func newWakes() *wakes { return &wakes{woken: make(chan struct{})} }

var alreadyWoken = func() chan struct{} {
	closed := make(chan struct{})
	close(closed)
	return closed
}()

// begin starts a wait, which ends when the channel is closed; end must follow.
func (w *wakes) begin() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting++
	if w.owed {
		w.owed = false
		return alreadyWoken
	}
	return w.woken
}

func (w *wakes) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting--
}

func (w *wakes) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == 0 {
		w.owed = true
		return
	}
	close(w.woken)
	w.woken = make(chan struct{})
}

// Wake ends every Sync, Wait, Drain and CheckHealth in progress with ErrInterrupted; if there is none, the next one. To end
// one wait, cancel its context instead.
func (ex *Executor) Wake() error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	ex.wakes.wake()
	return nil
}

// WakeupFd returns a descriptor for poll or epoll, for event loops outside Go. It is readable while events wait, and from the
// moment on when a drain is over or the executor is stopped or broken. Call Poll when it is readable. Never read, write or close
// it. It lives until Close. Events that Run or a Handle has found first do not make it readable: beside those, call Poll periodically.
func (ex *Executor) WakeupFd() (int, error) {
	if !ex.enter() {
		return -1, ErrClosed
	}
	defer ex.leave()
	got := C.bridge_wakeup_fd(ex.ptr)
	if err := failure(got.status, got.err); err != nil {
		return -1, err
	}
	return int(got.number), nil
}
