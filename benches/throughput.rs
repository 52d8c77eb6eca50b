//! Many tasks through the built-in handler of the embedded local AWS, with latency added to each of its answers: tasks
//! a second, AWS calls a task, result latency, and CPU time a task without that of the local AWS.
//! `cargo bench --bench throughput -- --tasks 10000 --latency-ms 20 --transport sdk`.

#![allow(clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};
use support::Handle;

const SUCCEEDED: i32 = 4;

fn main() {
    let tasks = option("--tasks", 10_000);
    let latency_ms = option("--latency-ms", 20);
    let concurrency = match option("--concurrency", 0) {
        0 => String::new(), // Found by trial.
        number => format!(r#""max_concurrent_invokes": {number}, "#),
    };
    let transport = word("--transport").unwrap_or_else(|| "direct".into());
    let config = format!(
        r#"{{"local": {{"handler": "builtin", "concurrency": 4096, "faults": {{"latency_ms": {latency_ms}}}}},
            {concurrency}"running_events": false, "transport": "{transport}"}}"#
    );
    let ex = Handle::create(&config);
    // The startup check is not what is measured.
    assert_eq!(ex.queue("warm-up", r#"["true"]"#), 0);
    wait_for(&ex, 1);
    let before = calls(&ex);

    let cpu_before = cpu();
    let start = Instant::now();
    for number in 0..tasks {
        assert_eq!(ex.queue(&format!("bench/{number}"), r#"["true"]"#), 0);
    }
    let queued = start.elapsed();
    let succeeded = wait_for(&ex, tasks);
    let took = start.elapsed();
    let cpu_after = cpu();
    let (own_cpu, local_cpu) = (cpu_after.0 - cpu_before.0, cpu_after.1 - cpu_before.1);

    let stats = ex.stats();
    let made = calls(&ex) - before;
    let result = &stats["latency_ms"]["result"];
    println!("tasks                    {tasks} ({succeeded} succeeded), {latency_ms} ms added to each API call");
    println!("queue                    {:.2} µs a task", queued.as_secs_f64() * 1e6 / tasks as f64);
    println!(
        "queue to final event     {:.2} s, {:.0} tasks a second",
        took.as_secs_f64(),
        tasks as f64 / took.as_secs_f64()
    );
    let a_task = |seconds: f64| seconds * 1e6 / tasks as f64;
    println!("CPU a task               {:.1} µs ({transport}), local AWS {:.1} µs", a_task(own_cpu), a_task(local_cpu));
    println!("AWS calls a task         {:.3}", made as f64 / tasks as f64);
    println!("result latency           p50 {} ms, p99 {} ms, max {} ms", result["p50"], result["p99"], result["max"]);
    println!("Invokes at once          {}", stats["routes"][0]["concurrency_limit"]);
    println!("calls                    {}", stats["aws_calls"]);
    assert_eq!(succeeded, tasks, "every task ends, and well");
}

fn calls(ex: &Handle) -> u64 {
    ex.stats()["aws_calls"]["total"].as_u64().unwrap_or(0)
}

/// Takes events until so many tasks have ended; gives up when nothing comes for a minute.
fn wait_for(ex: &Handle, tasks: u64) -> u64 {
    let (mut ended, mut succeeded) = (0, 0);
    let mut last_event = Instant::now();
    while ended < tasks {
        let count = ex.sync(1_000, |event| {
            if event.state >= SUCCEEDED {
                ended += 1;
                succeeded += u64::from(event.state == SUCCEEDED);
            }
        });
        if count > 0 {
            last_event = Instant::now();
        }
        assert!(last_event.elapsed() < Duration::from_secs(60), "nothing for a minute: {}", ex.stats());
    }
    succeeded
}

/// The word after `name` on the command line.
fn word(name: &str) -> Option<String> {
    let mut args = std::env::args();
    args.find(|arg| arg == name).and_then(|_| args.next())
}

fn option(name: &str, default: u64) -> u64 {
    word(name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Seconds of CPU time of this process: of its other threads, and of those of the local AWS.
fn cpu() -> (f64, f64) {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux");
    let (mut own, mut local) = (0.0, 0.0);
    for thread in threads.flatten() {
        // A thread may have ended meanwhile.
        let Ok(stat) = std::fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((name, fields)) = stat.rsplit_once(')') else { continue };
        // utime and stime, in hundredths of a second; the name is the second field, and these follow as 14th and 15th.
        let ticks =
            fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
        *(if name.contains("lmbx-local") { &mut local } else { &mut own }) += ticks / 100.0;
    }
    (own, local)
}
