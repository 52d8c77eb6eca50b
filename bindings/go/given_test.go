package lambdaexecutor_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// onItsWay is a channel, one of n, that holds the next event, which nobody receives; stop gives it back.
func onItsWay(t *testing.T, ex *lambdaexecutor.Executor, n int) (stop func()) {
	counts, err := ex.Counts()
	if err != nil {
		t.Fatal(err)
	}
	left := counts.WaitingEvents - 1
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	channel := ex.Events(ctx)
	eventually(t, "an event is on its way", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == left })
	asleep(t, n, "(*Executor).Events.func")
	return func() {
		cancel()
		for range channel {
			t.Error("received after the end of the context")
		}
	}
}

// threeEvents is an executor with so many, none of which was handed out.
func threeEvents(t *testing.T) *lambdaexecutor.Executor {
	ex := start(t, noRunning)
	for _, key := range []string{"a", "b", "c"} {
		queue(t, ex, lambdaexecutor.Task{Key: key})
	}
	eventually(t, "three events wait", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == 3 })
	return ex
}

func seqs(events []lambdaexecutor.Event) (seqs []uint64) {
	for _, event := range events {
		seqs = append(seqs, event.Seq)
	}
	return seqs
}

// The later one comes back first. Both are older than what was never handed out.
func TestWhatComesBackIsHandedOutInOrder(t *testing.T) {
	for _, by := range []struct {
		max      int
		expected [][]uint64
	}{
		{0, [][]uint64{{1, 2, 3}, nil}},
		{1, [][]uint64{{1}, {2}, {3}, nil}},
		{2, [][]uint64{{1, 2}, {3}, nil}},
		{3, [][]uint64{{1, 2, 3}, nil}},
	} {
		ex := threeEvents(t)
		first := onItsWay(t, ex, 1)
		second := onItsWay(t, ex, 2)
		second()
		first()
		for _, expected := range by.expected {
			events, err := ex.Poll(by.max)
			if got := seqs(events); err != nil || !slices.Equal(got, expected) {
				t.Errorf("Poll(%d): %v %v, expected %v", by.max, got, err, expected)
			}
		}
		if n := unacknowledged(t, ex); n != 0 {
			t.Error(n, "unacknowledged")
		}
	}
}

func TestWhatComesBackIsCounted(t *testing.T) {
	ex := threeEvents(t)
	onItsWay(t, ex, 1)()
	if counts, err := ex.Counts(); err != nil || counts.WaitingEvents != 3 || counts.Unacknowledged != 1 {
		t.Errorf("%+v %v", counts, err)
	}
}

// Whoever asks why a channel was closed takes nothing by that.
func TestErrTakesNothing(t *testing.T) {
	ex := threeEvents(t)
	onItsWay(t, ex, 1)() // closed by its context
	if err := ex.Err(); err != nil {
		t.Error("of an executor that works:", err)
	}
	if counts, err := ex.Counts(); err != nil || counts.WaitingEvents != 3 {
		t.Errorf("%+v %v", counts, err)
	}
	stop := onItsWay(t, ex, 1)
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := ex.Poll(0); errors.Is(err, lambdaexecutor.ErrClosed) {
			break
		}
	}
	if err := ex.Err(); !errors.Is(err, lambdaexecutor.ErrClosed) {
		t.Error("drained:", err)
	}
	stop()
	if err := ex.Err(); err != nil {
		t.Error("after one came back:", err)
	}
	for range ex.Events(within(t)) {
	}
	wantStatus(t, ex.Err(), lambdaexecutor.ErrClosed, "drained")
	ex.Close()
	wantStatus(t, ex.Err(), lambdaexecutor.ErrClosed, "")
}
