package lambdaexecutor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

const noRunning = `{"running_events": false, "local": {"handler": "builtin"}}`

// wantCounts checks how many events wait and how many are handed out and not acknowledged.
func wantCounts(t *testing.T, ex *lambdaexecutor.Executor, waiting, unacknowledged uint64) {
	t.Helper()
	counts, err := ex.Counts()
	if err != nil || counts.WaitingEvents != waiting || counts.Unacknowledged != unacknowledged {
		t.Errorf("%d events wait and %d are unacknowledged (%v), expected %d and %d",
			counts.WaitingEvents, counts.Unacknowledged, err, waiting, unacknowledged)
	}
}

// waitingEvents waits until n events wait to be handed out.
func waitingEvents(t *testing.T, ex *lambdaexecutor.Executor, n uint64) {
	t.Helper()
	eventually(t, "the events wait", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == n })
}

// threeEvents returns an executor with three final events, none of which was handed out.
func threeEvents(t *testing.T) *lambdaexecutor.Executor {
	ex := start(t, noRunning)
	for _, key := range []string{"a", "b", "c"} {
		queue(t, ex, lambdaexecutor.Task{Key: key})
	}
	waitingEvents(t, ex, 3)
	return ex
}

func poll(t *testing.T, ex *lambdaexecutor.Executor, max int, expected ...uint64) lambdaexecutor.Batch {
	t.Helper()
	batch, err := ex.Poll(max)
	seqs := []uint64{}
	for _, event := range batch {
		seqs = append(seqs, event.Seq)
	}
	if err != nil || !slices.Equal(seqs, expected) {
		t.Fatalf("Poll(%d): %v %v, expected %v", max, seqs, err, expected)
	}
	return batch
}

func ack(t *testing.T, events lambdaexecutor.Batch) {
	t.Helper()
	if err := events.Ack(); err != nil {
		t.Fatal(err)
	}
}

func TestSyncAcknowledgesNothing(t *testing.T) {
	ex := threeEvents(t)
	batch, err := ex.Sync(within(t), 0)
	if len(batch) != 3 || err != nil {
		t.Fatal(batch, err)
	}
	wantCounts(t, ex, 0, 3)
	ack(t, batch)
	wantCounts(t, ex, 0, 0)
	ack(t, batch)
	batch.Release()
	wantCounts(t, ex, 0, 0)
}

func TestReleasedEventsAreHandedOutAgainInOrder(t *testing.T) {
	ex := threeEvents(t)
	first, second := poll(t, ex, 1, 1), poll(t, ex, 1, 2)
	second.Release()
	first.Release()
	first.Release()
	wantCounts(t, ex, 3, 0)
	ack(t, poll(t, ex, 0, 1, 2, 3))
	wantCounts(t, ex, 0, 0)
}

func TestAPartOfABatchIsAcknowledged(t *testing.T) {
	ex := threeEvents(t)
	batch := poll(t, ex, 0, 1, 2, 3)
	ack(t, batch[:2])
	ack(t, batch[:2])
	wantCounts(t, ex, 0, 1)
	batch.Release()
	ack(t, poll(t, ex, 0, 3))
}

func TestEventsOfSeveralBatchesAreAcknowledgedTogether(t *testing.T) {
	ex := threeEvents(t)
	two, one := poll(t, ex, 2, 1, 2), poll(t, ex, 1, 3)
	// As many events as the first batch has, but not all of that batch.
	ack(t, lambdaexecutor.Batch{two[0], two[0], one[0], {Key: "not from an executor"}})
	wantCounts(t, ex, 0, 1)
	ack(t, two)
	wantCounts(t, ex, 0, 0)
}

func TestAReleasedEventCanStillBeAcknowledged(t *testing.T) {
	ex := threeEvents(t)
	batch := poll(t, ex, 0, 1, 2, 3)
	batch.Release()
	if err := batch[1].Ack(); err != nil {
		t.Fatal(err)
	}
	ack(t, poll(t, ex, 0, 1, 3))
	wantCounts(t, ex, 0, 0)
}

