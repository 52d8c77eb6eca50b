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

// loggers by number, so that C holds no pointer of Go, and a late record for a logger that was replaced is discarded.
var (
	loggers    sync.Map // uintptr to *slog.Logger
	lastLogger atomic.Uintptr
)

// SetLogger sends the log records of the library to a logger in place of stderr; nil selects stderr again. The level of the library
// is the lowest that the logger has enabled at this moment. Records have the attribute target, the part of the library that
// made them. When SetLogger returns, the previous logger is not used any more.
//
// The handler is called on a thread of the library, one record at a time. While it runs, up to 1024 records wait; beyond that they
// are dropped and counted. Nothing else waits for it. It may call the executor, but neither Close nor SetLogger. A panic in it is
// written to stderr, and discards its record.
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

// logger returns the one that was set, else the default of slog.
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
	// A panic that left this function would end the process.
	defer func() {
		if panicked := recover(); panicked != nil {
			fmt.Fprintf(os.Stderr, "lambda_executor: the log handler panicked: %v\n%s", panicked, debug.Stack())
		}
	}()
	logger, ok := loggers.Load(uintptr(number))
	if !ok || int(level) >= len(levels) {
		return
	}
	handler := logger.(*slog.Logger).Handler()
	if !handler.Enabled(context.Background(), levels[level]) {
		return
	}
	record := slog.NewRecord(time.UnixMilli(int64(timeMs)), levels[level], C.GoStringN(message, C.int(messageLen)), 0)
	record.AddAttrs(slog.String("target", C.GoStringN(target, C.int(targetLen))))
	handler.Handle(context.Background(), record)
}
