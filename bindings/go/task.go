//go:build linux && cgo

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

// Task is a command to run. Set Key and one form of command.
type Task struct {
	// Key is the name of the task: 1 to MaxKeyBytes bytes of UTF-8 without a NUL, unique among unfinished tasks.
	Key string
	// Tag is a number of yours, returned in every event of the task.
	Tag uint64
	// Command is a program and its arguments.
	Command []string
	// Shell is a command line for the shell, in place of Command.
	Shell string
	// ExecutorConfig is a JSON object that the function receives as `executor_config`: text (string, []byte,
	// json.RawMessage), or a value that json.Marshal turns into one. nil is {}. With option allow_task_overrides, its members
	// function_qualifier and timeout_ms are checked and used for the invocation of this task.
	ExecutorConfig any
	// Queue is the name of the route (option queues). Empty: the default route. Without that option the name is ignored.
	Queue string
	// Timeout is the time limit of the command, in whole milliseconds, rounded up. 0: only the limit of the function.
	Timeout time.Duration
	// MaxWait is the time that the task may wait to be submitted. Then it fails with ReasonExpired. 0: no limit.
	MaxWait time.Duration
	// ResultTimeout is the time without a result, from the submission or from Adopt, after which the task is StateLost. 0: option
	// result_timeout_ms.
	ResultTimeout time.Duration
	// AttemptID is the id of this submission of the key, a UUID. For Queue: from NewAttemptID; empty: the executor makes one. For
	// Adopt: that of the task's submission, from its events or your own records; empty: any submission.
	AttemptID string
}

// NewAttemptID creates a random AttemptID. A host with a database stores it with the task before it calls Queue: after a crash it
// can adopt exactly that submission, or submit it again with the same AttemptID.
//
// Errors: ErrIO (the kernel has no random bytes), ErrPanic.
func NewAttemptID() (string, error) {
	var id [C.LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE]C.char
	if err := Status(C.lambda_executor_new_attempt_id(&id[0])).Err(); err != nil {
		return "", err
	}
	return C.GoString(&id[0]), nil
}

// packed has tasks in the form in which they are passed to C: numbers in one block, text in another, no pointers.
type packed struct {
	tasks []C.bridge_task_t
	text  []byte
}

var packs = sync.Pool{New: func() any { return new(packed) }}

// Larger blocks are not pooled, so that the memory of one large batch is freed.
const pooledBytes = 1 << 20

func (p *packed) release() {
	if cap(p.text) > pooledBytes {
		return
	}
	p.tasks, p.text = p.tasks[:0], p.text[:0]
	packs.Put(p)
}

// add packs one more task. On an error it packs nothing of it.
func (p *packed) add(task *Task, adopted bool) error {
	config, err := jsonText(task.ExecutorConfig)
	if err != nil {
		return &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("task `%s`: ExecutorConfig: %v", task.Key, err)}
	}
	if what := task.wrong(config, adopted); what != "" && task.Key != "" { // the library itself refuses an empty key
		return &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("task `%s`: %s", task.Key, what)}
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
		result_timeout_ms:        milliseconds(task.ResultTimeout),
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

// milliseconds rounds away from zero: a limit of a microsecond must not become 0 (no limit), and a negative one must stay negative,
// so that it is refused.
func milliseconds(d time.Duration) C.int64_t {
	ms := d / time.Millisecond
	if rest := d % time.Millisecond; rest > 0 {
		ms++
	} else if rest < 0 {
		ms--
	}
	return C.int64_t(ms)
}

// Queue submits one task. It is accepted or refused at once. Never waits on the network.
//
// Errors, which name the task: ErrDuplicate, ErrQueueFull, ErrInvalidArgument, ErrPayloadTooLarge, ErrClosed (also while draining).
func (ex *Executor) Queue(task Task) error {
	if !ex.enter() {
		return ErrClosed
	}
	defer ex.leave()
	p := packs.Get().(*packed)
	defer p.release()
	if err := p.add(&task, false); err != nil {
		return err
	}
	result := C.bridge_queue(ex.ptr, &p.tasks[0], chars(p.text))
	if status := Status(result.status); status > 0 {
		return status.of(task.Key)
	}
	return failure(result.status, result.err)
}

// QueueBatch submits up to MaxBatch tasks in one call, which is cheaper than as many calls of Queue. Each is accepted or refused
// by itself, with the status that Queue would return; all after an ErrQueueFull are ErrQueueFull too.
//
// The error is nil if all were accepted. Otherwise it is that of the first task with a negative status, or if there is none that
// of the first ErrDuplicate or ErrQueueFull; the other tasks are accepted nevertheless. So an ErrQueueFull says that all tasks before
// the first with that status were accepted, and none from there on. Without statuses no task was accepted.
func (ex *Executor) QueueBatch(tasks []Task) ([]Status, error) {
	return ex.submit(tasks, false, func(p *packed, statuses *C.lambda_executor_status_t) C.bridge_result_t {
		return C.bridge_queue_batch(ex.ptr, unsafe.SliceData(p.tasks), C.size_t(len(p.tasks)), chars(p.text), statuses)
	})
}

