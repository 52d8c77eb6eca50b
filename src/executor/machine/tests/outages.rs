//! Whose fault a failed Invoke is: outages use no attempt, tasks wait, and what fails by itself holds up no other.

use super::*;
use std::collections::HashMap;

/// Lambda is away for a while. The times at which calls were answered are counted.
struct Outage {
    failure: Failure,
    from_ms: u64,
    until_ms: u64,
    /// In the first so many ms every second call still succeeds.
    mixed_ms: u64,
    calls_in_it: u64,
    first_accepted_after_ms: Option<u64>,
    dry_runs: u64,
}

impl Outage {
    fn new(failure: Failure, from_ms: u64, length_ms: u64) -> Self {
        let until_ms = from_ms + length_ms;
        Self { failure, from_ms, until_ms, mixed_ms: 0, calls_in_it: 0, first_accepted_after_ms: None, dry_runs: 0 }
    }

    fn answer(&mut self, now: Now) -> Result<(), CallError> {
        if (self.from_ms..self.until_ms).contains(&now.mono_ms) {
            self.calls_in_it += 1;
            if now.mono_ms < self.from_ms + self.mixed_ms && self.calls_in_it.is_multiple_of(2) {
                return Ok(());
            }
            return Err(error(self.failure));
        }
        Ok(())
    }
}

impl World for Outage {
    fn invoke(&mut self, _: &InvokeRequest, now: Now) -> Result<Accepted, CallError> {
        self.answer(now)?;
        if now.mono_ms >= self.until_ms {
            self.first_accepted_after_ms.get_or_insert(now.mono_ms);
        }
        Ok(Accepted::default())
    }

    fn probe(&mut self, probe: Probe, now: Now) -> Result<(), CallError> {
        self.dry_runs += u64::from(probe == Probe::DryRun);
        self.answer(now)
    }
}

#[derive(Clone, Copy, Debug)]
enum Begins {
    BeforeTheTasksAreQueued,
    While64CallsAreUnderWay,
    WhileEverySecondCallSucceeds,
    AfterAThirdWasAccepted,
}

/// 3,000 tasks meet an outage: none fails, none uses an attempt, few calls are made, and work goes on in time.
fn meets_an_outage(failure: Failure, max_invoke_attempts: u32, begins: Begins, length_ms: u64) {
    let case = format!("{failure:?}, {max_invoke_attempts} attempts, {begins:?}, {length_ms} ms");
    let mut stage = Stage::new(|settings| settings.max_invoke_attempts = max_invoke_attempts);
    stage.running("warm");
    let mut outage = Outage::new(failure, stage.now.mono_ms, length_ms);
    if let Begins::BeforeTheTasksAreQueued = begins {
        stage.run(200, &mut outage);
    }
    for n in 0..3_000 {
        stage.queue(&n.to_string());
    }
    match begins {
        Begins::BeforeTheTasksAreQueued => {}
        Begins::While64CallsAreUnderWay => outage = Outage::new(failure, stage.now.mono_ms, length_ms),
        Begins::WhileEverySecondCallSucceeds => {
            outage = Outage { mixed_ms: 30, ..Outage::new(failure, stage.now.mono_ms, length_ms) };
        }
        Begins::AfterAThirdWasAccepted => {
            stage.run(160, &mut Well);
            outage = Outage::new(failure, stage.now.mono_ms, length_ms);
        }
    }
    let rest_ms = outage.until_ms - stage.now.mono_ms;
    stage.run(rest_ms, &mut outage);
    let probes = 20 + length_ms / 1_000;
    let mixed = if outage.mixed_ms > 0 { 3 * 64 } else { 0 };
    assert!(outage.calls_in_it <= 64 + 8 + mixed + probes, "{case}: {} calls", outage.calls_in_it);
    stage.run(60_000, &mut outage);
    let delay_ms = outage.first_accepted_after_ms.expect("work goes on") - outage.until_ms;
    assert!(delay_ms <= (length_ms / 10).max(1_000), "{case}: goes on after {delay_ms} ms");
    let events = stage.take();
    assert!(events.iter().all(|event| event.state == TaskState::Running && event.attempts == 1), "{case}");
    assert_eq!(events.len(), 3_001, "{case}");
    assert_eq!(stage.health(), "healthy", "{case}");
}

