//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

// State is the state of a task.
type State int32

// The states of the C API, LAMBDA_EXECUTOR_TASK_... there.
const (
	StateUnknown    State = 0 // No such task.
	StateQueued     State = 1 // Accepted; waits for its next Invoke.
	StateSubmitting State = 2 // An Invoke is in flight, or its answer was lost.
	StateRunning    State = 3 // Lambda has accepted the event. The command may start much later.
	StateSucceeded  State = 4 // Final: the command ended with return code 0.
	StateFailed     State = 5 // Final: it ended otherwise, or could not be run.
	StateCancelled  State = 6 // Final: cancelled by Cancel or by a drain.
	StateLost       State = 7 // Final: neither a result nor a dead letter arrived before the deadline (ResultTimeout).
)

// Final reports whether no other state follows.
func (s State) Final() bool { return s >= StateSucceeded }

// String returns the name in lower case, as in JSON: "queued", "succeeded"; "state 99" if there is none.
func (s State) String() string {
	if s == StateUnknown { // the library returns the same for numbers that it does not know
		return "unknown"
	}
	return nameOr(C.GoString(C.lambda_executor_task_state_name(C.lambda_executor_task_state_t(s))), "state", int32(s))
}

// Reason is why a task ended.
type Reason int32

// The reasons of the C API, LAMBDA_EXECUTOR_REASON_... there.
const (
	ReasonNone           Reason = 0  // The state is not final.
	ReasonExit           Reason = 1  // The command ended; see ReturnCode.
	ReasonSignal         Reason = 2  // A signal ended the command.
	ReasonTimeout        Reason = 3  // The command exceeded its time limit.
	ReasonExpired        Reason = 4  // Not submitted within its MaxWait.
	ReasonDeadLetter     Reason = 5  // Lambda could not run the event, or the function failed: see Message.
	ReasonInvokeFailed   Reason = 6  // Lambda did not confirm that it accepted the event: see Message.
	ReasonLost           Reason = 7  // No result before its deadline.
	ReasonNeverInvoked   Reason = 8  // Cancelled; it never ran and never will.
	ReasonAbandoned      Reason = 9  // Cancelled; it may run or have run.
	ReasonSetupFailed    Reason = 10 // The command could not be prepared.
	ReasonBadEvent       Reason = 11 // The function rejected the event.
	ReasonReplyToRefused Reason = 12 // The function is not allowed to send results to the executor's queue.
	ReasonBadResult      Reason = 13 // Its result has no usable return code.
	ReasonValueTooLarge  Reason = 14 // Its result file could not be sent: too large, or not readable.
)

// String returns the name in lower case, as in JSON: "exit", "dead_letter"; "reason 99" if there is none.
func (r Reason) String() string {
	return nameOr(C.GoString(C.lambda_executor_reason_name(C.lambda_executor_reason_t(r))), "reason", int32(r))
}
