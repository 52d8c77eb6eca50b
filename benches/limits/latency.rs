//! How long a result takes from the results queue to the host while many tasks are submitted.

use super::cpu::Used;
use super::figures::Values;
use super::support::Handle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const TASKS: usize = 20_000;
const SUCCEEDED: i32 = 4;
const CONFIG: &str =
    r#"{"local": {"handler": "builtin", "concurrency": 4096, "faults": {"latency_ms": 20}}, "log": "off"}"#;

pub(super) fn measure(values: &mut Values) {
    let ex = Handle::create(CONFIG);
    // The check at start is not what is measured.
    assert_eq!(ex.queue("warm-up", r#"["true"]"#), 0);
    finish(&ex, 1);
    let (before, began) = (Used::now(), Instant::now());
    let mut latencies = std::thread::scope(|scope| {
        let results = scope.spawn(|| finish(&ex, TASKS));
        for number in 0..TASKS {
            assert_eq!(ex.queue(&format!("dag/task/run/{number}"), r#"["true"]"#), 0);
        }
        results.join().expect("every task ends")
    });
    let (took, used) = (began.elapsed(), Used::now().since(before));
    latencies.sort_unstable();
    values.add("latency.p50", latencies[TASKS / 2] as f64);
    values.add("latency.p99", latencies[TASKS / 100 * 99] as f64);
    values.add("latency.max", latencies[TASKS - 1] as f64);
    values.add("latency.rate", TASKS as f64 / took.as_secs_f64());
    values.add("latency.server", used.server_percent());
}

/// Takes events until so many tasks have succeeded. Returns for each how many ms its result was under way: the handler
/// notes the time just before the message is in the queue.
fn finish(ex: &Handle, tasks: usize) -> Vec<i64> {
    let mut latencies = Vec::with_capacity(tasks);
    let mut last_event = Instant::now();
    while latencies.len() < tasks {
        let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis());
        let mut returned_at = None;
        ex.sync(1_000, |event| {
            let returned_at = *returned_at.get_or_insert_with(|| now().expect("fits"));
            if event.state >= SUCCEEDED {
                assert_eq!(event.state, SUCCEEDED);
                latencies.push(returned_at - event.finished_at_ms);
            }
        });
        if returned_at.is_some() {
            last_event = Instant::now();
        }
        assert!(last_event.elapsed() < Duration::from_secs(60), "no event for a minute: {}", ex.stats());
    }
    latencies
}