// Adopt tracks up to MaxBatch tasks that an executor of an earlier process submitted: they count as running, count against limits,
// and get their final events here. It reads Key, Tag, Queue, AttemptID and ResultTimeout, which counts from this call; Timeout is
// checked and has no effect.
//
// With an AttemptID, only results of that submission and results without an id (of Airflow's function) end the task. Without one,
// results match by the key alone, and any result of an earlier submission of the key ends the task. So use a new key for each try,
// or store the AttemptID.
//
// To be able to restart, store key and AttemptID (NewAttemptID) before Queue. After a crash, a stored task without a final event may
// have been submitted or not. Adopting it runs it at most once; if it was not submitted, it becomes StateLost. Queueing it again runs
// it at least once.
//
// The statuses: OK, ErrDuplicate (key or AttemptID is already tracked), ErrInvalidArgument, ErrClosed. The error is nil if all were
// adopted, otherwise as for QueueBatch. Without statuses no task was adopted.
func (ex *Executor) Adopt(tasks []Task) ([]Status, error) {
	return ex.submit(tasks, true, func(p *packed, statuses *C.lambda_executor_status_t) C.bridge_result_t {
		return C.bridge_adopt(ex.ptr, unsafe.SliceData(p.tasks), C.size_t(len(p.tasks)), chars(p.text), statuses)
	})
}

func (ex *Executor) submit(tasks []Task, adopted bool, call func(*packed, *C.lambda_executor_status_t) C.bridge_result_t) ([]Status, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	if err := tooMany("tasks", len(tasks)); err != nil {
		return nil, err
	}
	p := packs.Get().(*packed)
	defer p.release()
	unfit, why := -1, error(nil)
	for i := range tasks {
		if err := p.add(&tasks[i], adopted); err != nil {
			// A task without a key in its place, which the library refuses with the right status.
			p.tasks = append(p.tasks, C.bridge_task_t{})
			if why == nil {
				unfit, why = i, err
			}
		}
	}
	statuses := make([]Status, len(tasks))
	result := call(p, statusesIn(statuses))
	err := failure(result.status, result.err)
	if result.status < 0 {
		return nil, err
	}
	if unfit >= 0 && slices.IndexFunc(statuses, Status.failed) == unfit {
		err = why
	}
	return statuses, firstError(statuses, err, func(i int) string { return tasks[i].Key })
}

func (s Status) failed() bool { return s < 0 }

// firstError returns the error of the first task that failed, or if there is none that of the first that was refused.
func firstError(statuses []Status, failed error, key func(int) string) error {
	if failed != nil {
		return failed
	}
	if refused := slices.IndexFunc(statuses, func(s Status) bool { return s > 0 }); refused >= 0 {
		return statuses[refused].of(key(refused))
	}
	return nil
}

// statusesIn is where C writes them. A Status has the type of a status in C.
func statusesIn(statuses []Status) *C.lambda_executor_status_t {
	return (*C.lambda_executor_status_t)(unsafe.Pointer(unsafe.SliceData(statuses)))
}

// Cancel cancels up to MaxBatch tasks by key. A task that waits is never submitted. A task that was submitted is abandoned: its
// slot is free at once, and a late result is discarded. Each gets an event with StateCancelled.
//
// The statuses: OK, ErrNotFound (finished or unknown), ErrInvalidArgument. The error is nil if all were cancelled. Otherwise it is
// that of the first key with a negative status, or if there is none that of the first ErrNotFound. Without statuses nothing was
// cancelled.
func (ex *Executor) Cancel(keys ...string) ([]Status, error) {
	if !ex.enter() {
		return nil, ErrClosed
	}
	defer ex.leave()
	if err := tooMany("keys", len(keys)); err != nil {
		return nil, err
	}
	text := []byte(strings.Join(keys, ""))
	lengths := make([]C.size_t, len(keys))
	for i, key := range keys {
		lengths[i] = C.size_t(len(key))
	}
	statuses := make([]Status, len(keys))
	result := C.bridge_cancel(ex.ptr, unsafe.SliceData(lengths), C.size_t(len(keys)), chars(text), statusesIn(statuses))
	err := failure(result.status, result.err)
	if result.status < 0 {
		return nil, err
	}
	return statuses, firstError(statuses, err, func(i int) string { return keys[i] })
}
