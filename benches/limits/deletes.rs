//! How many messages a second can be deleted from one queue: all results are acknowledged at once, and are timed until the
//! last is deleted.

use super::cpu::Used;
use super::figures::Values;
use super::support::Handle;
use std::time::{Duration, Instant};

const RESULTS: usize = 50_000;
const SUCCEEDED: i32 = 4;
const CONFIG: &str = r#"{"local": {"handler": "builtin", "concurrency": 4096, "faults": {"latency_ms": 20}},
    "max_concurrent_invokes": 512, "max_unacked_results": 100000, "running_events": false, "log": "off"}"#;

pub(super) fn measure(values: &mut Values) {
    let ex = Handle::create(CONFIG);
    for number in 0..RESULTS {
        assert_eq!(ex.queue(&format!("dag/task/run/{number}"), r#"["true"]"#), 0);
    }
    let (mut seqs, mut batches) = (Vec::new(), Vec::new());
    let mut last_event = Instant::now();
    while seqs.len() < RESULTS {
        let batch = ex.sync_unacknowledged(1_000, |event| {
            assert_eq!(event.state, SUCCEEDED);
            seqs.push(event.seq);
        });
        if batch.is_some() {
            last_event = Instant::now();
        }
        batches.extend(batch);
        assert!(last_event.elapsed() < Duration::from_secs(60), "no event for a minute: {}", ex.stats());
    }
    assert_eq!(deleted(&ex), 0, "nothing is deleted before it is acknowledged");

    let (before, began) = (Used::now(), Instant::now());
    ex.acknowledge(&seqs);
    while deleted(&ex) < RESULTS as u64 {
        assert!(began.elapsed() < Duration::from_secs(60), "not deleted within a minute: {}", ex.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
    let (took, used) = (began.elapsed(), Used::now().since(before));
    values.add("deletes.rate", RESULTS as f64 / took.as_secs_f64());
    values.add("deletes.server", used.server_percent());
    values.add("deletes.busy", used.total().as_secs_f64() / took.as_secs_f64());
}

fn deleted(ex: &Handle) -> u64 {
    ex.stats()["messages"]["deleted"].as_u64().unwrap_or(0)
}
