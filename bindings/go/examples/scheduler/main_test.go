package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var jobs = []job{
	{"quick", 50 * time.Millisecond, "echo $((6 * 7))"},
	{"slow", 100 * time.Millisecond, "sleep 0.1; exit 3"},
}

func TestEachRoundRuns(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var output bytes.Buffer
	if err := run(ctx, `{"local": {}}`, jobs, 3, &output); err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 3; round++ {
		for _, line := range []string{fmt.Sprintf("quick/%d succeeded: 42\n", round), fmt.Sprintf("slow/%d failed: ", round)} {
			if strings.Count(output.String(), line) != 1 {
				t.Errorf("not once %q in\n%s", line, output.String())
			}
		}
	}
}

// observed calls a function with each line that is written.
type observed struct {
	bytes.Buffer
	line func(string)
}

func (w *observed) Write(text []byte) (int, error) {
	w.line(string(text))
	return w.Buffer.Write(text)
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	folder := t.TempDir()
	running, open := filepath.Join(folder, "running"), filepath.Join(folder, "open")
	await := func(path string) string { return fmt.Sprintf("until [ -e %s ]; do sleep 0.02; done", path) }
	jobs := []job{
		{"quick", 50 * time.Millisecond, await(running)},
		{"slow", 50 * time.Millisecond, "touch " + running + "; " + await(open) + "; echo kept"},
	}
	output := &observed{}
	output.line = func(line string) {
		switch {
		case line == "interrupted\n":
			if err := os.WriteFile(open, nil, 0o600); err != nil {
				t.Error(err)
			}
		case strings.HasPrefix(line, "quick/1 succeeded"): // and slow/1 runs
			cancel()
		}
	}
	if err := run(ctx, `{"local": {}}`, jobs, 1000, output); err != nil {
		t.Fatal(err)
	}
	_, rest, interrupted := strings.Cut(output.String(), "interrupted\n")
	if !interrupted || !strings.Contains(rest, "slow/1 succeeded: kept\n") {
		t.Error(output.String())
	}
}
