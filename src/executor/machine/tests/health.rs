//! Health, and what a check that passes brings about.

use super::*;
use crate::executor::settings::RouteSettings;

fn answer_check(stage: &mut Stage, route: RouteId, answer: Result<Vec<String>, CallError>) {
    let is_check = |action: &Action| matches!(action, Action::Probe { route: r, probe: Probe::Check } if *r == route);
    assert!(stage.remove_action(is_check).is_some(), "no check of route {route}");
    stage.machine.set_now(stage.now);
    stage.machine.probed(route, Probe::Check, 10, answer);
    stage.tick();
}

fn answer_queues(stage: &mut Stage, answer: Result<Vec<String>, CallError>) {
    assert!(stage.remove_action(|action| matches!(action, Action::CheckQueues)).is_some(), "no check of the queues");
    stage.machine.set_now(stage.now);
    stage.machine.queues_checked(answer);
    stage.tick();
}

/// The host's own check of everything.
fn check_for_host(stage: &mut Stage, answer: &Result<Vec<String>, CallError>) {
    stage.machine.set_now(stage.now);
    stage.machine.function_checked_for_host(0, answer);
    stage.machine.queues_checked_for_host(answer);
    stage.tick();
}

fn checked(change: impl FnOnce(&mut Settings)) -> Stage {
    Stage::new(|settings| {
        settings.check_health_on_startup = true;
        change(settings);
    })
}

#[test]
fn warnings_of_the_newest_checks_are_reported_beside_the_state() {
    let mut stage = checked(|_| {});
    answer_check(&mut stage, 0, Ok(vec!["function f: its Timeout is 3 s".into()]));
    answer_queues(&mut stage, Ok(vec!["queue q: too small".into()]));
    assert_eq!((stage.health(), stage.machine.health().reason), ("healthy", None));
    let both = ["function f: its Timeout is 3 s", "queue q: too small"];
    assert_eq!(stage.machine.snapshot().warnings, both);
    check_for_host(&mut stage, &Err(error(REFUSED)));
    assert_eq!(stage.machine.snapshot().warnings, both);
    check_for_host(&mut stage, &Ok(Vec::new()));
    assert!(stage.machine.snapshot().warnings.is_empty());
}

#[test]
fn a_check_of_the_hosts_that_passes_ends_the_wait_for_the_checks_at_start() {
    let mut stage = checked(|_| {});
    stage.queue("k");
    answer_check(&mut stage, 0, Err(error(NOT_READY)));
    answer_queues(&mut stage, Err(error(NOT_READY)));
    check_for_host(&mut stage, &Err(error(NOT_READY)));
    assert_eq!(stage.invokes(), 0);
    check_for_host(&mut stage, &Ok(Vec::new()));
    assert_eq!((stage.invokes(), stage.health()), (1, "healthy"));
}

#[test]
fn off_is_off() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = false);
    assert_eq!(stage.health(), "healthy");
    stage.queue("k");
    stage.after(3_600_000);
    assert_eq!(stage.invokes(), 1);
    assert!(!stage.actions.iter().any(|(_, a)| matches!(a, Action::CheckQueues | Action::Probe { .. })));
}

#[test]
fn c13_all_checks_begin_at_once_and_a_function_that_fails_stops_its_own_route_only() {
    let mut stage = checked(|settings| {
        let default = settings.routes[0].clone();
        settings.routes.extend(["missing", "slow"].map(|name| RouteSettings { name: name.into(), ..default.clone() }));
        settings.route_by_queue = true;
    });
    assert_eq!(stage.actions.len(), 4);
    for (key, queue) in [("a", ""), ("b", "missing"), ("c", "slow")] {
        stage.try_queue(TaskSpec { queue: queue.into(), ..Stage::spec(key) }).unwrap();
    }
    answer_queues(&mut stage, Ok(Vec::new()));
    answer_check(&mut stage, 1, Err(error(NOT_READY)));
    answer_check(&mut stage, 0, Ok(Vec::new()));
    assert_eq!(stage.state("a"), Some(TaskState::Submitting), "the others are not waited for");
    assert_eq!((stage.state("b"), stage.state("c")), (Some(TaskState::Queued), Some(TaskState::Queued)));
    let health = stage.machine.health();
    let reason = "route missing: ResourceConflictException: on purpose";
    assert_eq!((health.state, health.reason.as_deref()), ("degraded", Some(reason)));
    let states: Vec<_> = stage.machine.snapshot().routes.iter().map(|route| route.health.state).collect();
    assert_eq!(states, ["healthy", "degraded", "starting"]);
    stage.after(500);
    answer_check(&mut stage, 1, Ok(Vec::new()));
    assert_eq!(stage.state("b"), Some(TaskState::Submitting));
}

