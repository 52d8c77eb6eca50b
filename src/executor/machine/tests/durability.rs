//! Records: what waits until one is durable, and what a machine made from them goes on with.

use super::*;
use crate::executor::machine::{Machine, Record};
use TaskState::{Failed, Running, Submitting, Succeeded};
use serde_json::json;

/// A machine whose records become durable when the test says so.
fn recording() -> Stage {
    Stage::with(|_| {}, |settings, now| Machine::new(settings, now, true))
}

/// A machine from the records of another, one second later.
fn recovered(records: Vec<Record>) -> Stage {
    Stage::with(|_| {}, |settings, now| Machine::recover(settings, now, records))
}

impl Stage {
    /// Everything recorded so far becomes durable.
    fn sync(&mut self, log: &mut Vec<Record>) {
        log.extend(self.machine.take_records());
        self.machine.set_durable(log.len() as u64);
        self.tick();
    }
}

#[test]
fn an_invoke_waits_until_its_record_is_durable() {
    let (mut stage, mut log) = (recording(), Vec::new());
    stage.queue("k");
    assert_eq!((stage.invokes(), stage.machine.counts().submitting), (0, 1));
    stage.machine.set_durable(1);
    stage.tick();
    assert_eq!(stage.invokes(), 0, "only that the task was accepted is durable");
    stage.sync(&mut log);
    assert_eq!(stage.invokes(), 1);
    assert!(matches!(log.as_slice(), [Record::Accepted(_), Record::Submitting(_)]), "{log:?}");
}

#[test]
fn a_message_is_deleted_when_the_acknowledgement_is_durable() {
    let (mut stage, mut log) = (recording(), Vec::new());
    let attempt = stage.queue("k");
    stage.sync(&mut log);
    stage.accept_invoke();
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.take();
    stage.sync(&mut log);
    stage.acknowledge_all();
    assert!(stage.deleted().is_empty());
    stage.sync(&mut log);
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert!(matches!(log.last(), Some(Record::Acknowledged(_))), "{log:?}");
}

#[test]
fn a_second_message_is_deleted_when_the_end_of_its_task_is_durable() {
    let (mut stage, mut log) = (recording(), Vec::new());
    let attempt = stage.queue("k");
    stage.queue("other");
    stage.sync(&mut log);
    stage.accept_invoke();
    let (first, second) = (stage.result("k", attempt), stage.result("k", attempt));
    stage.deliver(RESULTS, first);
    stage.deliver(RESULTS, second);
    assert!(stage.deleted().is_empty());
    stage.sync(&mut log);
    assert_eq!(stage.deleted(), ["receipt-2"]);
}

#[test]
fn after_a_crash_each_task_goes_on_where_its_records_end() {
    let (mut stage, mut log) = (recording(), Vec::new());
    for key in ["accepted", "answer lost", "refused", "under way"] {
        stage.queue(key);
    }
    stage.adopt("adopted");
    stage.sync(&mut log);
    stage.answer_invoke(Ok(Accepted { request_id: "r-1".into() }));
    stage.fail_invoke(LOST_ANSWER);
    stage.fail_invoke(REFUSED);
    stage.take();
    let finished = stage.try_queue(Stage::spec("finished")).unwrap();
    stage.sync(&mut log);
    stage.calls.swap(0, 1);
    stage.accept_invoke();
    let result = stage.result("finished", finished);
    stage.deliver(RESULTS, result);
    stage.sync(&mut log);

    let mut stage = recovered(log);
    assert_eq!(stage.state("accepted"), Some(Running));
    assert_eq!(stage.state("adopted"), Some(Running));
    assert_eq!(stage.machine.describe("accepted").map(|task| task.request_id.to_string()), Some("r-1".into()));
    let tries = |stage: &Stage, key| stage.machine.describe(key).map(|t| (t.state, t.attempts, t.unanswered_tries));
    for key in ["answer lost", "under way"] {
        assert_eq!(tries(&stage, key), Some((Submitting, 1, 1)), "{key}: it is sent again and the try counts");
    }
    assert_eq!(tries(&stage, "refused"), Some((Submitting, 0, 0)));
    let events = stage.take();
    assert_eq!(events.iter().map(|event| (&*event.key, event.state)).collect::<Vec<_>>(), [("finished", Succeeded)]);
    // Its message, if SQS still has it, is recognised and deleted.
    let result = stage.result("finished", finished);
    stage.deliver(RESULTS, result);
    let mut log = Vec::new();
    log.extend(stage.machine.take_records());
    stage.machine.set_durable(u64::MAX);
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert_eq!(stage.states(), []);
}

#[test]
fn c3_tries_that_may_have_been_sent_count_over_a_crash() {
    let mut log = Vec::new();
    let mut tries = 0;
    let mut stage = recording();
    stage.queue("k");
    for _ in 0..5 {
        stage.sync(&mut log);
        tries += stage.invokes();
        // It dies with the call under way.
        stage = recovered(log.clone());
    }
    assert_eq!((tries, stage.invokes()), (3, 0));
    assert_eq!(stage.state("k"), Some(Submitting));
}

#[test]
fn a_lost_answer_counts_over_a_crash_also_for_a_task_that_its_batch_did_not_run() {
    let mut log = Vec::new();
    let with_batches = |settings: &mut Settings| settings.routes[0].batch_size = 2;
    let mut stage = Stage::with(with_batches, |settings, now| Machine::new(settings, now, true));
    let attempt = stage.queue("k");
    stage.queue("other");
    stage.sync(&mut log);
    stage.fail_invoke(LOST_ANSWER);
    stage.after(4_000);
    stage.sync(&mut log);
    stage.accept_invoke();
    stage.sync(&mut log);
    stage = Stage::with(with_batches, |settings, now| Machine::recover(settings, now, log.clone()));
    let not_run = json!({"task_key": "k", "attempt_id": attempt.to_string(), "return_code": 126, "not_started": true});
    let message = stage.message(not_run.to_string());
    stage.deliver(RESULTS, message);
    let mut tries = 0;
    for _ in 0..5 {
        stage.sync(&mut log);
        tries += stage.invokes();
        stage = recovered(log.clone());
    }
    assert_eq!(tries, 2, "three are allowed, and one answer was lost");
}

#[test]
fn what_was_acknowledged_is_not_known_after_a_crash() {
    let (mut stage, mut log) = (recording(), Vec::new());
    stage.queue("k");
    stage.sync(&mut log);
    stage.fail_invoke(TOO_LARGE);
    assert_eq!(stage.states(), [Failed]);
    stage.acknowledge_all();
    stage.sync(&mut log);
    let mut stage = recovered(log);
    assert_eq!((stage.state("k"), stage.states()), (None, vec![]));
}
