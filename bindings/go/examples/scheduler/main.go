// Command scheduler starts commands on a schedule, which gocron keeps, and runs them on AWS Lambda.
//
//	scheduler [-rounds N]
//
// The options are in LAMBDA_EXECUTOR_CONFIG; without it the functions run on this machine. It ends after N rounds of each
// job. After Ctrl-C it submits no more commands and waits for running ones; Ctrl-C again ends the program at once.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/go-co-op/gocron/v2"
	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// job is a command and how often it is due.
type job struct {
	name  string
	every time.Duration
	shell string
}

func main() {
	rounds := flag.Uint("rounds", 3, "end after so many rounds of each job")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the program
	jobs := []job{
		{"load", 500 * time.Millisecond, "cat /proc/loadavg"},
		{"space", time.Second, "df -h / | tail -n 1"},
	}
	config := cmp.Or(os.Getenv("LAMBDA_EXECUTOR_CONFIG"), `{"local": {}}`)
	if err := run(ctx, config, jobs, *rounds, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, config string, jobs []job, rounds uint, output io.Writer) error {
	ex, err := lambdaexecutor.New(config)
	if err != nil {
		return err
	}
	defer ex.Close()
	scheduler, err := gocron.NewScheduler()
	if err != nil {
		return err
	}
	defer func() {
		if err := scheduler.Shutdown(); err != nil {
			log.Print(err)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // runs before Shutdown, which waits for jobs that wait for this loop

	due := make(chan error)
	started, interrupted := due, ctx.Done()
	for i, job := range jobs {
		round := 0
		start := func() error {
			round++
			// A new key for each round, so that no result of an earlier round matches.
			return ex.Queue(lambdaexecutor.Task{
				Key:   fmt.Sprintf("%s/%d", job.name, round),
				Tag:   uint64(i),
				Shell: job.shell,
			})
		}
		_, err := scheduler.NewJob(gocron.DurationJob(job.every), gocron.NewTask(func() {
			select {
			case due <- start():
			case <-ctx.Done():
			}
		}), gocron.WithSingletonMode(gocron.LimitModeWait), gocron.WithLimitedRuns(rounds))
		if err != nil {
			return err
		}
	}

	// One loop for all events: started jobs, changes of tasks, the end.
	events := ex.Events(context.Background())
	scheduler.Start()
	for left := len(jobs) * int(rounds); ; {
		select {
		case err := <-started:
			if errors.Is(err, lambdaexecutor.ErrQueueFull) {
				if _, err := fmt.Fprintln(output, "skipped:", err); err != nil {
					return err
				}
			} else if err != nil {
				return err
			}
			if left--; left == 0 {
				go drain(ex, lambdaexecutor.DrainFinish) // then the channel is closed
			}
		case event, open := <-events:
			if !open { // drained, or broken
				if err := ex.Err(); !errors.Is(err, lambdaexecutor.ErrClosed) {
					return err
				}
				return nil
			}
			if event.State.Final() {
				_, err := fmt.Fprintf(output, "%s %s: %s\n", event.Key, event.State, cmp.Or(event.OutputTail, event.Message))
				if err != nil {
					return err
				}
			}
			if err := event.Ack(); err != nil { // printed: the result may be deleted
				return err
			}
		case <-interrupted:
			if _, err := fmt.Fprintln(output, "interrupted"); err != nil {
				return err
			}
			go drain(ex, lambdaexecutor.DrainCancelQueued) // the results of running commands are still printed
			started, interrupted = nil, nil
		}
	}
}

// drain fails if run has already returned with an error.
func drain(ex *lambdaexecutor.Executor, mode lambdaexecutor.DrainMode) {
	if _, err := ex.Drain(context.Background(), mode); err != nil && !errors.Is(err, lambdaexecutor.ErrClosed) {
		log.Print(err)
	}
}
