package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var output bytes.Buffer
	succeeded, err := run(context.Background(), `{"local": {}}`, strings.NewReader("echo one\n\n# none\necho two; exit 3\n"), &output)
	if succeeded || err != nil {
		t.Error(succeeded, err)
	}
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	slices.Sort(lines)
	expected := []string{"failed      3  echo two; exit 3  # two", "succeeded   0  echo one  # one"}
	if !slices.Equal(lines, expected) {
		t.Errorf("%q, expected %q", lines, expected)
	}
	if succeeded, err := run(context.Background(), `{"local": {}}`, strings.NewReader("true\n"), &output); !succeeded || err != nil {
		t.Error(succeeded, err)
	}
}

func TestNoCommands(t *testing.T) {
	if succeeded, err := run(context.Background(), `{"local": {}}`, strings.NewReader("# none\n"), &bytes.Buffer{}); !succeeded || err != nil {
		t.Error(succeeded, err)
	}
}

func TestAFullQueue(t *testing.T) {
	var output bytes.Buffer
	config := `{"max_queued_tasks": 2, "max_running_tasks": 1, "local": {"handler": "builtin"}}`
	succeeded, err := run(context.Background(), config, strings.NewReader(strings.Repeat("true\n", 20)), &output)
	if !succeeded || err != nil || strings.Count(output.String(), "\n") != 20 {
		t.Errorf("%v %v\n%s", succeeded, err, output.String())
	}
}

// interrupting ends a context with the first line that is written.
type interrupting struct {
	bytes.Buffer
	interrupt func()
}

func (w *interrupting) Write(text []byte) (int, error) {
	w.interrupt()
	return w.Buffer.Write(text)
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	output := &interrupting{interrupt: cancel}
	config := `{"max_running_tasks": 1, "local": {}}`
	succeeded, err := run(ctx, config, strings.NewReader(strings.Repeat("sleep 0.2\n", 50)), output)
	text := output.String()
	if succeeded || err != nil || strings.Count(text, "succeeded") > 5 || strings.Count(text, "cancelled") < 45 {
		t.Errorf("%v %v\n%s", succeeded, err, text)
	}
}

func TestWrongConfiguration(t *testing.T) {
	_, err := run(context.Background(), `{"locall": {}}`, strings.NewReader("true\n"), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "locall") {
		t.Error(err)
	}
}
