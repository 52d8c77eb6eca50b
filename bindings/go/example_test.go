package lambdaexecutor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// One task.
func Example() {
	ex, err := lambdaexecutor.New(lambdaexecutor.Config{Local: struct{}{}})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	event, err := ex.Run(context.Background(), lambdaexecutor.Task{Key: "greeting", Command: []string{"echo", "hello"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(event.Key, " ", event.State, ": ", event.OutputTail)
	// Output: greeting succeeded: hello
}

// A task that fails.
func ExampleEvent_Err() {
	ex, err := lambdaexecutor.New(lambdaexecutor.Config{Local: struct{}{}})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	event, err := ex.Run(context.Background(), lambdaexecutor.Task{Key: "nightly", Shell: "exit 3"})
	if err != nil {
		log.Fatal(err)
	}
	var failed *lambdaexecutor.TaskError
	if errors.As(event.Err(), &failed) {
		fmt.Println(failed.Reason, failed.ReturnCode)
	}
	fmt.Println(event.Err())
	// Output:
	// exit 3
	// lambda_executor: task `nightly`: failed (exit, return code 3): the command exited with status 3
}

// A result that is stored before it is acknowledged.
func ExampleExecutor_Start() {
	ex, err := lambdaexecutor.New(lambdaexecutor.Config{Local: struct{}{}})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	handle, err := ex.Start(lambdaexecutor.Task{Key: "sum", Shell: "echo $((40 + 2))"})
	if err != nil {
		log.Fatal(err)
	}
	event, err := handle.Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(event.OutputTail) // stored
	fmt.Println(event.Ack())
	// Output:
	// 42
	// <nil>
}

// A scheduler's loop: queue tasks, and take events.
func ExampleExecutor_All() {
	ex, err := lambdaexecutor.New(lambdaexecutor.Config{Local: struct{}{}})
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	if err := ex.Queue(lambdaexecutor.Task{Key: "greeting", Command: []string{"echo", "hello"}}); err != nil {
		log.Fatal(err)
	}
	for event, err := range ex.All(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if event.State.Final() {
			fmt.Print(event.Key, " ", event.State, ": ", event.OutputTail)
			// The loop acknowledges an event when it takes the next one: this is the last.
			if err := event.Ack(); err != nil {
				log.Fatal(err)
			}
			break
		}
	}
	// Output: greeting succeeded: hello
}

// The error of a wrong configuration lists every mistake.
func ExampleNew() {
	_, err := lambdaexecutor.New(`{"worker_threads": 0, "local": {"handler": "builtin"}}`)
	fmt.Println(errors.Is(err, lambdaexecutor.ErrInvalidConfig))
	var failed *lambdaexecutor.Error
	fmt.Println(errors.As(err, &failed), failed.Message)
	// Output:
	// true
	// true worker_threads: `0` is out of range (expected an integer from 1 to 64)
}

// Events beside other things that happen.
func ExampleExecutor_Events() {
	ex, err := lambdaexecutor.New(`{"running_events": false, "local": {}}`)
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	events := ex.Events(ctx)
	start := time.After(10 * time.Millisecond)
	for ended := false; !ended; {
		select {
		case <-start:
			fmt.Println("start:", ex.Queue(lambdaexecutor.Task{Key: "due", Shell: "exit 3"}))
		case event, open := <-events:
			if !open {
				log.Fatal("no event in a minute")
			}
			fmt.Println(event.Key, event.State, event.ReturnCode)
			if err := event.Ack(); err != nil {
				log.Fatal(err)
			}
			ended = true
		}
	}
	// Output:
	// start: <nil>
	// due failed 3
}

// One task: wait for it, then take its events.
func ExampleExecutor_Wait() {
	ex, err := lambdaexecutor.New(`{"running_events": false, "local": {}}`)
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	if err := ex.Queue(lambdaexecutor.Task{Key: "sum", Shell: "echo $((40 + 2))"}); err != nil {
		log.Fatal(err)
	}
	state, err := ex.Wait(context.Background(), "sum")
	fmt.Println(state, err)
	events, err := ex.Poll(0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(events[0].OutputTail)
	fmt.Println(events.Ack())
	// Output:
	// succeeded <nil>
	// 42
	// <nil>
}

// Each task of a batch is accepted or refused by itself.
func ExampleExecutor_QueueBatch() {
	ex, err := lambdaexecutor.New(`{"local": {"handler": "builtin"}}`)
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	task := lambdaexecutor.Task{Key: "a", Command: []string{"true"}}
	statuses, err := ex.QueueBatch([]lambdaexecutor.Task{task, task})
	for i, status := range statuses {
		fmt.Println(i, status.Err())
	}
	fmt.Println(err)
	// Output:
	// 0 <nil>
	// 1 lambda_executor: DUPLICATE: the key or the attempt id belongs to a task that has not finished, or whose final event was not handed out
	// lambda_executor: DUPLICATE: task `a`: the key or the attempt id belongs to a task that has not finished, or whose final event was not handed out
}

// An end that finishes what was accepted, within a minute.
func ExampleExecutor_Drain() {
	ex, err := lambdaexecutor.New(`{"local": {"handler": "builtin"}}`)
	if err != nil {
		log.Fatal(err)
	}
	defer ex.Close()
	if err := ex.Queue(lambdaexecutor.Task{Key: "a", Command: []string{"true"}}); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	remaining, err := ex.Drain(ctx, lambdaexecutor.DrainFinish)
	fmt.Println(remaining, err)
	for event, err := range ex.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Key, event.State)
	}
	// Output:
	// 0 <nil>
	// a running
	// a succeeded
}
