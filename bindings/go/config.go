//go:build linux && cgo

// Code generated from the library's JSON Schema by internal/schema; DO NOT EDIT.
// To write it anew: bindings/go/test.sh --update

package lambdaexecutor

// Config is the options of an executor, for New. A field that is zero or nil is an option that is not given, which has its
// default. Ptr makes the pointers: Config{RunningEvents: Ptr(false)}.
type Config struct {
	// Also read the options of Airflow's section `aws_lambda_executor` from the environment and `airflow.cfg`, and credentials from
	// Airflow's connections. True if the whole configuration is nil. Default: false.
	Airflow bool `json:"airflow,omitempty"`
	// Accept `function_qualifier` and `timeout_ms` (limit of the command, in milliseconds) in a task's `executor_config`, for this
	// task only. Invalid values are refused when the task is queued. If false, the two keys have no effect. Default: false.
	AllowTaskOverrides bool `json:"allow_task_overrides,omitempty"`
	// With `batch_size`: tasks of one Invoke that the function runs at the same time. 1: one after another. From 1 to 100. Default:
	// 1.
	BatchParallel int `json:"batch_parallel,omitempty"`
	// With `batch_size`: what becomes of tasks that shared an event which Lambda gave up. True: those that have not ended are sent
	// again, once, each alone; some of them may have run before. False: they fail. Default: false.
	BatchResubmit bool `json:"batch_resubmit,omitempty"`
	// Tasks that one Invoke may carry. More than 1 only for a function that understands several tasks in one invocation: the
	// function program of this project does, Airflow's handler does not. See docs/routing.md. From 1 to 100. Default: 1.
	BatchSize int `json:"batch_size,omitempty"`
	// With `batch_size`: milliseconds that a task waits for others to share its Invoke, at most. A task with a `max_wait_ms` of its
	// own does not wait. From 0 to 60000. Default: 100.
	BatchWaitMs *int `json:"batch_wait_ms,omitempty"`
	// Check the functions and queues at start. Tasks of a route are submitted once its function and all queues are usable. Default:
	// true.
	CheckHealthOnStartup *bool `json:"check_health_on_startup,omitempty"`
	// Airflow connection with the credentials (`AIRFLOW_CONN_*`). If there is no such connection, the AWS default chain is used.
	// Needs `airflow`. Default: aws_default.
	ConnID string `json:"conn_id,omitempty"`
	// Milliseconds allowed for establishing a connection. From 1 to 60000. Default: 3100.
	ConnectTimeoutMs int `json:"connect_timeout_ms,omitempty"`
	// AWS credentials: an object with `access_key_id`, `secret_access_key` and, if they are temporary, `session_token`. Used in
	// place of a connection's or the AWS default chain's.
	Credentials *Credentials `json:"credentials,omitempty"`
	// URL of the dead letter queue: the SQS queue that Lambda sends events to that it could not run. Lambda cannot send to a FIFO
	// queue: a URL ending in `.fifo` is accepted, and the health check warns.
	DeadLetterQueueURL string `json:"dead_letter_queue_url,omitempty"`
	// Seconds that a host waits for running tasks before it ends (DrainConfigured). 0: no limit. From 0 to 1209600. Default: 0.
	EndWaitTimeout int `json:"end_wait_timeout,omitempty"`
	// Endpoint of all AWS services. Default: `AWS_ENDPOINT_URL_LAMBDA` and `AWS_ENDPOINT_URL_SQS`, else `AWS_ENDPOINT_URL`, else
	// AWS.
	EndpointURL string `json:"endpoint_url,omitempty"`
	// Name or ARN of the Lambda function that runs the tasks. `name:alias` is allowed.
	FunctionName string `json:"function_name,omitempty"`
	// Version or alias of the function. Default: `$LATEST`.
	FunctionQualifier string `json:"function_qualifier,omitempty"`
	// Milliseconds allowed for one Invoke call. From 1 to 900000. Default: 10000.
	InvokeTimeoutMs int `json:"invoke_timeout_ms,omitempty"`
	// Finished and acknowledged tasks whose state can still be queried. From 0 to 10000000. Default: 10000.
	KeepFinished *int `json:"keep_finished,omitempty"`
	// Use a Lambda and an SQS inside this process in place of AWS, for development, tests and demonstrations.
	Local any `json:"local,omitempty"`
	// Least serious level that is written to stderr while no logger is set. Nothing is written if stderr was closed at create, or
	// has become another file since that is not opened for appending. One of off, error, warn, info, debug, trace. Default: warn.
	Log string `json:"log,omitempty"`
	// Invoke calls of a route in flight at the same time, at most. Their number is found by trial in any case: it grows while more
	// calls carry more tasks, and is halved when Lambda throttles. Without this option all routes together have at most 1,024, or
	// half of the files that the process may open (`ulimit -n`) if that is less; a quarter with `local`. From 1 to 4096.
	MaxConcurrentInvokes int `json:"max_concurrent_invokes,omitempty"`
	// Attempts to invoke before a task fails. Throttling, outages and missing credentials use no attempt. From 1 to 1000. Default:
	// 3.
	MaxInvokeAttempts int `json:"max_invoke_attempts,omitempty"`
	// Invoke calls per second, at most. 0: no limit. From 0 to 1000000. Default: 0.
	MaxInvokesPerSecond int `json:"max_invokes_per_second,omitempty"`
	// Milliseconds that a task may wait because Lambda or its function is unavailable before it fails. From 1 to 1209600000.
	// Default: 3600000.
	MaxOutageMs int `json:"max_outage_ms,omitempty"`
	// Size limit of an event in bytes. Larger tasks are refused, and several tasks share an event up to this size. Lambda accepts 1
	// MiB in asynchronous invocations. From 1 to 1048576. Default: 1000000.
	MaxPayloadBytes int `json:"max_payload_bytes,omitempty"`
	// Tasks that may be queued. Further ones are refused with ErrQueueFull. From 1 to 100000000. Default: 1000000.
	MaxQueuedTasks int `json:"max_queued_tasks,omitempty"`
	// Tasks that may be submitting or running. 0: no limit. From 0 to 100000000. Default: 0.
	MaxRunningTasks int `json:"max_running_tasks,omitempty"`
	// Results that may be unacknowledged before receiving pauses. It also pauses at 256 MiB of them. SQS allows 120,000 messages in
	// flight per queue. From 1 to 100000. Default: 10000.
	MaxUnackedResults int `json:"max_unacked_results,omitempty"`
	// Seconds that a message that belongs to no task of this executor stays hidden from other executors, at most. A task is not LOST
	// earlier than this after its result timeout. From 1 to 900. Default: 60.
	MaxUnmatchedDelayS int `json:"max_unmatched_delay_s,omitempty"`
	// Older name of `function_qualifier`, which is used if both are given.
	Qualifier string `json:"qualifier,omitempty"`
	// URL of the results queue: the SQS queue that the function sends results to. A FIFO queue (a URL ending in `.fifo`) works too.
	QueueURL string `json:"queue_url,omitempty"`
	// Routes: functions, versions and limits by the queue name of a task. The top-level options are the route `default`, for tasks
	// without a queue name. An entry inherits them; tasks with an unknown queue name are refused. Without this option, queue names
	// are ignored.
	Queues map[string]RouteConfig `json:"queues,omitempty"`
	// AWS region. Default: that of the AWS default chain (`AWS_REGION`, profile, instance), else the one in the queue URL or the
	// function's ARN.
	RegionName string `json:"region_name,omitempty"`
	// URL of a results queue for this executor only. Each event names it to the function; results are received from it and from
	// `queue_url`. A FIFO queue works too. Default: `queue_url`.
	ReplyQueueURL string `json:"reply_queue_url,omitempty"`
	// Milliseconds from Lambda's acceptance of a task until it is LOST if no result arrives. The default is 6 h in Lambda's queue
	// (its greatest `MaximumEventAge`), 15 min of run time (its greatest timeout) and 15 min of reserve. LOST is reported only after
	// all queues have been read since then: up to 40 s (two long polls) and `max_unmatched_delay_s` later. From 1 to 1209600000.
	// Default: 23400000.
	ResultTimeoutMs int `json:"result_timeout_ms,omitempty"`
	// Report an event when Lambda has accepted a task. Default: true.
	RunningEvents *bool `json:"running_events,omitempty"`
	// Milliseconds that Close may take to delete acknowledged results and to release the others. From 0 to 600000. Default: 2000.
	ShutdownGraceMs *int `json:"shutdown_grace_ms,omitempty"`
	// Airflow team. Its options and connections are read in place of the common ones. Needs `airflow`.
	Team string `json:"team,omitempty"`
	// What makes the calls of each task (Invoke; receiving, deleting and hiding messages): `direct` is the library itself, `sdk` the
	// AWS SDK. Both have the same behaviour and the same HTTP client; `direct` needs a fraction of the CPU time. All other calls are
	// the SDK's. One of direct, sdk. Default: direct.
	Transport string `json:"transport,omitempty"`
	// Threads that make the calls to Lambda. With `transport` `direct`, one made 14,000 to 28,000 Invokes a second in the benchmark,
	// without TLS (docs/performance.md). One more thread makes the calls to the queues. From 1 to 64. Default: 1.
	WorkerThreads int `json:"worker_threads,omitempty"`
}

