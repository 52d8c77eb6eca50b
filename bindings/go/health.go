//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import "context"

// CheckHealth asks AWS now whether the functions exist and are active and the queues can be used. The error names the function or
// queue that cannot be used, and the reason. After a success, tasks that wait for an earlier check, for credentials or for a queue are
// submitted at once. Calls during a check wait for the same check.
//
// Errors: the context's, ErrAWS, ErrCredentials, ErrInterrupted (Wake), ErrClosed, ErrPanic, ErrIO.
func (ex *Executor) CheckHealth(ctx context.Context) error {
	if !ex.enter() {
		return ErrClosed
	}
	h := ex.handle
	check := ex.health.join(h, h.checkHealth)
	ex.leave()
	return ex.awaitAnswer(ctx, check)
}

// checkHealth holds a thread until AWS has answered or the check has failed.
func (h *handle) checkHealth() error {
	for {
		result := C.bridge_check_health(h.ptr)
		if err := failure(result.status, result.err); err != ErrInterrupted { // by a signal
			return err
		}
	}
}

// SetCredentials sets new AWS credentials of a running executor: [Credentials], or an object with access_key_id, secret_access_key
// and, for temporary ones, session_token, as JSON text or as a value that is marshalled. Every call to AWS that starts from now on uses
// them, and tasks that wait because the old ones were rejected are submitted at once.
//
// Errors: ErrInvalidArgument (the message does not repeat the text), ErrClosed, ErrPanic.
func (ex *Executor) SetCredentials(credentials any) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	text, err := jsonText(credentials)
	if err != nil {
		return &Error{Status: ErrInvalidArgument, Message: "credentials: a value that cannot be marshalled"} // err may show a secret
	}
	result := C.bridge_set_credentials(ex.ptr, chars(text), C.size_t(len(text)))
	return failure(result.status, result.err)
}
