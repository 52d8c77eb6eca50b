//! Random histories of the state machine in a simulated world. Each is told by its seed: steps of the host, of Lambda,
//! of SQS and of time, with invariants checked after every one, and at the end the world is healed and must come to
//! rest with exactly one final event for every task.
//!
//! `LAMBDA_EXECUTOR_HISTORIES=n` runs n histories (default 100,000); `LAMBDA_EXECUTOR_HISTORY_SEED=s` runs one and
//! prints its steps.

#![allow(clippy::print_stderr)]

mod dice;
mod invariants;
mod model;
mod steps;
mod world;

use super::Action;
use dice::Dice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use steps::{Step, steps};
use world::{LambdaMood, SqsMood, World};

const HISTORIES: u64 = 100_000;
/// The histories are shared out to so many tests, which run side by side.
const SHARES: u64 = 4;

/// Runs one history; panics where an invariant is broken.
fn run(seed: u64, steps: &[Step], print: bool) {
    let mut world = World::new(seed);
    for (number, step) in steps.iter().enumerate() {
        world.step(*step);
        world.check();
        if print {
            let at = world.now.mono_ms;
            let calls: Vec<_> = world.calls.iter().map(|call| &call.action).collect();
            let counts = world.core.counts();
            eprintln!("{number}: {:?} at {at}: {counts:?}, under way {calls:?}\n", step.kind);
        }
    }
    if world.model.shut_down { world.end_after_shutdown() } else { world.heal() }
}

fn fails(seed: u64, steps: &[Step]) -> Option<String> {
    let failure = catch_unwind(AssertUnwindSafe(|| run(seed, steps, false))).err()?;
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(|text| (*text).into())).or(Some("a panic".into()))
}

/// Leaves out whatever is not needed to fail.
fn shrink(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut chunk = steps.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + chunk).min(steps.len()));
            if fails(seed, &fewer).is_some() { steps = fewer } else { at += chunk }
        }
        chunk /= 2;
    }
    steps
}

fn history(seed: u64) {
    let steps = steps(&mut Dice(seed ^ 0x5eed));
    let Some(why) = fails(seed, &steps) else { return };
    let kinds: Vec<_> = shrink(seed, steps).iter().map(|step| step.kind).collect();
    panic!(
        "history {seed} fails (LAMBDA_EXECUTOR_HISTORY_SEED={seed} replays it): {why}\nits shortest form: {kinds:?}"
    );
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: `{text}` is not a number")))
}

/// One share of the histories.
fn share(number: u64) {
    if let Some(seed) = number_from("LAMBDA_EXECUTOR_HISTORY_SEED") {
        if number == 0 {
            let steps = steps(&mut Dice(seed ^ 0x5eed));
            let steps = if fails(seed, &steps).is_some() { shrink(seed, steps) } else { steps };
            run(seed, &steps, true);
        }
        return;
    }
    let histories = number_from("LAMBDA_EXECUTOR_HISTORIES").unwrap_or(HISTORIES);
    for seed in (number..histories).step_by(SHARES as usize) {
        history(seed);
    }
}

#[test]
fn histories_first_share() {
    share(0);
}

#[test]
fn histories_second_share() {
    share(1);
}

#[test]
fn histories_third_share() {
    share(2);
}

#[test]
fn histories_fourth_share() {
    share(3);
}

impl World {
    /// Everything works again and time runs on: every task must come to its end.
    fn heal(&mut self) {
        (self.lambda, self.sqs) = (LambdaMood::Well, SqsMood::Well);
        for _ in 0..3_000 {
            while let Some(run) = self.runs.pop() {
                self.end_run(&run);
            }
            self.answer_all_but_polls();
            self.host_takes(0);
            self.host_acknowledges(100);
            self.drive();
            self.check();
            self.answer_all_but_polls();
            if self.core.remaining() == 0 && self.model.unacked.is_empty() && !self.core.has_waiting_events() {
                return self.check_rest();
            }
            let now = self.now.mono_ms;
            let waits: Vec<usize> = (0..self.calls.len()).filter(|n| self.is_poll(*n)).collect();
            let polled =
                |queue| waits.iter().any(|n| matches!(self.calls[*n].action, Action::Receive(r) if r.queue == queue));
            let visible = self.messages.iter().filter(|m| !m.deleted && polled(m.queue)).map(|m| m.visible_at).min();
            let timer = self.core.next_timer().unwrap_or(now + 20_000);
            let next = timer.min(visible.unwrap_or(u64::MAX)).min(now + 20_000);
            assert!(!waits.is_empty() || self.core.next_timer().is_some(), "nothing will ever happen again");
            self.advance(next.saturating_sub(now).max(1));
            for index in waits.into_iter().rev() {
                self.answer(index);
            }
        }
        panic!("the world is well and {} tasks do not end: {:?}", self.core.remaining(), self.core.stats());
    }

    fn is_poll(&self, call: usize) -> bool {
        matches!(self.calls[call].action, Action::Receive(_))
    }

    fn answer_all_but_polls(&mut self) {
        while let Some(index) = (0..self.calls.len()).find(|n| !self.is_poll(*n)) {
            self.answer(index);
        }
    }

    /// Nothing is left to do, and nothing was left undone.
    fn check_rest(&mut self) {
        for index in (0..self.calls.len()).rev() {
            self.answer(index);
        }
        for _ in 0..100 {
            self.answer_all_but_polls();
            self.advance(11_000);
            if self.calls.is_empty() && self.core.next_timer().is_none() {
                break;
            }
        }
        assert!(self.calls.is_empty(), "idle, and yet {:?}", self.calls);
        assert!(self.core.is_quiet(), "idle, and yet not quiet");
        assert_eq!(self.core.next_timer(), None, "idle, and yet it wants to be woken");
        for task in &self.model.tasks {
            assert!(task.final_event.is_some(), "`{}` was accepted and never ended", task.key);
        }
        for source in &self.model.acked_sources {
            assert!(self.messages[*source].delete_asked, "m{source} was acknowledged and is not deleted");
        }
        assert!(self.core.held.is_empty() && self.core.extensions.is_empty());
    }

    /// What was under way is answered; what the host has not acknowledged is there for the next process.
    fn end_after_shutdown(&mut self) {
        (self.lambda, self.sqs) = (LambdaMood::Well, SqsMood::Well);
        self.answer_all_but_polls();
        assert!(self.core.is_quiet(), "shut down, and not quiet");
        let now = self.now.mono_ms;
        for handed_out in self.model.unacked.values() {
            let Some(source) = handed_out.source else { continue };
            let stored = &self.messages[source];
            assert!(stored.deleted || stored.change_failed || stored.visible_at <= now, "m{source} stays hidden");
        }
    }
}
