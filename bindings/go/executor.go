//go:build linux && cgo

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

// Executor submits tasks to AWS Lambda and hands out their events. Create it with New, end it with Close. The zero Executor
// behaves as a closed one: its calls return ErrClosed.
type Executor struct {
	*handle
	wakeup  *wakeup
	wakes   *wakes
	inbox   *inbox
	log     uintptr // number of the logger, under logMu
	logMu   sync.Mutex
	once    sync.Once
	dropped atomic.Uint64
}

// enter enters the gate. A zero Executor has none.
func (ex *Executor) enter() bool { return ex.handle != nil && ex.handle.enter() }

// handle is referenced by goroutines in the background. If they referenced the Executor, the garbage collector would never finalize
// it.
type handle struct {
	ptr *C.lambda_executor_t
	*gate
	background sync.WaitGroup // added to inside the gate only
	closing    chan struct{}  // closed by Stop
	stopOnce   sync.Once
	ended      atomic.Pointer[error] // the library's last answer that no more events come
	health     flight
	drain      flight
	endWait    flight
}

// Option is an option of New.
type Option func(*Executor) error

// WithLogger sets a logger as SetLogger does, before the executor is created.
func WithLogger(logger *slog.Logger) Option {
	return func(ex *Executor) error { return ex.SetLogger(logger) }
}

// New creates an executor and starts its threads. It never waits on the network: functions and queues are checked in the
// background, and tasks wait until the check has passed. Call CheckHealth to find a wrong name early.
//
// config is the options: a [Config], JSON text (string, []byte, json.RawMessage), or any value that json.Marshal turns into an
// object. ConfigSchema and docs/configuration.md list them. nil (but not a nil slice, which is an empty text) reads Airflow's
// configuration.
//
// The environment is read during this call and, where the credentials come from the AWS default chain or a profile, whenever
// they are renewed, until Close. No other goroutine may change it (os.Setenv) while it may be read.
//
// Errors: ErrInvalidConfig (every mistake, one line each), ErrUnsupported, ErrIO.
func New(config any, options ...Option) (*Executor, error) {
	if abi := C.lambda_executor_abi_version(); abi != C.LAMBDA_EXECUTOR_ABI_VERSION {
		return nil, &Error{Status: ErrUnsupported, Message: fmt.Sprintf("the library that was loaded has ABI %d, but this program was built for ABI %d",
			abi, C.LAMBDA_EXECUTOR_ABI_VERSION)}
	}
	text, err := jsonText(config)
	if err != nil {
		return nil, &Error{Status: ErrInvalidConfig, Message: "config: " + err.Error()}
	}
	var ptr *C.lambda_executor_t
	var failed *C.lambda_executor_error_t
	status := C.lambda_executor_create(chars(text), C.size_t(len(text)), &ptr, &failed)
	if err := failure(status, failed); err != nil {
		return nil, err
	}
	wakeup, err := newWakeup(ptr)
	if err != nil {
		C.lambda_executor_free(ptr, nil)
		return nil, err
	}
	ex := &Executor{
		handle: &handle{ptr: ptr, gate: newGate(), closing: make(chan struct{})},
		wakeup: wakeup,
		wakes:  newWakes(),
		inbox:  newInbox(),
	}
	ready := false
	defer func() {
		if !ready { // an option failed or panicked
			ex.Close()
		}
	}()
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(ex); err != nil {
			return nil, err
		}
	}
	ready = true
	runtime.SetFinalizer(ex, (*Executor).finalize)
	return ex, nil
}

// Stop ends the executor for calls that submit or wait: they return ErrClosed from now on, also those that wait at this moment,
// and channels of Events are closed. Acknowledging events, State, Describe, Counts and Stats work until Close, so that goroutines can
// finish the events that they have. Stop does not wait for them. A second call does nothing.
func (ex *Executor) Stop() {
	if ex.enter() {
		ex.stop()
		ex.leave()
	}
}

func (h *handle) stop() {
	h.stopOnce.Do(func() {
		C.lambda_executor_close(h.ptr) // ends the calls that wait in the library
		close(h.closing)               // and those that wait in Go
	})
}

func (h *handle) stopped() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// Close ends the executor: every call returns ErrClosed from now on, also those that wait at this moment, and channels of
// Events are closed. It waits for the calls in progress, then takes at most about option shutdown_grace_ms. Acknowledged
// results are deleted from their queue, all others are released, also that of an event in the body of All at this moment: Stop
// first, and let the goroutines finish. Tasks that were not submitted are dropped, and Dropped returns their number: Drain first, to
// keep them. Running commands continue in Lambda, and a later executor can adopt their tasks.
//
// Close does not wait for a log handler, whose thread remains until the handler returns. However, a SetLogger that waits for the
// handler is a call in progress, for which Close waits without limit.
//
// Close may be called again and from any goroutine, but not from the log handler. Each call returns when everything is done.
func (ex *Executor) Close() {
	if ex.handle == nil {
		return
	}
	ex.once.Do(func() {
		runtime.SetFinalizer(ex, nil)
		ex.gate.close()
		ex.stop()
		ex.gate.waitEmpty()
		ex.background.Wait()
		ex.wakeup.stop()
		ex.inbox.releaseKept()
		var dropped C.uint64_t
		C.lambda_executor_free(ex.ptr, &dropped)
		ex.dropped.Store(uint64(dropped))
		ex.forgetLogger()
	})
}

// Dropped returns the number of tasks that Close has dropped because they had not been submitted. 0 before Close.
func (ex *Executor) Dropped() uint64 { return ex.dropped.Load() }

// finalize closes the executor of a program that forgets Close. It runs in the garbage collector's goroutine, which must not wait.
func (ex *Executor) finalize() {
	go func() {
		ex.logger().Warn("lambda_executor: an Executor was dropped without Close, and is closed now; tasks that wait are dropped")
		ex.Close()
	}()
}

// Version returns the version of the loaded library, such as "0.2.0".
func Version() string { return C.GoString(C.lambda_executor_version_string()) }

// ConfigSchema returns the JSON Schema of the configuration: every option with its type, default, range and a description.
func ConfigSchema() json.RawMessage {
	return json.RawMessage(C.GoString(C.lambda_executor_config_schema()))
}
