//! What the loop measures of itself.

use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub struct Measured {
    tasks: usize,
    rate: f64,
    began: Instant,
    began_at_ms: f64,
    cpu: Duration,
    seconds: f64,
    cut: bool,
    done: usize,
    failed: usize,
    start_ms: Vec<f64>,
    event_ms: Vec<f64>,
}

/// The function's report.
#[derive(Deserialize)]
struct Report {
    task_key: String,
    return_code: i32,
    started_at_ms: f64,
    finished_at_ms: f64,
}

impl Measured {
    pub fn new(tasks: usize, rate: f64) -> Self {
        Self {
            tasks,
            rate,
            began: Instant::now(),
            began_at_ms: unix_ms(),
            cpu: cpu(),
            seconds: 0.0,
            cut: false,
            done: 0,
            failed: 0,
            start_ms: Vec::with_capacity(tasks),
            event_ms: Vec::with_capacity(tasks),
        }
    }

    /// How long after the start a task is queued.
    pub fn due(&self, task: usize) -> Duration {
        if self.rate > 0.0 { Duration::from_secs_f64(task as f64 / self.rate) } else { Duration::ZERO }
    }

    pub fn began(&self) -> Instant {
        self.began
    }

    pub fn is_complete(&self) -> bool {
        self.done + self.failed >= self.tasks
    }

    pub fn report(&mut self, body: &str) -> serde_json::Result<()> {
        let report: Report = serde_json::from_str(body)?;
        if report.return_code != 0 {
            self.failed += 1;
            return Ok(());
        }
        self.done += 1;
        let task = report.task_key.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let queued_at_ms = self.began_at_ms + self.due(task).as_secs_f64() * 1e3;
        self.start_ms.push(report.started_at_ms - queued_at_ms);
        self.event_ms.push(unix_ms() - report.finished_at_ms);
        Ok(())
    }

    /// After the last event, or when the limit has passed.
    pub fn stop(&mut self) {
        self.seconds = self.began.elapsed().as_secs_f64();
        self.cut = !self.is_complete();
    }

    /// CPU time counts until now. The loop is the calling thread, which makes no call that blocks.
    pub fn answer(mut self) -> Value {
        json!({
            "done": self.done,
            "failed": self.failed,
            "cut": self.cut,
            "seconds": self.seconds,
            "cpu_s": (cpu() - self.cpu).as_secs_f64(),
            "blocked_s": null,
            "blocked_longest_ms": null,
            "peak_mb": peak_mb(),
            "start_ms": quantiles(&mut self.start_ms),
            "event_ms": quantiles(&mut self.event_ms),
        })
    }
}

fn quantiles(values: &mut [f64]) -> Value {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => Value::Null,
        n => json!([values[n / 2], values[n - 1 - n / 100]]),
    }
}

fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// Of all threads of this process.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The largest memory in RAM. The maximum of getrusage includes the process that started this one.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1024.0
}
