package main

import (
	"bytes"
	"context"
	"fmt"
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

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	var output bytes.Buffer
	if err := run(ctx, `{"local": {}}`, jobs, 1000, &output); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(output.String(), "interrupted\n") {
		t.Error(output.String())
	}
}