// RouteConfig is a route of option queues. What is not given is that of the Config.
type RouteConfig struct {
	// With `batch_size`: tasks of one Invoke that the function runs at the same time. 1: one after another. From 1 to 100.
	BatchParallel int `json:"batch_parallel,omitempty"`
	// With `batch_size`: what becomes of tasks that shared an event which Lambda gave up. True: those that have not ended are sent
	// again, once, each alone; some of them may have run before. False: they fail.
	BatchResubmit *bool `json:"batch_resubmit,omitempty"`
	// Tasks that one Invoke may carry. More than 1 only for a function that understands several tasks in one invocation: the
	// function program of this project does, Airflow's handler does not. See docs/routing.md. From 1 to 100.
	BatchSize int `json:"batch_size,omitempty"`
	// With `batch_size`: milliseconds that a task waits for others to share its Invoke, at most. A task with a `max_wait_ms` of its
	// own does not wait. From 0 to 60000.
	BatchWaitMs *int `json:"batch_wait_ms,omitempty"`
	// Name or ARN of the Lambda function that runs the tasks. `name:alias` is allowed.
	FunctionName string `json:"function_name,omitempty"`
	// Version or alias of the function. Default: `$LATEST`.
	FunctionQualifier string `json:"function_qualifier,omitempty"`
	// Invoke calls of a route in flight at the same time, at most. Their number is found by trial in any case: it grows while more
	// calls carry more tasks, and is halved when Lambda throttles. Without this option all routes together have at most 1,024, or
	// half of the files that the process may open (`ulimit -n`) if that is less; a quarter with `local`. From 1 to 4096.
	MaxConcurrentInvokes int `json:"max_concurrent_invokes,omitempty"`
	// Invoke calls per second, at most. 0: no limit. From 0 to 1000000.
	MaxInvokesPerSecond *int `json:"max_invokes_per_second,omitempty"`
	// Tasks that may be submitting or running. 0: no limit. From 0 to 100000000.
	MaxRunningTasks *int `json:"max_running_tasks,omitempty"`
	// Milliseconds from Lambda's acceptance of a task until it is LOST if no result arrives. The default is 6 h in Lambda's queue
	// (its greatest `MaximumEventAge`), 15 min of run time (its greatest timeout) and 15 min of reserve. LOST is reported only after
	// all queues have been read since then: up to 40 s (two long polls) and `max_unmatched_delay_s` later. From 1 to 1209600000.
	ResultTimeoutMs int `json:"result_timeout_ms,omitempty"`
}
