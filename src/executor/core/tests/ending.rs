//! Cancel, drain, shut down, and what stays known of a finished task.

use super::*;
use crate::executor::DrainMode;
use TaskState::{Cancelled, Running, Succeeded};

#[test]
fn cancel_tells_whether_the_command_may_have_begun() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 2);
    stage.running("running");
    stage.queue("submitting");
    stage.queue("queued");
    stage.take();
    for key in ["running", "submitting", "queued"] {
        assert!(stage.core.cancel(key));
        assert!(!stage.core.cancel(key), "a second time");
    }
    assert!(!stage.core.cancel("unknown"));
    let events = stage.take();
    assert!(events.iter().all(|event| event.state == Cancelled));
    // The slot of the first is free at once, so the third was submitted before its turn to be cancelled came.
    assert!(events.iter().all(|event| event.reason == Some(Reason::Abandoned)));
}

#[test]
fn a_queued_task_that_is_cancelled_is_never_invoked() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    stage.queue("second");
    assert!(stage.core.cancel("second"));
    assert!(stage.core.cancel("first"));
    stage.after(3_600_000);
    assert_eq!(stage.invokes(), 0);
    assert_eq!(
        stage.take().iter().filter_map(|event| event.reason).collect::<Vec<_>>(),
        [Reason::NeverInvoked, Reason::Abandoned]
    );
}

#[test]
fn the_result_of_a_cancelled_task_is_deleted_when_met() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("cancelled");
    stage.running("other");
    assert!(stage.core.cancel("cancelled"));
    let result = stage.result("cancelled", attempt);
    stage.deliver(RESULTS, result);
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
    assert_eq!(stage.states(), [Running, Running, Cancelled]);
}

#[test]
fn a_drain_that_finishes_submits_what_waits_and_accepts_no_more() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 1);
    stage.queue("a");
    stage.queue("b");
    stage.core.drain(DrainMode::Finish);
    assert_eq!(stage.try_queue(Stage::spec("c")), Err(Refusal::Closed));
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!((stage.invokes(), stage.core.remaining()), (1, 2));
}

#[test]
fn a_drain_that_hands_back_cancels_what_waits_now_and_later() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 2);
    for key in ["throttled", "failed", "waiting"] {
        stage.queue(key);
    }
    stage.core.drain(DrainMode::Running);
    assert_eq!(stage.core.counts().queued, 0);
    stage.refuse_invoke(FailureClass::Throttled);
    stage.refuse_invoke(HICCUP);
    let events = stage.take();
    assert_eq!(events.iter().map(|event| &*event.key).collect::<Vec<_>>(), ["waiting", "throttled", "failed"]);
    let reasons: Vec<_> = events.iter().filter_map(|event| event.reason).collect();
    // Of the last one only the answer may have been lost.
    assert_eq!(reasons, [Reason::NeverInvoked, Reason::NeverInvoked, Reason::Abandoned]);
    assert_eq!(stage.core.remaining(), 0);
}

#[test]
fn a_shutdown_gives_back_what_is_not_acknowledged_and_sends_the_deletes_that_are_due() {
    let mut stage = Stage::new(|_| {});
    let (a, b) = (stage.running("a"), stage.running("b"));
    stage.running("c");
    let (a, b) = (stage.result("a", a), stage.result("b", b));
    stage.deliver(RESULTS, a);
    stage.take();
    stage.acknowledge_all();
    stage.deliver(RESULTS, b);
    stage.core.shut_down();
    stage.tick();
    assert!(!stage.core.is_quiet());
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
    stage.drop_polls();
    assert!(stage.core.is_quiet());
}

#[test]
fn d5_what_is_read_in_a_drain_is_delivered_and_deleted_only_when_the_host_has_it() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.core.drain(DrainMode::Finish);
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.after(1_000);
    assert_eq!((stage.core.remaining(), stage.deletes(&EntryOutcome::Done).len()), (0, 0));
    assert_eq!(stage.states(), [Running, Succeeded]);
    stage.after(1_000);
    assert!(stage.deletes(&EntryOutcome::Done).is_empty(), "handed out is not yet safe");
    stage.acknowledge_all();
    stage.after(100);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
}

#[test]
fn d6_a_drain_that_finishes_waits_for_what_backs_off() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.refuse_invoke(HICCUP);
    stage.core.drain(DrainMode::Finish);
    assert_eq!((stage.core.remaining(), stage.invokes()), (1, 0));
    stage.after(4_000);
    stage.answer_invoke(Ok(Accepted::default()));
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result);
    assert_eq!((stage.states(), stage.core.remaining()), (vec![Running, Succeeded], 0));
}

#[test]
fn d6_a_drain_that_waits_for_what_runs_invokes_no_more_and_hands_back_what_backs_off() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 2);
    stage.running("runs");
    stage.queue("backs off");
    stage.refuse_invoke(HICCUP);
    stage.queue("next");
    stage.refuse_invoke(FailureClass::Throttled);
    stage.core.drain(DrainMode::Running);
    stage.after(3_600_000);
    assert_eq!((stage.invokes(), stage.core.remaining()), (0, 1));
    let events = stage.take();
    let cancelled: Vec<_> = events.iter().filter(|event| event.state == Cancelled).map(|event| &*event.key).collect();
    assert_eq!(cancelled, ["backs off", "next"]);
}

#[test]
fn an_extension_under_way_at_the_shutdown_is_taken_back() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.after(30_000);
    stage.core.shut_down();
    stage.tick();
    let changes = stage.hidden();
    assert_eq!(changes.last(), Some(&("receipt-1".into(), 0)), "{changes:?}");
    stage.drop_polls();
    assert!(stage.core.is_quiet());
}

#[test]
fn a_key_may_be_used_again_once_its_final_event_was_handed_out() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.try_queue(Stage::spec("k")), Err(Refusal::Duplicate { key: "k".into() }));
    assert_eq!(stage.states(), [Running, Succeeded]);
    let again = stage.queue("k");
    assert_ne!(attempt, again);
    assert_eq!(stage.core.state("k"), Some(TaskState::Submitting), "the newest");
}

#[test]
fn the_newest_keep_finished_tasks_stay_visible_after_their_acknowledgement() {
    let mut stage = Stage::new(|settings| settings.keep_finished = 1);
    for key in ["a", "b"] {
        let attempt = stage.running(key);
        let result = stage.result(key, attempt);
        stage.deliver(RESULTS, result);
    }
    stage.take();
    assert_eq!(stage.core.state("a"), Some(Succeeded), "until it is acknowledged");
    stage.acknowledge_all();
    assert_eq!((stage.core.state("a"), stage.core.state("b")), (None, Some(Succeeded)));
}

#[test]
fn the_queue_is_full_at_its_limit() {
    let mut stage = Stage::new(|settings| {
        settings.max_queued_tasks = 1;
        settings.routes[0].max_running_tasks = 1;
    });
    stage.running("running");
    stage.queue("waiting");
    assert_eq!(stage.try_queue(Stage::spec("more")), Err(Refusal::QueueFull { limit: 1 }));
}
