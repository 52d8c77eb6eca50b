// The library from Go: one goroutine queues the tasks, takes their events and acknowledges them. It reads one JSON line and
// prints one (benches/report/job.py describes both). Only the time inside Queue, Poll and Ack counts as blocked.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

type job struct {
	Config  json.RawMessage `json:"config"`
	Tasks   int             `json:"tasks"`
	Rate    float64         `json:"rate"`
	LimitS  float64         `json:"limit_s"`
	Command []string        `json:"command"`
}

type answer struct {
	Done             int       `json:"done"`
	Failed           int       `json:"failed"`
	Cut              bool      `json:"cut"`
	Seconds          float64   `json:"seconds"`
	CPUSeconds       float64   `json:"cpu_s"`
	BlockedSeconds   float64   `json:"blocked_s"`
	BlockedLongestMS float64   `json:"blocked_longest_ms"`
	PeakMB           float64   `json:"peak_mb"`
	StartMS          []float64 `json:"start_ms,omitempty"`
	EventMS          []float64 `json:"event_ms,omitempty"`
}

// atOnce is the number of tasks queued between two polls for events.
const atOnce = 1_000

// blocked is the time inside calls of the library.
type blocked struct{ all, longest time.Duration }

func (b *blocked) since(began time.Time) {
	took := time.Since(began)
	b.all += took
	b.longest = max(b.longest, took)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err != nil {
		return err
	}
	var asked job
	if err := json.Unmarshal(line, &asked); err != nil {
		return err
	}
	ex, err := lambdaexecutor.New(asked.Config)
	if err != nil {
		return err
	}
	defer ex.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := ex.CheckHealth(ctx); err != nil {
		return err
	}
	got, err := measure(ex, asked)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}

func measure(ex *lambdaexecutor.Executor, asked job) (*answer, error) {
	got, inside := &answer{}, &blocked{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(asked.LimitS*float64(time.Second)))
	defer cancel()
	began, cpu := time.Now(), cpuSeconds()
	queued := 0
	for got.Done+got.Failed < asked.Tasks && !got.Cut {
		due := min(asked.Tasks, queued+atOnce)
		if asked.Rate > 0 {
			due = min(asked.Tasks, int(time.Since(began).Seconds()*asked.Rate)+1)
		}
		for ; queued < due; queued++ {
			task := lambdaexecutor.Task{Key: fmt.Sprintf("bench/%07d", queued), Command: asked.Command}
			entered := time.Now()
			if err := ex.Queue(task); err != nil {
				return nil, err
			}
			inside.since(entered)
		}
		if err := await(ctx, ex, inside, got, asked, queued, began); err != nil {
			return nil, err
		}
		got.Cut = ctx.Err() != nil
	}
	got.Seconds = time.Since(began).Seconds()
	ex.Close() // Deletes what was acknowledged: part of the CPU time.
	got.CPUSeconds = cpuSeconds() - cpu
	got.BlockedSeconds, got.BlockedLongestMS = inside.all.Seconds(), inside.longest.Seconds()*1000
	got.StartMS, got.EventMS = quantiles(got.StartMS), quantiles(got.EventMS)
	peak, err := peakMB()
	got.PeakMB = peak
	return got, err
}

// await takes the events that wait. If there are none, it waits for the first, or until the next task is due.
func await(ctx context.Context, ex *lambdaexecutor.Executor, inside *blocked, got *answer, asked job, queued int, began time.Time) error {
	entered := time.Now()
	events, err := ex.Poll(0)
	inside.since(entered)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		if queued < asked.Tasks && asked.Rate <= 0 {
			return nil
		}
		if queued < asked.Tasks {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, began.Add(time.Duration(float64(queued)/asked.Rate*float64(time.Second))))
			defer cancel()
		}
		// Waiting is what the program asks for. The call that ends it is short.
		if events, err = ex.Sync(ctx, 0); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	now := time.Now()
	for i := range events {
		event := &events[i]
		switch {
		case !event.State.Final():
		case event.State != lambdaexecutor.StateSucceeded:
			got.Failed++
		default:
			got.Done++
			got.StartMS = append(got.StartMS, event.StartedAt.Sub(event.QueuedAt).Seconds()*1000)
			got.EventMS = append(got.EventMS, now.Sub(event.FinishedAt).Seconds()*1000)
		}
	}
	entered = time.Now()
	defer inside.since(entered)
	return events.Ack()
}

func quantiles(values []float64) []float64 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	return []float64{values[len(values)/2], values[len(values)-1-len(values)/100]}
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// peakMB is the largest memory in RAM. The maximum of Getrusage includes the process that started this one.
func peakMB() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kb float64
	_, err = fmt.Sscan(after, &kb)
	return kb / 1024, err
}