#[test]
fn s1_an_outage_fails_no_task_and_uses_no_attempt() {
    for failure in [REFUSED, BROKEN] {
        for attempts in [1, 2, 3] {
            for begins in [
                Begins::BeforeTheTasksAreQueued,
                Begins::While64CallsAreUnderWay,
                Begins::WhileEverySecondCallSucceeds,
                Begins::AfterAThirdWasAccepted,
            ] {
                meets_an_outage(failure, attempts, begins, 5_000);
            }
        }
    }
}

#[test]
fn s1_after_a_long_outage_work_goes_on_within_a_tenth_of_its_length() {
    for length_ms in [30_000, 200_000, 3_000_000] {
        meets_an_outage(REFUSED, 1, Begins::While64CallsAreUnderWay, length_ms);
    }
}

#[test]
fn s1_short_outages_one_after_another_use_no_attempt() {
    let mut stage = Stage::new(|settings| {
        settings.max_invoke_attempts = 1;
        settings.routes[0].max_invokes_per_second = 200;
    });
    for n in 0..3_000 {
        stage.queue(&n.to_string());
    }
    for _ in 0..12 {
        let mut outage = Outage::new(BROKEN, stage.now.mono_ms, 100);
        stage.run(1_000, &mut outage);
    }
    stage.listen(20_000);
    assert!(stage.take().iter().all(|event| event.state == TaskState::Running && event.attempts == 1));
    assert_eq!(stage.machine.remaining(), 3_000);
    assert_eq!(stage.machine.counts().running, 3_000);
}

#[test]
fn c1_failures_at_the_speed_of_the_wire_fail_no_task() {
    let mut stage = Stage::new(|settings| settings.max_invoke_attempts = 1);
    stage.running("warm");
    for n in 0..200 {
        stage.queue(&n.to_string());
    }
    let mut calls = 0;
    while stage.invokes() > 0 {
        stage.fail_invoke(REFUSED);
        calls += 1;
    }
    assert!(calls <= 64 + 8, "{calls} calls in no time");
    assert!(stage.take().iter().all(|event| event.reason.is_none()));
    assert_eq!(stage.machine.counts().queued, 200);
}

#[test]
fn in_an_outage_one_call_at_a_time_probes() {
    let mut stage = Stage::new(|_| {});
    for n in 0..16 {
        stage.queue(&n.to_string());
    }
    for _ in 0..16 {
        stage.fail_invoke(REFUSED);
    }
    for _ in 0..20 {
        stage.after(30_000);
        assert_eq!(stage.invokes(), 1);
        stage.fail_invoke(REFUSED);
    }
    stage.after(30_000);
    stage.accept_invoke();
    assert_eq!(stage.invokes(), 15, "the others follow at once");
    assert_eq!(stage.take()[0].attempts, 1);
}

/// Lambda loses every answer to Invoke.
#[derive(Default)]
struct Drop {
    until_ms: u64,
    /// Dry runs are answered.
    dry_runs_pass: bool,
    tries: HashMap<String, u32>,
    dry_runs: u32,
}

impl World for Drop {
    fn invoke(&mut self, request: &InvokeRequest, now: Now) -> Result<Accepted, CallError> {
        *self.tries.entry(event_of(request)["task_key"].to_string()).or_default() += 1;
        if now.mono_ms < self.until_ms { Err(error(LOST_ANSWER)) } else { Ok(Accepted::default()) }
    }

