//! What the statistics say of the executor's health, and what a check that passes brings about.

use super::*;

fn answer_check(stage: &mut Stage, answer: Result<Vec<String>, CallError>) {
    let at = stage.actions.iter().position(|action| matches!(action, Action::CheckHealth)).expect("a check");
    stage.actions.remove(at);
    stage.core.health_checked(answer);
    stage.tick();
}

#[test]
fn warnings_of_the_newest_check_are_told_beside_the_state() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    answer_check(&mut stage, Ok(vec!["queue q: too small".into()]));
    let health = stage.core.stats()["health"].clone();
    assert_eq!((&health["state"], &health["reason"]), (&"healthy".into(), &().into()));
    assert_eq!(health["warnings"], serde_json::json!(["queue q: too small"]));
    stage.core.checked_for_host(1, &Err(error(AWAY)));
    assert_eq!(stage.core.stats()["health"]["warnings"], serde_json::json!(["queue q: too small"]));
    stage.core.checked_for_host(1, &Ok(Vec::new()));
    assert_eq!(stage.core.stats()["health"]["warnings"], serde_json::json!([]));
}

#[test]
fn a_check_of_the_hosts_that_passes_ends_the_wait_for_the_check_at_start() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.queue("k");
    answer_check(&mut stage, Err(error(FailureClass::Permanent)));
    stage.core.checked_for_host(1, &Err(error(FailureClass::Permanent)));
    stage.tick();
    assert_eq!(stage.invokes(), 0);
    stage.core.checked_for_host(1, &Ok(Vec::new()));
    stage.tick();
    assert_eq!((stage.invokes(), stage.core.stats()["health"]["state"].as_str()), (1, Some("healthy")));
}

#[test]
fn off_is_off() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = false);
    assert_eq!(stage.core.stats()["health"]["state"], "healthy");
    stage.queue("k");
    stage.after(3_600_000);
    assert_eq!(stage.invokes(), 1);
    assert!(!stage.actions.iter().any(|action| matches!(action, Action::CheckHealth)));
}

/// Waits for the next attempt to connect, in s: each is between three quarters and all of the contract's.
fn next_try_s(stage: &Stage) -> f64 {
    let health = stage.core.stats()["health"].clone();
    assert_eq!(health["state"], "no_credentials", "{health}");
    health["next_try_in_ms"].as_f64().unwrap() / 1_000.0
}

fn assert_backs_off(waits: &[f64]) {
    for (wait, full) in waits.iter().zip([4.0, 16.0, 64.0, 120.0, 120.0]) {
        assert!((full * 0.75..=full).contains(wait), "{waits:?}");
    }
}

#[test]
fn reconnecting_backs_off_by_the_attempts_since_the_last_success() {
    let mut stage = Stage::new(|_| {});
    for key in ["first", "second"] {
        stage.queue(key);
        let mut waits = Vec::new();
        for _ in 0..5 {
            stage.refuse_invoke(FailureClass::Credentials);
            waits.push(next_try_s(&stage));
            stage.after(120_000);
        }
        assert_backs_off(&waits);
        stage.answer_invoke(Ok(Accepted::default()));
        assert_eq!(stage.core.stats()["health"]["state"], "healthy");
    }
}

#[test]
fn queues_that_refuse_our_credentials_are_tried_again_with_the_same_back_off() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let mut waits = Vec::new();
    for _ in 0..5 {
        for queue in [RESULTS, DEAD] {
            stage.answer_poll(queue, Err(error(FailureClass::Credentials)));
        }
        let wait = next_try_s(&stage);
        waits.push(wait);
        stage.after((wait * 1_000.0) as u64 - 1);
        assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (0, 0), "no call between two attempts to connect");
        stage.after(1);
        assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (1, 1));
    }
    assert_backs_off(&waits);
    assert_eq!(stage.core.stats()["invokes"]["credential_failures"], 10);
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    assert_eq!(stage.core.counts().running, 1);
}

#[test]
fn a_check_of_the_hosts_that_passes_ends_the_wait_for_credentials() {
    let mut stage = Stage::new(|_| {});
    stage.running("running");
    stage.queue("waiting");
    stage.refuse_invoke(FailureClass::Credentials);
    stage.answer_poll(RESULTS, Err(error(FailureClass::Credentials)));
    stage.after(1);
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (0, 0));
    stage.core.checked_for_host(1, &Ok(Vec::new()));
    stage.tick();
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (1, 1));
}

#[test]
fn the_check_at_start_reconnects_the_same_way() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    let mut waits = Vec::new();
    for _ in 0..5 {
        answer_check(&mut stage, Err(error(FailureClass::Credentials)));
        waits.push(next_try_s(&stage));
        stage.after(120_000);
    }
    assert_backs_off(&waits);
}

#[test]
fn a_check_for_the_host_that_passes_settles_the_one_at_start_that_is_under_way() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    stage.queue("k");
    assert_eq!((stage.invokes(), &stage.core.stats()["health"]["state"]), (0, &"starting".into()));
    stage.core.checked_for_host(1, &Ok(Vec::new()));
    stage.tick();
    assert_eq!((stage.invokes(), &stage.core.stats()["health"]["state"]), (1, &"healthy".into()));
    stage.core.health_checked(Err(error(AWAY)));
    assert_eq!(stage.core.stats()["health"]["state"], "healthy", "the older answer changes nothing");
}
