package lambdaexecutor

// #include "bridge.h"
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Task is a command to run, with the name and number that its events bring back. Key and one form of command are needed.
type Task struct {
	// Key is the task's name: 1 to 8192 bytes of UTF-8, unique among unfinished tasks.
	Key string
	// Tag is a number of yours; it comes back in every event of the task.
	Tag uint64
	// Command is a program and its arguments.
	Command []string
	// Shell is a command line for the shell, in place of Command.
	Shell string
	// ExecutorConfig is passed to the function as `executor_config`: a JSON object as text (string, []byte,
	// json.RawMessage), or a value that json.Marshal turns into one. nil is {}. Its members function_qualifier and
	// timeout_ms are for this task's own invocation with option allow_task_overrides only.
	ExecutorConfig any
	// Queue is the name of the route (option queues) that the task takes; empty is the default one. Ignored where that
	// option is not given.
	Queue string
	// Timeout is the time limit of the command, in whole milliseconds, rounded up. 0: only the function's own limit.
	Timeout time.Duration
	// MaxWait fails the task (ReasonExpired) when it has waited so long to be submitted. 0: it waits for ever.
	MaxWait time.Duration
	// AttemptID says to Adopt which submission of the key it is, as its RUNNING event told. Empty for Queue.
	AttemptID string
}

// packed is tasks in the form in which they cross to C: numbers in one block, text in another, no pointers.
type packed struct {
	tasks []C.bridge_task_t
	text  []byte
}

var packs = sync.Pool{New: func() any { return new(packed) }}

// A pool should not hold the memory of the largest batch for ever.
const pooledBytes = 1 << 20

func (p *packed) release() {
	if cap(p.text) > pooledBytes {
		return
	}
	p.tasks, p.text = p.tasks[:0], p.text[:0]
	packs.Put(p)
}

// add packs one more task, or nothing of it.
func (p *packed) add(task *Task) error {
	config, err := jsonText(task.ExecutorConfig)
	if err != nil {
		return &Error{ErrInvalidArgument, fmt.Sprintf("task `%s`: executor_config: %v", task.Key, err)}
	}
	for i, argument := range task.Command {
		if strings.IndexByte(argument, 0) >= 0 {
			return &Error{ErrInvalidArgument, fmt.Sprintf("task `%s`: command[%d] has a NUL byte in it, which no program can be given",
				task.Key, i)}
		}
	}
	argv := len(p.text) + len(task.Key)
	p.text = append(p.text, task.Key...)
	for _, argument := range task.Command {
		p.text = append(append(p.text, argument...), 0)
	}
	command := len(p.text)
	if task.Shell != "" {
		p.text = appendJSONString(p.text, task.Shell)
	}
	shell := len(p.text)
	p.text = append(append(append(p.text, config...), task.Queue...), task.AttemptID...)
	p.tasks = append(p.tasks, C.bridge_task_t{
		tag:                      C.uint64_t(task.Tag),
		timeout_ms:               milliseconds(task.Timeout),
		max_wait_ms:              milliseconds(task.MaxWait),
		key_len:                  C.size_t(len(task.Key)),
		argc:                     C.size_t(len(task.Command)),
		argv_len:                 C.size_t(command - argv),
		command_json_len:         C.size_t(shell - command),
		executor_config_json_len: C.size_t(len(config)),
		queue_len:                C.size_t(len(task.Queue)),
		attempt_id_len:           C.size_t(len(task.AttemptID)),
	})
	return nil
}

// milliseconds rounds away from zero: a limit of a microsecond is not no limit, and a negative one is refused.
func milliseconds(d time.Duration) C.int64_t {
	ms := d / time.Millisecond
	if rest := d % time.Millisecond; rest > 0 {
		ms++
	} else if rest < 0 {
		ms--
	}
	return C.int64_t(ms)
}

// Queue hands one task in. It is accepted or not at once; nothing waits on the network.
//
// Errors, which name the task: ErrDuplicate, ErrQueueFull, ErrInvalidArgument, ErrPayloadTooLarge, ErrClosed (also while draining).
func (ex *Executor) Queue(task Task) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	p := packs.Get().(*packed)
	defer p.release()
	if err := p.add(&task); err != nil {
		return err
	}
	result := C.bridge_queue(ex.ptr, &p.tasks[0], chars(p.text))
	if status := Status(result.status); status > 0 {
		return status.of(&task)
	}
	return failure(result.status, result.err)
}

