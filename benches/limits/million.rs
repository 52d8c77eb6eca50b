//! A million tasks, queued one by one while Lambda is slow: how long the host waits in `queue`, and what they take up.

use super::cpu;
use super::figures::Values;
use super::support::Handle;
use std::time::{Duration, Instant};

const TASKS: usize = 1_000_000;
const COMMAND: &str = r#"["true"]"#;
/// Each Invoke takes almost as long as it may: next to nothing is submitted.
const CONFIG: &str = r#"{"local": {"handler": "builtin", "faults": {"lambda": {"latency_ms": 9000}}},
    "max_queued_tasks": 2000000, "log": "off"}"#;

pub(super) fn measure(values: &mut Values) {
    let ex = Handle::create(CONFIG);
    assert_eq!(ex.queue("warm-up", COMMAND), 0);
    // Written, so that its memory is there before.
    let mut calls = vec![u32::MAX; TASKS];
    let (mut worst, mut worst_cpu) = (Duration::ZERO, Duration::ZERO);
    let mut own_bytes = 0;
    let memory = resident_bytes();
    for (number, call) in calls.iter_mut().enumerate() {
        let key = format!("dag/task/run/{number}");
        own_bytes += key.len() + COMMAND.len();
        let cpu = cpu::of_this_thread();
        let began = Instant::now();
        let status = ex.queue(&key, COMMAND);
        let took = began.elapsed();
        assert_eq!(status, 0);
        if took > worst {
            (worst, worst_cpu) = (took, cpu::of_this_thread() - cpu);
        }
        *call = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
    }
    let grown = resident_bytes() - memory;
    calls.sort_unstable();
    let mean = calls.iter().map(|ns| f64::from(*ns)).sum::<f64>() / TASKS as f64;
    values.add("million.worst", worst.as_secs_f64() * 1e3);
    values.add("million.worst_cpu", worst_cpu.as_secs_f64() * 1e3);
    values.add("million.p999", f64::from(calls[TASKS / 1_000 * 999]) / 1e3);
    values.add("million.mean", mean / 1e3);
    values.add("million.bytes", (grown - own_bytes) as f64 / TASKS as f64);
}

/// Memory of this process that is in RAM.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}
