//! Random histories of one or two machines in a simulated world, made and shrunk by `proptest`. A seed describes each:
//! steps of the hosts, of Lambda, of SQS, of disks and of time, with crashes at any moment. What users are promised is
//! checked at every call and every event; at the end everything works again, and each task must have come to its end.
//!
//! | file | what it is |
//! |---|---|
//! | `world.rs` | virtual time, calls and their answers |
//! | `lambda.rs`, `sqs.rs`, `messages.rs` | AWS |
//! | `site.rs` | one executor with its clocks and its storage |
//! | `steps.rs`, `host.rs`, `crash.rs` | what can happen next |
//! | `ledger.rs` | what an onlooker knows of each task |
//! | `promises.rs`, `deleting.rs`, `rest.rs` | what is promised |
//!
//! `LAMBDA_EXECUTOR_HISTORIES=n` runs n histories (default 100,000); `LAMBDA_EXECUTOR_HISTORY_SEED=s` runs one and
//! prints its steps (with `-- --nocapture`).

#![allow(clippy::print_stderr)]

mod crash;
mod deleting;
mod dice;
mod host;
mod lambda;
mod ledger;
mod messages;
mod promises;
mod rest;
mod site;
mod sqs;
mod steps;
mod world;

use super::InvokeCall;
use crate::executor::ports::{CallError, Fault, Sent};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use steps::{History, histories};
use world::World;

const HISTORIES: u64 = 100_000;
/// The histories are shared out to so many tests, which run side by side.
const SHARES: u64 = 4;
/// Where virtual time begins, by the clock on the wall.
const START_UNIX_MS: i64 = 1_800_000_000_000;

/// A call that fails on purpose.
fn failure(fault: Fault, sent: Sent) -> CallError {
    CallError {
        fault,
        sent,
        code: "Injected".into(),
        message: "on purpose".into(),
        request_id: String::new(),
        retry_after_ms: None,
    }
}

/// The tags of the tasks whose events a call carries.
fn tags_of(call: &InvokeCall) -> Vec<usize> {
    match &call.batch {
        None => vec![tag_of(&call.request.payload)],
        Some(batch) => batch.events.iter().map(|(_, event)| tag_of(event)).collect(),
    }
}

/// The tag of the task whose event this is.
fn tag_of(payload: &[u8]) -> usize {
    std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok()).expect("an event of ours")
}

/// Runs one history; panics where a promise is broken.
fn run(history: &History, print: bool) {
    let mut world = World::new(history.world);
    for (number, step) in history.steps.iter().enumerate() {
        if print {
            eprintln!("{number}: {:?} at {}, {:?} {:?}", step.kind, world.now, world.lambda.moods, world.sqs.mood);
        }
        world.step(*step);
        if print {
            for (site, calls) in world.sites.iter().enumerate().map(|(n, site)| (n, site.machine.counts())) {
                eprintln!("  executor {site}: {calls:?}");
            }
            let calls: Vec<_> = world.calls.iter().map(|call| (call.site, &call.asked)).collect();
            eprintln!("  under way: {calls:?}");
        }
    }
    world.come_to_rest();
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
