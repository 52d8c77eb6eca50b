package lambdaexecutor_test

import (
	"context"
	"strconv"
	"testing"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// The cost of a call, including the library. No task is submitted, so that nothing else runs.
const away = `{"max_queued_tasks": 100000000, "log": "off", "local": {"handler": "builtin", "faults": {"outages": [{"for_ms": 3600000}]}}}`

func tasksFor(n int) []lambdaexecutor.Task {
	tasks := make([]lambdaexecutor.Task, n)
	for i := range tasks {
		tasks[i] = lambdaexecutor.Task{Key: "task " + strconv.Itoa(i), Tag: uint64(i), Command: []string{"echo", "hello"}}
	}
	return tasks
}

func BenchmarkQueue(b *testing.B) {
	ex, tasks := start(b, away), tasksFor(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range tasks {
		if err := ex.Queue(tasks[i]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQueueBatch(b *testing.B) {
	ex, tasks := start(b, away), tasksFor(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for len(tasks) > 0 {
		n := min(1000, len(tasks))
		if _, err := ex.QueueBatch(tasks[:n]); err != nil {
			b.Fatal(err)
		}
		tasks = tasks[n:]
	}
}

// cancelled creates n waiting events.
func cancelled(b *testing.B, n int) *lambdaexecutor.Executor {
	ex := start(b, away)
	keys := make([]string, n)
	for i, task := range tasksFor(n) {
		keys[i] = task.Key
		if err := ex.Queue(task); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := ex.Cancel(keys...); err != nil {
		b.Fatal(err)
	}
	return ex
}

// The cost of an event of a large batch.
func BenchmarkSync(b *testing.B) {
	ex := cancelled(b, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		events, err := ex.Sync(context.Background(), 1000)
		if err != nil {
			b.Fatal(err)
		}
		left -= len(events)
		if err := events.Ack(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAll(b *testing.B) {
	ex := cancelled(b, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	left := b.N
	for _, err := range ex.All(context.Background()) {
		if err != nil {
			b.Fatal(err)
		}
		if left--; left == 0 {
			break
		}
	}
}

func BenchmarkEvents(b *testing.B) {
	ex := cancelled(b, b.N)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	b.ResetTimer()
	events := ex.Events(ctx)
	for range b.N {
		event := <-events
		if err := event.Ack(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCounts(b *testing.B) {
	ex := start(b, away)
	b.ReportAllocs()
	for range b.N {
		if _, err := ex.Counts(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPollOfNothing(b *testing.B) {
	ex := start(b, away)
	b.ReportAllocs()
	for range b.N {
		if _, err := ex.Poll(0); err != nil {
			b.Fatal(err)
		}
	}
}
