package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// Each of 100,000 tasks (5,000 with -short) ends once, with its own tag. No event or message remains.
func TestLoad(t *testing.T) {
	nothingLeft(t)
	tasks := 100_000
	if testing.Short() {
		tasks = 5_000
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	begin := time.Now()
	ex := start(t, `{"max_queued_tasks": 1000000, "local": {"handler": "builtin"}}`)
	queued := make(chan error, 1)
	go func() { queued <- queueMany(ex, tasks) }()
	states := make([][2]uint8, tasks) // RUNNING and SUCCEEDED, by tag
	takers := runtime.GOMAXPROCS(0)
	taken := make(chan lambdaexecutor.Batch)
	failed := make(chan error, takers)
	for range takers {
		go func() {
			for {
				events, err := ex.Sync(ctx, 1000)
				if err != nil {
					failed <- err
					return
				}
				taken <- events
			}
		}()
	}
	for left := 2 * tasks; left > 0; {
		select {
		case events := <-taken:
			for _, event := range events {
				left--
				if event.Key != fmt.Sprint("task ", event.Tag) {
					t.Fatalf("%+v", event)
				}
				switch event.State {
				case lambdaexecutor.StateRunning:
					states[event.Tag][0]++
				case lambdaexecutor.StateSucceeded:
					states[event.Tag][1]++
				default:
					t.Errorf("%+v", event)
				}
			}
			ack(t, events)
		case err := <-failed:
			t.Fatal(err)
		}
	}
	if err := <-queued; err != nil {
		t.Error(err)
	}
	for tag, seen := range states {
		if seen != [2]uint8{1, 1} {
			t.Fatalf("task %d: %d times RUNNING, %d times SUCCEEDED", tag, seen[0], seen[1])
		}
	}
	if counts, err := ex.Counts(); err != nil || counts != (lambdaexecutor.Counts{}) {
		t.Errorf("%+v %v", counts, err)
	}
	ex.Close()
	for range takers {
		if err := <-failed; !errors.Is(err, lambdaexecutor.ErrClosed) {
			t.Error(err)
		}
	}
	took := time.Since(begin)
	t.Logf("%d tasks in %.1f s: %.0f a second", tasks, took.Seconds(), float64(tasks)/took.Seconds())
}

// queueMany submits half of the tasks one by one, half in batches.
func queueMany(ex *lambdaexecutor.Executor, tasks int) error {
	command := []string{"true"}
	batch := []lambdaexecutor.Task{}
	for tag := range tasks {
		task := lambdaexecutor.Task{Key: fmt.Sprint("task ", tag), Tag: uint64(tag), Command: command}
		if tag%2 == 0 {
			if err := ex.Queue(task); err != nil {
				return err
			}
			continue
		}
		if batch = append(batch, task); len(batch) == 500 || tag+1 == tasks {
			if _, err := ex.QueueBatch(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}
