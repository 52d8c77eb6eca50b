//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import "fmt"

// Status is the result of a call, or of one task or key of a call with many. It is an error to compare with:
// errors.Is(err, lambdaexecutor.ErrClosed).
type Status int32

// The statuses of the C API, LAMBDA_EXECUTOR_... there. Positive ones are flow control, negative ones are failures.
const (
	OK                 Status = 0   // Success. Never an error.
	ErrTimedOut        Status = 1   // The timeout passed (DrainConfigured).
	ErrInterrupted     Status = 2   // Wake ended the wait.
	ErrQueueFull       Status = 3   // Not accepted: option max_queued_tasks reached. From a drain: too many results wait.
	ErrDuplicate       Status = 4   // Not accepted: the key or the attempt id is in use.
	ErrNotFound        Status = 5   // No such task, or it has finished.
	ErrBufferTooSmall  Status = 6   // Not returned in Go.
	ErrPartial         Status = 7   // Not returned in Go: calls with many tasks return the error of one of them.
	ErrInvalidArgument Status = -1  // The message names the argument.
	ErrInvalidConfig   Status = -2  // The message lists every mistake, one line each.
	ErrClosed          Status = -3  // Stopped, closed, draining, or fully drained.
	ErrForked          Status = -4  // The executor belongs to the parent. Not returned in Go, which cannot fork.
	ErrPanic           Status = -5  // A bug in the library. Close the executor; another one can adopt the running tasks.
	ErrCredentials     Status = -6  // AWS credentials missing or rejected.
	ErrAWS             Status = -7  // AWS unreachable, or it refused a call.
	ErrIO              Status = -8  // The operating system refused a call.
	ErrJournal         Status = -9  // Reserved for the journal.
	ErrUnsupported     Status = -10 // Not supported by this version.
	ErrPayloadTooLarge Status = -11 // Larger than option max_payload_bytes.
)

// String returns the name in the header without LAMBDA_EXECUTOR_: "OK", "DUPLICATE", "ERR_CLOSED"; "status 99" if there is none.
func (s Status) String() string {
	return nameOr(C.GoString(C.lambda_executor_status_name(C.lambda_executor_status_t(s))), "status", int32(s))
}

// nameOr returns a name of the library, or the number if it has none.
func nameOr(name, kind string, number int32) string {
	if name == "unknown" {
		return fmt.Sprintf("%s %d", kind, number)
	}
	return name
}

// Error makes each status except OK an error. Note that fmt prefers it to String.
func (s Status) Error() string {
	if meaning, ok := meanings[s]; ok {
		return "lambda_executor: " + s.String() + ": " + meaning
	}
	return "lambda_executor: " + s.String()
}

// meanings of the statuses that have no error object.
var meanings = map[Status]string{
	ErrTimedOut:    "the timeout has passed, and tasks have not finished",
	ErrInterrupted: "Wake ended the wait",
	ErrQueueFull:   "too many tasks or results wait; take and acknowledge events, then try again",
	ErrDuplicate:   "the key or the attempt id belongs to a task that has not finished, or whose final event was not handed out",
	ErrNotFound:    "there is no such task, or it has finished",
	ErrClosed:      "the executor is closed",
}

// Err returns the status as an error: nil for OK.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return s
}

// of returns the status as an error with the name of the task.
func (s Status) of(key string) error {
	return &Error{Status: s, Message: fmt.Sprintf("task `%s`: %s", key, meanings[s])}
}

// Error is a failure with its message: what happened and what to do about it.
type Error struct {
	Status  Status `json:"status"`
	Message string `json:"message"`
	// AWSCode is the error code of AWS, such as "AccessDeniedException", or a name of the library for what did not reach AWS, such
	// as "ConnectionFailed". Empty if the error does not come from a call to AWS.
	AWSCode string `json:"aws_code,omitempty"`
	// RequestID is AWS's id of the failed request, for AWS's support. Empty if AWS did not answer.
	RequestID string `json:"request_id,omitempty"`
	// Retriable: the same call may succeed later without a change by the operator, because AWS was not reached, failed, or
	// throttled the call.
	Retriable bool `json:"retriable"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("lambda_executor: %v: %s", e.Status.String(), e.Message)
}

// Unwrap makes errors.Is find the status.
func (e *Error) Unwrap() error { return e.Status }

// failure turns a status and the error of the library, which it frees, into an error. nil for OK and PARTIAL without one.
func failure(status C.lambda_executor_status_t, err *C.lambda_executor_error_t) error {
	if err == nil {
		if Status(status) == ErrPartial {
			return nil
		}
		return Status(status).Err()
	}
	message := C.lambda_executor_error_message(err)
	failed := &Error{
		Status:    Status(C.lambda_executor_error_status(err)),
		Message:   goMessages.Replace(C.GoStringN(message.ptr, C.int(message.len))),
		AWSCode:   C.GoString(C.lambda_executor_error_aws_code(err)),
		RequestID: C.GoString(C.lambda_executor_error_request_id(err)),
		Retriable: C.lambda_executor_error_is_retriable(err) != 0,
	}
	C.lambda_executor_error_free(err)
	return failed
}
