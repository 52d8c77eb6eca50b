package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func TestMetrics(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, `{"local": {}}`, listener, []string{"sh", "-c", "exit 3"}, time.Millisecond) }()
	var text string
	for end := time.Now().Add(time.Minute); !strings.Contains(text, `lambda_executor_tasks_ended_total{state="failed"} 2`); {
		if time.Now().After(end) {
			t.Fatalf("no second task in a minute:\n%s", text)
		}
		text = get(t, "http://"+listener.Addr().String()+"/metrics")
	}
	for _, line := range []string{
		`lambda_executor_tasks_ended_total{state="succeeded"} 0`,
		`lambda_executor_healthy{route="default"} 1`,
		"# TYPE lambda_executor_aws_calls_total counter",
		"# TYPE lambda_executor_tasks gauge",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is not in\n%s", line, text)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAClosedExecutor(t *testing.T) {
	ex, err := lambdaexecutor.New(lambdaexecutor.Config{Local: map[string]string{"handler": "builtin"}})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newCollector(ex)); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
	ex.Close()
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "the executor is closed") {
		t.Error(err)
	}
}

func get(t *testing.T, url string) string {
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
