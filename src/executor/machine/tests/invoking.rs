//! What is invoked when, and what limits it.

use super::*;

#[test]
fn tries_whose_answer_was_lost_follow_each_other_with_the_contracts_back_off() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    for full_ms in [4_000, 16_000] {
        stage.fail_invoke(LOST_ANSWER);
        stage.after(full_ms * 3 / 4 - 1);
        assert_eq!(stage.invokes(), 0);
        stage.after(full_ms / 4 + 1);
        assert_eq!(stage.invokes(), 1);
    }
    stage.fail_invoke(LOST_ANSWER);
    stage.after(600_000);
    assert_eq!((stage.invokes(), stage.state("k")), (0, Some(TaskState::Submitting)));
    assert_eq!(stage.machine.describe("k").map(|task| (task.attempts, task.unanswered_tries)), Some((3, 3)));
}

#[test]
fn an_event_that_lambda_refuses_fails_its_task_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.fail_invoke(TOO_LARGE);
    let events = stage.take();
    assert_eq!((events[0].state, events[0].reason), (TaskState::Failed, Some(Reason::InvokeFailed)));
    assert_eq!(events[0].message, "Lambda refused the event: RequestEntityTooLargeException: on purpose");
    assert_eq!(events[0].attempts, 1);
}

#[test]
fn throttling_uses_no_attempt_and_retry_after_is_honoured() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    for _ in 0..7 {
        stage.answer_invoke(Err(CallError { retry_after_ms: Some(7_000), ..error(THROTTLED) }));
        assert_eq!(stage.machine.next_timer(), Some(stage.now.mono_ms + 7_000));
        stage.after(6_999);
        assert_eq!(stage.invokes(), 0);
        stage.after(1);
    }
    stage.accept_invoke();
    assert_eq!(stage.take()[0].attempts, 1);
}

#[test]
fn rejected_credentials_use_no_attempt_and_are_tried_one_by_one() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    stage.queue("b");
    stage.fail_invoke(REJECTED);
    stage.fail_invoke(REJECTED);
    assert_eq!((stage.invokes(), stage.machine.counts().queued), (0, 2));
    assert_eq!(stage.health(), "no_credentials");
    stage.after(4_000);
    assert_eq!(stage.invokes(), 1);
    stage.accept_invoke();
    assert_eq!(stage.invokes(), 1);
    assert_eq!(stage.health(), "healthy");
    assert_eq!(stage.take()[0].attempts, 1);
}

#[test]
fn the_rate_limit_spreads_invokes() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_invokes_per_second = 10);
    for n in 0..15 {
        stage.queue(&n.to_string());
    }
    assert_eq!(stage.invokes(), 1);
    for _ in 0..10 {
        stage.after(100);
    }
    assert_eq!(stage.invokes(), 11);
}

#[test]
fn limits_of_invokes_and_of_running_tasks_are_kept() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].max_concurrent_invokes = 2;
        settings.routes[0].max_running_tasks = 3;
    });
    for n in 0..5 {
        stage.queue(&n.to_string());
    }
    assert_eq!(stage.invokes(), 2);
    stage.accept_invoke();
    assert_eq!(stage.invokes(), 2, "a slot of Invokes is free");
    stage.accept_invoke();
    assert_eq!(stage.invokes(), 1, "three are submitting or running");
    assert!(stage.cancel("0"));
    assert_eq!(stage.invokes(), 2, "cancelling a running task frees its slot");
}

#[test]
fn a_task_that_waited_longer_than_max_wait_ms_expires() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    stage.try_queue(TaskSpec { max_wait_ms: 5_000, ..Stage::spec("second") }).unwrap();
    assert!(stage.machine.next_timer().is_some_and(|at| at <= stage.now.mono_ms + 5_000));
    stage.after(4_999);
    assert_eq!(stage.states(), [TaskState::Running]);
    stage.after(1);
    let events = stage.take();
    assert_eq!((&*events[0].key, events[0].reason), ("second", Some(Reason::Expired)));
}

#[test]
fn max_wait_ms_also_ends_a_back_off() {
    let mut stage = Stage::new(|_| {});
    stage.try_queue(TaskSpec { max_wait_ms: 300, ..Stage::spec("k") }).unwrap();
    stage.fail_invoke(BROKEN);
    stage.after(300);
    let events = stage.take();
    assert_eq!(events[0].reason, Some(Reason::Expired));
    let end = "last error: ServiceException: on purpose";
    assert!(events[0].message.ends_with(end), "{}", events[0].message);
    stage.after(10_000);
    assert_eq!(stage.invokes(), 0);
}

#[test]
fn nothing_is_submitted_before_the_checks_at_start_have_passed() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.queue("k");
    assert!(stage.remove_action(|action| matches!(action, Action::CheckQueues)).is_some());
    stage.machine.queues_checked(Ok(Vec::new()));
    stage.tick();
    assert_eq!((stage.invokes(), stage.health()), (0, "starting"));
    for answer in [Err(error(NOT_READY)), Ok(Vec::new())] {
        let is_check = |action: &Action| matches!(action, Action::Probe { probe: Probe::Check, .. });
        assert!(stage.remove_action(is_check).is_some());
        assert_eq!(stage.invokes(), 0);
        stage.machine.probed(0, Probe::Check, 10, answer);
        stage.tick();
        if stage.invokes() == 0 {
            assert_eq!(stage.health(), "degraded");
            stage.after(500);
        }
    }
    assert_eq!((stage.invokes(), stage.health()), (1, "healthy"));
}

#[test]
fn missing_credentials_at_start_are_reported_as_such() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.machine.queues_checked(Err(error(REJECTED)));
    assert_eq!(stage.health(), "no_credentials");
    assert_eq!(stage.machine.snapshot().credential_failures, 1);
}

#[test]
fn the_event_has_airflows_three_members_and_ours() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.queue("k");
    let expected = serde_json::json!({
        "task_key": "k",
        "command": ["true"],
        "executor_config": {},
        "attempt_id": attempt.to_string(),
        "reply_to": "http://127.0.0.1/000000000000/results",
    });
    assert_eq!(event_of(&stage.calls[0].1.request), expected);
}

#[test]
fn every_try_of_a_task_sends_the_same_event() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.queue("k");
    stage.fail_invoke(LOST_ANSWER);
    stage.after(4_000);
    assert_eq!(event_of(&stage.calls[0].1.request)["attempt_id"], attempt.to_string());
}

#[test]
fn tasks_are_accepted_and_invoked_side_by_side_without_waiting_for_an_answer() {
    let mut stage = Stage::new(|_| {});
    for number in 0..250u8 {
        stage.queue(&number.to_string());
    }
    assert_eq!((stage.invokes(), stage.machine.counts().queued), (32, 218));
}
