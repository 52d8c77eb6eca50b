//! What the library promises at its limits, as docs/performance.md lists it: the worst call of `queue`, memory of a
//! queued task, result latency under load, the longest hold of the lock, deletes a second.
//!
//! `make bench-limits` runs each measurement in a process of its own, three times. The name of a measurement (`million`,
//! `latency`, `large`, `deletes`) runs it alone. With `--features lock-times` and `--lock`, the figures are those of the
//! lock during the same measurements.

#![allow(clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod cpu;
mod deletes;
mod figures;
mod large_results;
mod latency;
mod million;

use figures::{FIGURES, Figure, Values};
use std::process::Command;

/// Each makes some figures.
type Measure = fn(&mut Values);

const MEASUREMENTS: [(&str, Measure); 4] = [
    ("million", million::measure),
    ("latency", latency::measure),
    ("large", large_results::measure),
    ("deletes", deletes::measure),
];

fn main() {
    let (mut repeats, mut only, mut of_lock) = (1, None, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // cargo adds it.
            "--bench" => {}
            "--measure" => return measure(&args.next().expect("the name of a measurement")),
            "--repeats" => repeats = args.next().and_then(|number| number.parse().ok()).expect("a number of repeats"),
            "--lock" => of_lock = true,
            name => only = Some(name.to_owned()),
        }
    }
    assert!(!of_lock || cfg!(feature = "lock-times"), "--lock needs --features lock-times");
    report(repeats, only.as_deref(), of_lock);
}

/// In this process. Prints a line for each value.
fn measure(name: &str) {
    let (_, measurement) = MEASUREMENTS.iter().find(|(known, _)| *known == name).expect("a known measurement");
    let mut values = Values::default();
    #[cfg(feature = "lock-times")]
    lambda_executor::executor::lock_times::set_thread_cpu(cpu::of_this_thread);
    measurement(&mut values);
    #[cfg(feature = "lock-times")]
    {
        let holds = lambda_executor::executor::lock_times::take();
        let microseconds = |time: u64| time as f64 / 1e3;
        values.add(&format!("{name}.hold_wall"), microseconds(holds.wall.max()));
        values.add(&format!("{name}.hold_cpu"), microseconds(holds.cpu.max()));
    }
    print!("{values}");
}

/// Each measurement in processes of its own: memory and threads of one do not disturb another.
fn report(repeats: usize, only: Option<&str>, of_lock: bool) {
    let this = std::env::current_exe().expect("this program has a path");
    println!("{}", Figure::HEADING);
    for (name, _) in MEASUREMENTS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let figures: Vec<_> = FIGURES.iter().filter(|one| one.is_of(name) && one.is_of_lock() == of_lock).collect();
        if figures.is_empty() {
            continue;
        }
        let runs: Vec<Values> = (0..repeats)
            .map(|_| {
                let output = Command::new(&this).args(["--measure", name]).output().expect("this program starts");
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{name}: {error}");
                Values::read(&String::from_utf8_lossy(&output.stdout))
            })
            .collect();
        for figure in figures {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| run.get(figure.id)).collect();
            if !values.is_empty() {
                println!("{}", figure.row(&mut values));
            }
        }
    }
}