    fn probe(&mut self, probe: Probe, now: Now) -> Result<(), CallError> {
        assert_eq!(probe, Probe::DryRun);
        self.dry_runs += 1;
        if self.dry_runs_pass || now.mono_ms >= self.until_ms { Ok(()) } else { Err(error(LOST_ANSWER)) }
    }
}

#[test]
fn s2_an_event_whose_answers_are_lost_is_sent_max_invoke_attempts_times_and_then_reported() {
    for attempts in [1, 2, 3] {
        let mut stage = Stage::new(|settings| {
            settings.max_invoke_attempts = attempts;
            settings.routes[0].result_timeout_ms = 60_000;
        });
        stage.queue("k");
        let mut world = Drop { until_ms: u64::MAX, ..Drop::default() };
        stage.run(100_000, &mut world);
        assert_eq!(world.tries.values().sum::<u32>(), attempts);
        assert_eq!(stage.states(), [], "it may run");
        stage.run(120_000, &mut world);
        let events = stage.take();
        assert_eq!((events[0].state, events[0].reason), (TaskState::Failed, Some(Reason::InvokeFailed)));
        assert!(events[0].message.ends_with("it may have run"), "{}", events[0].message);
        assert_eq!((events[0].attempts, world.tries.values().sum::<u32>()), (attempts, attempts));
        assert_eq!(stage.machine.remaining(), 0);
    }
}

#[test]
fn s2_a_result_of_an_event_whose_answers_were_lost_ends_the_task() {
    let mut stage = Stage::new(|settings| settings.max_invoke_attempts = 1);
    let attempt = stage.queue("k");
    stage.fail_invoke(LOST_ANSWER);
    stage.listen(30_000);
    let result = stage.result("k", attempt);
    stage.deliver(RESULTS, result);
    assert_eq!(stage.states(), [TaskState::Running, TaskState::Succeeded]);
}

#[test]
fn c3_while_answers_are_lost_dry_runs_probe_and_no_event_is_sent_too_often() {
    for attempts in [1, 2, 3] {
        for dry_runs_pass in [false, true] {
            let case = format!("{attempts} attempts, dry runs pass: {dry_runs_pass}");
            let mut stage = Stage::new(|settings| settings.max_invoke_attempts = attempts);
            for n in 0..100 {
                stage.queue(&n.to_string());
            }
            let mut world = Drop { until_ms: stage.now.mono_ms + 100_000, dry_runs_pass, ..Drop::default() };
            stage.run(99_000, &mut world);
            assert!(world.tries.values().all(|tries| *tries <= attempts), "{case}: {:?}", world.tries);
            assert!(world.dry_runs > 3, "{case}");
            if !dry_runs_pass {
                assert!(world.tries.values().sum::<u32>() <= 64 + 8, "{case}: only those under way at the beginning");
            }
            stage.run(200_000, &mut world);
            assert!(world.tries.values().all(|tries| *tries <= attempts), "{case}: {:?}", world.tries);
            assert_eq!(world.tries.len(), 100, "{case}: each was sent");
            assert_eq!(stage.machine.counts().queued, 0, "{case}");
            assert!(stage.take().iter().all(|event| event.state == TaskState::Running), "{case}");
        }
    }
}

#[test]
fn a_dry_run_that_succeeds_is_followed_by_one_event() {
    let mut stage = Stage::new(|_| {});
    for n in 0..16 {
        stage.queue(&n.to_string());
    }
    for _ in 0..16 {
        stage.fail_invoke(LOST_ANSWER);
    }
    stage.after(5_000);
    assert_eq!(stage.invokes(), 0);
    let is_dry_run = |action: &Action| matches!(action, Action::Probe { probe: Probe::DryRun, .. });
    assert!(stage.remove_action(is_dry_run).is_some());
    stage.machine.probed(0, Probe::DryRun, 10, Ok(Vec::new()));
    stage.tick();
    assert_eq!(stage.invokes(), 1);
    stage.accept_invoke();
    assert_eq!(stage.invokes(), 15);
}

