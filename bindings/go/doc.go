// Package lambdaexecutor runs a scheduler's tasks on AWS Lambda and tells what became of each.
//
// An [Executor] takes tasks ([Executor.Queue]) and hands out events: one when Lambda has accepted a task, and exactly one
// final event for every task. Three ways to take them differ in when an event counts as taken, after which its result
// leaves AWS (option ack "auto", the default):
//
//   - [Executor.All], a range loop: when the loop's body is done with it.
//   - [Executor.Events], a channel: when it was received.
//   - [Executor.Sync] and [Executor.Poll], calls that return a slice: when the call returns.
//
// What was not taken comes back: to the next caller, or after a crash to the next process that adopts the task. Why no more
// come says [Executor.Err], which takes none. With
// option ack "manual" nothing leaves AWS before [Executor.Ack], whichever way the event was taken.
//
// Every method may be called from any number of goroutines at any time, Close included. A wait ends with its context and
// costs no thread; only Drain and CheckHealth hold one each while they are under way, however many callers wait.
//
// The package needs cgo and liblambda_executor, which pkg-config finds as lambda_executor. With the build tag static the
// library becomes part of the program, by way of lambda_executor-static.
package lambdaexecutor