func TestAcknowledgementByNumber(t *testing.T) {
	ex := threeEvents(t)
	batch := poll(t, ex, 0, 1, 2, 3)
	for _, seqs := range [][]uint64{{1, 3}, {}, {3, 1, 12345}} {
		if err := ex.Ack(seqs...); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, ex, 0, 1)
	}
	ack(t, batch)
	wantCounts(t, ex, 0, 0)
}

func TestEventsThatAreNotReferencedAreHandedOutAgain(t *testing.T) {
	ex := threeEvents(t)
	kept := poll(t, ex, 1, 1)[0]
	poll(t, ex, 2, 2, 3)
	eventually(t, "the collector has released two events", func() bool {
		runtime.GC()
		counts, err := ex.Counts()
		return err == nil && counts.WaitingEvents == 2
	})
	wantCounts(t, ex, 2, 1)
	if err := kept.Ack(); err != nil {
		t.Fatal(err)
	}
	ack(t, poll(t, ex, 0, 2, 3))
}

func TestAllAcknowledgesAnEventWhenItTakesTheNext(t *testing.T) {
	ex := threeEvents(t)
	rounds := uint64(0)
	for event, err := range ex.All(within(t)) {
		if rounds++; err != nil || event.Seq != rounds {
			t.Fatal(event, err)
		}
		wantCounts(t, ex, 3-rounds, 1)
		if rounds == 2 {
			break
		}
	}
	// The body left the loop with the second.
	ack(t, poll(t, ex, 0, 2, 3))
}

func TestAllAcknowledgesTheLastEvent(t *testing.T) {
	ex := threeEvents(t)
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	for _, err := range ex.All(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantCounts(t, ex, 0, 0)
}

func TestABodyMayAcknowledgeItself(t *testing.T) {
	ex := threeEvents(t)
	for event := range ex.All(within(t)) {
		if err := event.Ack(); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, ex, 3-event.Seq, 0)
		if event.Seq == 2 {
			break
		}
	}
	ack(t, poll(t, ex, 0, 3))
}

func TestAPanicInTheBodyReleasesTheEvent(t *testing.T) {
	ex := threeEvents(t)
	func() {
		defer func() {
			if recovered := recover(); recovered != "of the body" {
				t.Error("recovered:", recovered)
			}
		}()
		for range ex.All(within(t)) {
			panic("of the body")
		}
	}()
	ack(t, poll(t, ex, 0, 1, 2, 3))
}

func TestABodyThatClosesHasNotAcknowledged(t *testing.T) {
	ex := threeEvents(t)
	for event, err := range ex.All(within(t)) {
		if event.Seq != 1 || err != nil {
			t.Error(event, err)
		}
		ex.Close()
		wantStatus(t, event.Ack(), lambdaexecutor.ErrClosed, "")
	}
}

func TestAChannelAcknowledgesNothing(t *testing.T) {
	ex := threeEvents(t)
	ctx, cancel := context.WithCancel(context.Background())
	channel := ex.Events(ctx)
	first := <-channel
	if first.Seq != 1 {
		t.Errorf("%+v", first)
	}
	eventually(t, "the second was handed out", func() bool { counts, err := ex.Counts(); return err == nil && counts.WaitingEvents == 1 })
	wantCounts(t, ex, 1, 2)
	cancel()
	// Either the receive or the end of the context was first. What is not received is handed out again.
	received := []lambdaexecutor.Event{first}
	for event := range channel {
		received = append(received, event)
	}
	wantCounts(t, ex, uint64(3-len(received)), uint64(len(received)))
	for place, event := range received {
		if event.Seq != uint64(place+1) {
			t.Errorf("event %d in place %d", event.Seq, place)
		}
		if err := event.Ack(); err != nil {
			t.Error(err)
		}
	}
	rest := []uint64{2, 3}[len(received)-1:]
	ack(t, poll(t, ex, 0, rest...))
	wantCounts(t, ex, 0, 0)
}

