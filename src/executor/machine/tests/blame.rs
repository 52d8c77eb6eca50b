//! Failures that must not be charged to a task, and failures that concern one task alone.

use super::*;

#[test]
fn a_call_that_was_never_sent_uses_no_attempt_although_others_succeed() {
    let mut stage = Stage::new(|settings| settings.max_invoke_attempts = 1);
    stage.queue("k");
    stage.fail_invoke(REFUSED);
    for n in 0..5 {
        stage.queue(&format!("before {n}"));
        stage.accept_invoke();
        stage.after(500);
        stage.fail_invoke(REFUSED);
        stage.queue(&format!("after {n}"));
        stage.accept_invoke();
    }
    assert_eq!(stage.state("k"), Some(TaskState::Queued));
    stage.after(500);
    stage.accept_invoke();
    let events = stage.take();
    let k = events.iter().find(|event| &*event.key == "k").unwrap();
    assert_eq!((k.state, k.attempts), (TaskState::Running, 1));
}

/// The function refuses one event: its version is not ready, or a firewall rejects its content.
struct RefusesOne {
    accepted: Vec<(String, u64)>,
    refused: usize,
}

impl World for RefusesOne {
    fn invoke(&mut self, request: &InvokeRequest, now: Now) -> Result<Accepted, CallError> {
        let key = event_of(request)["task_key"].as_str().unwrap().to_owned();
        if key == "refused" {
            self.refused += 1;
            return Err(error(NOT_READY));
        }
        self.accepted.push((key, now.mono_ms));
        Ok(Accepted::default())
    }
}

#[test]
fn an_event_that_the_function_refuses_holds_up_no_other_and_fails_after_max_outage_ms() {
    let mut stage = Stage::new(|settings| settings.max_outage_ms = 100_000);
    let mut world = RefusesOne { accepted: Vec::new(), refused: 0 };
    stage.queue("refused");
    stage.run(1_000, &mut world);
    let mut delays = Vec::new();
    for n in 0..400 {
        let queued_ms = stage.now.mono_ms;
        stage.queue(&n.to_string());
        stage.run(1_000, &mut world);
        let (key, accepted_ms) = world.accepted.last().unwrap();
        assert_eq!(*key, n.to_string(), "accepted in its second");
        delays.push(accepted_ms - queued_ms);
    }
    assert!(delays.iter().filter(|delay| **delay > 20).count() <= 2, "{delays:?}");
    assert!(world.refused < 20, "{} tries in 400 s", world.refused);
    let failed: Vec<_> = stage.take().into_iter().filter(|event| event.state == TaskState::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((&*failed[0].key, failed[0].attempts, failed[0].reason), ("refused", 0, Some(Reason::InvokeFailed)));
    assert_eq!(
        failed[0].message,
        "the function refused this event, and accepted others, for longer than max_outage_ms (100000 ms), last: \
         ResourceConflictException: on purpose"
    );
    assert_eq!(stage.health(), "healthy");
}

#[test]
fn a_task_set_aside_runs_once_the_function_accepts_it() {
    let mut stage = Stage::new(|_| {});
    let mut world = RefusesOne { accepted: Vec::new(), refused: 0 };
    stage.queue("refused");
    for n in 0..20 {
        stage.queue(&n.to_string());
        stage.run(1_000, &mut world);
    }
    assert_eq!(stage.state("refused"), Some(TaskState::Queued));
    stage.run(120_000, &mut Well);
    assert_eq!(stage.state("refused"), Some(TaskState::Running));
}
