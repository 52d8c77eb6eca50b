// Command scenario_runner runs a scenario through the Go binding and prints the outcome; tests/bindings/README.md describes both.
// Every language's runner must print the same.
//
//	LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner NAME.tsv
//
// Exit status: 0 the scenario ran, 1 a call of the library failed, 2 the scenario is malformed.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

const (
	exitFailed    = 1
	exitMalformed = 2
)

func die(exitStatus int, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "scenario_runner: "+format+"\n", arguments...)
	os.Exit(exitStatus)
}

func main() {
	config, given := os.LookupEnv("LAMBDA_EXECUTOR_CONFIG")
	if len(os.Args) != 2 || !given {
		die(exitMalformed, "usage: LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner SCENARIO.tsv")
	}
	scenario, err := os.ReadFile(os.Args[1])
	if err != nil {
		die(exitMalformed, "%v", err)
	}
	ex, err := lambdaexecutor.New(config)
	if err != nil {
		die(exitFailed, "%v", err)
	}
	defer ex.Close()
	run := &run{ex: ex, tasks: map[string]*record{}}
	for _, line := range strings.Split(string(scenario), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			run.carryOut(strings.Split(line, "\t"))
		}
	}
}

var steps = map[string]struct {
	fields   int
	carryOut func(*run, []string)
}{
	"options": {1, skip}, "local": {1, skip}, "faults": {1, skip},
	"health": {0, (*run).health}, "queue": {6, (*run).queue}, "batch": {4, (*run).batch},
	"adopt": {3, (*run).adopt}, "wait": {2, (*run).wait}, "state": {1, (*run).state},
	"cancel": {1, (*run).cancel}, "drain": {1, (*run).drain}, "finish": {0, (*run).finish},
	"after": {1, (*run).after},
}

func (r *run) carryOut(fields []string) {
	step, known := steps[fields[0]]
	if !known {
		die(exitMalformed, "there is no step `%s`", fields[0])
	}
	if len(fields)-1 != step.fields {
		die(exitMalformed, "`%s` has %d fields, expected %d", fields[0], len(fields)-1, step.fields)
	}
	step.carryOut(r, fields[1:])
}

func skip(*run, []string) {}

// textOf returns the text of a field; `-` is an empty one.
func textOf(field string) string {
	if field == "-" {
		return ""
	}
	return field
}

func numberOf(field string) uint64 {
	if field == "-" {
		return 0
	}
	number, err := strconv.ParseUint(field, 10, 64)
	if err != nil {
		die(exitMalformed, "`%s` is not a number", field)
	}
	return number
}
