//! When queues are read, and how what was read stays hidden.

use super::*;
use crate::executor::DrainMode;
use crate::executor::wire;
use std::collections::VecDeque;

#[test]
fn nothing_is_received_while_nothing_runs() {
    let mut stage = Stage::new(|_| {});
    assert_eq!((stage.polls(RESULTS), stage.machine.next_timer()), (0, None));
    let attempt = stage.running("k");
    assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (1, 1));
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.answer_poll(DEAD, Ok(Vec::new()));
    assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (0, 0));
}

#[test]
fn queues_are_read_from_the_moment_an_invoke_is_sent() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    assert_eq!((stage.invokes(), stage.polls(RESULTS), stage.polls(DEAD)), (1, 1, 1));
}

#[test]
fn polls_grow_with_what_arrives_and_shrink_again() {
    let mut stage = Stage::new(|_| {});
    let attempts: Vec<_> = (0..200).map(|n| stage.running(&n.to_string())).collect();
    assert_eq!(stage.polls(RESULTS), 1);
    for batch in attempts.chunks(10).take(3) {
        let messages = batch.iter().map(|attempt| stage.result("k", *attempt)).collect();
        stage.answer_poll(RESULTS, Ok(messages));
    }
    assert_eq!(stage.polls(RESULTS), 8);
    for _ in 0..8 {
        stage.answer_poll(RESULTS, Ok(Vec::new()));
    }
    assert_eq!(stage.polls(RESULTS), 1);
}

/// Each accepted task reports at once, and a receive of ten takes 20 ms.
#[derive(Default)]
struct Fast {
    waiting: VecDeque<Message>,
    sent: u64,
    latencies: Vec<i64>,
    last_accepted_ms: u64,
}

impl World for Fast {
    const INVOKE_MS: u64 = 20;

    fn invoke(&mut self, request: &InvokeRequest, now: Now) -> Result<Accepted, CallError> {
        let event = event_of(request);
        let attempt = AttemptId::parse(event["attempt_id"].as_str().unwrap()).unwrap();
        self.sent += 1;
        self.last_accepted_ms = now.mono_ms;
        self.waiting.push_back(message(self.sent, result_body("k", attempt), now));
        Ok(Accepted::default())
    }

    fn receive_ms(&self, queue: QueueId) -> u64 {
        if queue == RESULTS { 20 } else { 20_000 }
    }

    fn receive(&mut self, queue: QueueId, now: Now) -> Result<Vec<Message>, CallError> {
        let count = if queue == RESULTS { self.waiting.len().min(10) } else { 0 };
        let messages: Vec<_> = self.waiting.drain(..count).collect();
        self.latencies.extend(messages.iter().map(|message| now.unix_ms - message.sent_at_ms));
        Ok(messages)
    }
}

#[test]
fn s4_results_are_received_while_tasks_are_submitted() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].max_concurrent_invokes = 512;
        settings.max_unacked_results = 100_000;
    });
    for n in 0..20_000 {
        stage.queue(&n.to_string());
    }
    let mut world = Fast::default();
    let began_ms = stage.now.mono_ms;
    stage.run(5_000, &mut world);
    assert_eq!((world.latencies.len(), stage.machine.remaining()), (20_000, 0));
    // 800 ms with 512 Invokes at once; it begins with fewer.
    let submitted_ms = world.last_accepted_ms - began_ms;
    assert!(submitted_ms <= 1_300, "submitting is held up: {submitted_ms} ms");
    world.latencies.sort_unstable();
    let p99 = world.latencies[19_800];
    assert!(p99 <= 250, "p99 {p99} ms");
}

#[test]
fn a_queue_that_cannot_be_read_is_tried_again_ever_later() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    for full_ms in [500, 1_000, 2_000, 4_000] {
        stage.answer_poll(RESULTS, Err(error(REFUSED)));
        stage.after(full_ms * 3 / 4 - 1);
        assert_eq!(stage.polls(RESULTS), 0);
        stage.after(full_ms / 4 + 1);
        assert_eq!(stage.polls(RESULTS), 1);
    }
    assert_eq!(stage.health(), "degraded");
    stage.queue("another");
    assert_eq!(stage.invokes(), 1, "it stops no Invoke");
}

