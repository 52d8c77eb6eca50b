//! Tasks of an earlier process.

use super::*;
use TaskState::{Failed, Lost, Running, Succeeded};

const MINE: [u8; 16] = [0x11; 16];
const ANOTHER: [u8; 16] = [0x22; 16];

#[test]
fn d11_adopted_tasks_count_and_have_deadlines() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].result_timeout_ms = 100_000;
        settings.routes[0].max_running_tasks = 1;
    });
    stage.adopt("old");
    assert_eq!(stage.machine.counts().running, 1);
    stage.queue("waits");
    assert_eq!(stage.invokes(), 0);
    // The limit, 40 s for what the process before may hide, 60 s for what other readers may, and a long poll.
    stage.listen(195_000);
    assert_eq!(stage.states(), []);
    stage.listen(30_000);
    assert_eq!(stage.states(), [Lost, Running], "its place is free for the next");
}

#[test]
fn d11_keys_need_not_be_json_and_their_number_does_not_matter() {
    let mut stage = Stage::new(|_| {});
    // If each were compared with all others, this would take hours.
    for number in 0..50_000 {
        let key = format!("not JSON {number}").into();
        let spec = AdoptSpec { key, tag: number, queue: String::new(), result_timeout_ms: 0, attempt: None };
        stage.machine.adopt(spec).unwrap();
    }
    stage.tick();
    let result = stage.result_without_id("not JSON 49999");
    stage.deliver(RESULTS, result);
    let events = stage.take();
    assert_eq!((events.len(), events[0].tag, stage.machine.counts().running), (1, 49_999, 49_999));
}

#[test]
fn with_an_id_two_submissions_of_a_key_are_distinguished() {
    let (mine, another) = (AttemptId::from_random(MINE), AttemptId::from_random(ANOTHER));
    for (id, expected) in [(mine, Succeeded), (another, Failed)] {
        let mut stage = Stage::new(|_| {});
        stage.try_adopt("k", Some(id)).unwrap();
        let failed = stage.message(format!(r#"{{"task_key":"k","return_code":1,"attempt_id":"{another}"}}"#));
        let well = stage.result("k", mine);
        stage.answer_poll(RESULTS, Ok(vec![failed, well]));
        let events = stage.take();
        assert_eq!(events.iter().map(|event| event.state).collect::<Vec<_>>(), [expected]);
        assert_eq!(events[0].attempt_id, Some(id));
        assert_eq!(stage.hidden().len(), 1, "the other one is released");
    }
}

#[test]
fn with_an_id_dead_letters_are_distinguished_too() {
    let (mine, another) = (AttemptId::from_random(MINE), AttemptId::from_random(ANOTHER));
    let mut stage = Stage::new(|_| {});
    stage.try_adopt("k", Some(mine)).unwrap();
    let dead = |id| format!(r#"{{"task_key":"k","command":["true"],"attempt_id":"{id}"}}"#);
    let message = stage.message(dead(another));
    stage.deliver(DEAD, message);
    assert!(stage.states().is_empty());
    stage.after(100); // Other readers have had their turn.
    let message = stage.message(dead(mine));
    stage.deliver(DEAD, message);
    assert_eq!(stage.states(), [Failed]);
}

#[test]
fn with_an_id_a_message_that_names_none_matches_by_key_whenever_it_was_sent() {
    let mut stage = Stage::new(|_| {});
    let result = stage.result_without_id("k");
    stage.after(60_000);
    stage.try_adopt("k", Some(AttemptId::from_random(MINE))).unwrap();
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [Succeeded]);
}

#[test]
fn a_late_second_result_of_an_adopted_task_is_deleted() {
    let mine = AttemptId::from_random(MINE);
    let mut stage = Stage::new(|_| {});
    stage.try_adopt("k", Some(mine)).unwrap();
    stage.running("other");
    let (first, second) = (stage.result("k", mine), stage.result("k", mine));
    stage.deliver(RESULTS, first);
    stage.deliver(RESULTS, second);
    assert_eq!(stage.deleted(), ["receipt-2"]);
}

#[test]
fn a_task_that_was_cancelled_can_be_adopted_again_by_its_id() {
    for keep_finished in [0, 10] {
        let mut stage = Stage::new(|settings| settings.keep_finished = keep_finished);
        let attempt = stage.running("k");
        assert!(stage.cancel("k"));
        assert_eq!(stage.states(), [Running, TaskState::Cancelled]);
        stage.acknowledge_all();
        stage.try_adopt("k", Some(attempt)).unwrap();
        let result = stage.result("k", attempt);
        stage.deliver(RESULTS, result);
        assert_eq!(stage.states(), [Succeeded], "keep_finished {keep_finished}");
    }
}

#[test]
fn d11_what_is_tracked_already_is_a_duplicate_by_key_and_by_id() {
    let mine = AttemptId::from_random(MINE);
    let mut stage = Stage::new(|_| {});
    let running = stage.running("running");
    stage.try_adopt("k", Some(mine)).unwrap();
    for (key, id, other) in [
        ("k", None, "k"),
        ("other", Some(mine), "k"),
        ("other", Some(running), "running"),
        ("running", None, "running"),
    ] {
        assert_eq!(stage.try_adopt(key, id), Err(Refusal::Duplicate { key: other.into() }), "{key}");
    }
    assert_eq!(stage.machine.counts().running, 2);
}

#[test]
fn events_name_the_submission() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.adopt("old");
    assert!(stage.cancel("old"));
    let ids: Vec<_> = stage.take().iter().map(|event| event.attempt_id).collect();
    assert_eq!(ids, [Some(attempt), Some(attempt), None]);
}
