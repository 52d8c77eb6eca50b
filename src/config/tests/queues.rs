//! Queues of SQS, and the routes that a task's queue selects.

use super::*;
use crate::executor::QueueKind;

#[test]
fn a_reply_queue_is_received_from_too() {
    let reply = "https://sqs.eu-west-1.amazonaws.com/123456789012/mine";
    let config = from_json(Some(&with(&format!(r#""reply_queue_url": "{reply}""#)))).unwrap();
    assert_eq!(config.aws.queue_urls, [RESULTS, reply, DEAD]);
    let kinds: Vec<QueueKind> = config.executor.queues.iter().map(|queue| queue.kind).collect();
    assert_eq!(kinds, [QueueKind::Results, QueueKind::Results, QueueKind::DeadLetters]);
    assert_eq!(config.executor.reply_to, reply);

    let same = from_json(Some(&with(&format!(r#""reply_queue_url": "{RESULTS}""#)))).unwrap();
    assert_eq!(same.aws.queue_urls, [RESULTS, DEAD]);
}

#[test]
fn each_queue_may_have_a_result_timeout() {
    let config = from_json(Some(&with(
        r#""result_timeout_ms": 60000, "queues": {"short": {"result_timeout_ms": 5000},
            "long": {"result_timeout_ms": 90000},
            "as configured": {}}"#,
    )))
    .unwrap();
    let timeouts: Vec<u64> = config.executor.routes.iter().map(|route| route.result_timeout_ms).collect();
    assert_eq!(timeouts, [60_000, 5_000, 90_000, 60_000]);
    // Messages must not expire before the last task that waits for one is LOST.
    assert_eq!(config.aws.queue_needs.result_timeout, Duration::from_secs(90));
}

#[test]
fn queues_of_both_kinds_may_be_fifo() {
    let config = from_json(Some(&with("").replace("/results", "/results.fifo"))).unwrap();
    assert_eq!(config.executor.queues.iter().map(|queue| queue.fifo).collect::<Vec<_>>(), [true, false]);
    let config = from_json(Some(&with("").replace("/dead", "/dead.fifo"))).unwrap();
    assert_eq!(config.executor.queues.iter().map(|queue| queue.fifo).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn one_queue_for_results_and_dead_letters_is_refused() {
    let text = format!(r#"{{"function_name": "f", "queue_url": "{DEAD}", "dead_letter_queue_url": "{DEAD}"}}"#);
    assert_eq!(
        invalid(&text),
        [format!("dead_letter_queue_url: `{DEAD}` is also queue_url (results and dead letters need a queue each)")]
    );
    let lines = invalid(&with(&format!(r#""reply_queue_url": "{DEAD}""#)));
    assert!(lines[0].contains("is also reply_queue_url"), "{lines:?}");
}

#[test]
fn queues_make_routes_after_the_default_one() {
    let config = from_json(Some(&with(
        r#""function_qualifier": "live", "max_running_tasks": 9, "queues": {
            "fast": {"max_invokes_per_second": 100}, "long": {"function_name": "slow", "function_qualifier": "7"}}"#,
    )))
    .unwrap();
    let names: Vec<&str> = config.executor.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(names, ["default", "fast", "long"]);
    assert!(config.executor.routes.iter().all(|route| route.max_running_tasks == 9));
    assert_eq!(config.executor.routes[1].max_invokes_per_second, 100);
    let functions: Vec<_> =
        config.aws.functions.iter().map(|function| (function.name.as_str(), function.qualifier.as_deref())).collect();
    assert_eq!(functions, [("run", Some("live")), ("run", Some("live")), ("slow", Some("7"))]);
    assert!(config.executor.route_by_queue && !config.executor.allow_task_overrides);

    let none = from_json(Some(&with(r#""allow_task_overrides": true"#))).unwrap();
    assert!(!none.executor.route_by_queue && none.executor.allow_task_overrides);
    assert!(from_json(Some(&with(r#""queues": {}"#))).unwrap().executor.route_by_queue);
}

#[test]
fn the_example_of_the_page_on_routing_is_a_configuration() {
    let page = include_str!("../../../docs/routing.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config = from_json(Some(example)).unwrap();
    let large = config.aws.functions.last().unwrap();
    assert_eq!((large.name.as_str(), large.qualifier.as_deref()), ("run-tasks-10gb", Some("7")));
    assert_eq!(config.executor.routes.last().unwrap().max_concurrent_invokes, 200);
}

#[test]
fn errors_within_queues_are_reported_with_the_others() {
    let lines = invalid(&with(r#""queues": {"fast": {"max_invokes_per_second": -1}}, "worker_threads": 0"#));
    assert_eq!(
        lines,
        [
            "worker_threads: `0` is out of range (expected an integer from 1 to 64)",
            "queues.fast.max_invokes_per_second: `-1` is out of range (expected an integer from 0 to 1000000)",
        ]
    );
    assert!(invalid(&with(r#""queues": ["fast"]"#))[0].starts_with("queues: the value is a list (expected an object"));
}
