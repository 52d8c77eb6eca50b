//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import "encoding/json"

// State returns the state of the newest task of a key. A finished task stays visible until its final event is acknowledged, and
// then until option keep_finished more have finished. Works after Stop too.
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

// Describe returns all that is known about the newest task of a key as a JSON object: state, times, attempts, the last error.
// It is for debugging; members may be added. Works after Stop too.
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

// Stats returns counters, gauges, latencies and health, which docs/statistics.md describes too. Works after Stop too.
//
// Errors: ErrClosed, ErrPanic.
func (ex *Executor) Stats() (Stats, error) {
	if !ex.enter() {
		return Stats{}, ErrClosed
	}
	defer ex.leave()
	raw, err := growing(1<<14, func(buffer []byte) C.bridge_result_t {
		return C.bridge_stats(ex.ptr, chars(buffer), C.size_t(len(buffer)))
	})
	if err != nil {
		return Stats{}, err
	}
	stats := Stats{Raw: raw}
	if err := json.Unmarshal(raw, &stats); err != nil {
		return Stats{}, &Error{Status: ErrUnsupported, Message: "the statistics of this library have another form: " + err.Error()}
	}
	return stats, nil
}

// growing repeats a call with a larger buffer until the text fits. The text may grow between two calls.
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

// Counts has numbers of tasks and events.
type Counts struct {
	Queued         uint64 // Tasks that wait to be submitted.
	Submitting     uint64 // Tasks whose Invoke is in flight, or whose answer was lost.
	Running        uint64 // Tasks that Lambda has accepted, adopted ones included.
	WaitingEvents  uint64 // Events that Poll would hand out now, except for those that Run or a Handle has found.
	Unacknowledged uint64 // Events that have been handed out and not acknowledged, and those that Run or a Handle has found for readers.
}

// Counts counts tasks and events. Cheap enough for every heartbeat. Works after Stop too.
func (ex *Executor) Counts() (Counts, error) {
	if !ex.enter() {
		return Counts{}, ErrClosed
	}
	defer ex.leave()
	var counts C.lambda_executor_counts_t
	result := C.bridge_counts(ex.ptr, &counts)
	return Counts{
		Queued:         uint64(counts.queued),
		Submitting:     uint64(counts.submitting),
		Running:        uint64(counts.running),
		WaitingEvents:  uint64(counts.waiting_events),
		Unacknowledged: uint64(counts.unacknowledged),
	}, failure(result.status, result.err)
}
