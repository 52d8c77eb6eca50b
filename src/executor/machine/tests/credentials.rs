//! New credentials from the host.

use super::*;

fn reject_poll(stage: &mut Stage, queue: QueueId) {
    stage.answer_poll(queue, Err(error(REJECTED)));
}

fn replace(stage: &mut Stage) {
    stage.machine.set_now(stage.now);
    stage.machine.credentials_changed();
    stage.tick();
}

#[test]
fn new_credentials_are_tried_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.running("running");
    stage.queue("waiting");
    stage.fail_invoke(REJECTED);
    reject_poll(&mut stage, RESULTS);
    stage.after(100);
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (0, 0));
    replace(&mut stage);
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (1, 1));
    stage.after(10);
    stage.accept_invoke();
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    assert_eq!(stage.health(), "healthy");
}

#[test]
fn late_rejections_of_the_old_ones_mean_nothing() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    stage.after(5);
    replace(&mut stage);
    // The call took 10 ms, so it began before.
    stage.fail_invoke(REJECTED);
    assert_eq!((stage.invokes(), stage.machine.counts().queued), (1, 0));
    assert_eq!(stage.health(), "healthy");
    stage.after(100);
    stage.fail_invoke(REJECTED);
    assert_eq!((stage.invokes(), stage.machine.counts().queued), (0, 1));
    assert_eq!(stage.health(), "no_credentials");
}

#[test]
fn new_ones_that_are_rejected_too_start_the_back_off_anew() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    for wait in [4_000, 16_000, 64_000] {
        stage.fail_invoke(REJECTED);
        stage.after(wait);
    }
    assert_eq!(stage.invokes(), 1);
    stage.fail_invoke(REJECTED);
    replace(&mut stage);
    stage.after(20);
    assert_eq!(stage.invokes(), 1);
    stage.fail_invoke(REJECTED);
    stage.after(4_000);
    assert_eq!(stage.invokes(), 1);
}

#[test]
fn failed_checks_at_start_are_made_again_at_once() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    let checks = |stage: &mut Stage| {
        let count = |fits: fn(&Action) -> bool| stage.actions.iter().filter(|(_, action)| fits(action)).count();
        let queues = count(|action| matches!(action, Action::CheckQueues));
        let functions = count(|action| matches!(action, Action::Probe { probe: Probe::Check, .. }));
        stage.actions.clear();
        (queues, functions)
    };
    let answer_queues = |stage: &mut Stage, answer| {
        stage.machine.queues_checked(answer);
        stage.tick();
    };
    assert_eq!(checks(&mut stage), (1, 1));
    stage.machine.probed(0, Probe::Check, 5, Err(error(REJECTED)));
    answer_queues(&mut stage, Err(error(REJECTED)));
    assert_eq!(checks(&mut stage), (0, 0));
    stage.after(10);
    replace(&mut stage);
    assert_eq!(checks(&mut stage), (1, 0), "functions are asked when the queues are usable");
    // New ones come while it asks: it is made again with these.
    stage.after(10);
    replace(&mut stage);
    answer_queues(&mut stage, Err(error(REJECTED)));
    assert_eq!(checks(&mut stage), (1, 0));
    answer_queues(&mut stage, Ok(Vec::new()));
    assert_eq!(checks(&mut stage), (0, 1));
    stage.queue("a");
    stage.after(10);
    stage.machine.probed(0, Probe::Check, 5, Ok(Vec::new()));
    stage.tick();
    assert_eq!((stage.invokes(), stage.health()), (1, "healthy"));
}
