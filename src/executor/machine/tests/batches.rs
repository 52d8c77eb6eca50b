//! Several tasks in one invocation: which go together, what a failed call means for them, and how each gets its own end.

use super::*;
use crate::executor::settings::RouteSettings;
use serde_json::{Value, json};

/// A stage whose route sends up to three tasks in a call.
fn stage(change: impl FnOnce(&mut RouteSettings)) -> Stage {
    Stage::new(|settings| {
        settings.routes[0].batch_size = 3;
        change(&mut settings.routes[0]);
    })
}

/// The event of a call under way.
fn event(stage: &Stage, call: usize) -> Value {
    event_of(&stage.calls[call].1.clone().into_request())
}

/// Keys of the tasks in a call under way; of one that carries a single task, that.
fn keys(stage: &Stage, call: usize) -> Vec<String> {
    let event = event(stage, call);
    let key = |event: &Value| event["task_key"].as_str().unwrap().to_owned();
    event["batch"].as_array().map_or_else(|| vec![key(&event)], |members| members.iter().map(key).collect())
}

fn all_keys(stage: &Stage) -> Vec<Vec<String>> {
    (0..stage.invokes()).map(|call| keys(stage, call)).collect()
}

/// Three tasks that Lambda has accepted in one call.
fn three_running(change: impl FnOnce(&mut RouteSettings)) -> (Stage, [AttemptId; 3]) {
    let mut stage = stage(change);
    let attempts = ["a", "b", "c"].map(|key| stage.queue(key));
    assert_eq!(all_keys(&stage), [["a", "b", "c"]]);
    stage.answer_invoke(Ok(Accepted { request_id: "request".into() }));
    stage.take();
    stage.acknowledge_all();
    (stage, attempts)
}

fn results(of: &[(&str, AttemptId, i32)]) -> String {
    let result = |(key, attempt, code): &(&str, AttemptId, i32)| json!({"task_key": key, "attempt_id": attempt.to_string(), "return_code": code, "request_id": "request"});
    json!({"results": of.iter().map(result).collect::<Vec<_>>()}).to_string()
}

fn not_started(key: &str, attempt: AttemptId) -> String {
    json!({"task_key": key, "attempt_id": attempt.to_string(), "return_code": 126, "reason": "setup_failed",
        "not_started": true, "output_tail": "no time", "request_id": "request"})
    .to_string()
}

/// The dead letter of an event.
fn dead_letter(stage: &mut Stage, event: &Value) -> Message {
    let letter = stage.message(event.to_string());
    Message { dead_request_id: Some("request".into()), dead_error_message: Some("boom".into()), ..letter }
}

fn ends(stage: &mut Stage) -> Vec<(String, TaskState, Option<i32>)> {
    let events = stage.take().into_iter().filter(|event| event.state.is_final());
    events.map(|event| (event.key.to_string(), event.state, event.return_code)).collect()
}

fn end(key: &str, state: TaskState, code: i32) -> (String, TaskState, Option<i32>) {
    (key.to_owned(), state, Some(code))
}

#[test]
fn tasks_share_an_invocation_once_there_are_enough() {
    let mut stage = stage(|_| {});
    stage.queue("a");
    stage.queue("b");
    assert_eq!(stage.invokes(), 0);
    stage.queue("c");
    assert_eq!(all_keys(&stage), [["a", "b", "c"]]);
    let snapshot = stage.machine.snapshot();
    assert_eq!((snapshot.invoke_calls, snapshot.tasks_in_calls, snapshot.batches), (1, 3, 1));
    assert_eq!(stage.machine.counts().submitting, 3);
}

#[test]
fn a_task_waits_for_others_no_longer_than_batch_wait_ms() {
    let mut stage = stage(|route| route.batch_wait_ms = 200);
    stage.queue("a");
    stage.after(150);
    stage.queue("b");
    assert_eq!((stage.invokes(), stage.machine.next_timer()), (0, Some(stage.now.mono_ms + 50)));
    stage.after(50);
    assert_eq!(all_keys(&stage), [["a", "b"]]);
}

