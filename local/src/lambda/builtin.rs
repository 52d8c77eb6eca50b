//! The built-in handler. It starts no process: it waits for a configured time and reports a configured return code in
//! the format of the real function. Used for load tests and tests of failures.

use super::settings::World;
use crate::config::Builtin;
use crate::job::{FunctionError, Job, Outcome};
use crate::random::Random;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Behaviour for one event, with defaults filled in.
#[derive(Debug)]
pub(crate) struct Task {
    task_key: String,
    attempt_id: Option<String>,
    reply_to: Option<String>,
    /// Duration of the run.
    pub(crate) duration_ms: u64,
    return_code: i32,
    output_tail: String,
    crash: bool,
    copies: usize,
    started_at_ms: u64,
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
}

impl Task {
    /// Reads an event. An event without a key, or with an invalid override, is a function error.
    pub(crate) fn read(
        payload: &[u8],
        defaults: &Builtin,
        dice: &Random,
        started_at_ms: u64,
    ) -> Result<Self, FunctionError> {
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
        })
    }

    /// Waits for the configured time, then reports.
    pub(crate) async fn finish(self, world: &World, job: &Job, timeout_ms: u64) -> Outcome {
        if self.duration_ms > timeout_ms {
            world.host.stats.timeouts.add();
            return Outcome::Error(FunctionError::timed_out(&job.request_id, timeout_ms));
        }
        if self.crash {
            return Outcome::Error(FunctionError::exited(&job.request_id, "exit status: 1"));
        }
        let report = Report {
            task_key: &self.task_key,
            return_code: self.return_code,
            attempt_id: self.attempt_id.as_deref(),
            reason: if self.return_code < 0 { "signal" } else { "exit" },
            signal: self.return_code.min(0).saturating_neg(),
            output_tail: &self.output_tail,
            request_id: &job.request_id,
            log_stream: "builtin",
            started_at_ms: self.started_at_ms,
            finished_at_ms: world.host.clock.now(),
        };
        let body = match serde_json::to_string(&report) {
            Ok(body) => body,
            Err(error) => return Outcome::Error(FunctionError::new("BadReport", error.to_string())),
        };
        let queue_url = self.reply_to.as_deref().unwrap_or(&world.queue_url);
        for _ in 0..self.copies {
            if let Err(message) = self.send(world, queue_url, &body, &job.request_id).await {
                return Outcome::Error(FunctionError::new("ReportNotSent", message));
            }
        }
        Outcome::Success(body.into())
    }

    async fn send(&self, world: &World, queue_url: &str, body: &str, request_id: &str) -> Result<(), String> {
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
