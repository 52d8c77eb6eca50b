//! Random histories of the state machine in a simulated world, made and shrunk by `proptest`. Each is told by its seed:
//! steps of the host, of Lambda, of SQS and of time, with invariants checked after every one, and at the end the world
//! is healed and must come to rest with exactly one final event for every task.
//!
//! `LAMBDA_EXECUTOR_HISTORIES=n` runs n histories (default 100,000); `LAMBDA_EXECUTOR_HISTORY_SEED=s` runs one and
//! prints its steps (with `-- --nocapture`).

#![allow(clippy::print_stderr)]

mod dice;
mod invariants;
mod model;
mod steps;
mod world;

use super::Action;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use steps::{History, histories};
use world::{LambdaMood, SqsMood, World};

const HISTORIES: u64 = 100_000;
/// The histories are shared out to so many tests, which run side by side.
const SHARES: u64 = 4;

/// Runs one history; panics where an invariant is broken.
fn run(history: &History, print: bool) {
    let mut world = World::new(history.world);
    for (number, step) in history.steps.iter().enumerate() {
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

/// A runner for the one history of that seed, so that each can be had again by its own.
fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 10_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Runs the history of that seed; the error has the shortest form of it that still fails.
fn history(seed: u64) -> Result<(), (String, History)> {
    let answer = runner(seed).run(&histories(), |history| {
        run(&history, false);
        Ok(())
    });
    match answer {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, shortest)) => Err((why.to_string(), shortest)),
        Err(TestError::Abort(why)) => panic!("history {seed} did not run: {why}"),
    }
}

/// Runs one history again and prints it, in its shortest form if it fails.
fn replay(seed: u64) {
    let shown = match history(seed) {
        Err((_, shortest)) => shortest,
        Ok(()) => histories().new_tree(&mut runner(seed)).expect("a history is never refused").current(),
    };
    run(&shown, true);
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: `{text}` is not a number")))
}

/// One share of the histories.
fn share(number: u64) {
    if let Some(seed) = number_from("LAMBDA_EXECUTOR_HISTORY_SEED") {
        if number == 0 {
            replay(seed);
        }
        return;
    }
    let wanted = number_from("LAMBDA_EXECUTOR_HISTORIES").unwrap_or(HISTORIES);
    for seed in (number..wanted).step_by(SHARES as usize) {
        if let Err((why, shortest)) = history(seed) {
            let kinds: Vec<_> = shortest.steps.iter().map(|step| step.kind).collect();
            panic!(
                "history {seed} fails (LAMBDA_EXECUTOR_HISTORY_SEED={seed} replays it): {why}\nits shortest form: {kinds:?}"
            );
        }
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
