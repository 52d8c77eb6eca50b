package lambdaexecutor_test

import (
	"context"
	"errors"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func unacknowledged(t *testing.T, ex *lambdaexecutor.Executor) uint64 {
	counts, err := ex.Counts()
	if err != nil {
		t.Fatal(err)
	}
	return counts.Unacknowledged
}

const noRunning = `{"running_events": false, "local": {"handler": "builtin"}}`

func TestSyncAcknowledgesWhenItReturns(t *testing.T) {
	ex := start(t, noRunning)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	if events, err := ex.Sync(within(t), 0); len(events) != 1 || err != nil {
		t.Fatal(events, err)
	}
	if n := unacknowledged(t, ex); n != 0 {
		t.Error(n, "unacknowledged")
	}
}

func TestAllAcknowledgesAfterTheBody(t *testing.T) {
	ex := start(t, noRunning)
	for _, key := range []string{"a", "b"} {
		queue(t, ex, lambdaexecutor.Task{Key: key})
	}
	rounds := 0
	for _, err := range ex.All(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if n := unacknowledged(t, ex); n != 1 {
			t.Errorf("%d unacknowledged in round %d", n, rounds)
		}
		if rounds++; rounds == 2 {
			break
		}
	}
	if n := unacknowledged(t, ex); n != 0 {
		t.Error(n, "unacknowledged after the loop")
	}
}

func TestAPanicInTheBodyHasNotTakenTheEvent(t *testing.T) {
	ex := start(t, noRunning)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	func() {
		defer func() {
			if recover() != "the body's" {
				t.Error("the panic did not come through")
			}
		}()
		for range ex.All(within(t)) {
			panic("the body's")
		}
	}()
	if n := unacknowledged(t, ex); n != 1 {
		t.Error(n, "unacknowledged")
	}
	if event := final(t, ex); event.Key != "a" || event.Seq != 1 {
		t.Errorf("%+v", event)
	}
	if n := unacknowledged(t, ex); n != 0 {
		t.Error(n, "unacknowledged at the end")
	}
}

func TestAllTellsOfItsContext(t *testing.T) {
	ex := start(t, builtin)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	rounds := 0
	for event, err := range ex.All(done) {
		if !errors.Is(err, context.Canceled) || event.Key != "" {
			t.Error(event, err)
		}
		rounds++
	}
	ex.Close()
	for event, err := range ex.All(within(t)) {
		t.Error("of a closed executor:", event, err)
	}
	if rounds != 1 {
		t.Error(rounds, "rounds")
	}
}

func TestChannelAcknowledgesWhatWasReceived(t *testing.T) {
	ex := start(t, noRunning)
	ctx, cancel := context.WithCancel(context.Background())
	channel := ex.Events(ctx)
	for _, key := range []string{"a", "b"} {
		queue(t, ex, lambdaexecutor.Task{Key: key})
	}
	if first := <-channel; first.Seq != 1 {
		t.Errorf("%+v", first)
	}
	// The second is on its way, and nobody receives it.
	eventually(t, "the second was handed out", func() bool {
		counts, err := ex.Counts()
		return err == nil && counts.WaitingEvents == 0 && counts.Unacknowledged == 1 && counts.Running == 0 && counts.Queued == 0
	})
	cancel()
	if event, open := <-channel; open {
		t.Errorf("after the end of the context: %+v", event)
	}
	if n := unacknowledged(t, ex); n != 1 {
		t.Error(n, "unacknowledged after the end")
	}
	if second, open := <-ex.Events(within(t)); !open || second.Seq != 2 {
		t.Errorf("%+v", second)
	}
	eventually(t, "all is acknowledged", func() bool { return unacknowledged(t, ex) == 0 })
}

func TestChannelEndsWithTheDrain(t *testing.T) {
	ex := start(t, noRunning)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	channel := ex.Events(within(t))
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range channel {
		n++
	}
	_, err := ex.Poll(0)
	if n != 1 || !errors.Is(err, lambdaexecutor.ErrClosed) {
		t.Error(n, err)
	}
	ex.Close()
	if _, open := <-ex.Events(within(t)); open {
		t.Error("a channel of a closed executor is open")
	}
}

func TestManual(t *testing.T) {
	ex := start(t, `{"ack": "manual", "running_events": false, "local": {"handler": "builtin"}}`)
	for _, key := range []string{"a", "b", "c"} {
		queue(t, ex, lambdaexecutor.Task{Key: key})
	}
	seqs := []uint64{final(t, ex).Seq}
	receiving, stop := context.WithCancel(within(t))
	channel := ex.Events(receiving)
	seqs = append(seqs, (<-channel).Seq)
	stop()
	for range channel { // until what is on its way has been given back
	}
	events, err := ex.Sync(within(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	seqs = append(seqs, events[0].Seq)
	if n := unacknowledged(t, ex); n != 3 {
		t.Error(n, "unacknowledged before Ack")
	}
	if err := ex.Ack(seqs[1:]...); err != nil {
		t.Error(err)
	}
	if n := unacknowledged(t, ex); n != 1 {
		t.Error(n, "unacknowledged after two")
	}
	if err := ex.Ack(append(seqs, 12345)...); err != nil {
		t.Error(err)
	}
	if err := ex.Ack(); err != nil {
		t.Error(err)
	}
	if n := unacknowledged(t, ex); n != 0 {
		t.Error(n, "unacknowledged at the end")
	}
}

// What Close finds on its way to a receiver was taken by nobody: the next process gets it.
func TestCloseGivesBackWhatWasOnItsWay(t *testing.T) {
	server := serve(t)
	first := start(t, server)
	channel := first.Events(context.Background())
	queue(t, first, lambdaexecutor.Task{Key: "a", Shell: "echo once"})
	attempt := (<-channel).AttemptID
	eventually(t, "the result is on its way", func() bool { return unacknowledged(t, first) == 1 })
	first.Close()
	if event, open := <-channel; open {
		t.Errorf("%+v", event)
	}
	second := start(t, server)
	if _, err := second.Adopt([]lambdaexecutor.Task{{Key: "a", AttemptID: attempt}}); err != nil {
		t.Fatal(err)
	}
	if event := final(t, second); event.OutputTail != "once\n" {
		t.Errorf("%+v", event)
	}
}
