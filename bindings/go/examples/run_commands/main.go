// Command run_commands runs the lines of a file (or of standard input) as commands for the shell, each in a Lambda
// function, and prints a line for each as it ends.
//
//	run_commands [-config JSON] [FILE]
//
// Without -config the options are those in LAMBDA_EXECUTOR_CONFIG; without both the functions run on this machine.
// After Ctrl-C it submits no more commands and waits for running ones; Ctrl-C again ends the program at once.
//
// Exit status: 0 all succeeded, 1 some did not, 2 could not run.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func main() {
	config := flag.String("config", cmp.Or(os.Getenv("LAMBDA_EXECUTOR_CONFIG"), `{"local": {}}`), "options as `JSON`")
	flag.Parse()
	input := os.Stdin
	if flag.NArg() > 0 {
		file, err := os.Open(flag.Arg(0))
		if err != nil {
			fail(err)
		}
		input = file
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the program
	succeeded, err := run(ctx, *config, input, os.Stdout)
	if err != nil {
		fail(err)
	}
	if !succeeded {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "run_commands:", err)
	os.Exit(2)
}

// run runs the commands of input and reports whether all succeeded. When the context ends, it cancels commands that were not
// submitted, and waits for running ones.
func run(ctx context.Context, config string, input io.Reader, output io.Writer) (bool, error) {
	commands, err := read(input)
	if err != nil || len(commands) == 0 {
		return err == nil, err
	}
	ex, err := lambdaexecutor.New(config)
	if err != nil {
		return false, err
	}
	defer ex.Close()
	healthy, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := ex.CheckHealth(healthy); err != nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { drain(ex, lambdaexecutor.DrainCancelQueued) })()
	todo := queueSome(ctx, ex, commands, 0)
	succeeded := 0
	// The loop acknowledges each event when it takes the next one. It ends when the drain is over and its last event was printed.
	for event, err := range ex.All(context.Background()) {
		if err != nil {
			return false, err
		}
		if event.State.Final() {
			if err := show(output, commands[event.Tag], event); err != nil {
				return false, err
			}
		}
		if event.State == lambdaexecutor.StateSucceeded {
			succeeded++
		}
		todo = queueSome(ctx, ex, commands, todo)
	}
	return succeeded == len(commands), nil
}

func read(input io.Reader) (commands []string, err error) {
	lines := bufio.NewScanner(input)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands, lines.Err()
}

// queueSome submits as many commands as the queue takes, and returns the number of the next. After the last one it drains, which
// ends the loop of events.
func queueSome(ctx context.Context, ex *lambdaexecutor.Executor, commands []string, next int) int {
	if next == len(commands) || ctx.Err() != nil {
		return next
	}
	for ; next < len(commands); next++ {
		task := lambdaexecutor.Task{Key: fmt.Sprintf("line %d", next+1), Tag: uint64(next), Shell: commands[next]}
		err := ex.Queue(task)
		if errors.Is(err, lambdaexecutor.ErrQueueFull) {
			return next
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "run_commands:", err)
		}
	}
	go drain(ex, lambdaexecutor.DrainFinish)
	return next
}

// drain ends the loop of events once all tasks have finished. It fails if run has already returned with an error.
func drain(ex *lambdaexecutor.Executor, mode lambdaexecutor.DrainMode) {
	if _, err := ex.Drain(context.Background(), mode); err != nil && !errors.Is(err, lambdaexecutor.ErrClosed) {
		fmt.Fprintln(os.Stderr, "run_commands:", err)
	}
}

func show(output io.Writer, command string, event lambdaexecutor.Event) error {
	result := "-"
	if event.HasReturnCode {
		result = fmt.Sprint(event.ReturnCode)
	}
	said := strings.TrimSpace(cmp.Or(event.OutputTail, event.Message))
	if i := strings.LastIndexByte(said, '\n'); i >= 0 {
		said = said[i+1:]
	}
	_, err := fmt.Fprintf(output, "%-9s %3s  %s  # %s\n", event.State, result, command, said)
	return err
}
