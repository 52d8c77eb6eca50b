//! What `queue`, `sync`, reading a result and a whole task cost, in instructions of the processor: callgrind counts them, so
//! other programs on the machine change nothing. None may cost a tenth more than baselines.txt says.
//!
//! The same binary gives the same counts to within a hundredth: hash maps have random seeds. Functions of libc that
//! exist in a variant for each kind of processor (memcpy, strlen and so on) are not counted. The work avoids the AWS SDK and
//! TLS, of which the same is true.

#![allow(clippy::print_stdout)]

#[path = "../../benches/support/mod.rs"]
mod support;
mod work;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// This program does the work of that name.
const WORK: &str = "COUNTED_WORK";

/// Beyond this part more, a figure fails.
const ALLOWED: f64 = 0.10;

/// Each with how often the program does it.
const FIGURES: [(&str, &str); 4] = [
    ("queue", "a call of lambda_executor_queue"),
    ("sync", "an event taken with lambda_executor_sync and acknowledged, of 100"),
    ("decode", "reading a result of 1.4 KB"),
    ("task", "a task from queue to the delete of its message, without the AWS SDK"),
];
const TIMES: u64 = 1_000;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instructions/baselines.txt")
}

/// Instructions of a thousandth of what the program does under this name.
fn count(name: &str) -> u64 {
    let out = env::temp_dir().join(format!("callgrind.{name}.{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=instructions::work::measured"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe().unwrap())
        .args(["--exact", "the_work_that_is_counted"])
        .env(WORK, name)
        .output()
        .expect("valgrind is installed (make setup)");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
    let profile = fs::read_to_string(&out).unwrap();
    fs::remove_file(&out).unwrap();
    let instructions = own_instructions(&profile) / TIMES;
    assert!(instructions > 100, "{name}: nothing was counted, {stderr}");
    instructions
}

/// The sum over all functions but those of which libc has several. A profile names a function or a file in full once, and
/// then by its number; the line after `calls=` repeats what the callee cost.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn own_instructions(profile: &str) -> u64 {
    let mut names = HashMap::new();
    let mut sum = 0;
    let (mut is_counted, mut is_of_callee) = (true, false);
    for line in profile.lines() {
        if let Some((kind @ ("fn" | "cfn"), name)) = line.split_once('=') {
            let (number, name) = name.split_once(' ').unwrap_or((name, ""));
            if !name.is_empty() {
                names.insert(number.to_owned(), name.to_owned());
            }
            if kind == "fn" {
                is_counted = !names.get(number).is_some_and(|name| is_of_the_processor(name));
            }
        } else if line.starts_with("calls=") {
            is_of_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost: u64 = line.split_whitespace().nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            if !std::mem::take(&mut is_of_callee) && is_counted {
                sum += cost;
            }
        }
    }
    sum
}

fn is_of_the_processor(function: &str) -> bool {
    ["__mem", "__str", "mem", "str"].iter().any(|start| function.starts_with(start))
}

/// The counts of the file, and the compiler that they were made with.
fn baselines() -> (HashMap<String, u64>, String) {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let compiler = text.lines().find_map(|line| line.strip_prefix("# rustc ")).unwrap_or("?").to_owned();
    let counts = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    });
    (counts.collect(), compiler)
}

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    String::from_utf8(version).unwrap().split_whitespace().nth(1).unwrap_or("?").to_owned()
}

fn write_baselines(counts: &[(&str, u64)]) {
    let mut text = String::from("# Instructions, counted by tests/instructions. Written by\n");
    text += "# UPDATE=1 cargo test --workspace --test instructions\n";
    text += &format!("# rustc {}\n", compiler());
    for ((name, count), (_, what)) in counts.iter().zip(FIGURES) {
        text += &format!("{name:8} {count:8}   {what}\n");
    }
    fs::write(file(), text).unwrap();
}

/// Under callgrind. Nothing otherwise.
#[test]
fn the_work_that_is_counted() {
    if let Ok(name) = env::var(WORK) {
        work::run(&name);
    }
}

#[test]
fn nothing_costs_a_tenth_more_instructions_than_it_did() {
    // At the same time, as valgrind is slow and no other program changes a count.
    let counts = std::thread::scope(|scope| {
        let runs = FIGURES.map(|(name, _)| (name, scope.spawn(|| count(name))));
        runs.map(|(name, run)| (name, run.join().expect("counted")))
    });
    if env::var_os("UPDATE").is_some() {
        write_baselines(&counts);
    }
    let (before, compiled_by) = baselines();
    let mut worse = Vec::new();
    for ((name, count), (_, what)) in counts.into_iter().zip(FIGURES) {
        let before = *before.get(name).unwrap_or_else(|| panic!("baselines.txt has no line `{name}`"));
        let more = count as f64 / before as f64 - 1.0;
        println!("{name:8} {count:8} instructions, {:+.1} %", more * 100.0);
        if more > ALLOWED {
            worse.push(format!("{name}: {count} instructions, {before} before: {:+.0} % ({what})", more * 100.0));
        }
    }
    let now = compiler();
    let compiler =
        if now == compiled_by { String::new() } else { format!(" This is rustc {now}, the file's {compiled_by}.") };
    assert!(
        worse.is_empty(),
        "\n{}\nAt most {:.0} % more are allowed.{compiler} Find the cause with `valgrind --tool=callgrind`; if the cost is worth \
         it, accept it with `UPDATE=1 cargo test --workspace --test instructions` and say why in the commit.\n",
        worse.join("\n"),
        ALLOWED * 100.0
    );
}

#[test]
fn a_profile_is_summed_without_callees_and_variants() {
    let profile = "events: Ir\nfn=(1) work\n12 100\n+3 5\ncfn=(2) __memcpy_avx_unaligned\ncalls=1 0\n* 900\n\n\
                   fn=(2)\n0 900\n\nfn=(3) more\n* 7\nfn=(1)\n-2 1\ntotals: 1013\n";
    assert_eq!(own_instructions(profile), 100 + 5 + 7 + 1);
}
