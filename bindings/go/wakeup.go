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

// wakeup tells waiting goroutines that events may be there. One goroutine is parked in Go's network poller on a duplicate
// of the library's descriptor, so that no wait needs a thread. The poller reports edges: that is enough, since whoever
// waits has seen that nothing was there, after which the next event is an edge.
//
// It knows nothing of the Executor, which could otherwise never be found to have been dropped.
type wakeup struct {
	file  *os.File
	ready chan struct{} // holds a token when somebody should look
	done  sync.WaitGroup
}

func newWakeup(fd C.int32_t) (*wakeup, error) {
	// Only its readiness is used: it is the library's to read.
	duplicate, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, &Error{ErrIO, "duplicating the wakeup descriptor: " + errno.Error()}
	}
	w := &wakeup{file: os.NewFile(duplicate, "lambda_executor wakeup"), ready: make(chan struct{}, 1)}
	// A deadline is what files outside the poller refuse.
	if err := w.file.SetReadDeadline(time.Time{}); err != nil {
		w.file.Close()
		return nil, &Error{ErrIO, fmt.Sprintf("the wakeup descriptor cannot be polled: %v", err)}
	}
	connection, err := w.file.SyscallConn()
	if err != nil {
		w.file.Close()
		return nil, &Error{ErrIO, fmt.Sprintf("the wakeup descriptor: %v", err)}
	}
	w.done.Add(1)
	go func() {
		defer w.done.Done()
		// Called at first and on each edge, until the file is closed.
		connection.Read(func(uintptr) bool {
			w.pass()
			return false
		})
	}()
	return w, nil
}

// pass makes one of the waiting goroutines look, or the next one to wait. Whoever leaves while others may have
// something to see calls it, so an edge wakes no more goroutines than it has work for.
func (w *wakeup) pass() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *wakeup) stop() {
	w.file.Close()
	w.done.Wait()
}

// wakes is what Wake ends: all waits in progress, or the next one.
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

// Wake ends every Sync, Drain and CheckHealth that waits with ErrInterrupted, or the next one where none does. To end
// one wait, cancel its context instead.
func (ex *Executor) Wake() error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	ex.wakes.wake()
	return nil
}

// WakeupFd is a descriptor for poll or epoll of a loop that is not Go's: readable exactly while events wait (and once the
// executor is closed or broken). Call Poll when it is. Never read, write or close it; it lives until Close. It knows nothing
// of an event that All or Events gave back, so a loop that waits on it should not use these.
func (ex *Executor) WakeupFd() (int, error) {
	if !ex.enter() {
		return -1, ErrClosed
	}
	defer ex.leave()
	fd := C.lambda_executor_wakeup_fd(ex.ptr)
	if fd < 0 {
		return -1, Status(fd)
	}
	return int(fd), nil
}
