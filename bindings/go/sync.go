//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
)

// Sync hands out events, oldest first, at most max of them (0: DefaultEvents). It waits for the first one until the context
// ends. Several goroutines may call it at once; each event goes to one of them. Events of tasks of Run and Start go to the callers of
// these.
//
// It acknowledges nothing: call Ack of the batch, or of its events, once you have stored what you need.
//
// Errors: the context's, ErrInterrupted (Wake), ErrClosed (stopped or closed, or drained and no event left), ErrInvalidArgument,
// ErrPanic, ErrIO.
func (ex *Executor) Sync(ctx context.Context, max int) (Batch, error) {
	var batch Batch
	err := ex.await(ctx, true, ex.readers(), func() (bool, error) {
		var err error
		batch, err = ex.Poll(max)
		return len(batch) > 0, err
	})
	return batch, err
}

// Poll is Sync without waiting: an empty batch and no error if no event waits.
func (ex *Executor) Poll(max int) (Batch, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	if max < 0 {
		return nil, &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("max is %d (allowed: 0 for %d, or how many)", max, DefaultEvents)}
	}
	batch, err := ex.take(max)
	batch.releaseDropped()
	return batch, err
}

// Err reports why no more events arrive. It is nil while events may arrive. Afterwards it is the error that Sync and Poll return and
// that has closed the channels of Events: ErrClosed (stopped or closed, or drained and no event left), ErrPanic, ErrIO. It takes no
// event, and reports the result of the last call that has looked for events.
func (ex *Executor) Err() error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	ended := ex.ended.Load()
	if ended == nil {
		return nil
	}
	// Events that were released after the end of a drain are handed out again.
	if counts, err := ex.Counts(); err == nil && (counts.WaitingEvents > 0 || ex.inbox.keeps()) && !ex.stopped() {
		return nil
	}
	return *ended
}

// All returns the events as they arrive, for a range loop:
//
//	for event, err := range ex.All(ctx) { ... }
//
// An event is acknowledged when the loop takes the next one, because its body has then finished. If the body leaves the loop
// (break, return, a panic), its event is not acknowledged and is handed out again, unless the body has called event.Ack. So if the
// body cannot store an event, return the error; to end the loop after an event, acknowledge it:
//
//	if event.State.Final() {
//		return event.Ack()
//	}
//
// The loop ends when the executor is stopped or closed, or drained with no event left. For any other reason, such as the end of the
// context, it ends after a last iteration with the error.
func (ex *Executor) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := ex.next(ctx, false)
			if err == nil {
				if !show(event, yield) {
					return
				}
				if err = event.Ack(); err == nil {
					continue
				}
				event.held.release()
			}
			if !errors.Is(err, ErrClosed) {
				yield(Event{}, err)
			}
			return
		}
	}
}

// show runs the body of a loop for one event, and releases the event unless the loop continues.
func show(event Event, yield func(Event, error) bool) (more bool) {
	defer func() {
		if !more {
			event.held.release()
		}
	}()
	return yield(event, nil)
}

// Events returns the events as they arrive, in a channel without a buffer. The channel is closed when the context ends, or when
// Err is not nil: the executor is stopped or closed, drained with no event left, or broken.
//
// The channel acknowledges nothing: call event.Ack once you have stored what you need. An event that the program has not received
// when the channel is closed is handed out again. A goroutine serves the channel until then: end the context when you stop receiving.
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
			event, err := ex.next(ctx, true)
			if err != nil {
				return
			}
			select {
			case channel <- event:
				continue
			case <-ctx.Done():
			case <-ex.closing:
			}
			event.held.release()
			return
		}
	}()
	return channel
}

// next waits for one event. releaseDropped: the event is passed to the program.
func (ex *Executor) next(ctx context.Context, releaseDropped bool) (event Event, err error) {
	err = ex.await(ctx, false, ex.readers(), func() (bool, error) {
		if !ex.enter() {
			return false, ErrClosed
		}
		defer ex.leave()
		events, err := ex.take(1)
		if len(events) == 0 {
			return false, err
		}
		event = events[0]
		if releaseDropped {
			events.releaseDropped()
		}
		return true, nil
	})
	return event, err
}

// await repeats a try until there is a result or an error, or the context ends. Between tries it waits for the library's descriptor or
// for the other channel. wakes: Wake ends it.
func (ex *Executor) await(ctx context.Context, wakes bool, other <-chan struct{}, try func() (bool, error)) error {
	defer runtime.KeepAlive(ex)
	var woken <-chan struct{}
	chosen := false // has a token, which another goroutine needs if this one does not use it
	for {
		// Checked before the try, so that the end of the context also ends a loop while events keep arriving.
		if err := ctx.Err(); err != nil {
			if chosen {
				ex.wakeup.pass()
				ex.inbox.remind()
			}
			return err
		}
		if done, err := try(); done || err != nil {
			return err
		}
		if wakes && woken == nil {
			woken = ex.wakes.begin()
			defer ex.wakes.end()
		}
		select {
		case <-ex.wakeup.ready:
			chosen = true
		case <-other:
			chosen = true
		case <-woken:
			return ErrInterrupted
		case <-ctx.Done():
			return ctx.Err()
		case <-ex.closing:
			return ErrClosed
		}
	}
}
