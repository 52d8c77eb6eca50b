//! Several schedulers with one results queue, which also has results that no scheduler waits for.

use crate::executors::Schedulers;
use crate::world::{ORPHAN, World};
use serde_json::json;
use std::time::{Duration, Instant};

const TASKS: usize = 2_000;
const ORPHANS: usize = 200;

/// A results queue with the results of a scheduler that has ended.
fn world_with_orphans() -> World {
    let world = World::start(&json!({"handler": "builtin", "concurrency": 4096}));
    let mut gone = Schedulers::new();
    gone.start(&world, &json!({}));
    for number in 0..ORPHANS {
        gone.queue(0, format!("{ORPHAN}{number}"), 1_500);
    }
    gone.run(Duration::from_secs(20), |gone| gone.started == ORPHANS);
    assert_eq!(gone.ended.len(), 0, "a result arrived before the scheduler ended");
    gone.end();
    world
}

#[derive(Debug)]
struct Figures {
    average: f64,
    worst: u32,
}

/// `schedulers` share the tasks. Each may have its own queue.
fn run(schedulers: usize, own_queues: bool) -> Figures {
    let _alone = crate::alone();
    let world = world_with_orphans();
    let mut all = Schedulers::new();
    for number in 0..schedulers {
        let own = own_queues.then(|| all.make_queue(&world, &format!("own-{number}")));
        all.start(&world, &json!({"reply_queue_url": own}));
    }
    let began = Instant::now();
    for number in 0..TASKS {
        // Tasks end one by one over three seconds, not all at once.
        all.queue(number % schedulers, format!("task/{number}"), (number * 3_000 / TASKS) as u64);
    }
    all.run(Duration::from_secs(300), |all| all.ended.len() == TASKS);
    let took = began.elapsed();
    let (results, orphans) = (world.book.deliveries(false), world.book.deliveries(true));
    crate::print(&format!(
        "shared queue, k = {schedulers}, {}: {TASKS} tasks in {:.1} s; deliveries a result {:.2} on average, {} at \
         worst; {} orphans delivered {} times; {} receives, {} changes of visibility, {} AWS calls a task {:.2}; result \
         latency p50 {} ms, p99 {} ms, max {} ms",
        if own_queues { "own queues" } else { "one queue" },
        took.as_secs_f64(),
        results.average(),
        results.worst,
        orphans.messages,
        orphans.total,
        all.sum("/aws_calls/receive"),
        all.sum("/aws_calls/change_visibility_batch"),
        all.sum("/aws_calls/total"),
        all.sum("/aws_calls/total") as f64 / TASKS as f64,
        all.most("/latency_ms/result/p50"),
        all.most("/latency_ms/result/p99"),
        all.most("/latency_ms/result/max"),
    ));
    all.assert_all_succeeded_once(TASKS);
    assert_eq!(results.messages, TASKS);
    // Receives of the ended scheduler may hide some for longer than the run takes.
    assert!((ORPHANS / 2..=ORPHANS).contains(&orphans.messages), "{}", orphans.messages);
    assert_eq!(all.sum("/messages/orphans"), orphans.total, "orphans have their own counter");
    all.end();
    Figures { average: results.average(), worst: results.worst }
}

#[test]
fn two_schedulers_on_one_queue() {
    // Each delivery goes to one of two at random, which alone gives 2 on average; a busy machine adds to it.
    let figures = run(2, false);
    assert!(figures.average <= 3.0 && figures.worst <= 40, "{figures:?}");
}

#[test]
fn four_schedulers_on_one_queue() {
    // Each delivery goes to one of four at random. That alone gives 4 on average, and in one run of 50 more than 40 for
    // one of the results. A busy machine adds to it.
    let figures = run(4, false);
    assert!(figures.average <= 6.5 && figures.worst <= 70, "{figures:?}");
}

#[test]
fn four_schedulers_with_own_queues() {
    let figures = run(4, true);
    assert!(figures.average <= 1.05, "{figures:?}");
}
