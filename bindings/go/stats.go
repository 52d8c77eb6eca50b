//go:build linux && cgo

// Code generated from the library's JSON Schema by internal/schema; DO NOT EDIT.
// To write it anew: bindings/go/test.sh --update

package lambdaexecutor

import "encoding/json"

// Stats is counters, gauges, latencies and health. Counters start at 0 with the executor and only increase. Times are
// milliseconds.
type Stats struct {
	// Raw is the JSON object that all fields are read from, with members of a newer library too.
	Raw             json.RawMessage      `json:"-"`
	AWSCalls        StatsAWSCalls        `json:"aws_calls"`
	CostEstimateUSD StatsCostEstimateUSD `json:"cost_estimate_usd"`
	Health          StatsHealth          `json:"health"`
	Invokes         StatsInvokes         `json:"invokes"`
	LatencyMs       StatsLatencyMs       `json:"latency_ms"`
	Messages        StatsMessages        `json:"messages"`
	// The routes: the default one, then those of option `queues`.
	Routes []StatsRoute `json:"routes"`
	Tasks  StatsTasks   `json:"tasks"`
	Totals StatsTotals  `json:"totals"`
	// Version of the library.
	Version string `json:"version"`
}

// StatsAWSCalls is aws_calls in Stats.
type StatsAWSCalls struct {
	// ChangeMessageVisibilityBatch calls begun.
	ChangeVisibilityBatch uint64 `json:"change_visibility_batch"`
	// DeleteMessageBatch calls begun.
	DeleteBatch uint64 `json:"delete_batch"`
	// Invokes begun, failed ones included.
	Invoke uint64 `json:"invoke"`
	// Dry runs and checks begun while a function could not be invoked.
	Probe uint64 `json:"probe"`
	// ReceiveMessage calls begun.
	Receive uint64 `json:"receive"`
	// ReceiveMessage calls that ended without a message.
	ReceiveEmpty uint64 `json:"receive_empty"`
	// All of these except the probes. The few calls of health checks are not counted.
	Total uint64 `json:"total"`
}

// StatsCostEstimateUSD is cost_estimate_usd in Stats.
type StatsCostEstimateUSD struct {
	// US dollars for Invoke, by the prices below. What the function costs while it runs is not known to the library.
	Lambda float64 `json:"lambda"`
	// Requests that Lambda bills.
	LambdaRequests uint64 `json:"lambda_requests"`
	// Region and month of the prices.
	PricesAsOf string `json:"prices_as_of"`
	// US dollars for the library's calls to SQS. The function's own calls are not included.
	SQS float64 `json:"sqs"`
	// Requests that SQS bills, for standard and FIFO queues.
	SQSRequests uint64 `json:"sqs_requests"`
	// Both.
	Total float64 `json:"total"`
}

// StatsHealth is health in Stats.
type StatsHealth struct {
	// Milliseconds until the executor tries again by itself; null while a call is in progress, and when healthy.
	NextTryInMs *uint64 `json:"next_try_in_ms"`
	// Why it is not healthy, with AWS's code and message and, with several routes, the name of the route.
	Reason string `json:"reason"`
	// Unix time in ms since which this state lasts, if known.
	SinceMs *uint64 `json:"since_ms"`
	// `starting` (a check at start is under way), `healthy`, `degraded` (a function cannot be invoked, or a queue cannot be read),
	// `no_credentials` (AWS rejects our credentials). The worst of all routes and queues. One of starting, no_credentials, degraded,
	// healthy.
	State string `json:"state"`
	// Warnings of the newest health check that passed, one sentence each: settings that work now and may lose or delay messages
	// later, such as a queue that accepts only short messages.
	Warnings []string `json:"warnings"`
}

// StatsInvokes is invokes in Stats.
type StatsInvokes struct {
	// Invokes begun with more than one task.
	Batches uint64 `json:"batches"`
	// Calls rejected for our credentials, of both services (no attempt used).
	CredentialFailures uint64 `json:"credential_failures"`
	// 202s for tasks that had ended or been cancelled meanwhile.
	LateAnswers uint64 `json:"late_answers"`
	// Tasks that were sent again, alone, because their batch could not run them (no attempt used).
	Resubmitted uint64 `json:"resubmitted"`
	// Failed Invokes that were followed by a back-off.
	Retried uint64 `json:"retried"`
	// Tasks in all Invokes begun: as many as Invokes without option `batch_size`.
	Tasks uint64 `json:"tasks"`
	// Invokes answered with a throttling error (no attempt used).
	Throttled uint64 `json:"throttled"`
	// Invokes that failed by a fault of the service or the function (no attempt used).
	Unanswered uint64 `json:"unanswered"`
}

