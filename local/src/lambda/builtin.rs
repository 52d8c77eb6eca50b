//! The built-in handler. It starts no process: it waits for a configured time and reports a configured return code in
//! the format of the real function. Used for load tests and tests of failures.
//! Several tasks of one event take their times one after another or side by side, and are reported together.

use super::settings::World;
use crate::config::Builtin;
use crate::job::{FunctionError, Job, Outcome};
use crate::random::Random;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What every results queue accepts, as in the real function.
const MAX_RESULT_BYTES: usize = 262_144;

/// Behaviour for one event, with defaults filled in.
#[derive(Debug)]
pub(crate) struct Run {
    tasks: Vec<Task>,
    /// How long all of it takes.
    pub(crate) duration_ms: u64,
}

/// What one task asks for, defaults filled in.
#[derive(Debug)]
struct Task {
    task_key: String,
    attempt_id: Option<String>,
    reply_to: Option<String>,
    /// Duration of the run.
    duration_ms: u64,
    return_code: i32,
    output_tail: String,
    crash: bool,
    copies: usize,
    started_at_ms: u64,
    /// Other tasks of the event took the time that it needs.
    not_started: bool,
}

#[derive(Deserialize)]
struct Several<'a> {
    #[serde(borrow)]
    batch: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    batch_parallel: Option<usize>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    task_key: Cow<'a, str>,
    #[serde(borrow, default)]
    attempt_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reply_to: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    executor_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ExecutorConfig {
    #[serde(default)]
    builtin: Override,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Override {
    duration_ms: Option<u64>,
    return_code: Option<i32>,
    output_tail: Option<String>,
    /// Behaves like a process that exits without an answer.
    crash: bool,
    /// Succeeds without a report.
    silent: bool,
    /// Reports twice.
    duplicate: bool,
}

/// The message to the results queue.
#[derive(Serialize)]
struct Report<'a> {
    task_key: &'a str,
    return_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_id: Option<&'a str>,
    reason: &'static str,
    signal: i32,
    output_tail: &'a str,
    request_id: &'a str,
    log_stream: &'static str,
    started_at_ms: u64,
    finished_at_ms: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_started: bool,
}

impl Run {
    /// Reads an event. An event without a key, or with an invalid override, is a function error.
    pub(crate) fn read(
        payload: &[u8],
        defaults: &Builtin,
        dice: &Random,
        now_ms: u64,
        timeout_ms: u64,
    ) -> Result<Self, FunctionError> {
        let several = serde_json::from_slice::<Several<'_>>(payload);
        let Ok(Several { batch: Some(events), batch_parallel }) = several else {
            let task = Task::read(payload, defaults, dice, now_ms)?;
            return Ok(Self { duration_ms: task.duration_ms, tasks: vec![task] });
        };
        let tasks: Result<Vec<Task>, FunctionError> =
            events.iter().map(|event| Task::read(event.get().as_bytes(), defaults, dice, now_ms)).collect();
        let mut tasks = tasks?;
        // When each of those that run side by side is done with what it has so far.
        let mut busy_until = vec![0_u64; batch_parallel.unwrap_or(1).clamp(1, tasks.len().max(1))];
        for task in &mut tasks {
            let Some(first_free) = busy_until.iter_mut().min() else { continue };
            let begins = *first_free;
            task.not_started = begins > 0 && begins.saturating_add(task.duration_ms) > timeout_ms;
            task.started_at_ms += begins;
            if !task.not_started {
                *first_free = begins.saturating_add(task.duration_ms);
            }
        }
        Ok(Self { duration_ms: busy_until.into_iter().max().unwrap_or(0), tasks })
    }

