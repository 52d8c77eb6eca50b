//go:build linux && cgo

package lambdaexecutor

import (
	"slices"
	"sync"
)

// inbox distributes the events of an executor. Events of tasks that Start has submitted go to their runs, all others to the readers:
// Sync, Poll, All and Events. Each waiting goroutine takes events for all. The inbox has no reference to the Executor, which the
// garbage collector would otherwise never finalize.
type inbox struct {
	mu         sync.Mutex      // also held while events are taken from the library, so that they stay in order
	runs       map[string]*run // by AttemptID, until the final event
	kept       []Event         // for readers, found by a goroutine that waits for a run; without their executor
	forReaders chan struct{}   // holds a token when a reader should look at kept
}

// run is one submission whose events go to a Handle.
type run struct {
	done      chan struct{} // closed when event is set
	event     Event         // the final one
	abandoned bool          // nothing waits for the event: it is acknowledged and discarded
}

func newInbox() *inbox { return &inbox{runs: map[string]*run{}, forReaders: make(chan struct{}, 1)} }

// readers returns the channel that wakes a reader, besides the library's descriptor. A zero Executor has none.
func (ex *Executor) readers() <-chan struct{} {
	if ex.inbox == nil {
		return nil
	}
	return ex.inbox.forReaders
}

func (r *run) isDone() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// lookAtMost is the number of events that are taken for a run at once, while other goroutines wait for the lock.
const lookAtMost = 1000

// take hands out up to max events for a reader without waiting; nil if none wait. The caller is inside the gate.
func (ex *Executor) take(max int) (Batch, error) {
	in := ex.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	batch, err := ex.takeInside(max)
	if err != nil || len(batch) > 0 {
		ex.wakeup.pass() // there may be more events, or the end of a drain
	}
	return batch, err
}

func (ex *Executor) takeInside(max int) (Batch, error) {
	in := ex.inbox
	if max == 0 {
		max = DefaultEvents
	}
	if len(in.kept) > 0 && !ex.stopped() {
		batch := Batch(slices.Clone(in.kept[:min(max, len(in.kept))]))
		in.kept = slices.Delete(in.kept, 0, len(batch))
		for i := range batch {
			batch[i].held.setExecutor(ex)
		}
		in.remindInside()
		return batch, nil
	}
	if len(in.runs) == 0 {
		return ex.fetch(max)
	}
	// One by one: events of one batch of the library can only be released together.
	var batch Batch
	for len(batch) < max {
		one, err := ex.fetch(1)
		if len(one) == 0 {
			if len(batch) > 0 {
				err = nil // the next call returns it
			}
			return batch, err
		}
		if !in.give(one[0]) {
			batch = append(batch, one[0])
		}
	}
	return batch, nil
}

// takeFor takes events until the run's final event has arrived. It keeps events for readers. The caller is inside the gate.
func (ex *Executor) takeFor(r *run) error {
	in := ex.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	return ex.takeForInside(r)
}

func (ex *Executor) takeForInside(r *run) error {
	in := ex.inbox
	for range lookAtMost {
		if r.isDone() {
			break
		}
		one, err := ex.fetch(1)
		if err != nil {
			ex.wakeup.pass()
			return err
		}
		if len(one) == 0 {
			return nil
		}
		if !in.give(one[0]) {
			one[0].held.setExecutor(nil)
			in.kept = append(in.kept, one[0])
			in.remindInside()
		}
	}
	ex.wakeup.pass() // there may be more events
	return nil
}

// give passes an event to its run, and reports whether there is one.
func (in *inbox) give(event Event) bool {
	r := in.runs[event.AttemptID]
	if r == nil {
		return false
	}
	if !event.State.Final() || r.abandoned {
		if event.Ack() != nil {
			event.held.release()
		}
	} else {
		event.held.releaseDropped()
		r.event = event
	}
	if event.State.Final() {
		delete(in.runs, event.AttemptID)
		close(r.done)
	}
	return true
}

func (in *inbox) add(attemptID string, r *run) (added bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, found := in.runs[attemptID]; found {
		return false
	}
	in.runs[attemptID] = r
	return true
}

func (in *inbox) remove(attemptID string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.runs, attemptID)
}

// remind wakes a reader for the kept events.
func (in *inbox) remind() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.remindInside()
}

func (in *inbox) remindInside() {
	if len(in.kept) == 0 {
		return
	}
	select {
	case in.forReaders <- struct{}{}:
	default:
	}
}

func (in *inbox) keeps() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.kept) > 0
}

// releaseKept returns the events that no reader has taken to the library.
func (in *inbox) releaseKept() {
	in.mu.Lock()
	defer in.mu.Unlock()
	Batch(in.kept).Release()
	in.kept = nil
}
