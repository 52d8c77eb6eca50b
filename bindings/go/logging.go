//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// LevelTrace is the most detailed level of the library, below slog.LevelDebug.
const LevelTrace = slog.LevelDebug - 4

// levels are the levels of slog for those of the library, LAMBDA_EXECUTOR_LOG_...
var levels = [...]slog.Level{
	C.LAMBDA_EXECUTOR_LOG_ERROR: slog.LevelError,
	C.LAMBDA_EXECUTOR_LOG_WARN:  slog.LevelWarn,
	C.LAMBDA_EXECUTOR_LOG_INFO:  slog.LevelInfo,
	C.LAMBDA_EXECUTOR_LOG_DEBUG: slog.LevelDebug,
	C.LAMBDA_EXECUTOR_LOG_TRACE: LevelTrace,
}

// loggers by number, so that C has no pointer of Go, and late records for a replaced logger are discarded.
var (
	loggers    sync.Map // uintptr to *slog.Logger
	lastLogger atomic.Uintptr
)

// SetLogger sends the log records of the library to a logger in place of stderr; nil selects stderr again. The level of the library
// is the lowest that the logger has enabled at this moment. When SetLogger returns, the previous logger is not used any more.
//
// Records have the attribute target, the part of the library that made them, and others by their subject: task_key, state and reason of
// a task, request_id, route, queue, failures, wait_ms and more.
//
// The handler is called on a goroutine of its own, one record at a time. While it runs, up to 1024 records wait; beyond that they
// are dropped and counted. Nothing else waits for it. It may call the executor, but neither Close nor SetLogger. A panic in it is
// written to stderr. A panic and a runtime.Goexit, such as that of t.FailNow, discard its record only.
func (ex *Executor) SetLogger(logger *slog.Logger) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	ex.logMu.Lock()
	defer ex.logMu.Unlock()
	number, level := uintptr(0), C.lambda_executor_log_level_t(C.LAMBDA_EXECUTOR_LOG_WARN)
	if logger != nil {
		number, level = lastLogger.Add(1), mostEnabled(logger)
		loggers.Store(number, logger)
	}
	result := C.bridge_set_log(ex.ptr, C.uintptr_t(number), level)
	if err := failure(result.status, result.err); err != nil {
		loggers.Delete(number)
		return err
	}
	loggers.Delete(ex.log)
	ex.log = number
	return nil
}

func mostEnabled(logger *slog.Logger) C.lambda_executor_log_level_t {
	for level := len(levels) - 1; level > C.LAMBDA_EXECUTOR_LOG_OFF; level-- {
		if logger.Enabled(context.Background(), levels[level]) {
			return C.lambda_executor_log_level_t(level)
		}
	}
	return C.LAMBDA_EXECUTOR_LOG_OFF
}

// logger returns the logger that was set, else slog's default.
func (ex *Executor) logger() *slog.Logger {
	ex.logMu.Lock()
	defer ex.logMu.Unlock()
	if logger, ok := loggers.Load(ex.log); ok {
		return logger.(*slog.Logger)
	}
	return slog.Default()
}

func (ex *Executor) forgetLogger() {
	ex.logMu.Lock()
	defer ex.logMu.Unlock()
	loggers.Delete(ex.log)
}

//export lambdaExecutorGoLog
func lambdaExecutorGoLog(number C.uintptr_t, level C.int32_t, timeMs C.int64_t, target *C.char, targetLen C.size_t, message *C.char, messageLen C.size_t) {
	logger, ok := loggers.Load(uintptr(number))
	if !ok || int(level) >= len(levels) {
		return
	}
	text, fields := splitFields(C.GoStringN(message, C.int(messageLen)))
	record := slog.NewRecord(time.UnixMilli(int64(timeMs)), levels[level], text, 0)
	record.AddAttrs(slog.String("target", C.GoStringN(target, C.int(targetLen))))
	record.AddAttrs(fields...)
	passTo(logger.(*slog.Logger).Handler(), record)
}

// passTo runs a handler on a goroutine of its own: a panic or a runtime.Goexit that unwound into C would end the process.
func passTo(handler slog.Handler, record slog.Record) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if panicked := recover(); panicked != nil {
				fmt.Fprintf(os.Stderr, "lambda_executor: the log handler panicked: %v\n%s", panicked, debug.Stack())
			}
		}()
		if handler.Enabled(context.Background(), record.Level) {
			_ = handler.Handle(context.Background(), record) // slog ignores it too
		}
	}()
	<-done
}