#[test]
fn receiving_pauses_at_max_unacked_results_and_goes_on_after_the_deletes() {
    let mut stage = Stage::new(|settings| settings.max_unacked_results = 1);
    let attempt = stage.running("a");
    stage.running("b");
    let result = stage.result("a", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.polls(RESULTS), 0);
    stage.take();
    assert_eq!(stage.polls(RESULTS), 0, "handing out is not enough");
    stage.acknowledge_all();
    assert_eq!(stage.polls(RESULTS), 0, "a delete that waits counts as well");
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert_eq!(stage.polls(RESULTS), 1);
}

#[test]
fn a_waiting_result_is_hidden_again_at_half_time_and_never_for_long() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    let mut visible_s = 15;
    for _ in 0..50 {
        stage.after(visible_s * 500 - 1);
        assert_eq!(stage.hidden(), [], "before half time");
        stage.after(1);
        assert_eq!(stage.hidden(), [("receipt-1".into(), 20)]);
        visible_s = 20;
    }
}

/// Delivers results of 2 MiB until receiving pauses. Returns what may then be in memory, in bytes.
fn fill(stage: &mut Stage) -> usize {
    for number in 0..200 {
        stage.running(&format!("k{number}"));
    }
    for number in 0..200 {
        if stage.polls(RESULTS) == 0 {
            return (number + 10 * stage.polls(DEAD)) * (2 << 20);
        }
        let mut message = wire::read(stage.result_without_id(&format!("k{number}")));
        message.bytes = 2 << 20;
        stage.answer_poll_with(RESULTS, Ok(vec![message]));
    }
    panic!("receiving does not pause");
}

#[test]
fn receiving_pauses_when_the_results_that_wait_are_large() {
    let mut stage = Stage::new(|_| {});
    let bytes = fill(&mut stage);
    assert!((200 << 20..=257 << 20).contains(&bytes), "{bytes}");
    stage.take();
    stage.acknowledge_all();
    stage.deleted();
    assert!(stage.polls(RESULTS) > 0);
}

#[test]
fn c8_the_limit_of_bytes_holds_in_a_drain_too_and_is_reported() {
    let mut filled = Stage::new(|_| {});
    fill(&mut filled);
    filled.machine.drain(DrainMode::Finish);
    assert_eq!((filled.polls(RESULTS), filled.machine.is_drain_blocked()), (0, true));
    filled.take();
    filled.acknowledge_all();
    filled.deleted();
    assert_eq!((filled.polls(RESULTS) > 0, filled.machine.is_drain_blocked()), (true, false));
}

#[test]
fn c8_what_receives_under_way_may_bring_counts() {
    let mut stage = Stage::new(|_| {});
    let attempts: Vec<_> = (0..5_000).map(|n| stage.running(&n.to_string())).collect();
    let mut brought = 0;
    for batch in attempts.chunks(10) {
        if stage.polls(RESULTS) == 0 {
            break;
        }
        let mut messages: Vec<_> = batch.iter().map(|attempt| wire::read(stage.result("k", *attempt))).collect();
        messages.iter_mut().for_each(|message| message.bytes = 1 << 20);
        brought += messages.len();
        stage.answer_poll_with(RESULTS, Ok(messages));
    }
    assert!((200..=300).contains(&brought), "{brought} MiB in memory, {} receives under way", stage.polls(RESULTS));
}

#[test]
fn c8_running_events_that_the_host_does_not_take_count_against_the_limit_of_tasks() {
    let mut stage = Stage::new(|settings| settings.max_queued_tasks = 100);
    for n in 0..100 {
        stage.running(&n.to_string());
    }
    assert_eq!(stage.try_queue(Stage::spec("more")), Err(Refusal::QueueFull { limit: 100 }));
    assert_eq!(stage.take().len(), 100);
    stage.queue("more");
}
