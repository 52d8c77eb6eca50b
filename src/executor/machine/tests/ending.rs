//! Cancel, drain, shut down, and what stays known of a finished task.

use super::*;
use crate::executor::DrainMode;
use TaskState::{Cancelled, Running, Succeeded};

#[test]
fn cancel_reports_whether_the_command_may_run() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 3);
    stage.running("running");
    stage.queue("refused");
    stage.queue("answer lost");
    stage.queue("submitting");
    stage.fail_invoke(REFUSED);
    stage.fail_invoke(LOST_ANSWER);
    stage.take();
    for (key, reason) in [
        ("running", Reason::Abandoned),
        ("submitting", Reason::Abandoned),
        ("refused", Reason::NeverInvoked),
        ("answer lost", Reason::Abandoned),
    ] {
        assert!(stage.cancel(key));
        assert!(!stage.cancel(key), "a second time");
        let events = stage.take();
        assert_eq!(events.len(), 1);
        assert_eq!((&*events[0].key, events[0].state, events[0].reason), (key, Cancelled, Some(reason)));
    }
    assert!(!stage.cancel("unknown"));
}

#[test]
fn a_queued_task_that_is_cancelled_is_never_invoked() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    stage.queue("second");
    assert!(stage.cancel("second"));
    assert!(stage.cancel("first"));
    stage.after(3_600_000);
    assert_eq!(stage.invokes(), 0);
    assert_eq!(
        stage.take().iter().filter_map(|event| event.reason).collect::<Vec<_>>(),
        [Reason::NeverInvoked, Reason::Abandoned]
    );
}

#[test]
fn a_task_that_is_cancelled_while_it_backs_off_is_not_invoked_again() {
    let mut stage = Stage::new(|_| {});
    for failure in [REFUSED, LOST_ANSWER] {
        stage.queue("k");
        stage.fail_invoke(failure);
        assert!(stage.cancel("k"));
        stage.after(3_600_000);
        assert_eq!(stage.invokes(), 0);
        stage.take();
    }
}

#[test]
fn the_result_of_a_cancelled_task_is_deleted_when_it_is_received() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("cancelled");
    stage.running("other");
    assert!(stage.cancel("cancelled"));
    let result = stage.result("cancelled", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.deleted(), ["receipt-1"]);
    assert_eq!(stage.states(), [Running, Running, Cancelled]);
}

#[test]
fn the_late_result_of_a_task_that_is_forgotten_is_deleted_by_its_id() {
    let mut stage = Stage::new(|settings| settings.keep_finished = 0);
    let attempt = stage.running("cancelled");
    stage.running("other");
    assert!(stage.cancel("cancelled"));
    stage.take();
    stage.acknowledge_all();
    assert_eq!(stage.state("cancelled"), None);
    let result = stage.result("cancelled", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.deleted(), ["receipt-1"]);
}

#[test]
fn a_drain_that_finishes_submits_what_waits_and_accepts_no_more() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 1);
    stage.queue("a");
    stage.queue("b");
    stage.machine.drain(DrainMode::Finish);
    assert_eq!(stage.try_queue(Stage::spec("c")), Err(Refusal::Closed));
    stage.accept_invoke();
    assert_eq!((stage.invokes(), stage.machine.remaining()), (1, 2));
}

#[test]
fn a_drain_that_cancels_what_waits_also_cancels_what_comes_back_later() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_concurrent_invokes = 3);
    for key in ["throttled", "refused", "answer lost", "waiting"] {
        stage.queue(key);
    }
    stage.machine.drain(DrainMode::CancelQueued);
    assert_eq!(stage.machine.counts().queued, 0);
    for failure in [THROTTLED, REFUSED, LOST_ANSWER] {
        stage.fail_invoke(failure);
    }
    let events = stage.take();
    let ends: Vec<_> = events.iter().map(|event| (&*event.key, event.reason.unwrap())).collect();
    assert_eq!(
        ends,
        [
            ("waiting", Reason::NeverInvoked),
            ("throttled", Reason::NeverInvoked),
            ("refused", Reason::NeverInvoked),
            ("answer lost", Reason::Abandoned),
        ]
    );
    assert_eq!((stage.machine.remaining(), stage.invokes()), (0, 0));
}

