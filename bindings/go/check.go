//go:build linux && cgo

package lambdaexecutor

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// wrong returns the mistake in a task, with Go's names of fields; empty if there is none. The library checks the same, and the key,
// but its messages have C's names. config is ExecutorConfig as JSON. adopted: the command is not checked.
func (task *Task) wrong(config []byte, adopted bool) string {
	for _, limit := range []struct {
		name string
		time time.Duration
	}{{"Timeout", task.Timeout}, {"MaxWait", task.MaxWait}, {"ResultTimeout", task.ResultTimeout}} {
		if limit.time < 0 {
			return fmt.Sprintf("%s is %v (allowed: 0 or more)", limit.name, limit.time)
		}
	}
	if task.AttemptID != "" && !isUUID(task.AttemptID) {
		return "AttemptID is not a UUID of 36 characters (allowed: one from NewAttemptID or from an event of the task, or empty)"
	}
	if !utf8.ValidString(task.Queue) {
		return "Queue is not UTF-8"
	}
	if adopted {
		return ""
	}
	if config != nil && len(config) > 0 {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(config, &object); err != nil || object == nil {
			return "ExecutorConfig is not a JSON object" + because(err)
		}
	}
	return task.wrongCommand()
}

func (task *Task) wrongCommand() string {
	switch {
	case len(task.Command) == 0 && task.Shell == "":
		return "has no command (set Command or Shell)"
	case len(task.Command) > 0 && task.Shell != "":
		return "has two commands (set either Command or Shell)"
	case len(task.Command) == 0:
		return wrongText("Shell", task.Shell)
	case task.Command[0] == "":
		return "Command[0], the program, is empty"
	}
	for i, argument := range task.Command {
		if what := wrongArgument(argument); what != "" {
			return fmt.Sprintf("Command[%d] %s", i, what)
		}
	}
	return ""
}

func wrongText(name, text string) string {
	if strings.TrimSpace(text) == "" {
		return name + " is only white space"
	}
	if what := wrongArgument(text); what != "" {
		return name + " " + what
	}
	return ""
}

func wrongArgument(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		return "has a NUL byte, which no command can have"
	}
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	return ""
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// isUUID looks at the form only.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// tooMany is the error of a call with more than MaxBatch tasks or keys.
func tooMany(what string, n int) error {
	if n <= MaxBatch {
		return nil
	}
	return &Error{Status: ErrInvalidArgument, Message: fmt.Sprintf("%d %s in one call (allowed: %d, MaxBatch)", n, what, MaxBatch)}
}

// goMessages replaces C's names of functions in messages of the library.
var goMessages = strings.NewReplacer(
	"config_json is NULL, which asks for Airflow's configuration", "config is nil, which asks for Airflow's configuration",
	"This is a bug in lambda_executor; free the executor and create a new one", "This is a bug in lambda_executor; close the executor and create a new one",
	"freeing a batch acknowledges nothing; call lambda_executor_batch_ack or lambda_executor_ack", "nothing is acknowledged by itself; call Ack",
)
