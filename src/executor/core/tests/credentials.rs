//! New credentials from the host.

use super::*;

fn refuse_poll(stage: &mut Stage, queue: QueueId) {
    stage.answer_poll(queue, Err(error(FailureClass::Credentials)));
}

#[test]
fn new_credentials_are_tried_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.running("running");
    stage.queue("waiting");
    stage.refuse_invoke(FailureClass::Credentials);
    refuse_poll(&mut stage, RESULTS);
    stage.after(100);
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (0, 0));
    stage.core.credentials_changed();
    stage.tick();
    assert_eq!((stage.invokes(), stage.polls(RESULTS)), (1, 1));
    stage.after(10);
    stage.answer_invoke(Ok(Accepted::default()));
    stage.answer_poll(RESULTS, Ok(Vec::new()));
    assert_eq!(stage.core.stats()["health"]["state"], "healthy");
}

#[test]
fn late_refusals_of_the_old_ones_say_nothing() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    stage.after(5);
    stage.core.credentials_changed();
    // The call took 10 ms, so it began before.
    stage.refuse_invoke(FailureClass::Credentials);
    assert_eq!((stage.invokes(), stage.core.counts().queued), (1, 0));
    assert_eq!(stage.core.stats()["health"]["state"], "healthy");
    stage.after(100);
    stage.refuse_invoke(FailureClass::Credentials);
    assert_eq!((stage.invokes(), stage.core.counts().queued), (0, 1));
    assert_eq!(stage.core.stats()["health"]["state"], "no_credentials");
}

#[test]
fn new_ones_that_are_refused_too_start_the_back_off_anew() {
    let mut stage = Stage::new(|_| {});
    stage.queue("a");
    for wait in [4_000, 16_000, 64_000] {
        stage.refuse_invoke(FailureClass::Credentials);
        stage.after(wait);
    }
    assert_eq!(stage.invokes(), 1);
    stage.refuse_invoke(FailureClass::Credentials);
    stage.core.credentials_changed();
    stage.after(20);
    assert_eq!(stage.invokes(), 1);
    stage.refuse_invoke(FailureClass::Credentials);
    stage.after(4_000);
    assert_eq!(stage.invokes(), 1);
}

#[test]
fn a_failed_check_at_start_is_made_again_at_once() {
    let mut stage = Stage::new(|settings| settings.check_health_on_startup = true);
    let checks = |stage: &mut Stage| {
        stage.tick();
        std::mem::take(&mut stage.actions).iter().filter(|action| matches!(action, Action::CheckHealth)).count()
    };
    assert_eq!(checks(&mut stage), 1);
    stage.core.health_checked(Err(error(FailureClass::Credentials)));
    assert_eq!(checks(&mut stage), 0);
    stage.after(10);
    stage.core.credentials_changed();
    assert_eq!(checks(&mut stage), 1);
    // New ones come while it asks: it is made again with these.
    stage.after(10);
    stage.core.credentials_changed();
    stage.core.health_checked(Err(error(FailureClass::Credentials)));
    assert_eq!(checks(&mut stage), 1);
    stage.core.health_checked(Ok(Vec::new()));
    stage.queue("a");
    assert_eq!(stage.invokes(), 1);
}
