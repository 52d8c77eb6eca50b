package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"unsafe"
)

// Sync hands out events, oldest first, at most max of them (0: all that wait). It waits for the first one until the
// context is done. Any number of goroutines may do so at once; each event goes to one of them.
//
// The events are yours when it returns: with option ack "auto" they are acknowledged then, and a crash between that and
// what you do with them forgets them. All and ack "manual" have no such gap.
//
// Errors: the context's, ErrInterrupted (Wake), ErrClosed (closed, or drained and nothing left), ErrPanic, ErrIO.
func (ex *Executor) Sync(ctx context.Context, max int) ([]Event, error) {
	var events []Event
	err := ex.await(ctx, true, func() (bool, error) {
		var err error
		events, err = ex.Poll(max)
		return len(events) > 0, err
	})
	return events, err
}

// Poll is Sync without waiting: nil and no error where no event waits.
func (ex *Executor) Poll(max int) ([]Event, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	if max < 0 {
		return nil, &Error{ErrInvalidArgument, fmt.Sprintf("max is %d (allowed: 0 for all that wait, or how many)", max)}
	}
	var events []Event
	var err error
	for _, again := range ex.given.remove(max) { // older than all that the library has
		events = append(events, again.event)
		again.taken()
	}
	if max == 0 || len(events) < max {
		var more []Event
		var batch *C.lambda_executor_batch_t
		more, batch, err = ex.take(max - min(max, len(events)))
		C.lambda_executor_batch_free(batch)
		if len(events) == 0 {
			events = more
		} else {
			events, err = append(events, more...), nil // the error comes again, when nothing is left
		}
	}
	if err != nil || len(events) > 0 {
		ex.wakeup.pass() // there may be more, if only the end of a drain
	}
	return events, err
}

// Err is nil while events may come. Else it is what Sync and Poll return from now on, and what closed the channels of
// Events: ErrClosed (closed, or drained and nothing left), ErrPanic, ErrIO. It takes no event and does not look for one: it
// knows what the last call that did was told.
func (ex *Executor) Err() error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	ended := ex.ended.Load()
	if ended == nil || ex.given.count() > 0 {
		return nil
	}
	return *ended
}

// All is the events as they come, for a range loop:
//
//	for event, err := range ex.All(ctx) { ... }
//
// With option ack "auto" an event is acknowledged when the loop's body is done with it, be it by continue, break or
// return; a body that panics has not taken it, and the next who asks for events gets it again. So a crash at any moment
// loses nothing that the body had not finished. A body that calls Close has not taken its event either, as nothing is
// acknowledged any more: break first, then Close.
//
// The loop ends when the executor is closed, or drained and nothing is left. Any other end, the context's included, comes
// as a last round with its error.
func (ex *Executor) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			next, err := ex.next(ctx)
			if err != nil {
				if !errors.Is(err, ErrClosed) {
					yield(Event{}, err)
				}
				return
			}
			if !ex.show(next, yield) {
				return
			}
		}
	}
}

// show gives one event to a loop's body.
func (ex *Executor) show(next *held, yield func(Event, error) bool) bool {
	finished := false
	defer func() {
		if finished {
			next.taken()
		} else {
			ex.giveBack(next)
		}
	}()
	more := yield(next.event, nil)
	finished = true
	return more
}

// Events is the events as they come, in a channel. It is closed when the context is done, and else when Err is not nil: the
// executor is closed, drained and nothing is left, or broken.
//
// The channel has no buffer. With option ack "auto" an event is acknowledged once it has been received. One that nobody
// received before the end has gone back when the channel is closed, and the next who asks for events gets it: until then
// others may learn that a drain has left nothing. A goroutine serves the channel until the end, so end the context when
// you stop receiving.
func (ex *Executor) Events(ctx context.Context) <-chan Event {
	channel := make(chan Event)
	if !ex.enter() {
		close(channel)
		return channel
	}
	defer ex.leave()
	ex.background.Add(1)
	go func() {
		defer ex.background.Done()
		defer close(channel)
		for {
			next, err := ex.next(ctx)
			if err != nil {
				return
			}
			select {
			case channel <- next.event:
				next.taken()
				continue
			case <-ctx.Done():
			case <-ex.closing:
			}
			ex.giveBack(next)
			return
		}
	}()
	return channel
}

// next waits for one event. It is handed out, but counts as taken only when the caller says so.
func (ex *Executor) next(ctx context.Context) (next *held, err error) {
	err = ex.await(ctx, false, func() (bool, error) {
		if !ex.enter() {
			return false, ErrClosed
		}
		defer ex.leave()
		if again := ex.given.remove(1); len(again) > 0 {
			next = again[0]
			ex.wakeup.pass()
			return true, nil
		}
		events, batch, err := ex.take(1)
		if err != nil || len(events) > 0 {
			ex.wakeup.pass()
		}
		if len(events) > 0 {
			next = &held{events[0], batch}
		}
		return next != nil, err
	})
	return next, err
}

func (ex *Executor) giveBack(event *held) {
	ex.given.add(event)
	ex.wakeup.pass()
}

// await tries until there is something, an error or no more time. Between tries it waits for word that another try is
// worth it. Wake ends it where it may.
func (ex *Executor) await(ctx context.Context, wakes bool, try func() (bool, error)) error {
	var woken <-chan struct{}
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		if wakes && woken == nil {
			woken = ex.wakes.begin()
			defer ex.wakes.end()
		}
		select {
		case <-ex.wakeup.ready:
		case <-ex.drained: // then a try never comes to nothing again
		case <-woken:
			return ErrInterrupted
		case <-ctx.Done():
			return ctx.Err()
		case <-ex.closing:
			return ErrClosed
		}
	}
}

// Ack says, with option ack "manual", that the events of these numbers are safe with you, and their results may leave
// AWS. Only final events need it; others, repeated and unknown numbers are fine.
func (ex *Executor) Ack(seqs ...uint64) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	result := C.bridge_ack(ex.ptr, (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(seqs))), C.size_t(len(seqs)))
	runtime.KeepAlive(seqs)
	return failure(result.status, result.err)
}