    /// Reports, once its time is over.
    pub(crate) async fn finish(self, world: &World, job: &Job, timeout_ms: u64) -> Outcome {
        if self.duration_ms > timeout_ms {
            world.host.stats.timeouts.add();
            return Outcome::Error(FunctionError::timed_out(&job.request_id, timeout_ms));
        }
        if self.tasks.iter().any(|task| task.crash) {
            return Outcome::Error(FunctionError::exited(&job.request_id, "exit status: 1"));
        }
        let mut bodies = Vec::with_capacity(self.tasks.len());
        for task in &self.tasks {
            match task.report(world, job) {
                Ok(body) => bodies.push((task, body)),
                Err(error) => return Outcome::Error(FunctionError::new("BadReport", error.to_string())),
            }
        }
        let answer = together(&bodies);
        for copy in 0..2 {
            let mut reported: Vec<_> = bodies.iter().filter(|(task, _)| task.copies > copy).cloned().collect();
            while !reported.is_empty() {
                let rest = reported.split_off(fitting(&reported));
                let (first, message) = (reported[0].0, together(&reported));
                if let Err(message) = first.send(world, &message, &job.request_id).await {
                    return Outcome::Error(FunctionError::new("ReportNotSent", message));
                }
                reported = rest;
            }
        }
        Outcome::Success(answer.into())
    }
}

/// How many of these fit into one message, at least one.
fn fitting(bodies: &[(&Task, String)]) -> usize {
    let mut bytes = r#"{"results":[]}"#.len();
    let fit = bodies.iter().take_while(|(_, body)| {
        bytes += body.len() + 1;
        bytes <= MAX_RESULT_BYTES
    });
    fit.count().max(1)
}

