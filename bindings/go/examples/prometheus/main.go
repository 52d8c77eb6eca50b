// Command prometheus runs a command on AWS Lambda again and again, and serves the statistics of the executor to Prometheus.
//
//	prometheus [-listen ADDRESS] [-every DURATION] COMMAND [ARGUMENT...]
//	curl http://127.0.0.1:9400/metrics
//
// The options of the executor are in LAMBDA_EXECUTOR_CONFIG; without it the functions run on this machine. Ctrl-C ends the program.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9400", "`address` to serve on")
	every := flag.Duration("every", time.Second, "pause between two runs of the command")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err == nil {
		err = run(ctx, cmp.Or(os.Getenv("LAMBDA_EXECUTOR_CONFIG"), `{"local": {}}`), listener, flag.Args(), *every)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// run serves statistics and runs the command until the context ends.
func run(ctx context.Context, config string, listener net.Listener, command []string, every time.Duration) error {
	ex, err := lambdaexecutor.New(config)
	if err != nil {
		return err
	}
	defer ex.Close()
	registry := prometheus.NewRegistry()
	if err := registry.Register(newCollector(ex)); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = work(ctx, ex, command, every)
	return errors.Join(err, server.Close(), ignore(<-served, http.ErrServerClosed))
}

func work(ctx context.Context, ex *lambdaexecutor.Executor, command []string, every time.Duration) error {
	for round := 1; ; round++ {
		event, err := ex.Run(ctx, lambdaexecutor.Task{Key: fmt.Sprint("round ", round), Command: command})
		if err != nil {
			return ignore(err, context.Canceled)
		}
		if err := event.Err(); err != nil {
			log.Print(err)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
	}
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