// StatsLatencyMs is latency_ms in Stats.
type StatsLatencyMs struct {
	// Of each Invoke call.
	Invoke Latency `json:"invoke"`
	// From Queue to the first Invoke.
	QueueWait Latency `json:"queue_wait"`
	// From the result's arrival in SQS (`SentTimestamp`) to its event.
	Result Latency `json:"result"`
	// Of the command, by the function's clock.
	RunTime Latency `json:"run_time"`
}

// Latency is how long something took, in milliseconds. Quantiles are at most 12.5 % too high.
type Latency struct {
	// Number of values.
	Count uint64 `json:"count"`
	// The largest value.
	Max uint64 `json:"max"`
	// Half of the values are not larger (quantiles are at most 12.5 % too high).
	P50 uint64 `json:"p50"`
	// 90 % of the values are not larger.
	P90 uint64 `json:"p90"`
	// 99 % of the values are not larger.
	P99 uint64 `json:"p99"`
}

// StatsMessages is messages in Stats.
type StatsMessages struct {
	// Messages that SQS delivered again before they were deleted.
	CameBack uint64 `json:"came_back"`
	// Messages deleted.
	Deleted uint64 `json:"deleted"`
	// Deletes that failed too often; the message is deleted when SQS delivers it again.
	DeletesGivenUp uint64 `json:"deletes_given_up"`
	// Deletes refused because the receipt was too old.
	DeletesGone uint64 `json:"deletes_gone"`
	// Messages of tasks that had ended already: deleted.
	Duplicates uint64 `json:"duplicates"`
	// Messages in the dead letter queue that are not of this library: released.
	ForeignDeadLetters uint64 `json:"foreign_dead_letters"`
	// Messages in a results queue that are not results: deleted.
	Malformed uint64 `json:"malformed"`
	// Messages of other executors that are older than any task may run, so that probably no executor waits for them.
	Orphans uint64 `json:"orphans"`
	// Failed receives.
	ReceiveFailures uint64 `json:"receive_failures"`
	// Messages received. A message that is received again counts again.
	Received uint64 `json:"received"`
	// Length of their bodies.
	ReceivedBytes uint64 `json:"received_bytes"`
	// Records of an on-success destination: deleted.
	SuccessRecords uint64 `json:"success_records"`
	// Messages of other executors, which are released. A message that is received again counts again.
	Unmatched uint64 `json:"unmatched"`
}

// StatsRoute is an element of routes in Stats.
type StatsRoute struct {
	// Tasks submitting or running.
	Active uint64 `json:"active"`
	// How many may be under way now: the level that has been found so far (`max_concurrent_invokes`).
	ConcurrencyLimit uint64 `json:"concurrency_limit"`
	// Invokes under way.
	InFlight uint64 `json:"in_flight"`
	// The name that tasks ask for.
	Name string `json:"name"`
	// Milliseconds until the next probe; null while one is in progress, and when healthy.
	NextTryInMs *uint64 `json:"next_try_in_ms"`
	// Tasks that wait to be submitted to it, those that back off included.
	Queued uint64 `json:"queued"`
	// Why not.
	Reason string `json:"reason"`
	// Unix time in ms since which it cannot be invoked.
	SinceMs *uint64 `json:"since_ms"`
	// Whether its function can be invoked: `starting`, `degraded` or `healthy`. One of starting, no_credentials, degraded, healthy.
	State string `json:"state"`
}

// StatsTasks is tasks in Stats.
type StatsTasks struct {
	// Messages kept hidden in SQS for events that are not acknowledged.
	HeldMessages uint64 `json:"held_messages"`
	// Tasks in memory, including finished ones that are still visible.
	Known uint64 `json:"known"`
	// Tasks that wait to be submitted, including those that back off.
	Queued uint64 `json:"queued"`
	// Tasks that Lambda has accepted and that have not ended.
	Running uint64 `json:"running"`
	// Tasks whose Invoke is in progress, or whose Invokes have all been sent without an answer.
	Submitting uint64 `json:"submitting"`
	// Events handed out and not acknowledged.
	Unacknowledged uint64 `json:"unacknowledged"`
	// Events that wait for Sync, including those that it will hand out again.
	WaitingEvents uint64 `json:"waiting_events"`
}

// StatsTotals is totals in Stats.
type StatsTotals struct {
	// Tasks whose Invoke was answered with 202 while they waited for it.
	Accepted uint64 `json:"accepted"`
	// Tasks accepted by Adopt.
	Adopted uint64 `json:"adopted"`
	// Tasks that ended CANCELLED.
	Cancelled uint64 `json:"cancelled"`
	// Failed tasks whose event became a dead letter.
	DeadLetters uint64 `json:"dead_letters"`
	// Tasks that ended FAILED.
	Failed uint64 `json:"failed"`
	// Tasks that ended LOST.
	Lost uint64 `json:"lost"`
	// Tasks accepted by Queue.
	Queued uint64 `json:"queued"`
	// Tasks that ended SUCCEEDED.
	Succeeded uint64 `json:"succeeded"`
}