#[test]
fn a_drain_cancels_many_tasks_in_slices() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    for n in 0..3_500 {
        stage.queue(&n.to_string());
    }
    let mut queued = 3_500;
    stage.machine.drain(DrainMode::CancelQueued);
    loop {
        let left = stage.machine.counts().queued;
        assert!(left < queued && queued - left <= 1_000, "a turn is short: {queued} to {left}");
        if left == 0 {
            break;
        }
        assert_eq!(stage.machine.next_timer(), Some(stage.now.mono_ms), "the rest follows at once");
        queued = left;
        stage.tick();
    }
    stage.tick();
    assert!(stage.machine.next_timer().is_none_or(|at| at > stage.now.mono_ms));
}

#[test]
fn a_shutdown_releases_what_is_not_acknowledged_and_sends_the_deletes_that_are_due() {
    let mut stage = Stage::new(|_| {});
    let (a, b) = (stage.running("a"), stage.running("b"));
    stage.running("c");
    let (a, b) = (stage.result("a", a), stage.result("b", b));
    stage.deliver(RESULTS, a);
    stage.take();
    stage.acknowledge_all();
    stage.deliver(RESULTS, b);
    assert_eq!(stage.machine.shut_down(), 0);
    stage.tick();
    assert!(!stage.machine.is_quiet());
    assert_eq!(stage.hidden(), [("receipt-2".into(), 0)]);
    assert_eq!(stage.deletes(&EntryOutcome::Done), ["receipt-1"]);
    stage.drop_polls();
    assert!(stage.machine.is_quiet());
}

#[test]
fn a_shutdown_reports_how_many_queued_tasks_it_dropped() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("runs");
    stage.queue("waits");
    stage.queue("waits too");
    assert_eq!((stage.machine.shut_down(), stage.machine.shut_down()), (2, 0));
    assert_eq!(stage.invokes(), 0);
}

#[test]
fn a_message_received_after_the_shutdown_is_released() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.machine.shut_down();
    stage.tick();
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.hidden(), [("receipt-1".into(), 0)]);
    assert_eq!(stage.states(), [Running]);
}

#[test]
fn d5_what_is_read_in_a_drain_is_delivered_and_deleted_only_when_the_host_has_it() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.machine.drain(DrainMode::Finish);
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.after(1_000);
    assert_eq!((stage.machine.remaining(), stage.deletes(&EntryOutcome::Done).len()), (0, 0));
    assert_eq!(stage.states(), [Running, Succeeded]);
    assert!(stage.deleted().is_empty(), "handed out is not yet safe");
    stage.acknowledge_all();
    assert_eq!(stage.deleted(), ["receipt-1"]);
}

#[test]
fn events_of_a_batch_that_was_freed_come_again_with_the_same_numbers_before_all_others() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    let batch = stage.machine.take_events(10);
    assert_eq!(batch.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    stage.running("other");
    stage.machine.hand_out_again(batch.clone());
    let counts = stage.machine.counts();
    assert_eq!((counts.waiting_events, counts.unacknowledged), (3, 0));
    let again = stage.machine.take_events(10);
    assert_eq!(again.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(again[1].event.state, Succeeded);
    assert!(stage.deleted().is_empty());
    // The final event includes RUNNING, and what is acknowledged does not come again.
    stage.machine.acknowledge(&[2]);
    stage.machine.hand_out_again(again);
    assert_eq!(stage.machine.take_events(10).iter().map(|event| event.seq).collect::<Vec<_>>(), [3]);
    assert_eq!(stage.deleted(), ["receipt-1"]);
}

#[test]
fn d6_a_drain_that_finishes_waits_for_what_backs_off() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.fail_invoke(REFUSED);
    stage.machine.drain(DrainMode::Finish);
    assert_eq!((stage.machine.remaining(), stage.invokes()), (1, 0));
    stage.after(4_000);
    stage.accept_invoke();
    let result = stage.result_without_id("k");
    stage.deliver(RESULTS, result);
    assert_eq!((stage.states(), stage.machine.remaining()), (vec![Running, Succeeded], 0));
}

