// Package lambdaexecutor runs a scheduler's tasks on AWS Lambda and reports their results.
//
// [Executor.Run] runs one task and returns its final event; [Executor.Start] returns a handle to wait for it.
//
// For schedulers, an [Executor] accepts tasks ([Executor.Queue]) and hands out events: one when Lambda has accepted a task, and exactly
// one final event for every task. There are three ways to take them:
//
//   - [Executor.All], a range loop. It acknowledges an event when it takes the next one.
//   - [Executor.Events], a channel for select. It acknowledges nothing: call [Event.Ack].
//   - [Executor.Sync] and [Executor.Poll], calls that return a [Batch]. They acknowledge nothing: call [Batch.Ack].
//
// A result is deleted from its queue once its event is acknowledged. An event that is not acknowledged is handed out again, with
// the same Seq, when the program releases it or does not reference it any more, or after a restart to the process that adopts the
// task. [Executor.Wait] waits for one task, and leaves its events to these calls.
//
// Every method may be called from any goroutine at any time, Close included. A wait ends with its context. Run, Sync, All and
// Events wait without a thread; Drain and CheckHealth hold one for all their callers, Wait one for each, up to 64.
//
// The package needs cgo and liblambda_executor, which pkg-config finds as lambda_executor. With the build tag static the
// library becomes part of the program, through lambda_executor-static.
package lambdaexecutor