#[test]
fn a_single_task_is_sent_as_without_batches() {
    let mut stage = stage(|_| {});
    let attempt = stage.queue("a");
    stage.after(100);
    assert_eq!(event(&stage, 0)["attempt_id"], attempt.to_string());
    assert_eq!(event(&stage, 0).get("batch"), None);
}

#[test]
fn a_task_with_a_max_wait_ms_does_not_wait_for_others() {
    let mut stage = stage(|route| route.batch_wait_ms = 10_000);
    stage.queue("a");
    stage.try_queue(TaskSpec { max_wait_ms: 500, ..Stage::spec("b") }).unwrap();
    assert_eq!(all_keys(&stage), [["a", "b"]]);
}

#[test]
fn an_event_is_not_longer_than_the_limit() {
    let mut stage = stage(|route| {
        route.batch_size = 100;
        route.batch_bytes = 1_000;
    });
    for n in 0..20 {
        stage.queue(&n.to_string());
    }
    stage.after(100);
    let sizes: Vec<usize> = stage.calls.iter().map(|(_, call)| call.clone().into_request().payload.len()).collect();
    assert!(sizes.iter().all(|size| *size <= 1_000), "{sizes:?}");
    assert!(sizes.iter().rev().skip(1).all(|size| *size > 700), "{sizes:?}");
    let in_order: Vec<String> = all_keys(&stage).into_iter().flatten().collect();
    assert_eq!(in_order, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn limits_of_tasks_count_tasks_and_those_of_calls_count_calls() {
    let mut stage = stage(|route| {
        route.max_running_tasks = 4;
        route.max_concurrent_invokes = 2;
    });
    for n in 0..9 {
        stage.queue(&n.to_string());
    }
    assert_eq!(all_keys(&stage), [vec!["0", "1", "2"], vec!["3"]]);
    let mut stage = super::batches::stage(|route| route.max_invokes_per_second = 10);
    for n in 0..9 {
        stage.queue(&n.to_string());
    }
    assert_eq!(stage.invokes(), 1);
    stage.after(100);
    assert_eq!(stage.invokes(), 2);
}

#[test]
fn each_task_gets_its_own_result_out_of_one_message_which_is_deleted_after_the_last_acknowledgement() {
    let (mut stage, [a, b, c]) = three_running(|_| {});
    let message = stage.message(results(&[("b", b, 3), ("a", a, 0), ("c", c, 0)]));
    stage.deliver(RESULTS, message);
    let events = stage.machine.take_events(10);
    let got: Vec<_> = events.iter().map(|e| (&*e.event.key, e.event.state, e.event.return_code)).collect();
    let (succeeded, failed) = (TaskState::Succeeded, TaskState::Failed);
    assert_eq!(got, [("b", failed, Some(3)), ("a", succeeded, Some(0)), ("c", succeeded, Some(0))]);
    for event in &events[..2] {
        stage.machine.acknowledge(&[event.seq]);
        assert!(stage.deleted().is_empty(), "another event needs the message");
    }
    stage.machine.acknowledge(&[events[2].seq]);
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert_eq!(stage.machine.submission.sizes().map(|(_, size)| size), [0, 0]);
}

#[test]
fn results_may_come_in_several_messages_and_more_than_once() {
    let (mut stage, [a, b, c]) = three_running(|_| {});
    let some = stage.message(results(&[("a", a, 0), ("b", b, 0)]));
    stage.deliver(RESULTS, some);
    assert_eq!(ends(&mut stage).len(), 2);
    assert_eq!(stage.state("c"), Some(TaskState::Running));
    let last = stage.result("c", c);
    stage.deliver(RESULTS, last);
    assert_eq!(ends(&mut stage), [end("c", TaskState::Succeeded, 0)]);
    stage.acknowledge_all();
    stage.queue("later");
    stage.after(100);
    let again = stage.message(results(&[("a", a, 9), ("b", b, 9), ("c", c, 9)]));
    stage.deliver(RESULTS, again);
    assert!(stage.take().is_empty());
    assert_eq!(stage.deleted().len(), 3);
}

#[test]
fn a_message_with_a_result_that_is_not_ours_ends_our_tasks_and_is_left_to_its_owner() {
    let (mut stage, [a, b, c]) = three_running(|_| {});
    let other = AttemptId::from_random([9; 16]);
    let message = stage.message(results(&[("a", a, 0), ("x", other, 0), ("b", b, 0)]));
    stage.deliver(RESULTS, message.clone());
    assert_eq!(ends(&mut stage).len(), 2);
    stage.acknowledge_all();
    assert!(stage.deleted().is_empty());
    assert_eq!(stage.hidden(), [("receipt-1".to_owned(), 0)], "released");
    // The other process has died, and its host gives us what it had.
    stage.try_adopt("x", Some(other)).unwrap();
    stage.deliver(RESULTS, Message { receipt: "again".into(), receive_count: 2, ..message });
    assert_eq!(ends(&mut stage), [end("x", TaskState::Succeeded, 0)]);
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["again"]);
    assert_eq!(stage.state("c"), Some(TaskState::Running));
    let _ = c;
}

#[test]
fn a_message_is_not_deleted_while_a_task_in_it_that_ended_by_other_means_is_not_acknowledged() {
    let (mut stage, [a, b, _]) = three_running(|_| {});
    assert!(stage.cancel("a"));
    let message = stage.message(results(&[("a", a, 0), ("b", b, 0)]));
    stage.deliver(RESULTS, message.clone());
    assert_eq!(stage.take().len(), 2);
    stage.acknowledge_all();
    assert!(stage.deleted().is_empty(), "after a crash before the acknowledgement it would have been needed");
    stage.deliver(RESULTS, Message { receipt: "again".into(), receive_count: 2, ..message });
    assert_eq!(stage.deleted(), ["again"]);
}

#[test]
fn what_is_no_fault_of_the_tasks_sends_them_together_again() {
    for failure in [THROTTLED, REFUSED, REJECTED] {
        let mut stage = stage(|_| {});
        for key in ["a", "b", "c", "d"] {
            stage.queue(key);
        }
        stage.fail_invoke(failure);
        stage.after(5_000);
        assert_eq!(all_keys(&stage)[0], ["a", "b", "c"], "{failure:?}");
    }
}

#[test]
fn after_any_other_failure_each_goes_alone_and_the_one_at_fault_fails_alone() {
    let mut stage = stage(|_| {});
    for key in ["a", "b", "c"] {
        stage.queue(key);
    }
    stage.fail_invoke(TOO_LARGE);
    assert!(stage.take().is_empty(), "which of them is too large is not known");
    stage.after(500);
    assert_eq!(all_keys(&stage), [["a"], ["b"], ["c"]]);
    stage.accept_invoke();
    stage.fail_invoke(TOO_LARGE);
    stage.accept_invoke();
    assert_eq!(
        stage.take().iter().map(|e| (&*e.key, e.state)).collect::<Vec<_>>(),
        [("a", TaskState::Running), ("b", TaskState::Failed), ("c", TaskState::Running)]
    );
}

#[test]
fn a_poisonous_task_in_a_batch_fails_by_its_own_attempts() {
    struct Poison(Vec<String>);
    impl World for Poison {
        fn invoke(&mut self, request: &InvokeRequest, _: Now) -> Result<Accepted, CallError> {
            let event = event_of(request);
            if event.to_string().contains("poison") {
                return Err(error(BROKEN));
            }
            let key = |event: &Value| event["task_key"].as_str().unwrap().to_owned();
            let several = event["batch"].as_array().map(|members| members.iter().map(key).collect());
            self.0.extend(several.unwrap_or_else(|| vec![key(&event)]));
            Ok(Accepted::default())
        }
    }
    let mut stage = stage(|_| {});
    let mut world = Poison(Vec::new());
    stage.queue("poison");
    for n in 0..120 {
        stage.queue(&n.to_string());
        stage.run(1_000, &mut world);
    }
    let failed: Vec<_> = stage.take().into_iter().filter(|event| event.state == TaskState::Failed).collect();
    assert_eq!(failed.iter().map(|event| &*event.key).collect::<Vec<_>>(), ["poison"]);
    world.0.sort_unstable();
    world.0.dedup();
    assert_eq!(world.0.len(), 120);
}

#[test]
fn a_lost_answer_counts_for_each_task_and_they_are_tried_again_together() {
    let mut stage = stage(|_| {});
    for key in ["a", "b", "c"] {
        stage.queue(key);
    }
    stage.fail_invoke(LOST_ANSWER);
    stage.after(4_000);
    assert_eq!(all_keys(&stage), [["a", "b", "c"]]);
    let tries = ["a", "b", "c"].map(|key| stage.machine.describe(key).unwrap().unanswered_tries);
    assert_eq!(tries, [1, 1, 1]);
}

#[test]
fn cancelling_one_leaves_the_others_alone() {
    let mut stage = stage(|_| {});
    let [a, _, c] = ["a", "b", "c"].map(|key| stage.queue(key));
    assert!(stage.cancel("b"));
    stage.accept_invoke();
    let message = stage.message(results(&[("a", a, 0), ("c", c, 0)]));
    stage.deliver(RESULTS, message);
    let states = ["a", "b", "c"].map(|key| stage.state(key).unwrap());
    assert_eq!(states, [TaskState::Succeeded, TaskState::Cancelled, TaskState::Succeeded]);
    assert_eq!(stage.machine.snapshot().late_answers, 1);
}

#[test]
fn a_dead_letter_of_several_tasks_fails_those_that_have_not_ended() {
    let mut stage = stage(|_| {});
    let [a, ..] = ["a", "b", "c"].map(|key| stage.queue(key));
    let event = event(&stage, 0);
    stage.answer_invoke(Ok(Accepted { request_id: "request".into() }));
    let result = stage.result("a", a);
    stage.deliver(RESULTS, result);
    stage.take();
    stage.acknowledge_all();
    let letter = dead_letter(&mut stage, &event);
    stage.deliver(DEAD, letter);
    let events = stage.take();
    let got: Vec<_> = events.iter().map(|event| (&*event.key, event.state, event.reason)).collect();
    let dead = Some(Reason::DeadLetter);
    assert_eq!(got, [("b", TaskState::Failed, dead), ("c", TaskState::Failed, dead)]);
    assert!(
        events[0].message.contains("several tasks") && events[0].message.ends_with("boom"),
        "{}",
        events[0].message
    );
    stage.acknowledge_all();
    assert_eq!(stage.deleted().len(), 2);
}

#[test]
fn with_batch_resubmit_they_are_sent_again_each_alone_and_under_the_same_id() {
    let mut stage = stage(|route| route.batch_resubmit = true);
    let [a, b, c] = ["a", "b", "c"].map(|key| stage.queue(key));
    let event = event(&stage, 0);
    stage.answer_invoke(Ok(Accepted { request_id: "request".into() }));
    let result = stage.result("a", a);
    stage.deliver(RESULTS, result);
    stage.take();
    stage.acknowledge_all();
    let letter = dead_letter(&mut stage, &event);
    stage.deliver(DEAD, letter.clone());
    assert!(stage.take().is_empty());
    assert_eq!(all_keys(&stage), [["b"], ["c"]]);
    let sent = [0, 1].map(|call| super::batches::event(&stage, call)["attempt_id"].clone());
    assert_eq!(sent, [json!(b.to_string()), json!(c.to_string())]);
    // The letter once more, under another id: it is the old one.
    stage.accept_invoke();
    stage.accept_invoke();
    let again = Message { message_id: "other".into(), ..letter };
    stage.deliver(DEAD, again);
    assert_eq!((stage.invokes(), stage.machine.counts().running), (0, 2));
    assert_eq!(stage.machine.snapshot().resubmitted, 2);
    let (ok, dead) = (stage.result("b", b), event["batch"][2].clone());
    stage.deliver(RESULTS, ok);
    let letter = dead_letter(&mut stage, &dead);
    stage.deliver(DEAD, letter);
    let got: Vec<_> = stage.take().iter().map(|event| (event.key.to_string(), event.state, event.attempts)).collect();
    assert_eq!(got, [("b".to_owned(), TaskState::Succeeded, 1), ("c".to_owned(), TaskState::Failed, 1)]);
}

#[test]
fn a_task_that_was_not_started_is_sent_again_alone() {
    let (mut stage, [a, b, c]) = three_running(|_| {});
    let message = stage.message(format!(
        r#"{{"results": [{}, {}]}}"#,
        json!({"task_key": "a", "attempt_id": a.to_string(), "return_code": 0}),
        not_started("b", b)
    ));
    stage.deliver(RESULTS, message);
    assert_eq!(all_keys(&stage), [["b"]]);
    assert_eq!(ends(&mut stage), [end("a", TaskState::Succeeded, 0)]);
    stage.accept_invoke();
    for (key, attempt) in [("b", b), ("c", c)] {
        let result = stage.result(key, attempt);
        stage.deliver(RESULTS, result);
    }
    assert_eq!(ends(&mut stage), [end("b", TaskState::Succeeded, 0), end("c", TaskState::Succeeded, 0)]);
    stage.acknowledge_all();
    assert_eq!(stage.deleted().len(), 3);
}

#[test]
fn a_task_that_was_adopted_cannot_be_sent_again_and_fails() {
    let mut stage = stage(|_| {});
    let attempt = AttemptId::from_random([3; 16]);
    stage.try_adopt("b", Some(attempt)).unwrap();
    let message = stage.message(not_started("b", attempt));
    stage.deliver(RESULTS, message);
    let events = stage.take();
    assert_eq!((events[0].state, events[0].reason), (TaskState::Failed, Some(Reason::SetupFailed)));
    assert_eq!(events[0].output_tail, "no time");
}

#[test]
fn a_function_that_understands_no_batches_gets_its_tasks_one_by_one_from_then_on() {
    // Airflow's handler, and our function before it understood batches.
    for report in
        [json!({"return_code": 1}), json!({"return_code": 126, "reason": "bad_event", "request_id": "request"})]
    {
        let mut stage = stage(|_| {});
        for key in ["a", "b", "c"] {
            stage.queue(key);
        }
        let mut report = report;
        report["task_key"] = event(&stage, 0)["task_key"].clone();
        stage.accept_invoke();
        let message = stage.message(report.to_string());
        stage.deliver(RESULTS, message);
        assert_eq!(all_keys(&stage), [["a"], ["b"], ["c"]]);
        for key in ["d", "e", "f"] {
            stage.queue(key);
        }
        assert_eq!(stage.invokes(), 6);
        assert!(stage.take().iter().all(|event| event.state == TaskState::Running));
        let warnings = stage.machine.snapshot().warnings;
        assert!(warnings.iter().any(|warning| warning.contains("batch_size")), "{warnings:?}");
        assert_eq!(stage.deleted(), ["receipt-1"]);
    }
}

#[test]
fn results_that_wait_for_the_host_are_counted_one_by_one() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].batch_size = 3;
        settings.max_unacked_results = 3;
    });
    let [a, b, c] = ["a", "b", "c"].map(|key| stage.queue(key));
    stage.accept_invoke();
    stage.queue("d");
    stage.after(100);
    stage.accept_invoke();
    let message = stage.message(results(&[("a", a, 0), ("b", b, 0), ("c", c, 0)]));
    stage.deliver(RESULTS, message);
    assert_eq!(stage.polls(RESULTS), 0);
    stage.take();
    stage.acknowledge_all();
    stage.deleted();
    assert_eq!(stage.polls(RESULTS), 1);
}