#[test]
fn c13_the_check_of_a_function_goes_on_without_tasks() {
    let mut stage = checked(|_| {});
    answer_queues(&mut stage, Ok(Vec::new()));
    for _ in 0..3 {
        answer_check(&mut stage, 0, Err(error(NOT_READY)));
        stage.after(1_000);
    }
    answer_check(&mut stage, 0, Ok(Vec::new()));
    assert_eq!(stage.health(), "healthy");
}

/// Waits for the next attempt to connect, in s: each is between three quarters and all of the contract's.
fn next_try_s(stage: &Stage) -> f64 {
    let health = stage.machine.health();
    assert_eq!(health.state, "no_credentials", "{health:?}");
    health.next_try_in_ms.unwrap() as f64 / 1_000.0
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
            stage.fail_invoke(REJECTED);
            waits.push(next_try_s(&stage));
            stage.after(120_000);
        }
        assert_backs_off(&waits);
        stage.accept_invoke();
        assert_eq!(stage.health(), "healthy");
    }
}

#[test]
fn queues_that_reject_our_credentials_are_tried_again_with_the_same_back_off() {
    let mut stage = Stage::new(|_| {});
    stage.running("k");
    let mut waits = Vec::new();
    for _ in 0..5 {
        for queue in [RESULTS, DEAD] {
            stage.answer_poll(queue, Err(error(REJECTED)));
        }
        let wait = next_try_s(&stage);
        waits.push(wait);
        stage.after((wait * 1_000.0) as u64 - 1);
        assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (0, 0), "no call between two attempts to connect");
        stage.after(1);
        assert_eq!((stage.polls(RESULTS), stage.polls(DEAD)), (1, 1));
    }
    assert_backs_off(&waits);
    assert_eq!(stage.machine.snapshot().credential_failures, 10);
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    assert_eq!(stage.machine.counts().running, 1);
}

#[test]
fn a_check_of_the_hosts_that_passes_ends_the_wait_for_credentials() {
    let mut stage = Stage::new(|_| {});
    stage.running("running");
    stage.queue("waiting");
    stage.fail_invoke(REJECTED);
    stage.answer_poll(RESULTS, Err(error(REJECTED)));
    stage.after(1);
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (0, 0));
    check_for_host(&mut stage, &Ok(Vec::new()));
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (1, 1));
}

#[test]
fn a_check_of_the_hosts_that_passes_probes_an_open_breaker_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.queue("k");
    stage.fail_invoke(NOT_READY);
    stage.after(1);
    assert_eq!(stage.invokes(), 0);
    check_for_host(&mut stage, &Ok(Vec::new()));
    assert_eq!(stage.invokes(), 1);
}

#[test]
fn the_checks_at_start_reconnect_the_same_way() {
    let mut stage = checked(|_| {});
    let mut waits = Vec::new();
    for _ in 0..5 {
        answer_queues(&mut stage, Err(error(REJECTED)));
        waits.push(next_try_s(&stage));
        stage.after(120_000);
    }
    assert_backs_off(&waits);
}

#[test]
fn a_check_of_the_hosts_that_passes_supersedes_those_at_start_that_are_under_way() {
    let mut stage = checked(|_| {});
    stage.queue("k");
    assert_eq!((stage.invokes(), stage.health()), (0, "starting"));
    check_for_host(&mut stage, &Ok(Vec::new()));
    assert_eq!((stage.invokes(), stage.health()), (1, "healthy"));
    answer_queues(&mut stage, Err(error(REFUSED)));
    answer_check(&mut stage, 0, Err(error(REFUSED)));
    assert_eq!(stage.health(), "healthy", "the older answers change nothing");
}
