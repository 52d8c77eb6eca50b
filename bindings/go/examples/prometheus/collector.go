package main

import (
	"github.com/prometheus/client_golang/prometheus"

	lambdaexecutor "github.com/lambda-executor/lambda-executor/bindings/go"
)

// collector reads the statistics of an executor whenever Prometheus asks.
type collector struct {
	executor *lambdaexecutor.Executor
	metrics  []metric
	healthy  *prometheus.Desc
	latency  *prometheus.Desc
	failed   *prometheus.Desc
}

// metric is a number of the statistics.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label string
	value func(lambdaexecutor.Stats) float64
}

func newCollector(executor *lambdaexecutor.Executor) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("lambda_executor_"+name, help, labels, nil)
	}
	tasks := desc("tasks", "Tasks by where they are.", "where")
	ended := desc("tasks_ended_total", "Tasks that ended, by state.", "state")
	calls := desc("aws_calls_total", "Calls to AWS, by operation.", "operation")
	gauge := func(desc *prometheus.Desc, label string, value func(lambdaexecutor.Stats) uint64) metric {
		return metric{desc, prometheus.GaugeValue, label, func(stats lambdaexecutor.Stats) float64 { return float64(value(stats)) }}
	}
	counter := func(desc *prometheus.Desc, label string, value func(lambdaexecutor.Stats) uint64) metric {
		return metric{desc, prometheus.CounterValue, label, func(stats lambdaexecutor.Stats) float64 { return float64(value(stats)) }}
	}
	type stats = lambdaexecutor.Stats
	return &collector{
		executor: executor,
		metrics: []metric{
			gauge(tasks, "queued", func(s stats) uint64 { return s.Tasks.Queued }),
			gauge(tasks, "submitting", func(s stats) uint64 { return s.Tasks.Submitting }),
			gauge(tasks, "running", func(s stats) uint64 { return s.Tasks.Running }),
			counter(ended, "succeeded", func(s stats) uint64 { return s.Totals.Succeeded }),
			counter(ended, "failed", func(s stats) uint64 { return s.Totals.Failed }),
			counter(ended, "cancelled", func(s stats) uint64 { return s.Totals.Cancelled }),
			counter(ended, "lost", func(s stats) uint64 { return s.Totals.Lost }),
			counter(calls, "invoke", func(s stats) uint64 { return s.AWSCalls.Invoke }),
			counter(calls, "receive", func(s stats) uint64 { return s.AWSCalls.Receive }),
			counter(calls, "delete", func(s stats) uint64 { return s.AWSCalls.DeleteBatch }),
			counter(desc("invokes_throttled_total", "Invokes that Lambda throttled."), "", func(s stats) uint64 { return s.Invokes.Throttled }),
			gauge(desc("events_waiting", "Events that were not handed out."), "", func(s stats) uint64 { return s.Tasks.WaitingEvents }),
			gauge(desc("events_unacknowledged", "Events that were handed out and not acknowledged."), "",
				func(s stats) uint64 { return s.Tasks.Unacknowledged }),
			{desc("cost_dollars_total", "Estimate of what AWS bills for the calls, in US dollars."), prometheus.CounterValue, "",
				func(s stats) float64 { return s.CostEstimateUSD.Total }},
		},
		healthy: desc("healthy", "1 if AWS can be used, else 0, by route. The route is empty for all together.", "route"),
		latency: desc("latency_seconds", "Quantiles since the start of the executor, by what was measured.", "of", "quantile"),
		failed:  desc("stats_failed", "The statistics could not be read."),
	}
}

func (c *collector) Describe(descs chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, descs) }

func (c *collector) Collect(to chan<- prometheus.Metric) {
	stats, err := c.executor.Stats()
	if err != nil { // closed
		to <- prometheus.NewInvalidMetric(c.failed, err)
		return
	}
	for _, metric := range c.metrics {
		var labels []string
		if metric.label != "" {
			labels = []string{metric.label}
		}
		to <- prometheus.MustNewConstMetric(metric.desc, metric.kind, metric.value(stats), labels...)
	}
	to <- prometheus.MustNewConstMetric(c.healthy, prometheus.GaugeValue, truth(stats.Health.State == "healthy"), "")
	for _, route := range stats.Routes {
		to <- prometheus.MustNewConstMetric(c.healthy, prometheus.GaugeValue, truth(route.State == "healthy"), route.Name)
	}
	for of, latency := range map[string]lambdaexecutor.Latency{
		"queue_wait": stats.LatencyMs.QueueWait, "invoke": stats.LatencyMs.Invoke, "run_time": stats.LatencyMs.RunTime, "result": stats.LatencyMs.Result,
	} {
		for quantile, ms := range map[string]uint64{"0.5": latency.P50, "0.9": latency.P90, "0.99": latency.P99} {
			to <- prometheus.MustNewConstMetric(c.latency, prometheus.GaugeValue, float64(ms)/1000, of, quantile)
		}
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
