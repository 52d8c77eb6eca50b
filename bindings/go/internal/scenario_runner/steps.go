package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

const (
	healthTime = 30 * time.Second
	waitTime   = 120 * time.Second // an adopted task is LOST after 60 s at the earliest
)

// run is a scenario in progress: its executor, and a record of each task that was accepted.
type run struct {
	ex    *lambdaexecutor.Executor
	tasks map[string]*record
}

func report(fields ...any) {
	texts := make([]string, len(fields))
	for i, field := range fields {
		texts[i] = fmt.Sprint(field)
		if status, ok := field.(lambdaexecutor.Status); ok {
			texts[i] = status.String() // its text as an error says more
		}
	}
	fmt.Println(strings.Join(texts, "\t"))
}

// statusOf returns the status that the C API returns for a call.
func statusOf(err error) lambdaexecutor.Status {
	var status lambdaexecutor.Status
	switch {
	case err == nil:
		return lambdaexecutor.OK
	case errors.As(err, &status):
		return status
	case errors.Is(err, context.DeadlineExceeded):
		return lambdaexecutor.ErrTimedOut
	}
	die(exitFailed, "%v", err)
	panic("not reached")
}

// statusOfOne returns the status of the only task of a batch call.
func statusOfOne(statuses []lambdaexecutor.Status, err error) lambdaexecutor.Status {
	if len(statuses) == 1 {
		return statuses[0]
	}
	return statusOf(err)
}

func taskOf(key, command, config string) lambdaexecutor.Task {
	task := lambdaexecutor.Task{Key: key}
	if config != "-" {
		task.ExecutorConfig = config
	}
	if json.Unmarshal([]byte(command), &task.Shell) != nil {
		if err := json.Unmarshal([]byte(command), &task.Command); err != nil {
			die(exitMalformed, "`%s` is neither a string nor a list of strings", command)
		}
	}
	return task
}

func milliseconds(field string) time.Duration {
	return time.Duration(numberOf(field)) * time.Millisecond
}

func (r *run) health([]string) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTime)
	defer cancel()
	report("health", statusOf(r.ex.CheckHealth(ctx)))
}

func (r *run) queue(field []string) {
	task := taskOf(textOf(field[0]), field[2], field[3])
	task.Tag, task.Timeout, task.MaxWait = numberOf(field[1]), milliseconds(field[4]), milliseconds(field[5])
	status := statusOf(r.ex.Queue(task))
	if status == lambdaexecutor.OK {
		r.accept(task.Key)
	}
	report("queue", field[0], status)
}

func (r *run) batch(field []string) {
	tasks := make([]lambdaexecutor.Task, numberOf(field[1]))
	for i := range tasks {
		tasks[i] = taskOf(fmt.Sprint(textOf(field[0]), i), field[2], field[3])
		tasks[i].Tag = uint64(i)
	}
	statuses, err := r.ex.QueueBatch(tasks)
	if statuses == nil {
		die(exitFailed, "queue_batch did not carry out `%s`: %v", field[0], err)
	}
	accepted := 0
	for i, status := range statuses {
		if status == lambdaexecutor.OK {
			r.accept(tasks[i].Key)
			accepted++
		}
	}
	if (err == nil) != (accepted == len(tasks)) {
		die(exitFailed, "queue_batch of `%s` accepted %d of %d, and its error is: %v", field[0], accepted, len(tasks), err)
	}
	report("batch", field[0], accepted)
}

func (r *run) adopt(field []string) {
	task := lambdaexecutor.Task{Key: textOf(field[0]), Tag: numberOf(field[1]), AttemptID: textOf(field[2])}
	status := statusOfOne(r.ex.Adopt([]lambdaexecutor.Task{task}))
	if status == lambdaexecutor.OK {
		r.accept(task.Key)
	}
	report("adopt", field[0], status)
}

func (r *run) wait(field []string) {
	task := r.tasks[textOf(field[0])]
	if task == nil {
		die(exitMalformed, "wait: `%s` was not accepted", field[0])
	}
	reached := func() bool { return slices.Contains(task.states, field[1]) }
	if !r.takeEventsUntil(reached) {
		die(exitFailed, "wait: `%s` was not %s within %v", field[0], field[1], waitTime)
	}
	report("wait", field[0], field[1])
}

func (r *run) state(field []string) {
	state, err := r.ex.State(textOf(field[0]))
	if err != nil {
		report("state", field[0], statusOf(err))
		return
	}
	report("state", field[0], state)
}

func (r *run) cancel(field []string) {
	report("cancel", field[0], statusOfOne(r.ex.Cancel(textOf(field[0]))))
}

func (r *run) drain(field []string) {
	modes := map[string]lambdaexecutor.DrainMode{
		"finish": lambdaexecutor.DrainFinish, "running": lambdaexecutor.DrainCancelQueued,
	}
	mode, known := modes[field[0]]
	if !known {
		die(exitMalformed, "drain: `%s` is neither `finish` nor `running`", field[0])
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitTime)
	defer cancel()
	remaining, err := r.ex.Drain(ctx, mode)
	report("drain", statusOf(err), remaining)
}

func (r *run) finish([]string) {
	finished := func() bool {
		for _, task := range r.tasks {
			if !task.last.State.Final() {
				return false
			}
		}
		return true
	}
	r.takeEventsUntil(finished)
	keys := make([]string, 0, len(r.tasks))
	for key := range r.tasks {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !r.tasks[key].last.State.Final() {
			report("unfinished", key)
		}
	}
	for _, key := range keys {
		if task := r.tasks[key]; task.last.State.Final() {
			last := task.last
			report("task", key, last.Tag, strings.Join(task.states, ","), last.Reason, task.returnCode(), last.Signal,
				escaped([]byte(last.OutputTail)), escaped(last.Value))
		}
	}
}

func (r *run) after(field []string) {
	var err error
	switch field[0] {
	case "queue":
		err = r.ex.Queue(lambdaexecutor.Task{Key: "after", Command: []string{"true"}})
	case "sync":
		_, err = r.ex.Poll(0)
	default:
		die(exitMalformed, "after: `%s` is neither `queue` nor `sync`", field[0])
	}
	report("after", field[0], statusOf(err))
}
