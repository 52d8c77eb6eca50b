//! The loop that a program without a library would write: so many Invokes in flight, receives, deletes by ten. By hyper
//! and `aws-sigv4` it is the limit that `make bench` compares with; by the AWS SDK it is the usual way.
//!
//!     bare-loops hyper|sdk
//!
//! Reads one JSON line, prints one (benches/report/job.py describes both). An error ends it. Only the
//! AWS SDK retries before that, with its defaults.

mod by_hyper;
mod by_sdk;
mod client;
mod measured;
mod run;

use client::Client;
use measured::Measured;
use serde::Deserialize;
use std::time::Duration;

/// What is asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    endpoint_url: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    function_name: String,
    queue_url: String,
    tasks: usize,
    rate: f64,
    limit_s: f64,
    concurrency: usize,
    command: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let by = std::env::args().nth(1).unwrap_or_default();
    let measured = match by.as_str() {
        "hyper" => runtime.block_on(measure(by_hyper::Hyper::new(&job)?, job))?,
        "sdk" => runtime.block_on(measure(by_sdk::Sdk::new(&job), job))?,
        _ => return Err("which client: hyper or sdk?".into()),
    };
    println!("{}", measured.answer());
    Ok(())
}

async fn measure<C: Client>(client: C, job: Job) -> client::Result<Measured> {
    let limit = Duration::from_secs_f64(job.limit_s);
    tokio::task::LocalSet::new().run_until(run::run(client, job, limit)).await
}
