//! What is invoked when, and what a failed Invoke means.

use super::*;

#[test]
fn three_attempts_are_made_with_the_contracts_back_off() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.refuse_invoke(HICCUP);
    stage.after(2_999);
    assert_eq!(stage.invokes(), 0);
    stage.after(1_001);
    stage.refuse_invoke(HICCUP);
    stage.after(11_999);
    assert_eq!(stage.invokes(), 0);
    stage.after(4_001);
    stage.refuse_invoke(HICCUP);
    let events = stage.take();
    assert_eq!((events.len(), events[0].reason, events[0].attempts), (1, Some(Reason::InvokeFailed), 3));
}

#[test]
fn a_permanent_error_fails_the_task_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.refuse_invoke(FailureClass::Permanent);
    let events = stage.take();
    assert_eq!((events[0].state, events[0].reason), (TaskState::Failed, Some(Reason::InvokeFailed)));
    assert!(events[0].message.contains("on purpose"), "{}", events[0].message);
}

#[test]
fn throttling_uses_no_attempt_and_retry_after_is_honoured() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    for _ in 0..7 {
        let retry_after_ms = Some(7_000);
        stage.answer_invoke(Err(CallError { retry_after_ms, ..error(FailureClass::Throttled) }));
        assert_eq!(stage.core.next_timer(), Some(stage.now.mono_ms + 7_000));
        stage.after(6_999);
        assert_eq!(stage.invokes(), 0);
        stage.after(1);
    }
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!(stage.take()[0].attempts, 1);
}

#[test]
fn in_an_outage_one_call_at_a_time_probes_and_no_attempt_is_used() {
    let mut stage = Stage::new(|_| {});
    for key in ["a", "b", "c"] {
        stage.queue(key);
    }
    for _ in 0..3 {
        stage.refuse_invoke(AWAY);
    }
    for _ in 0..20 {
        stage.after(30_000);
        assert_eq!(stage.invokes(), 1);
        stage.refuse_invoke(AWAY);
    }
    stage.after(30_000);
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!(stage.invokes(), 2, "the others follow at once");
    assert_eq!(stage.take()[0].attempts, 1);
}

#[test]
fn what_waited_max_outage_ms_in_an_outage_fails() {
    let mut stage = Stage::new(|settings| settings.max_outage_ms = 60_000);
    stage.queue("old");
    stage.refuse_invoke(AWAY);
    stage.after(50_000);
    stage.queue("new");
    stage.refuse_invoke(AWAY);
    stage.after(30_000);
    stage.refuse_invoke(AWAY);
    let events = stage.take();
    assert_eq!((events.len(), &*events[0].key, events[0].reason), (1, "old", Some(Reason::InvokeFailed)));
    assert_eq!(stage.core.state("new"), Some(TaskState::Queued));
}

#[test]
fn refused_credentials_use_no_attempt_and_are_tried_one_by_one() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    stage.queue("b");
    stage.refuse_invoke(FailureClass::Credentials);
    stage.refuse_invoke(FailureClass::Credentials);
    assert_eq!((stage.invokes(), stage.core.counts().queued), (0, 2));
    assert_eq!(stage.core.stats()["health"]["state"], "no_credentials");
    stage.after(4_000);
    assert_eq!(stage.invokes(), 1);
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!(stage.invokes(), 1);
    assert_eq!(stage.core.stats()["health"]["state"], "healthy");
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
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!(stage.invokes(), 2, "a slot of Invokes is free");
    stage.answer_invoke(Ok(Accepted::default()));
    assert_eq!(stage.invokes(), 1, "three are submitting or running");
    assert!(stage.core.cancel("0"));
    stage.tick();
    assert_eq!(stage.invokes(), 2, "cancelling a running one frees its slot");
}

#[test]
fn a_task_that_waited_longer_than_max_wait_ms_expires() {
    let mut stage = Stage::new(|settings| settings.routes[0].max_running_tasks = 1);
    stage.running("first");
    stage.try_queue(TaskSpec { max_wait_ms: 5_000, ..Stage::spec("second") }).unwrap();
    assert!(stage.core.next_timer().is_some_and(|at| at <= stage.now.mono_ms + 5_000));
    stage.after(4_999);
    assert_eq!(stage.states(), [TaskState::Running]);
    stage.after(1);
    let events = stage.take();
    assert_eq!((&*events[0].key, events[0].reason), ("second", Some(Reason::Expired)));
}

#[test]
fn nothing_is_submitted_before_the_check_at_start_has_passed() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.queue("k");
    assert!(matches!(stage.actions.remove(0), Action::CheckHealth));
    stage.core.health_checked(Err(error(FailureClass::Permanent)));
    stage.tick();
    assert_eq!((stage.invokes(), stage.core.stats()["health"]["state"].as_str()), (0, Some("degraded")));
    stage.after(1_000);
    assert!(matches!(stage.actions.remove(0), Action::CheckHealth));
    stage.core.health_checked(Ok(Vec::new()));
    stage.tick();
    assert_eq!(stage.invokes(), 1);
}

#[test]
fn what_lambda_refuses_for_good_shows_in_health_until_it_takes_an_event_again() {
    let mut stage = Stage::new(|_| {});
    stage.queue("refused");
    stage.refuse_invoke(FailureClass::Permanent);
    let health = stage.core.stats()["health"].clone();
    assert_eq!(health["state"], "degraded");
    assert_eq!(health["reason"], "Lambda refused the last event: Injected: on purpose");
    stage.running("accepted");
    assert_eq!(stage.core.stats()["health"]["state"], "healthy");
}

#[test]
fn missing_credentials_at_start_are_told_as_such() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.core.health_checked(Err(error(FailureClass::Credentials)));
    let stats = stage.core.stats();
    assert_eq!(stats["health"]["state"], "no_credentials");
    assert_eq!(stats["invokes"]["credential_failures"], 1);
}

#[test]
fn an_outage_ends_even_where_running_tasks_leave_no_room_for_a_probe() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].max_running_tasks = 1;
        settings.max_outage_ms = 60_000;
    });
    stage.running("running");
    stage.queue("waiting");
    assert!(stage.core.cancel("running"));
    stage.tick();
    stage.after(20_000);
    stage.refuse_invoke(AWAY);
    stage.adopt("adopted");
    stage.after(59_999);
    assert_eq!(stage.core.counts().queued, 1);
    stage.after(1);
    let last = stage.take().pop().unwrap();
    assert_eq!((&*last.key, last.reason), ("waiting", Some(Reason::InvokeFailed)));
}

#[test]
fn the_event_has_airflows_three_keys_and_ours() {
    let mut stage = Stage::new(|_| {});
    let attempt = stage.queue("k");
    let Some(Action::Invoke { request, .. }) = stage.actions.first() else { panic!("{:?}", stage.actions) };
    let event: serde_json::Value = serde_json::from_slice(&request.payload).unwrap();
    let expected = serde_json::json!({
        "task_key": "k",
        "command": ["true"],
        "executor_config": {},
        "attempt_id": attempt.to_string(),
        "reply_to": "http://127.0.0.1/000000000000/results",
    });
    assert_eq!(event, expected);
}

#[test]
fn tasks_are_accepted_and_invoked_side_by_side_without_waiting_for_an_answer() {
    let mut stage = Stage::new(|_| {});
    for number in 0..250u8 {
        stage.queue(&number.to_string());
    }
    assert_eq!((stage.invokes(), stage.core.counts().queued), (64, 186));
}
