//! Which function a task goes to, with whose limits, and what it may ask for itself.

use super::*;
use crate::executor::settings::RouteSettings;
use serde_json::value::RawValue;

/// Routes `default`, `fast` and `slow`.
fn routed(change: impl FnOnce(&mut Settings)) -> Stage {
    Stage::new(|settings| {
        let default = settings.routes[0].clone();
        for name in ["fast", "slow"] {
            settings.routes.push(RouteSettings { name: name.into(), ..default.clone() });
        }
        settings.route_by_queue = true;
        change(settings);
    })
}

fn to(queue: &str, key: &str) -> TaskSpec {
    TaskSpec { queue: queue.into(), ..Stage::spec(key) }
}

fn with_config(key: &str, executor_config: &str) -> TaskSpec {
    let config: Box<RawValue> = serde_json::from_str(executor_config).unwrap();
    TaskSpec { executor_config: Some(config), ..Stage::spec(key) }
}

fn adopted(queue: &str) -> AdoptSpec {
    AdoptSpec { key: "old".into(), tag: 0, queue: queue.into(), result_timeout_ms: 0, attempt: None }
}

impl Stage {
    /// Invokes that are under way, oldest first.
    fn requests(&self) -> Vec<&InvokeRequest> {
        self.calls.iter().map(|(_, call)| &call.request).collect()
    }

    fn invoked_routes(&self) -> Vec<RouteId> {
        self.requests().iter().map(|request| request.route).collect()
    }

    fn last_payload(&self) -> String {
        String::from_utf8(self.requests().last().unwrap().payload.to_vec()).unwrap()
    }
}

#[test]
fn d12_a_tasks_queue_chooses_the_function() {
    let mut stage = routed(|_| {});
    for (n, queue) in ["", "default", "fast", "slow"].into_iter().enumerate() {
        stage.try_queue(to(queue, &n.to_string())).unwrap();
    }
    assert_eq!(stage.invoked_routes(), [0, 0, 1, 2]);
    assert_eq!(stage.machine.describe("2").unwrap().route, "fast");
}

#[test]
fn d12_a_queue_that_is_not_configured_is_refused_with_those_that_are() {
    let mut stage = routed(|_| {});
    let refusal = stage.try_queue(to("Fast", "k")).unwrap_err();
    assert_eq!(refusal.to_string(), "task `k`: queue `Fast` is not configured (known: default, fast, slow)");
    assert!(matches!(stage.machine.adopt(adopted("nowhere")), Err(Refusal::UnknownQueue { .. })));
    assert_eq!((stage.invokes(), stage.machine.remaining()), (0, 0));
}

#[test]
fn d12_without_the_option_a_tasks_queue_is_ignored() {
    let mut stage = Stage::new(|_| {});
    stage.try_queue(to("anything", "k")).unwrap();
    assert_eq!(stage.invoked_routes(), [0]);
}

#[test]
fn each_route_keeps_its_own_limits_and_holds_up_no_other() {
    let mut stage = routed(|settings| {
        settings.routes[0].max_running_tasks = 1;
        settings.routes[1].max_concurrent_invokes = 2;
        settings.routes[2].max_invokes_per_second = 1;
    });
    for n in 0..5 {
        for queue in ["default", "fast", "slow"] {
            stage.try_queue(to(queue, &format!("{queue}{n}"))).unwrap();
        }
    }
    let mut routes = stage.invoked_routes();
    routes.sort_unstable();
    assert_eq!(routes, [0, 1, 1, 2]);
    stage.after(1_000);
    assert_eq!(stage.invoked_routes().last(), Some(&2), "a second later the next of the slow one");
}

