//! What single calls of the C API cost: `queue`, `sync` of 100 events, `state`.

mod support;

use criterion::{BatchSize, Criterion};
use std::cell::Cell;
use std::hint::black_box;
use support::Handle;

/// Nobody answers there: tasks stay queued, and nothing but the call is measured.
const NOBODY: &str = r#"{"function_name": "f", "queue_url": "http://127.0.0.1:9/000000000000/r",
    "dead_letter_queue_url": "http://127.0.0.1:9/000000000000/d", "endpoint_url": "http://127.0.0.1:9",
    "region_name": "us-east-1", "max_queued_tasks": 100000000, "log": "off"}"#;

fn queue(c: &mut Criterion) {
    let ex = Handle::create(NOBODY);
    let mut number = 0u64;
    c.bench_function("queue", |b| {
        b.iter_batched(
            || {
                number += 1;
                format!("dag/task/run/{number}")
            },
            |key| assert_eq!(ex.queue(&key, r#"["true"]"#), 0),
            BatchSize::SmallInput,
        );
    });
}

fn sync_100(c: &mut Criterion) {
    let ex = Handle::create(NOBODY);
    let round = Cell::new(0u64);
    c.bench_function("sync of 100 events", |b| {
        b.iter_batched(
            || {
                round.set(round.get() + 1);
                let keys: Vec<String> = (0..100).map(|n| format!("{}/{n}", round.get())).collect();
                for key in &keys {
                    assert_eq!(ex.queue(key, r#"["true"]"#), 0);
                }
                ex.cancel(&keys);
            },
            |()| {
                assert_eq!(
                    ex.sync(0, |event| {
                        black_box(event.seq);
                    }),
                    100
                )
            },
            BatchSize::PerIteration,
        );
    });
}

fn state(c: &mut Criterion) {
    let ex = Handle::create(NOBODY);
    for number in 0..10_000 {
        ex.queue(&format!("task/{number}"), r#"["true"]"#);
    }
    c.bench_function("state", |b| b.iter(|| assert_eq!(ex.state(black_box("task/5000")), 1)));
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    queue(&mut criterion);
    sync_100(&mut criterion);
    state(&mut criterion);
    criterion.final_summary();
}
