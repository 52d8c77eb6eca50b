//! Events that make the service fail whenever they are sent: each fails by its own attempts and holds up no other.

use super::*;

/// Some events make the service fail whenever they are sent.
struct Poison {
    accepted: Vec<(String, u64)>,
}

impl World for Poison {
    fn invoke(&mut self, request: &InvokeRequest, now: Now) -> Result<Accepted, CallError> {
        let key = event_of(request)["task_key"].as_str().unwrap().to_owned();
        if key.starts_with("poison") {
            return Err(error(BROKEN));
        }
        self.accepted.push((key, now.mono_ms));
        Ok(Accepted::default())
    }
}

#[test]
fn a_poisonous_event_fails_by_its_own_attempts_and_holds_up_no_other() {
    for attempts in [1, 3] {
        let mut stage = Stage::new(|settings| settings.max_invoke_attempts = attempts);
        let mut world = Poison { accepted: Vec::new() };
        stage.queue("poison");
        for n in 0..100 {
            let queued_ms = stage.now.mono_ms;
            stage.queue(&n.to_string());
            stage.run(1_000, &mut world);
            let (key, accepted_ms) = world.accepted.last().unwrap();
            assert_eq!(*key, n.to_string(), "accepted in its second");
            assert!(accepted_ms - queued_ms <= 20);
        }
        let failed: Vec<_> = stage.take().into_iter().filter(|event| event.state == TaskState::Failed).collect();
        assert_eq!(failed.len(), 1, "{attempts} attempts");
        assert_eq!((&*failed[0].key, failed[0].attempts), ("poison", attempts));
        let expected = format!(
            "Invoke failed {attempts} times while other tasks were accepted (max_invoke_attempts {attempts}), last: \
             ServiceException: on purpose"
        );
        assert_eq!((failed[0].reason, &failed[0].message), (Some(Reason::InvokeFailed), &expected));
    }
}

#[test]
fn many_poisonous_events_do_not_stop_the_others() {
    let mut stage = Stage::new(|_| {});
    let mut world = Poison { accepted: Vec::new() };
    for n in 0..30 {
        stage.queue(&format!("poison {n}"));
    }
    for n in 0..1_000 {
        stage.queue(&n.to_string());
    }
    stage.run(10_000, &mut world);
    assert_eq!(world.accepted.len(), 1_000);
}

/// The task has used up its attempts by failing while others succeed, and the answer to one of its tries was lost.
fn used_up_and_may_run(max_invoke_attempts: u32) -> (Stage, AttemptId) {
    let mut stage = Stage::new(|settings| {
        settings.max_invoke_attempts = max_invoke_attempts;
        settings.routes[0].result_timeout_ms = 60_000;
    });
    let attempt = stage.queue("poison");
    stage.fail_invoke(LOST_ANSWER);
    let mut world = Poison { accepted: Vec::new() };
    for n in 0..100 {
        stage.queue(&n.to_string());
        stage.run(1_000, &mut world);
    }
    assert_eq!(world.accepted.len(), 100);
    (stage, attempt)
}

#[test]
fn s2_a_task_that_used_up_its_attempts_and_may_run_waits_for_a_report() {
    let (mut stage, attempt) = used_up_and_may_run(2);
    assert!(stage.take().iter().all(|event| event.state == TaskState::Running && &*event.key != "poison"));
    assert_eq!((stage.state("poison"), stage.machine.counts().queued), (Some(TaskState::Submitting), 0));
    let result = stage.result("poison", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [TaskState::Running, TaskState::Succeeded]);
}

#[test]
fn s2_a_task_that_used_up_its_attempts_and_may_run_fails_after_result_timeout_ms() {
    let (mut stage, _) = used_up_and_may_run(3);
    stage.listen(200_000);
    let events = stage.take();
    let poison: Vec<_> = events.iter().filter(|event| &*event.key == "poison").collect();
    assert_eq!(poison.len(), 1);
    assert_eq!((poison[0].state, poison[0].reason), (TaskState::Failed, Some(Reason::InvokeFailed)));
    assert_eq!(
        poison[0].message,
        "Invoke failed 3 times (max_invoke_attempts 3), 1 of them because the answer was lost; nothing was heard of the \
         task for 60000 ms (result_timeout_ms); it may have run"
    );
}

#[test]
fn a_task_that_may_run_does_not_expire_and_waits_for_a_report() {
    let mut stage = Stage::new(|settings| settings.routes[0].result_timeout_ms = 60_000);
    let mut queue = |key: &str| {
        let attempt = stage.try_queue(TaskSpec { max_wait_ms: 1_000, ..Stage::spec(key) }).unwrap();
        stage.fail_invoke(LOST_ANSWER);
        attempt
    };
    let (attempt, _) = (queue("heard"), queue("silent"));
    stage.after(2_000);
    assert!(stage.take().is_empty());
    let result = stage.result("heard", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [TaskState::Running, TaskState::Succeeded]);
    stage.listen(200_000);
    assert_eq!(stage.invokes(), 0, "neither is sent again");
    let events = stage.take();
    assert_eq!((events.len(), events[0].state, events[0].reason), (1, TaskState::Failed, Some(Reason::InvokeFailed)));
    assert_eq!(
        events[0].message,
        "Invoke failed 1 times (its max_wait_ms was over), 1 of them because the answer was lost; nothing was heard of \
         the task for 60000 ms (result_timeout_ms); it may have run"
    );
}
