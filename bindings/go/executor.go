package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
)

// Executor hands tasks to AWS Lambda and their events to you. Make one with New, end it with Close.
// The zero Executor is as good as a closed one: its calls return ErrClosed.
type Executor struct {
	*handle
	wakeup *wakeup
	wakes  *wakes
	given  returned
	log    uintptr // number of the logger, under logMu
	logMu  sync.Mutex
	once   sync.Once
}

// enter is the gate's, which a zero Executor does not have.
func (ex *Executor) enter() bool { return ex.handle != nil && ex.handle.enter() }

// handle is what goroutines in the background hold: not the Executor, which could otherwise never be found to have been
// dropped.
type handle struct {
	ptr *C.lambda_executor_t
	*gate
	background  sync.WaitGroup // added to inside the gate only
	closing     chan struct{}
	drained     chan struct{}
	drainedOnce sync.Once
	ended       atomic.Pointer[error] // with which the library last answered that there will be no more events
	health      flight
	drain       flight
	endWait     flight
}

// Option changes what New does.
type Option func(*Executor) error

// WithLogger is SetLogger from the start.
func WithLogger(logger *slog.Logger) Option {
	return func(ex *Executor) error { return ex.SetLogger(logger) }
}

// New makes an executor and starts its threads. It never waits on the network: functions and queues are checked in the
// background and tasks wait until the check has passed; call CheckHealth to hear of a wrong name at once.
//
// config is the options, as JSON text (string, []byte, json.RawMessage) or as any value that json.Marshal turns into an
// object; ConfigSchema and docs/configuration.md tell them all. nil (not a slice that is nil, which is an empty text)
// reads them from where Airflow has them: then the environment is read, and no other goroutine may change it (os.Setenv)
// meanwhile.
//
// Errors: ErrInvalidConfig (with everything that is wrong, one line each), ErrUnsupported, ErrIO.
func New(config any, options ...Option) (*Executor, error) {
	if abi := C.lambda_executor_abi_version(); abi != C.LAMBDA_EXECUTOR_ABI_VERSION {
		return nil, &Error{ErrUnsupported, fmt.Sprintf("the library that was loaded has ABI %d, but this program was built for ABI %d",
			abi, C.LAMBDA_EXECUTOR_ABI_VERSION)}
	}
	text, err := jsonText(config)
	if err != nil {
		return nil, &Error{ErrInvalidConfig, "config: " + err.Error()}
	}
	var ptr *C.lambda_executor_t
	var failed *C.lambda_executor_error_t
	status := C.lambda_executor_create(chars(text), C.size_t(len(text)), &ptr, &failed)
	if err := failure(status, failed); err != nil {
		return nil, err
	}
	fd := C.lambda_executor_wakeup_fd(ptr)
	wakeup, err := newWakeup(fd)
	if err != nil {
		C.lambda_executor_free(ptr)
		return nil, err
	}
	ex := &Executor{
		handle: &handle{ptr: ptr, gate: newGate(), closing: make(chan struct{}), drained: make(chan struct{})},
		wakeup: wakeup,
		wakes:  newWakes(),
	}
	for _, option := range options {
		if err := option(ex); err != nil {
			ex.Close()
			return nil, err
		}
	}
	runtime.SetFinalizer(ex, (*Executor).dropped)
	return ex, nil
}

// Close ends the executor: every call returns ErrClosed from now on, those that wait at this moment too, and channels of
// Events are closed. It waits for the calls under way, then takes at most about option shutdown_grace_ms. Results that
// were not acknowledged go back to their queue, that of an event in the body of All at this moment too. Tasks that were not
// submitted are dropped, and the log says how many: Drain first, to keep them. What runs in Lambda goes on, and a later
// executor can adopt it.
//
// A log handler that has not returned is not waited for, and its thread stays until it does; but a SetLogger that waits for
// the handler is a call under way, for which Close waits without limit.
//
// Close may be called any number of times and from any goroutine, but not from the log handler; each call returns when
// all is done. Its error is always nil: it makes an Executor an io.Closer.
func (ex *Executor) Close() error {
	if ex.handle == nil {
		return nil
	}
	ex.once.Do(func() {
		runtime.SetFinalizer(ex, nil)
		ex.gate.close()
		C.lambda_executor_close(ex.ptr) // ends the calls that wait in the library
		close(ex.closing)               // and those that wait in Go
		ex.gate.waitEmpty()
		ex.background.Wait()
		ex.wakeup.stop()
		C.lambda_executor_free(ex.ptr)
		// After the executor, so that freeing them acknowledges nothing.
		ex.given.freeAll()
		ex.forgetLogger()
	})
	return nil
}

// dropped is the net under programs that forget Close. It runs in the collector's goroutine, which must not wait.
func (ex *Executor) dropped() {
	go func() {
		ex.logger().Warn("lambda_executor: an Executor was dropped without Close, and is closed now; tasks that wait are lost")
		ex.Close()
	}()
}

// Version is that of the loaded library, such as "0.1.0".
func Version() string { return C.GoString(C.lambda_executor_version_string()) }

// ConfigSchema is the JSON Schema of the configuration: every option with its type, default, range and a sentence.
func ConfigSchema() json.RawMessage {
	return json.RawMessage(C.GoString(C.lambda_executor_config_schema()))
}