#[test]
fn d6_a_drain_that_waits_for_what_runs_invokes_no_more_and_cancels_what_backs_off() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 2);
    stage.running("runs");
    stage.queue("backs off");
    stage.fail_invoke(REFUSED);
    stage.queue("next");
    stage.fail_invoke(THROTTLED);
    stage.machine.drain(DrainMode::CancelQueued);
    stage.after(3_600_000);
    assert_eq!((stage.invokes(), stage.machine.remaining()), (0, 1));
    let events = stage.take();
    let mut cancelled: Vec<_> = events.iter().filter(|event| event.state == Cancelled).map(|e| &*e.key).collect();
    cancelled.sort_unstable();
    assert_eq!(cancelled, ["backs off", "next"]);
}

#[test]
fn an_extension_under_way_at_the_shutdown_is_undone() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    stage.running("other");
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    stage.after(7_500);
    stage.machine.shut_down();
    stage.tick();
    let changes = stage.hidden();
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert_eq!(changes.last(), Some(&("receipt-1".into(), 0)), "{changes:?}");
    stage.drop_polls();
    assert!(stage.machine.is_quiet());
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
    assert_eq!(stage.state("k"), Some(TaskState::Submitting), "the newest");
}

#[test]
fn an_attempt_that_has_not_ended_cannot_be_queued_again_under_another_key() {
    let mut stage = Stage::new(|_| {});
    let own = AttemptId::from_random([5; 16]);
    let spec = |key| TaskSpec { attempt: Some(own), ..Stage::spec(key) };
    assert_eq!(stage.try_queue(spec("k")), Ok(own));
    assert_eq!(stage.try_queue(spec("other")), Err(Refusal::Duplicate { key: "k".into() }));
    assert!(stage.cancel("k"));
    assert_eq!(stage.try_queue(spec("other")), Ok(own));
}

#[test]
fn a_result_that_came_before_its_submission_ends_a_task_whose_attempt_the_host_chose() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    let own = AttemptId::from_random([5; 16]);
    stage.try_queue(TaskSpec { attempt: Some(own), ..Stage::spec("k") }).unwrap();
    let result = stage.result("k", own);
    stage.deliver(RESULTS, result);
    assert_eq!((stage.state("k"), stage.invokes()), (Some(Succeeded), 0), "the process before had submitted it");
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
    assert_eq!(stage.state("a"), Some(Succeeded), "until it is acknowledged");
    stage.acknowledge_all();
    assert_eq!((stage.state("a"), stage.state("b")), (None, Some(Succeeded)));
}

#[test]
fn the_queue_is_full_at_its_limit() {
    let mut stage = Stage::new(|settings| {
        settings.max_queued_tasks = 1;
        settings.routes[0].max_running_tasks = 1;
    });
    stage.running("running");
    stage.take();
    stage.queue("waiting");
    assert_eq!(stage.try_queue(Stage::spec("more")), Err(Refusal::QueueFull { limit: 1 }));
}

#[test]
fn the_end_of_a_watched_task_is_reported_once() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.running("k");
    assert_eq!((stage.machine.watch("k"), stage.machine.watch("unknown")), (Some(Running), None));
    assert!(!stage.machine.take_watched_task_ended());
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert!(stage.machine.take_watched_task_ended());
    assert!(!stage.machine.take_watched_task_ended());
    assert_eq!(stage.machine.watch("k"), Some(Succeeded));
    stage.running("not watched");
    stage.cancel("not watched");
    assert!(!stage.machine.take_watched_task_ended());
}