/// One result is its own message.
fn together(bodies: &[(&Task, String)]) -> String {
    match bodies {
        [(_, body)] => body.clone(),
        _ => {
            let bodies: Vec<&str> = bodies.iter().map(|(_, body)| body.as_str()).collect();
            format!(r#"{{"results":[{}]}}"#, bodies.join(","))
        }
    }
}

impl Task {
    fn read(payload: &[u8], defaults: &Builtin, dice: &Random, started_at_ms: u64) -> Result<Self, FunctionError> {
        let bad = |error: serde_json::Error| FunctionError::new("BadEvent", format!("builtin handler: {error}"));
        let event: Event<'_> = serde_json::from_slice(payload).map_err(bad)?;
        let asked = match event.executor_config.map(RawValue::get) {
            // executor_config may belong to another executor: read only our own field.
            Some(config) if config.contains("\"builtin\"") => {
                serde_json::from_str::<ExecutorConfig>(config).map_err(bad)?.builtin
            }
            _ => Override::default(),
        };
        let fails = dice.chance(defaults.failure_rate);
        Ok(Self {
            task_key: event.task_key.into_owned(),
            attempt_id: event.attempt_id.map(Cow::into_owned),
            reply_to: event.reply_to.map(Cow::into_owned),
            duration_ms: asked.duration_ms.unwrap_or(defaults.duration_ms),
            return_code: asked.return_code.unwrap_or(if fails { 1 } else { defaults.return_code }),
            output_tail: asked.output_tail.unwrap_or_else(|| defaults.output_tail.clone()),
            crash: asked.crash || dice.chance(defaults.error_rate),
            copies: if asked.silent { 0 } else { 1 + usize::from(asked.duplicate) },
            started_at_ms,
            not_started: false,
        })
    }

    fn report(&self, world: &World, job: &Job) -> serde_json::Result<String> {
        let (return_code, reason) = match self.return_code {
            _ if self.not_started => (126, "setup_failed"),
            code if code < 0 => (code, "signal"),
            code => (code, "exit"),
        };
        serde_json::to_string(&Report {
            task_key: &self.task_key,
            return_code,
            attempt_id: self.attempt_id.as_deref(),
            reason,
            signal: return_code.min(0).saturating_neg(),
            output_tail: &self.output_tail,
            request_id: &job.request_id,
            log_stream: "builtin",
            started_at_ms: self.started_at_ms,
            finished_at_ms: world.host.clock.now(),
            not_started: self.not_started,
        })
    }

    async fn send(&self, world: &World, body: &str, request_id: &str) -> Result<(), String> {
        let queue_url = self.reply_to.as_deref().unwrap_or(&world.queue_url);
        if !queue_url.ends_with(".fifo") {
            let sent = world.sqs.deliver(queue_url, body.to_owned(), Vec::new());
            return sent.map_err(|error| format!("{queue_url}: {error}"));
        }
        let message = serde_json::json!({
            "QueueUrl": queue_url,
            "MessageBody": body,
            "MessageGroupId": format!("{:016x}", group(&self.task_key)),
            "MessageDeduplicationId": self.attempt_id.as_deref().unwrap_or(request_id),
        });
        let reply = world.sqs.call("SendMessage", message.to_string().as_bytes()).await;
        match reply.status {
            200 => Ok(()),
            _ => Err(format!("{queue_url}: {}", String::from_utf8_lossy(&reply.body))),
        }
    }
}

/// FNV-1a hash: keys may be longer than a group id and contain characters that a group id cannot.
fn group(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &str) -> Result<Task, FunctionError> {
        let defaults = Builtin { duration_ms: 7, return_code: 3, ..Builtin::default() };
        Task::read(payload.as_bytes(), &defaults, &Random::seeded(0), 1)
    }

    #[test]
    fn an_event_may_override_what_is_configured() {
        let task = read(r#"{"task_key": "k", "command": ["x"], "executor_config": {}}"#).unwrap();
        assert_eq!((task.duration_ms, task.return_code, task.copies, task.crash), (7, 3, 1, false));
        let task = read(
            r#"{"task_key": "k\n", "executor_config": {"builtin": {"duration_ms": 1, "return_code": -9, "duplicate": true}}}"#,
        );
        let task = task.unwrap();
        assert_eq!((task.duration_ms, task.return_code, task.copies), (1, -9, 2));
        assert_eq!(task.task_key, "k\n");
    }

    fn run(tasks: &[(u64, &str)], parallel: usize, timeout_ms: u64) -> Run {
        let event = |(ms, more): &(u64, &str)| {
            format!(r#"{{"task_key": "k", "executor_config": {{"builtin": {{"duration_ms": {ms}{more}}}}}}}"#)
        };
        let events: Vec<String> = tasks.iter().map(event).collect();
        let payload = format!(r#"{{"task_key": "b", "batch_parallel": {parallel}, "batch": [{}]}}"#, events.join(","));
        Run::read(payload.as_bytes(), &Builtin::default(), &Random::seeded(0), 1, timeout_ms).unwrap()
    }

    #[test]
    fn tasks_of_one_event_take_their_times_one_after_another_or_side_by_side() {
        let three = [(10, ""), (20, ""), (30, "")];
        assert_eq!(run(&three, 1, 1_000).duration_ms, 60);
        assert_eq!(run(&three, 2, 1_000).duration_ms, 40);
        assert_eq!(run(&three, 9, 1_000).duration_ms, 30);
        let short = run(&three, 1, 35);
        assert_eq!(short.tasks.iter().map(|task| task.not_started).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(short.duration_ms, 30);
        assert_eq!(run(&[(50, "")], 1, 35).duration_ms, 50, "the first is started whatever it needs");
    }

    #[test]
    fn results_that_do_not_fit_into_one_message_are_sent_as_several() {
        let run = run(&[(0, ""), (0, ""), (0, "")], 1, 1);
        let bodies: Vec<_> = run.tasks.iter().map(|task| (task, "x".repeat(100_000))).collect();
        assert_eq!((fitting(&bodies), fitting(&bodies[..1])), (2, 1));
        assert_eq!(fitting(&[(&run.tasks[0], "x".repeat(300_000))]), 1);
    }

    #[test]
    fn configuration_of_other_executors_is_ignored() {
        for config in ["[1]", "null", r#"{"other": 1}"#, r#""text""#] {
            let task = read(&format!(r#"{{"task_key": "k", "executor_config": {config}}}"#)).unwrap();
            assert_eq!(task.duration_ms, 7);
        }
    }

    #[test]
    fn an_event_without_a_key_is_a_function_error() {
        assert!(read("{}").unwrap_err().message.contains("task_key"));
        assert!(read(r#"{"task_key": 5}"#).is_err());
        assert!(read(r#"{"task_key": "k", "executor_config": {"builtin": {"crahs": true}}}"#).is_err());
    }
}
