package lambdaexecutor

// #include "bridge.h"
import "C"

import "fmt"

// Status is what a call came to, or what became of one task of a call with many. As an error it is what errors.Is looks
// for: errors.Is(err, lambdaexecutor.ErrClosed).
type Status int32

// The statuses of the C API, LAMBDA_EXECUTOR_... there. Positive ones say that nothing is wrong but it was not done,
// negative ones are failures.
const (
	OK                 Status = 0   // Done. Never an error.
	ErrTimedOut        Status = 1   // The configured time was over first (DrainConfigured).
	ErrInterrupted     Status = 2   // Wake ended the wait.
	ErrQueueFull       Status = 3   // As many tasks wait as option max_queued_tasks allows: try again after some events.
	ErrDuplicate       Status = 4   // The key belongs to a task that has not finished, or whose final event was not handed out.
	ErrNotFound        Status = 5   // There is no such task, or it has finished.
	ErrBufferTooSmall  Status = 6   // Not met in Go.
	ErrInvalidArgument Status = -1  // An argument is wrong; the message says which and how.
	ErrInvalidConfig   Status = -2  // The configuration is wrong; the message says everything that is, one line each.
	ErrClosed          Status = -3  // Closed, or draining and so accepting no more, or drained and without more events.
	ErrForked          Status = -4  // The executor belongs to the parent of this process. Not met in Go, which cannot fork.
	ErrPanic           Status = -5  // A bug in the library: the executor can only be closed; what runs can be adopted by another.
	ErrCredentials     Status = -6  // AWS did not accept the credentials, or there are none.
	ErrAWS             Status = -7  // AWS could not be reached or refused a call.
	ErrIO              Status = -8  // The operating system refused something: threads, descriptors, sockets, memory.
	ErrJournal         Status = -9  // The journal cannot be read or written.
	ErrUnsupported     Status = -10 // This version of the library cannot do that.
	ErrPayloadTooLarge Status = -11 // The task's event is larger than option max_payload_bytes allows.
)

// String is the header's name without LAMBDA_EXECUTOR_: "OK", "DUPLICATE", "ERR_CLOSED"; "status 99" where it has none.
func (s Status) String() string {
	return nameOr(C.GoString(C.lambda_executor_status_name(C.lambda_executor_status_t(s))), "status", int32(s))
}

// nameOr is a name of the library's, or the number where it has none: that of a newer library, or a mistake.
func nameOr(name, kind string, number int32) string {
	if name == "unknown" {
		return fmt.Sprintf("%s %d", kind, number)
	}
	return name
}

// Error makes each status but OK an error. Note that fmt prefers it to String.
func (s Status) Error() string {
	if meaning, ok := meanings[s]; ok {
		return "lambda_executor: " + s.String() + ": " + meaning
	}
	return "lambda_executor: " + s.String()
}

// meanings are of those that come without words of the library's.
var meanings = map[Status]string{
	ErrTimedOut:    "option end_wait_timeout is over, and tasks have not finished",
	ErrInterrupted: "Wake ended the wait",
	ErrQueueFull:   "as many tasks wait as option max_queued_tasks allows; try again after some events",
	ErrDuplicate:   "the key belongs to a task that has not finished, or whose final event was not handed out",
	ErrNotFound:    "there is no such task, or it has finished",
	ErrClosed:      "the executor is closed",
}

// Err is the status as an error: nil for OK.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return s
}

// of is the status as an error that says which task it is about.
func (s Status) of(task *Task) error {
	return &Error{s, fmt.Sprintf("task `%s`: %s", task.Key, meanings[s])}
}

// Error is a failure with the library's own words for it: what is wrong, where, and what is allowed.
type Error struct {
	Status  Status
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("lambda_executor: %v: %s", e.Status.String(), e.Message)
}

// Unwrap makes errors.Is find the status.
func (e *Error) Unwrap() error { return e.Status }

// failure turns a status and the library's error, which it frees, into Go's. Flow control has no error object and costs
// nothing here.
func failure(status C.lambda_executor_status_t, err *C.lambda_executor_error_t) error {
	if err == nil {
		return Status(status).Err()
	}
	message := C.lambda_executor_error_message(err)
	failed := &Error{
		Status:  Status(C.lambda_executor_error_status(err)),
		Message: C.GoStringN(message.ptr, C.int(message.len)),
	}
	C.lambda_executor_error_free(err)
	return failed
}