// QueueBatch hands tasks in under one lock: cheaper than as many calls of Queue, and each is accepted or refused by
// itself. The statuses say which, as Queue would; after an ErrQueueFull all later ones are ErrQueueFull too.
//
// The error is nil where all were accepted. Else it tells of the first task that failed (a negative status), or where none
// did of the first ErrDuplicate or ErrQueueFull; the others are accepted all the same. So an ErrQueueFull says that all
// tasks before the first with that status were accepted, and none from there on. Without statuses no task was accepted.
func (ex *Executor) QueueBatch(tasks []Task) ([]Status, error) {
	return ex.handIn(tasks, func(p *packed, statuses *C.lambda_executor_status_t) C.bridge_result_t {
		return C.bridge_queue_batch(ex.ptr, unsafe.SliceData(p.tasks), C.size_t(len(p.tasks)), chars(p.text), statuses)
	})
}

// Adopt takes over tasks that an executor of an earlier process submitted: they are tracked as running and get their
// final events here. It reads Key, Tag, Queue, Timeout (checked and of no effect) and AttemptID.
//
// With an AttemptID (from the task's RUNNING event) only results of that submission end the task. Without one, what any
// earlier submission of the key left in the queue is taken for this one's: use a new key for each try, or keep it.
//
// The statuses: OK, ErrDuplicate (already tracked), ErrInvalidArgument, ErrClosed. The error is nil where all were adopted.
// Else it tells of the first task that failed (a negative status), or where none did of the first ErrDuplicate. Without
// statuses no task was adopted.
func (ex *Executor) Adopt(tasks []Task) ([]Status, error) {
	return ex.handIn(tasks, func(p *packed, statuses *C.lambda_executor_status_t) C.bridge_result_t {
		return C.bridge_adopt(ex.ptr, unsafe.SliceData(p.tasks), C.size_t(len(p.tasks)), chars(p.text), statuses)
	})
}

func (ex *Executor) handIn(tasks []Task, call func(*packed, *C.lambda_executor_status_t) C.bridge_result_t) ([]Status, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	p := packs.Get().(*packed)
	defer p.release()
	unfit, why := -1, error(nil)
	for i := range tasks {
		if err := p.add(&tasks[i]); err != nil {
			// One without a key, in its place: the library refuses it with the status that it should have.
			p.tasks = append(p.tasks, C.bridge_task_t{})
			if why == nil {
				unfit, why = i, err
			}
		}
	}
	statuses := make([]Status, len(tasks))
	result := call(p, statusesIn(statuses))
	err := failure(result.status, result.err)
	if Status(result.status) != OK {
		return nil, err
	}
	if failed := slices.IndexFunc(statuses, func(s Status) bool { return s < 0 }); failed >= 0 {
		if failed == unfit {
			err = why
		}
		return statuses, err
	}
	if refused := slices.IndexFunc(statuses, func(s Status) bool { return s > 0 }); refused >= 0 {
		return statuses, statuses[refused].of(&tasks[refused])
	}
	return statuses, err
}

// statusesIn is where C writes them; a Status is what C calls one.
func statusesIn(statuses []Status) *C.lambda_executor_status_t {
	return (*C.lambda_executor_status_t)(unsafe.Pointer(unsafe.SliceData(statuses)))
}

// Cancel cancels tasks by key. One that waits never runs; one that was submitted is given up, and a late result of it is
// thrown away. Each gets an event with StateCancelled.
//
// The statuses: OK, ErrNotFound (finished or unknown), ErrInvalidArgument. The error tells of the first key that failed (a
// negative status). Without statuses nothing was cancelled.
func (ex *Executor) Cancel(keys ...string) ([]Status, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	text := []byte(strings.Join(keys, ""))
	lengths := make([]C.size_t, len(keys))
	for i, key := range keys {
		lengths[i] = C.size_t(len(key))
	}
	statuses := make([]Status, len(keys))
	result := C.bridge_cancel(ex.ptr, unsafe.SliceData(lengths), C.size_t(len(keys)), chars(text), statusesIn(statuses))
	err := failure(result.status, result.err)
	if Status(result.status) != OK {
		return nil, err
	}
	return statuses, err
}
