//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// Batch is the events of one Sync or Poll, oldest first. It is a slice: range over it, index it, or acknowledge a part of it,
// as in batch[:n].Ack().
//
// Events that are neither acknowledged nor released stay yours, and are not handed out again, as long as the program references
// one event of the batch. After that the garbage collector releases them at some time.
type Batch []Event

// Ack acknowledges all events of the slice: their results may be deleted from their queue. Call it once you have stored what you need
// of them. It works until Close, from any goroutine. A second call does nothing.
//
// Errors: ErrClosed, ErrPanic.
func (b Batch) Ack() error {
	for len(b) > 0 {
		n := 1
		for n < len(b) && b[n].held == b[0].held && b[n].Seq > b[n-1].Seq {
			n++
		}
		if held := b[0].held; held != nil {
			if err := held.ack(b[:n]); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

// Release makes the unacknowledged events of the batches of b available again: they are handed out before all others, with the
// same Seq. It releases whole batches, even if b is a part of one. After Close it does nothing.
//
//	batch, err := ex.Sync(ctx, 0)
//	...
//	defer batch.Release() // does nothing after a successful batch.Ack
func (b Batch) Release() {
	var last *held
	for i := range b {
		if held := b[i].held; held != nil && held != last {
			held.release()
			last = held
		}
	}
}

// held is a batch of the library, from the hand-out of its events to their acknowledgement or release.
type held struct {
	n     int // events
	mu    sync.Mutex
	ex    *Executor                  // nil once all are acknowledged, so that old events do not keep an executor alive
	batch *C.lambda_executor_batch_t // nil once freed
}

// releaseDropped makes the garbage collector release the batch once no event references it. The batch must not be freed yet.
func (b *held) releaseDropped() { runtime.SetFinalizer(b, (*held).release) }

// releaseDropped does this for all batches of these events, which are passed to the program.
func (b Batch) releaseDropped() {
	var last *held
	for i := range b {
		if b[i].held != last {
			last = b[i].held
			last.releaseDropped()
		}
	}
}

// setExecutor sets the executor of the events' batches. It is nil while the inbox keeps the events, because an executor that
// references itself is never finalized.
func (b *held) setExecutor(ex *Executor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ex = ex
}

// ack acknowledges events of the batch. They are in the order of their numbers and distinct, so n events are the whole batch.
func (b *held) ack(events []Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ex == nil {
		return nil
	}
	if !b.ex.enter() {
		return ErrClosed
	}
	defer b.ex.leave()
	if b.batch == nil || len(events) < b.n { // released events too are acknowledged by number
		seqs := make([]uint64, len(events))
		for i := range events {
			seqs[i] = events[i].Seq
		}
		return b.ex.ackInside(seqs)
	}
	result := C.bridge_batch_ack(b.batch)
	if err := failure(result.status, result.err); err != nil {
		return err
	}
	b.free()
	return nil
}

// release releases the unacknowledged events. A batch may be freed at any time, also after its executor.
func (b *held) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.batch != nil {
		ex := b.ex
		b.free()
		b.ex = ex // to acknowledge released events by number
	}
}

func (b *held) free() {
	runtime.SetFinalizer(b, nil)
	C.lambda_executor_batch_free(b.batch)
	b.batch, b.ex = nil, nil
}

// Ack acknowledges events by their Seq, for a host that stores the numbers. Repeated and unknown numbers are allowed. It works until
// Close. Keep a reference to the events until then: others are handed out again.
//
// Errors: ErrClosed, ErrPanic.
func (ex *Executor) Ack(seqs ...uint64) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	return ex.ackInside(seqs)
}

// ackInside is Ack for a caller inside the gate.
func (ex *Executor) ackInside(seqs []uint64) error {
	for chunk := range slices.Chunk(seqs, MaxBatch) {
		result := C.bridge_ack(ex.ptr, (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(chunk))), C.size_t(len(chunk)))
		if err := failure(result.status, result.err); err != nil {
			return err
		}
	}
	return nil
}

// fetch takes up to max events from the library without waiting; nil if none wait.
func (ex *Executor) fetch(max int) (Batch, error) {
	got := C.bridge_sync(ex.ptr, C.size_t(max))
	switch Status(got.status) {
	case OK:
	case ErrTimedOut, ErrInterrupted:
		return nil, nil
	default:
		err := failure(got.status, got.err)
		ex.ended.Store(&err)
		return nil, err
	}
	held := &held{n: int(got.n), ex: ex, batch: got.batch}
	events := make(Batch, held.n)
	for i := range events {
		events[i] = readEvent((*C.lambda_executor_event_t)(unsafe.Add(unsafe.Pointer(got.first), i*int(got.stride))), held)
	}
	return events, nil
}