#[test]
fn an_outage_or_throttling_of_one_route_leaves_the_others_alone() {
    let mut stage = routed(|_| {});
    stage.try_queue(to("slow", "away")).unwrap();
    stage.fail_invoke(NOT_READY);
    stage.try_queue(to("fast", "throttled")).unwrap();
    stage.fail_invoke(THROTTLED);
    stage.queue("well");
    assert_eq!(stage.invoked_routes(), [0]);
    let snapshot = stage.machine.snapshot();
    let reason = "ResourceConflictException: on purpose";
    assert_eq!(snapshot.routes[2].health.reason.as_deref(), Some(reason));
    assert_eq!(snapshot.health.reason, Some(format!("route slow: {reason}")));
    assert_eq!((snapshot.routes[1].queued, snapshot.routes[1].health.state), (1, "healthy"));
}

#[test]
fn while_credentials_are_rejected_every_route_gets_its_turn_at_the_probe() {
    let mut stage = routed(|settings| settings.max_outage_ms = u64::MAX);
    stage.queue("first");
    stage.fail_invoke(NOT_READY);
    stage.try_queue(to("fast", "second")).unwrap();
    stage.fail_invoke(REJECTED);
    // The breaker of the first route is open as well, and its probes have times of their own.
    let mut probed = Vec::new();
    for _ in 0..400 {
        stage.after(1_000);
        while let Some(route) = stage.invoked_routes().first().copied() {
            probed.push(route);
            stage.fail_invoke(if route == 0 { NOT_READY } else { REJECTED });
        }
    }
    assert!(probed.contains(&0) && probed.contains(&1), "{probed:?}");
}

#[test]
fn adopted_tasks_count_against_the_limit_of_their_route() {
    let mut stage = routed(|settings| settings.routes[1].max_running_tasks = 1);
    stage.machine.adopt(adopted("fast")).unwrap();
    stage.try_queue(to("fast", "waits")).unwrap();
    stage.queue("runs");
    assert_eq!(stage.invoked_routes(), [0]);
}

const ASKS: &str = r#"{"function_qualifier": "9", "timeout_ms": 5000, "other": 1}"#;

#[test]
fn a_task_may_name_version_and_time_limit_only_where_that_is_allowed() {
    let mut stage = Stage::new(|_| {});
    stage.try_queue(with_config("k", ASKS)).unwrap();
    stage.try_queue(with_config("wrong", r#"{"timeout_ms": "soon"}"#)).unwrap();
    assert_eq!(stage.requests()[0].qualifier, None);
    let event = event_of(stage.requests()[0]);
    assert_eq!((&event["timeout_ms"], &event["executor_config"]["function_qualifier"]), (&().into(), &"9".into()));

    let mut stage = Stage::new(|settings| settings.allow_task_overrides = true);
    stage.try_queue(with_config("k", ASKS)).unwrap();
    assert_eq!(stage.requests()[0].qualifier.as_deref(), Some("9"));
    let event = event_of(stage.requests()[0]);
    assert_eq!(event["timeout_ms"], 5_000);
    assert_eq!(event["executor_config"], serde_json::from_str::<serde_json::Value>(ASKS).unwrap(), "passed on whole");
    assert_eq!(stage.machine.describe("k").unwrap().function_qualifier.as_deref(), Some("9"));

    stage.try_queue(TaskSpec { timeout_ms: 70, ..with_config("both", ASKS) }).unwrap();
    assert!(stage.last_payload().contains(r#""timeout_ms":5000}"#), "{}", stage.last_payload());
    stage.try_queue(TaskSpec { timeout_ms: 70, ..with_config("none", "{}") }).unwrap();
    assert!(stage.last_payload().contains(r#""timeout_ms":70}"#), "{}", stage.last_payload());

    let refusal = stage.try_queue(with_config("wrong", r#"{"timeout_ms": "soon"}"#)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "task `wrong`: executor_config: timeout_ms is a string (allowed: a whole number of milliseconds, at least 1)"
    );
}

#[test]
fn a_retry_keeps_the_version_that_the_task_asked_for() {
    let mut stage = Stage::new(|settings| settings.allow_task_overrides = true);
    stage.try_queue(with_config("k", ASKS)).unwrap();
    stage.fail_invoke(REFUSED);
    stage.after(4_000);
    assert_eq!(stage.requests()[0].qualifier.as_deref(), Some("9"));
}