func TestChannelEndsWithTheDrain(t *testing.T) {
	ex := start(t, noRunning)
	queue(t, ex, lambdaexecutor.Task{Key: "a"})
	channel := ex.Events(within(t))
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	received := lambdaexecutor.Batch{}
	for event := range channel {
		received = append(received, event)
	}
	if _, err := ex.Poll(0); len(received) != 1 || !errors.Is(err, lambdaexecutor.ErrClosed) {
		t.Error(received, err)
	}
	ack(t, received)
	ex.Close()
	if _, open := <-ex.Events(within(t)); open {
		t.Error("a channel of a closed executor is open")
	}
}

// Err takes no event, and knows about events that are handed out again.
func TestErr(t *testing.T) {
	ex := threeEvents(t)
	if err := ex.Err(); err != nil {
		t.Error("of an executor that works:", err)
	}
	if _, err := ex.Drain(within(t), lambdaexecutor.DrainFinish); err != nil {
		t.Fatal(err)
	}
	batch := poll(t, ex, 0, 1, 2, 3)
	if _, err := ex.Poll(0); !errors.Is(err, lambdaexecutor.ErrClosed) {
		t.Error(err)
	}
	wantStatus(t, ex.Err(), lambdaexecutor.ErrClosed, "drained")
	batch.Release()
	if err := ex.Err(); err != nil {
		t.Error("with events that were released:", err)
	}
	wantCounts(t, ex, 3, 0)
	ex.Close()
	wantStatus(t, ex.Err(), lambdaexecutor.ErrClosed, "")
}

// A goroutine that has received events when the executor stops can finish them.
func TestStop(t *testing.T) {
	ex := threeEvents(t)
	batch := poll(t, ex, 2, 1, 2)
	waits := make(chan error, 1)
	channel := ex.Events(context.Background())
	asleep(t, 1, "(*Executor).Events.func")
	empty := start(t, noRunning)
	go func() { _, err := empty.Sync(context.Background(), 0); waits <- err }()
	ex.Stop()
	ex.Stop()
	empty.Stop()
	wantStatus(t, <-waits, lambdaexecutor.ErrClosed, "")
	for event := range channel {
		t.Error("received after Stop:", event)
	}
	wantStatus(t, ex.Queue(lambdaexecutor.Task{Key: "d", Shell: "true"}), lambdaexecutor.ErrClosed, "")
	_, err := ex.Poll(0)
	wantStatus(t, err, lambdaexecutor.ErrClosed, "")
	wantStatus(t, ex.Err(), lambdaexecutor.ErrClosed, "")
	if err := batch[0].Ack(); err != nil {
		t.Error(err)
	}
	ack(t, batch)
	if state, err := ex.State("a"); state != lambdaexecutor.StateSucceeded || err != nil {
		t.Error(state, err)
	}
	if _, err := ex.Describe("a"); err != nil {
		t.Error(err)
	}
	if _, err := ex.Stats(); err != nil {
		t.Error(err)
	}
	if counts, err := ex.Counts(); err != nil || counts.Unacknowledged != 0 {
		t.Error(counts, err)
	}
	ex.Close()
	ex.Stop()
	if err := batch.Ack(); err != nil { // acknowledged before
		t.Error(err)
	}
}

// A result that is not acknowledged when Close is called goes to the next process, here one that waits in a channel.
func TestCloseReleasesWhatIsNotAcknowledged(t *testing.T) {
	server := serve(t)
	first := start(t, server)
	channel := first.Events(context.Background())
	queue(t, first, lambdaexecutor.Task{Key: "a", Shell: "echo once"})
	running := <-channel
	if err := running.Ack(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the result was handed out", func() bool { counts, err := first.Counts(); return err == nil && counts.Unacknowledged == 1 })
	first.Close()
	if event, open := <-channel; open {
		t.Errorf("%+v", event)
	}
	second := start(t, server)
	if _, err := second.Adopt([]lambdaexecutor.Task{{Key: "a", AttemptID: running.AttemptID}}); err != nil {
		t.Fatal(err)
	}
	if event := final(t, second); event.OutputTail != "once\n" {
		t.Errorf("%+v", event)
	}
}
