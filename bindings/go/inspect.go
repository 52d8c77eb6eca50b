package lambdaexecutor

// #include "bridge.h"
import "C"

import "encoding/json"

// State is that of the newest task of a key. Finished tasks stay visible until their final event is acknowledged, and
// then until option keep_finished more have finished.
//
// Errors: ErrNotFound (with StateUnknown), ErrInvalidArgument, ErrClosed, ErrPanic.
func (ex *Executor) State(key string) (State, error) {
	if !ex.enter() {
		return StateUnknown, ErrClosed
	}
	defer ex.leave()
	result := C.bridge_state(ex.ptr, charsOf(key), C.size_t(len(key)))
	return State(result.number), failure(result.status, result.err)
}

// Describe is everything about the newest task of a key as a JSON object: state, times, attempts, the last error. For
// people and their tools; fields may be added.
//
// Errors: ErrNotFound, ErrInvalidArgument, ErrClosed, ErrPanic.
func (ex *Executor) Describe(key string) (json.RawMessage, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	return growing(1<<10, func(buffer []byte) C.bridge_result_t {
		return C.bridge_describe(ex.ptr, charsOf(key), C.size_t(len(key)), chars(buffer), C.size_t(len(buffer)))
	})
}

// Stats is counters, gauges, latency histograms and health as a JSON object: docs/statistics.md tells each field.
func (ex *Executor) Stats() (json.RawMessage, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	return growing(1<<14, func(buffer []byte) C.bridge_result_t {
		return C.bridge_stats(ex.ptr, chars(buffer), C.size_t(len(buffer)))
	})
}

// growing calls with a larger buffer until the text fits, which may itself have grown since the last call.
func growing(size int, call func([]byte) C.bridge_result_t) (json.RawMessage, error) {
	for {
		buffer := make([]byte, size)
		result := call(buffer)
		switch err := failure(result.status, result.err); err {
		case nil:
			return json.RawMessage(buffer[:result.number-1]), nil // without the NUL
		case ErrBufferTooSmall:
			size = int(result.number) + int(result.number)/8
		default:
			return nil, err
		}
	}
}

// Counts is how many tasks and events are where.
type Counts struct {
	Queued         uint64 // Tasks waiting to be submitted.
	Submitting     uint64 // Tasks whose Invoke is under way.
	Running        uint64 // Tasks that Lambda has accepted, adopted ones included.
	WaitingEvents  uint64 // Events that Poll would hand out now.
	Unacknowledged uint64 // Final events handed out and not yet acknowledged.
}

// Counts is cheap enough for every heartbeat.
func (ex *Executor) Counts() (Counts, error) {
	if !ex.enter() {
		return Counts{}, ErrClosed
	}
	defer ex.leave()
	counts := C.lambda_executor_counts_t{struct_size: C.sizeof_lambda_executor_counts_t}
	status := C.lambda_executor_counts(ex.ptr, &counts)
	return Counts{
		Queued:         uint64(counts.queued),
		Submitting:     uint64(counts.submitting),
		Running:        uint64(counts.running),
		WaitingEvents:  uint64(counts.waiting_events) + ex.given.count(),
		Unacknowledged: uint64(counts.unacknowledged),
	}, Status(status).Err()
}