#[test]
fn s3_tasks_wait_for_a_function_that_is_pending() {
    let mut stage = Stage::new(|settings| settings.max_invoke_attempts = 1);
    let mut pending = Outage::new(NOT_READY, stage.now.mono_ms, 60_000);
    for n in 0..5 {
        stage.queue(&n.to_string());
    }
    stage.run(59_000, &mut pending);
    let health = stage.machine.health();
    assert_eq!((health.state, health.reason.as_deref()), ("degraded", Some("ResourceConflictException: on purpose")));
    assert_eq!((health.since_ms, stage.states().len()), (Some(START_UNIX_MS + 10), 0));
    stage.run(10_000, &mut pending);
    let events = stage.take();
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.state == TaskState::Running && event.attempts == 1));
    assert_eq!((stage.health(), pending.dry_runs), ("healthy", 0));
}

#[test]
fn c2_a_fault_of_the_function_fails_no_task() {
    for failure in [NOT_READY, FORBIDDEN] {
        let mut stage = Stage::new(|settings| settings.max_invoke_attempts = 1);
        let mut outage = Outage::new(failure, stage.now.mono_ms, 40_000);
        for n in 0..200 {
            stage.queue(&n.to_string());
        }
        stage.run(50_000, &mut outage);
        assert!(outage.calls_in_it <= 64 + 40, "{} calls", outage.calls_in_it);
        let events = stage.take();
        assert!(events.iter().all(|event| event.state == TaskState::Running && event.attempts == 1));
        assert_eq!(events.len(), 200);
    }
}

#[test]
fn s11_an_event_that_is_too_large_says_nothing_of_the_function() {
    let mut stage = Stage::new(|_| {});
    for n in 0..100 {
        stage.queue(&n.to_string());
    }
    for n in 0..100 {
        if n == 50 {
            stage.fail_invoke(TOO_LARGE)
        } else {
            stage.accept_invoke()
        }
        assert_eq!(stage.health(), "healthy");
    }
    let failed: Vec<_> = stage.take().into_iter().filter(|event| event.state == TaskState::Failed).collect();
    assert_eq!(failed.iter().map(|event| &*event.key).collect::<Vec<_>>(), ["50"]);
}

#[test]
fn c14_what_waited_max_outage_ms_fails_first_whatever_its_place_in_the_line() {
    let mut stage = Stage::new(|settings| settings.max_outage_ms = 60_000);
    let mut away = Outage::new(NOT_READY, stage.now.mono_ms, u64::MAX / 2);
    stage.queue("old");
    stage.run(50_000, &mut away);
    stage.queue("new");
    stage.run(9_000, &mut away);
    assert_eq!(stage.states(), []);
    stage.run(2_500, &mut away);
    let events = stage.take();
    assert_eq!((events.len(), &*events[0].key, events[0].reason), (1, "old", Some(Reason::InvokeFailed)));
    assert_eq!(
        events[0].message,
        "the function could not be invoked for longer than max_outage_ms (60000 ms), last: ResourceConflictException: on \
         purpose"
    );
    assert_eq!((stage.state("new"), events[0].attempts), (Some(TaskState::Queued), 0));
}

#[test]
fn an_outage_is_given_up_even_where_running_tasks_leave_no_room_for_a_probe() {
    let mut stage = Stage::new(|settings| {
        settings.routes[0].max_running_tasks = 1;
        settings.max_outage_ms = 60_000;
    });
    stage.queue("waiting");
    stage.fail_invoke(NOT_READY);
    stage.adopt("adopted");
    stage.listen(59_000);
    assert_eq!(stage.machine.counts().queued, 1);
    stage.listen(2_000);
    let last = stage.take().pop().unwrap();
    assert_eq!((&*last.key, last.reason), ("waiting", Some(Reason::InvokeFailed)));
}
