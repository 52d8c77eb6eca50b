package lambdaexecutor

// #include "bridge.h"
import "C"

// State is where a task is in its life.
type State int32

// The states of the C API, LAMBDA_EXECUTOR_TASK_... there.
const (
	StateUnknown    State = 0 // There is no such task.
	StateQueued     State = 1 // Accepted; waits for a slot, for the service, or for its next attempt.
	StateSubmitting State = 2 // An Invoke is under way.
	StateRunning    State = 3 // Lambda has accepted the event. The command may start much later.
	StateSucceeded  State = 4 // Final: the command ended with return code 0.
	StateFailed     State = 5 // Final: it ended otherwise, or could not be run.
	StateCancelled  State = 6 // Final: cancelled, or handed back by a drain.
	StateLost       State = 7 // Final: neither a result nor a dead letter arrived before the deadline (option result_timeout_ms).
)

// Final is true of the states that no other follows.
func (s State) Final() bool { return s >= StateSucceeded }

// String is the name in lower case, as in JSON: "queued", "succeeded"; "state 99" where there is none.
func (s State) String() string {
	if s == StateUnknown { // a name, though the library calls others so too
		return "unknown"
	}
	return nameOr(C.GoString(C.lambda_executor_task_state_name(C.lambda_executor_task_state_t(s))), "state", int32(s))
}

// Reason is why a task ended as it did.
type Reason int32

// The reasons of the C API, LAMBDA_EXECUTOR_REASON_... there.
const (
	ReasonNone           Reason = 0  // The state is not a final one.
	ReasonExit           Reason = 1  // The command ended by itself; the return code tells how.
	ReasonSignal         Reason = 2  // A signal ended the command.
	ReasonTimeout        Reason = 3  // The command ran over its time limit.
	ReasonExpired        Reason = 4  // The task waited longer than its MaxWait to be submitted.
	ReasonDeadLetter     Reason = 5  // Lambda gave up on the event and put it into the dead letter queue.
	ReasonInvokeFailed   Reason = 6  // Invoke failed for good.
	ReasonLost           Reason = 7  // Nothing was heard of the task before its deadline.
	ReasonNeverInvoked   Reason = 8  // Cancelled before Lambda had accepted it: it never ran, and will not.
	ReasonAbandoned      Reason = 9  // Cancelled when Lambda had, or may have, accepted it: it may run or have run.
	ReasonSetupFailed    Reason = 10 // The function could not prepare the command.
	ReasonBadEvent       Reason = 11 // The function refused the event as malformed.
	ReasonReplyToRefused Reason = 12 // The function may not report to the queue that the event named.
)

// String is the name in lower case, as in JSON: "exit", "dead_letter"; "reason 99" where there is none.
func (r Reason) String() string {
	return nameOr(C.GoString(C.lambda_executor_reason_name(C.lambda_executor_reason_t(r))), "reason", int32(r))
}
